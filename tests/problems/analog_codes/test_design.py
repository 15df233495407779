"""A code whose height suffices locates the outliers it promises to; one whose height does not cannot be decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.analog_codes.commands import design
from probatum.problems.analog_codes.constructions import constructions, dodecahedron, icosahedron, polygon
from probatum.problems.analog_codes.design import FaultModel, candidates, locate_outliers, missed
from probatum.problems.analog_codes.generators import generator_of
from probatum.problems.analog_codes.heights import height_profile
from probatum.problems.analog_codes.witnesses import height_witnesses

CASES = [
    (icosahedron(), 1, 0),
    (icosahedron(), 1, 1),
    (icosahedron(), 0, 3),
    (polygon(7), 2, 1),
    (generator_of(polygon(6)), 1, 0),
    (dodecahedron(), 1, 1),
    (np.random.default_rng(0).normal(size=(2, 7)), 2, 0),
]


def just_enough(G: np.ndarray, correct: int, detect: int, delta: float = 0.01) -> FaultModel:
    h = height_profile(G)[2 * correct + detect - 1]
    return FaultModel(delta, delta * (2 * h + 2) * (1 + 1e-6), correct, detect)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_outliers_are_located_where_the_height_just_suffices(case: int):
    G, correct, detect = CASES[case]
    assert missed(G, just_enough(G, correct, detect), 40, seed=case) == 0


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_witness_gives_a_word_that_no_decoder_can_treat_rightly(case: int):
    G, correct, detect = CASES[case]
    n, m, delta = G.shape[1], 2 * correct + detect, 0.01
    c = height_witnesses(G)[m - 1] * 2 * delta  # |c|_(m+1) = 2 delta
    S = np.argsort(-np.abs(c), kind="stable")[:m]
    j, first = S[0], S[1 : correct + 1]
    y = c / 2
    y[S], y[first], y[j] = 0.0, c[first], -delta
    # From 0, noise and at most `correct` outliers, of which j is none.
    outside = np.setdiff1d(np.arange(n), first)
    assert np.abs(y[outside]).max() <= delta * (1 + 1e-8)
    # From c, noise and an outlier at j that is as large as 2 h + 2 times delta.
    noise = np.where(np.isin(np.arange(n), S), 0.0, y - c)
    assert np.abs(noise).max() <= delta * (1 + 1e-8)
    outlier = y[j] - c[j] - delta
    h = height_profile(G)[m - 1]
    assert abs(outlier) == pytest.approx((2 * h + 2) * delta, rel=1e-8)
    # The decoder names no set with j, so it would miss an outlier above any smaller Delta.
    found = locate_outliers(G, y, FaultModel(delta * (1 + 1e-7), (2 * h + 2) * delta * 0.99, correct, detect))
    assert found is not None
    assert j not in found


def test_words_with_too_many_outliers_are_noticed():
    G = icosahedron()
    faults = just_enough(G, 1, 1)
    rng = np.random.default_rng(3)
    noticed = 0
    for _ in range(20):
        e = np.zeros(6)
        e[rng.choice(6, 2, replace=False)] = faults.Delta * rng.uniform(2, 5, 2)
        noticed += locate_outliers(G, rng.normal(size=3) @ G + e, faults) is None
    assert noticed >= 18


def test_candidates_cope_and_come_highest_rate_first():
    faults = FaultModel(0.01, 1.0, 1, 0)
    found = candidates(faults, range(2, 11))
    assert {"sine", "icosahedron", "dodecahedron", "repetition"} <= {c.code.name for c in found}
    assert [c.rate for c in found] == sorted((c.rate for c in found), reverse=True)
    assert all(c.height <= faults.largest_height for c in found)
    assert candidates(FaultModel(0.01, 0.03, 1, 0), range(2, 11)) == []


def test_constructions_have_their_lengths_and_published_heights():
    for length in range(2, 12):
        assert all(code.G.shape[1] == length for code in constructions(length))
    np.testing.assert_allclose(height_profile(icosahedron()), [5**0.5, 5**0.5, 2 + 5**0.5], rtol=1e-9)
    np.testing.assert_allclose(height_profile(dodecahedron()), [4.23607, 6.23607, 17.94427], atol=1e-5)


def test_the_command_says_what_is_needed_and_who_has_it(tmp_path: Path):
    values = design(delta=0.01, Delta=1.0, correct=1, detect=1, longest=10, trials=5).values
    assert (values["m"], values["largest_height"]) == (3, 49.0)
    assert values["codes"][0]["rate"] == 0.7
    assert values["failures"] == 0
    file = tmp_path / "code.csv"
    file.write_text("1,1,1\n")
    judged = design(delta=1.0, Delta=3.9, correct=1, detect=0, code=file)
    assert judged.values["height"] == 1.0
    assert judged.values["suffices"] is False
    assert "does not suffice" in str(judged.shown[-1])
    assert design(delta=1.0, Delta=4.0, correct=1, detect=0, code=file).values["suffices"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 0.0, "Delta": 1.0}, "no sizes"),
        ({"delta": 1.0, "Delta": float("inf")}, "no sizes"),
        ({"delta": 1.0, "Delta": 4.0, "correct": 0, "detect": 0}, "nothing is asked"),
    ],
)
def test_impossible_fault_models_are_refused(options: dict, message: str):
    with pytest.raises(DataError, match=message):
        design(**options)


def test_a_code_too_short_for_what_is_asked_is_refused(tmp_path: Path):
    (tmp_path / "code.csv").write_text("1,1,1\n")
    with pytest.raises(DataError, match="has no h_4"):
        design(delta=1.0, Delta=9.0, correct=2, detect=0, code=tmp_path / "code.csv")
