"""The best of many looks better than it is: by how much, where none is better than another."""

from __future__ import annotations

import numpy as np
import pytest

from evidence.simulated import arm, arms_of_one_data_set, k_folds
from probatum.evidence.selection import expected_optimism

K_FOLD, GROUPS = "repeated-k-fold", "leave-one-group-out"
TABLED = {2: 0.56419, 5: 1.16296, 10: 1.53875}
"""Mean of the largest of N standard normals (David and Nagaraja, Order Statistics, 2003, table of normal scores)."""


def orthogonal_arms(count: int, folds: int, spread: float = 1.0, shared: float = 0.0):
    """Arms whose scores over folds have exactly this spread, and no correlation but what `shared` adds to all."""
    basis = np.linalg.qr(np.column_stack([np.ones(folds), np.random.default_rng(0).normal(size=(folds, folds - 1))]))[0]
    columns = spread * np.sqrt(folds - 1) * basis[:, 1:]
    return [arm(f"arm {i}", 5 + columns[:, i] + shared * columns[:, -1], train_rows=10**9) for i in range(count)]


@pytest.mark.parametrize("count", TABLED)
def test_independent_arms_give_the_tabled_mean_of_the_largest_normal(count: int):
    found = expected_optimism(orthogonal_arms(count, 16), K_FOLD)
    assert found.amount is not None
    assert found.error is not None
    assert found.amount == pytest.approx(TABLED[count] / np.sqrt(16), abs=4 * found.error)
    assert (found.arms, found.units) == (count, 16)


def test_two_arms_give_the_closed_form():
    generator = np.random.default_rng(1)
    first = generator.normal(size=12)
    second = first + generator.normal(size=12)
    found = expected_optimism([arm("a", first), arm("b", second)], K_FOLD)
    sd = np.std(second - first, ddof=1) * np.sqrt(1 / 12 + 12 / 48)
    assert found.amount == pytest.approx(sd / np.sqrt(2 * np.pi), abs=4 * (found.error or 0))


def test_what_all_arms_share_makes_nobody_optimistic():
    alone, together = (expected_optimism(orthogonal_arms(4, 12, shared=s), K_FOLD).amount for s in (0.0, 5.0))
    assert together == pytest.approx(alone)
    same = np.random.default_rng(2).normal(size=9)
    assert expected_optimism([arm(n, same) for n in "abc"], K_FOLD).amount == pytest.approx(0, abs=1e-12)


def test_an_arm_that_could_not_win_adds_nothing():
    arms = orthogonal_arms(4, 16)
    noisy = arm("hopeless", 500 + 50 * arms[0].by_unit, train_rows=10**9)
    with_it, without = (expected_optimism(a, K_FOLD) for a in ([*arms, noisy], arms))
    assert with_it.amount == without.amount
    assert (with_it.arms, with_it.contenders, without.contenders) == (5, 4, 4)


def test_one_arm_was_not_chosen_and_one_fold_shows_no_spread():
    assert expected_optimism([arm("a", [1.0, 2.0])], K_FOLD).amount == 0
    assert expected_optimism([arm("a", [1.0]), arm("b", [2.0])], K_FOLD).amount is None
    assert expected_optimism([], K_FOLD).arms == 0


def test_groups_that_share_measurements_are_one_unit():
    values = np.random.default_rng(3).normal(size=(3, 6))
    arms = [arm(str(i), v, clusters=list("aabbcc")) for i, v in enumerate(values)]
    assert expected_optimism(arms, GROUPS).units == 3


@pytest.mark.parametrize("signal", [0.0, 0.5])
def test_the_optimism_of_exchangeable_models_covers_what_the_winner_shows(signal: float):
    """Over many null data sets: the best arm's lead over the mean of all arms, which are equal in truth.

    The corrected variance is conservative, so the expected optimism is, if anything, too large.
    """
    generator = np.random.default_rng(5)
    shown, expected = [], []
    for _ in range(200):
        arms = arms_of_one_data_set(generator, k_folds(generator, 60, 5, 4), (signal,) * 6)
        scores = np.array([a.score for a in arms])
        shown.append(scores.mean() - scores.min())
        expected.append(expected_optimism(arms, K_FOLD, draws=500).amount)
    assert 0.95 < np.mean(expected) / np.mean(shown) < 1.7
