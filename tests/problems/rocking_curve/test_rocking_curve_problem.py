"""Simulated rocking curves as a problem: what they hold, what is drawn, what the data can say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.audit.identifiability import determination
from probatum.errors import DataError, UnknownNameError
from probatum.problems.registry import build
from probatum.problems.rocking_curve import kernel
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.problem import CONSTRAINTS, RockingCurve, at_edge, from_shares, in_ranges
from probatum.problems.rocking_curve.profile import is_valid, sublayers
from probatum.problems.rocking_curve.simulation import CONDITIONS, Scan, condition_slopes, measured, simulated

SMALL = RockingCurve(curves=60, points=64)
SCAN = SMALL.scan


def test_every_curve_comes_from_parameters_of_the_prior():
    shares = SMALL.dataset("parameters").targets()
    assert is_valid(from_shares(shares)).all()
    assert all((law(shares) == 0).all() for law in CONSTRAINTS.values())


def test_a_broken_constraint_is_told_by_how_much():
    shares = in_ranges(np.array([[0.010, 0.013, 3000.0, 3650.0, 0.018, 4300.0, 0.0]]))
    broken = {name: float(law(shares)[0]) for name, law in CONSTRAINTS.items()}
    assert broken == pytest.approx(
        {"D01 <= Dmax1": 0.1, "D01 + D02 <= 0.03": 1 / 30, "Rp1 <= L1": 0.1, "L2 <= L1": 0.2}
    )


def test_a_curve_without_noise_is_the_reflectivity_seen_through_the_instrument():
    parameters, curves = simulated(SCAN, 0, 3, seed=0, draw=0, noise=False)
    angles = angles_below(SCAN.reflection, SCAN.resolution.grid)
    R = kernel.reflectivity(SCAN.reflection, angles, *sublayers(parameters), pi_weight=SCAN.pi_weight)
    middle = 40
    weights = np.exp(-4 * np.log(2) * ((SCAN.resolution.grid - SCAN.seconds[middle]) / 30.0) ** 2)
    expected = R @ weights / weights.sum()
    ratio = curves[:, middle] / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_counts_scatter_around_what_is_expected_as_poisson_counts_do():
    parameters, _ = simulated(SCAN, 0, 1, seed=0, draw=0, noise=True)
    expected = measured(SCAN, SCAN.signal(parameters), np.array([[5e4, 40.0, 1e-3, 300.0]]))
    assert expected.min() > 40
    drawn = np.random.default_rng(0).poisson(expected, (400, expected.size))
    np.testing.assert_allclose(drawn.mean(axis=0), expected[0], rtol=0.05)
    curves = RockingCurve(curves=200, points=64).dataset("parameters").observations["intensity"]
    assert np.array_equal(curves, np.rint(curves))
    assert curves.min() >= 0


def test_brightness_and_background_differ_from_curve_to_curve_where_there_is_noise():
    noisy = np.asarray(SMALL.dataset("parameters").observations["intensity"])
    clean = np.asarray(RockingCurve(curves=60, points=64, noise=False).dataset("parameters").observations["intensity"])
    far = noisy[:, -3:].mean(axis=1) - clean[:, -3:].mean(axis=1)
    assert far.std() > 5
    assert np.median(noisy.max(axis=1) / clean.max(axis=1)) == pytest.approx(1, abs=0.5)


@settings(max_examples=20)
@given(st.integers(0, 40), st.integers(1, 30))
def test_a_curve_does_not_depend_on_those_simulated_with_it(start: int, count: int):
    whole, curves = simulated(SCAN, 0, 70, seed=3, draw=2, noise=True)
    parameters, part = simulated(SCAN, start, start + count, seed=3, draw=2, noise=True)
    np.testing.assert_array_equal(parameters, whole[start : start + count])
    np.testing.assert_array_equal(part, curves[start : start + count])


def test_seeds_and_draws_give_other_curves():
    streams = [simulated(SCAN, 0, 4, seed=s, draw=d, noise=True)[0] for s, d in ((0, 0), (0, 1), (1, 0))]
    assert len({stream.tobytes() for stream in streams}) == 3


def test_the_stream_begins_with_the_data_set():
    first = next(SMALL.shards("parameters", 8, 8))
    assert first.cases.tolist() == SMALL.dataset("parameters").cases[:8].tolist()
    assert np.array_equal(first.targets(), SMALL.dataset("parameters").targets()[:8])


def test_three_fifths_of_the_curves_are_at_the_edge_of_L2_or_Rp2_as_the_log_counted():
    # It found 604 of 1000.
    shares = RockingCurve(curves=1000, points=16).dataset("parameters").targets()
    assert at_edge(shares).mean() == pytest.approx(0.604, abs=0.05)


def test_copies_of_edge_curves_stand_in_the_data_under_names_of_their_own():
    copied = RockingCurve(curves=60, points=64, edge_copies=2).dataset("parameters")
    edge = SMALL.dataset("parameters").groups["edge"] == "edge"
    assert len(copied) == 60 + 2 * edge.sum()
    assert len(set(copied.cases.tolist())) == len(set(copied.groups["curve"].tolist())) == len(copied)
    rows, counts = np.unique(copied.observations["intensity"], axis=0, return_counts=True)
    assert len(rows) == 60
    assert sorted(counts) == [1] * (60 - edge.sum()) + [3] * edge.sum()


def test_other_crystals_are_scanned_over_the_same_strains():
    silicon = RockingCurve(crystal="Si", hkl=[0, 0, 4], points=64).scan  # type: ignore[arg-type]
    stretch = np.tan(silicon.reflection.bragg_angle) / np.tan(SCAN.reflection.bragg_angle)
    np.testing.assert_allclose(silicon.seconds, stretch * SCAN.seconds, rtol=1e-9)
    assert silicon.signal(np.array([[0.02, 0.001, 4000.0, 2000.0, 0.01, 2000.0, -1000.0]])).shape == (1, 64)


def test_slopes_of_the_signal_are_its_differences():
    parameters, _ = simulated(SCAN, 5, 7, seed=0, draw=0, noise=False)
    signal, slopes = SCAN.signal_and_slopes(parameters)
    np.testing.assert_allclose(signal, SCAN.signal(parameters), rtol=1e-9)
    span = from_shares(np.ones(7)) - from_shares(np.zeros(7))
    for place in range(7):
        step = 1e-6 * span * (np.arange(7) == place)
        difference = (SCAN.signal(parameters + step) - SCAN.signal(parameters - step)) / (2e-6 * span[place])
        np.testing.assert_allclose(slopes[:, place], difference, atol=1e-5 * np.abs(difference).max())


def test_slopes_of_the_conditions_are_their_differences():
    signal = SCAN.signal(simulated(SCAN, 0, 1, seed=0, draw=0, noise=False)[0])
    conditions = np.sqrt(CONDITIONS.prod(axis=0))
    for place, slope in enumerate(condition_slopes(SCAN, signal[0], conditions)):
        step = 1e-6 * conditions[place] * (np.arange(4) == place)
        up, down = (measured(SCAN, signal, (conditions + s)[None])[0] for s in (step, -step))
        np.testing.assert_allclose(slope, (up - down) / (2 * step[place]), rtol=1e-4, atol=1e-7)


def test_rp2_is_lost_where_the_second_part_is_nearly_exponential_and_nothing_else_is():
    exponential, gaussian = (determination(s) for s in RockingCurve().sensitivities("parameters"))
    assert exponential.undetermined == ("Rp2",)
    assert gaussian.undetermined == ()
    assert exponential.gain[6] > 5 * gaussian.gain[6]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"curves": 0}, "curves is 0"),
        ({"points": 3}, "points is 3"),
        ({"seed": -1}, "seed is -1"),
        ({"edge_copies": -1}, "edge_copies is -1"),
        ({"crystal": "cheese"}, "unknown crystal"),
        ({"hkl": [0, 0, 1]}, "forbidden|reflection"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(options: dict, message: str):
    with pytest.raises((DataError, UnknownNameError), match=message):
        build("rocking_curve", options)


def test_places_that_a_stream_does_not_have_are_refused():
    with pytest.raises(DataError, match="0 <= start <= stop"):
        simulated(SCAN, 4, 2, seed=0, draw=0, noise=True)
    assert [len(part) for part in simulated(SCAN, 4, 4, seed=0, draw=0, noise=True)] == [0, 0]


def test_a_scan_knows_the_peak_of_the_bare_crystal():
    scan = Scan.over(SMALL.reflection, 701)
    bare = scan.signal(np.array([[0.001, 0.0005, 500.0, 50.0, 0.001, 500.0, 0.0]]))
    assert bare.max() == pytest.approx(1, abs=0.1)
