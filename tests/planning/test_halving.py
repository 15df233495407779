"""A race spends its fits on candidates that may be the best, and takes nobody away that noise may have put behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import CampaignFileError
from probatum.planning.halving import Evaluate, race

UNITS = 12


def measured(table: Mapping[str, np.ndarray]) -> Evaluate:
    def evaluate(names: Sequence[str], units: int) -> dict[str, np.ndarray]:
        return {n: table[n][:units] for n in names}

    return evaluate


def drawn(truth: Sequence[float], noise: float, seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    folds = generator.normal(0, 1, UNITS)
    return {str(i): t + folds + generator.normal(0, noise, UNITS) for i, t in enumerate(truth)}


def test_bad_candidates_leave_early_and_the_best_wins_with_fewer_fits():
    table = drawn([0, 1, 2, 3, 4, 5, 6, 7], 0.01, 0)
    found = race(list(table), measured(table), UNITS)
    assert found.finalists[0] == "0"
    assert found.fits < 0.6 * found.fits_without
    assert [r.units for r in found.rungs] == [3, 6, 12]
    assert sum(r.fits for r in found.rungs) == found.fits


def test_among_equals_nobody_is_taken_away_by_luck():
    dropped = 0
    for seed in range(200):
        table = drawn([0.0] * 6, 1.0, seed)
        found = race(list(table), measured(table), UNITS)
        dropped += any(r.dropped for r in found.rungs)
    assert dropped / 200 < 0.15  # two rungs at level .05 each, and the best of six is a lucky one


@given(st.integers(0, 2**32 - 1))
def test_who_is_taken_away_is_behind_the_best_of_its_rung(seed: int):
    table = drawn(np.random.default_rng(seed).normal(0, 1, 7).tolist(), 0.3, seed)
    found = race(list(table), measured(table), UNITS)
    for rung in found.rungs:
        means = {n: table[n][: rung.units].mean() for n in (*rung.kept, *rung.dropped)}
        assert all(means[n] > min(means.values()) for n in rung.dropped)
    assert set(found.finalists) | {n for r in found.rungs for n in r.dropped} == set(table)


def test_where_more_is_better_the_race_runs_the_other_way():
    table = drawn([0, 5, 1], 0.01, 1)
    assert race(list(table), measured(table), UNITS, lower_is_better=False).finalists[0] == "1"


def test_a_candidate_that_diverges_is_taken_away_and_ends_nothing():
    table = drawn([0, 1, 2], 0.01, 2)
    table["1"][1] = np.nan
    found = race(list(table), measured(table), UNITS)
    assert found.finalists[0] == "0"
    assert "1" not in found.finalists[:1]


@pytest.mark.parametrize(
    ("names", "units", "more"),
    [([], 12, {}), (["a", "a"], 12, {}), (["a"], 0, {}), (["a"], 12, {"first": 1}), (["a"], 12, {"factor": 1})],
)
def test_a_race_that_cannot_be_is_refused(names: list[str], units: int, more: dict[str, int]):
    with pytest.raises(CampaignFileError):
        race(names, measured({"a": np.zeros(12)}), units, **more)
