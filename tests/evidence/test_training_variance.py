"""How much a difference moves with the training rows can be seen where rows are predicted again and again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evidence.simulated import arms_of_one_data_set, fold_arm, k_folds
from probatum.evidence.comparison import compare
from probatum.evidence.training_variance import SHARE, variance_by_rows
from probatum.learning.metrics import metric

ROWS = 60
TESTS = k_folds(np.random.default_rng(0), ROWS, 5, 6)
TRUTH = np.zeros(ROWS)


def variance(losses: np.ndarray) -> float | None:
    """Of an arm whose loss on row r by the models of fold f is losses[f, r], against one that is never wrong."""
    arm, base = (fold_arm(n, TRUTH, p, TESTS) for n, p in (("new", np.sqrt(losses)), ("old", np.zeros_like(losses))))
    return variance_by_rows(arm, base)


def test_losses_that_depend_on_the_row_alone_give_the_variance_of_a_mean():
    of_rows = np.random.default_rng(1).gamma(2, 1, ROWS)
    assert variance(np.tile(of_rows, (len(TESTS), 1))) == pytest.approx(np.var(of_rows, ddof=1) / ROWS)


def test_models_that_differ_add_their_share():
    """With many repeats the variance of the models is found again, times what the jackknife makes of it."""
    generator = np.random.default_rng(2)
    tests = k_folds(generator, ROWS, 5, 40)
    of_rows, of_models = generator.gamma(2, 1, ROWS), generator.gamma(4, 0.5, len(tests))
    losses = of_rows + of_models[:, None] + generator.gamma(4, 0.2, (len(tests), ROWS))
    arm, base = (fold_arm(n, TRUTH, p, tests) for n, p in (("new", np.sqrt(losses)), ("old", np.zeros_like(losses))))
    found = variance_by_rows(arm, base)
    expected = np.var(of_rows, ddof=1) / ROWS + SHARE * np.var(of_models) * 48 / 12
    assert found == pytest.approx(expected, rel=0.15)


def test_noise_of_single_predictions_is_not_taken_for_models():
    generator = np.random.default_rng(3)
    found = [variance(generator.gamma(4, 0.5, (len(TESTS), ROWS))) for _ in range(30)]
    of_models = [f - 1 / 6 / ROWS for f in found if f is not None]
    assert np.mean(of_models) < 0.5 * SHARE * 4 / 12  # what models would give whose folds differ by that noise


def test_rows_that_belong_together_count_once():
    of_rows = np.repeat(np.random.default_rng(4).gamma(2, 1, ROWS // 2), 2)
    losses = np.tile(of_rows, (len(TESTS), 1))
    arm, base = (fold_arm(n, TRUTH, p, TESTS) for n, p in (("new", np.sqrt(losses)), ("old", np.zeros_like(losses))))
    assert arm.rows is not None
    paired = replace(arm, rows=tuple(replace(t, together=t.cases // 2) for t in arm.rows))
    assert variance_by_rows(paired, base) == pytest.approx(np.var(of_rows[::2], ddof=1) / (ROWS // 2))


def test_it_cannot_be_seen_without_repeats_rows_or_a_mean_over_rows():
    once = arms_of_one_data_set(np.random.default_rng(5), TESTS[:5])
    again = arms_of_one_data_set(np.random.default_rng(5), TESTS)
    assert variance_by_rows(*again) is not None
    assert variance_by_rows(*once) is None
    assert variance_by_rows(replace(again[0], rows=None), again[1]) is None
    assert variance_by_rows(*(replace(a, metric=metric("rmse")) for a in again)) is None


def test_a_widened_verdict_says_so_and_asks_for_data():
    base, new = arms_of_one_data_set(np.random.default_rng(6), TESTS, (0.5, 0.5), columns=45)
    (wide,) = compare([new], base, splits="repeated-k-fold")
    (narrow,) = compare([replace(new, rows=None)], base, splits="repeated-k-fold")
    assert wide.method.endswith("its error widened for models that move with their training rows")
    assert wide.interval is not None
    assert narrow.interval is not None
    assert wide.interval[0] < narrow.interval[0] < narrow.interval[1] < wide.interval[1]
    assert wide.difference == narrow.difference
    assert "more data" in (wide.needed or "")
