"""A race spends its fits on candidates that may be the best, and takes nobody away that noise may have put behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.small_history import arm
from probatum.errors import CampaignFileError
from probatum.evidence.scores import ArmScores
from probatum.planning.halving import Race, Score, race

FOLDS = 40
LOGO = "leave-one-group-out"


def scored(table: Mapping[str, np.ndarray], better: str = "mse") -> Score:
    def score(names: Sequence[str], folds: int) -> dict[str, ArmScores]:
        return {n: arm(n, table[n][:folds], better=better) for n in names if n in table}

    return score


def drawn(truth: Sequence[float], noise: float, seed: int, folds: int = FOLDS) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    common = generator.normal(0, 1, folds)
    return {str(i): t + common + generator.normal(0, noise, folds) for i, t in enumerate(truth)}


def raced(table: Mapping[str, np.ndarray], names: Sequence[str] = (), **more: Any) -> Race:
    return race(names or list(table), scored(table), FOLDS, splits=LOGO, **more)


def test_bad_candidates_leave_early_and_take_fewer_fits_than_all_folds_would():
    found = raced(drawn([0, 1, 2, 3, 4, 5, 6, 7], 0.01, 0))
    assert found.finalists == ("0", "1")  # of eight, four, and then two, are kept by each rung that can tell
    assert [r.folds for r in found.rungs] == [3, 6, 12, 24]
    assert found.rungs[0].dropped == ()  # no sign pattern of three folds is rare enough to be evidence
    assert found.fits < 0.6 * 8 * FOLDS
    assert set(found.why) == set("234567")
    assert "on 12 units, p 0.00049" in found.why["7"]


def test_nobody_is_taken_away_once_the_slots_are_enough():
    found = raced(drawn([0, 1, 2, 3, 4, 5, 6, 7], 0.01, 0), keep=4)
    assert found.finalists == ("0", "1", "2", "3")
    assert raced(drawn([0, 1, 2, 3], 0.01, 0), keep=4).rungs == ()


@pytest.mark.parametrize("splits", [LOGO, "fresh-draws"])
def test_among_equals_nobody_is_taken_away_by_luck(splits: str):
    dropped = 0
    for seed in range(150):
        table = drawn([0.0] * 6, 1.0, seed)
        dropped += bool(race(list(table), scored(table), FOLDS, splits=splits).why)
    assert dropped / 150 < 0.12  # four rungs at level .05 each, of which Bonferroni over all pairs leaves little


@given(st.integers(0, 2**32 - 1))
def test_who_is_taken_away_is_behind_the_best_of_its_rung(seed: int):
    table = drawn(np.random.default_rng(seed).normal(0, 1, 7).tolist(), 0.3, seed)
    found = raced(table)
    for rung in found.rungs:
        means = {n: table[n][: rung.folds].mean() for n in (*rung.kept, *rung.dropped)}
        assert all(means[n] > min(means.values()) for n in rung.dropped)
    assert set(found.finalists) | set(found.why) == set(table)
    assert not set(found.finalists) & set(found.why)


def test_where_more_is_better_the_race_runs_the_other_way():
    table = drawn([0, 5, 1], 0.01, 1)
    found = race(list(table), scored(table, "r2"), FOLDS, splits=LOGO)
    assert found.finalists == ("1",)


def test_a_candidate_that_cannot_be_trained_or_scored_is_taken_away_and_ends_nothing():
    table = drawn([0, 0, 0, 0], 0.01, 2)
    table["1"][1] = np.nan
    del table["2"]
    found = raced(table, ["0", "1", "2", "3"])
    assert set(found.why) == {"1", "2"}
    assert found.why["2"] == "it cannot be trained"


@pytest.mark.parametrize(
    ("names", "folds", "more"),
    [
        ([], 12, {}),
        (["a", "a"], 12, {}),
        (["a"], 0, {}),
        (["a"], 12, {"first": 1}),
        (["a"], 12, {"factor": 1}),
        (["a"], 12, {"keep": 0}),
    ],
)
def test_a_race_that_cannot_be_is_refused(names: list[str], folds: int, more: dict[str, int]):
    with pytest.raises(CampaignFileError):
        race(names, scored({"a": np.zeros(12)}), folds, splits=LOGO, **more)
