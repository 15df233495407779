"""The seven-parameter profile comes back from its curve, and intervals and modes say what the curve leaves open."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probatum.problems.rocking_curve import kernel, prior
from probatum.problems.rocking_curve.coordinates import parameters_of, points_of
from probatum.problems.rocking_curve.crystals import GGG_444
from probatum.problems.rocking_curve.inversion import Mode, TwoPartInversion, fits
from probatum.problems.rocking_curve.observation import Instrument, Observation
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.posterior import WIDER, effective_share, posterior_of, quantiles
from probatum.problems.rocking_curve.profile import HIGH, LOW, end_of, strain_at
from probatum.problems.rocking_curve.residuals import Counted, Smoothed
from probatum.problems.rocking_curve.starts import Library, other_profiles
from probatum.problems.rocking_curve.two_part_model import DEEPEST

SECONDS = np.linspace(-80.36, 2732.4, 701)
PI_WEIGHT = 0.79


def observation(scale: float) -> Observation:
    return Observation(GGG_444, SECONDS, Instrument(30.0, scale, 40.0), depth=DEEPEST, pi_weight=PI_WEIGHT)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.simulated(observation(1.0), count=800)


def counted(parameters: np.ndarray) -> tuple[np.ndarray, float]:
    """Expected counts by even sublayers of 10 Angstrom on a grid of half an arc-second, and their scale."""
    edges = np.append(np.arange(0.0, end_of(parameters), 10.0), end_of(parameters))
    strain = strain_at((edges[1:] + edges[:-1]) / 2, parameters)
    grid = np.arange(SECONDS[0] - 65, SECONDS[-1] + 65, 0.5)
    R = kernel.reflectivity(GGG_444, angles_below(GGG_444, grid), strain, np.diff(edges), pi_weight=PI_WEIGHT)
    deviation = 30.0 / math.sqrt(8 * math.log(2))
    weights = np.exp(-(((SECONDS[:, None] - grid) / deviation) ** 2) / 2)
    blurred = weights @ R / weights.sum(1)
    scale = 53_063 / blurred.max()
    return scale * blurred + 40, scale


def test_profiles_come_back_from_their_curves(library):
    drawn = prior.draw(40, np.random.default_rng(5))
    largest = strain_at(np.linspace(0, 5000, 200), drawn).max(1)
    errors = []
    for parameters in drawn[largest < 0.025][:5]:
        expected, scale = counted(parameters)
        fit = TwoPartInversion(observation(scale), library).fit(expected)
        errors.append(np.abs(fit.modes[0].parameters - parameters) / (HIGH - LOW))
    assert np.median(np.max(errors, axis=1)) < 0.01
    assert (np.max(np.array(errors)[:, :6], axis=1) < 0.01).sum() >= 4


def test_counted_curves_fit_and_their_intervals_hold_the_truth_mostly(library):
    generator, inside = np.random.default_rng(1), []
    for parameters in prior.draw(60, np.random.default_rng(8)):
        if strain_at(np.linspace(0, 5000, 200), parameters).max() > 0.025 or len(inside) >= 4:
            continue
        expected, scale = counted(parameters)
        inversion = TwoPartInversion(observation(scale), library)
        fit = inversion.fit(generator.poisson(expected).astype(float))
        assert fits(fit.residuals, 7)
        low, high = posterior_of(fit.modes, inversion.low, inversion.high, generator).intervals()
        inside.append((low[:6] <= parameters[:6]) & (parameters[:6] <= high[:6]))
    assert np.mean(inside) >= 0.6


def test_another_profile_of_the_same_strain_is_found_without_diffraction():
    point = points_of(np.array([0.02, 0.004, 4000.0, 1500.0, 0.008, 2500.0, -1500.0]))
    others = other_profiles(point, 4)
    assert len(others)
    depths = np.linspace(0, 4000, 50)
    strain = strain_at(depths, parameters_of(point))
    for other in others:
        assert np.abs(other - point)[:6].max() > 0.05
    assert np.abs(strain_at(depths, parameters_of(others[0])) - strain).max() < 0.1 * strain.max()


def test_residuals_with_a_pattern_do_not_fit_though_their_chi2_does():
    noise = np.random.default_rng(0).normal(size=700)
    assert fits(noise, 7)
    assert not fits(1.4 * noise, 7)
    assert not fits(0.9 * np.sqrt(2) * np.sin(np.arange(700) / 30), 7)
    assert fits(0.1 * np.sin(np.arange(700) / 30), 7)


def test_smoothed_residuals_see_no_fringes_and_counted_ones_have_unit_variance():
    angles = np.arange(700)
    flat, none = np.full(700, 100.0), np.empty((0, 700))
    fringes = flat * np.exp(0.5 * np.cos(angles / 2))
    assert np.abs(Smoothed(fringes, 15.0, 1.0).of(flat, none)[0]).max() < 0.1
    drawn = np.random.default_rng(0).poisson(flat)
    residuals, _ = Counted(drawn).of(flat, none)
    assert residuals.std() == pytest.approx(1.0, abs=0.1)
    assert residuals.mean() == pytest.approx(0.0, abs=0.1)
    assert np.abs(Counted(flat, random=False).of(flat, none)[0]).max() < 1e-12


def test_samples_of_one_mode_have_its_covariance_and_modes_share_by_chi2():
    centre = np.full(7, 0.5)
    normal = np.diag(1 / np.linspace(0.004, 0.01, 7) ** 2)
    generator = np.random.default_rng(0)
    one = posterior_of((Mode(centre, 700.0, normal),), np.zeros(7), np.ones(7), generator, 4000)
    spread = points_of(one.parameters).std(0)
    np.testing.assert_allclose(spread, WIDER * np.linspace(0.004, 0.01, 7), rtol=0.08)
    away = Mode(centre + 0.1, 702.0, normal)
    two = posterior_of((Mode(centre, 700.0, normal), away), np.zeros(7), np.ones(7), generator, 4000)
    assert two.shares[1] / two.shares[0] == pytest.approx(math.exp(-1), rel=1e-6)


def test_samples_agree_with_a_parabola_of_chi2_and_not_with_a_bent_valley():
    centre, deviations = np.full(7, 0.5), np.full(7, 0.01)
    mode = Mode(centre, 700.0, np.diag(1 / deviations**2))
    box = np.zeros(7), np.ones(7)

    def parabola(point: np.ndarray) -> float:
        return 700.0 + float((((point - centre) / deviations) ** 2).sum())

    def bent(point: np.ndarray) -> float:
        steps = (point - centre) / deviations
        return 700.0 + float((steps**2).sum() + 25 * (steps[0] - steps[1] ** 2) ** 2)

    agreement = [effective_share((mode,), chi2, *box, np.random.default_rng(0)) for chi2 in (parabola, bent)]
    assert agreement[0] > 0.8
    assert agreement[1] < 0.3


def test_weighted_quantiles_of_equal_weights_are_those_of_numpy():
    values = np.random.default_rng(0).normal(size=(2001, 3))
    found = quantiles(values, np.full(2001, 1 / 2001), 0.9)
    np.testing.assert_allclose(found, np.quantile(values, 0.9, axis=0, method="hazen"), rtol=1e-9)
