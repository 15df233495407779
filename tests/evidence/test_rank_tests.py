"""Rank tests agree with scipy, scikit-posthocs and published tables."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probatum.evidence.rank_tests import (
    critical_difference,
    friedman_p,
    nemenyi_p,
    ranks,
    signed_rank_p,
    wilcoxon_holm,
)
from probatum.evidence.resampling import holm

with warnings.catch_warnings():  # the oracle's own imports warn
    warnings.simplefilter("ignore")
    import scikit_posthocs

tables = st.tuples(st.integers(0, 1000), st.integers(3, 12), st.integers(3, 6), st.booleans())


def table(seed: int, problems: int, arms: int, ties: bool) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(problems, arms))
    return np.round(values) if ties else values


@given(st.lists(st.integers(-12, 12), min_size=1, max_size=9))
@settings(deadline=None, max_examples=40)
def test_signed_ranks_agree_with_all_sign_patterns_in_scipy(values: list[int]):
    moved = np.array([v for v in values if v], dtype=np.float64)
    if len(moved) == 0:
        assert signed_rank_p(np.array(values, dtype=np.float64)) == 1
        return
    patterns = ((np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1).astype(bool)
    ranked = stats.rankdata(np.abs(moved))
    totals, center = patterns @ ranked, ranked.sum() / 2
    expected = np.mean(np.abs(totals - center) >= abs(ranked[moved > 0].sum() - center) - 1e-9)
    assert signed_rank_p(np.array(values, dtype=np.float64)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("count", [3, 8, 20, 45])
def test_signed_ranks_agree_with_scipy(count: int):
    values = np.random.default_rng(count).normal(0.3, 1, count)
    assert signed_rank_p(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, abs=1e-10)


@given(tables)
@settings(deadline=None, max_examples=40)
def test_friedman_agrees_with_scipy_and_scikit_posthocs(drawn: tuple[int, int, int, bool]):
    values = table(*drawn)
    found = friedman_p(ranks(values, "lower"))
    if (values == values[:, :1]).all():
        assert found == 1
        return
    assert found == pytest.approx(stats.friedmanchisquare(*values.T).pvalue, abs=1e-10)


@pytest.mark.parametrize("ties", [False, True])
def test_nemenyi_agrees_with_scikit_posthocs(ties: bool):
    values = table(4, 12, 5, ties)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = scikit_posthocs.posthoc_nemenyi_friedman(pd.DataFrame(values)).to_numpy()
    assert nemenyi_p(ranks(values, "lower")) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("arms", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_uses_the_published_table(arms: int, q: float):
    """Demsar (2006), table 5a: q at 0.05."""
    assert critical_difference(arms, 14, 0.05) == pytest.approx(q * np.sqrt(arms * (arms + 1) / (6 * 14)), abs=5e-4)


def test_mean_ranks_further_apart_than_the_critical_difference_are_significant():
    ranked = ranks(table(5, 15, 4, False), "lower")
    mean = ranked.mean(axis=0)
    apart = np.abs(mean[:, None] - mean) >= critical_difference(4, 15, 0.3)
    assert apart.any()
    assert ((nemenyi_p(ranked) <= 0.3) == apart).all()


def test_the_best_arm_has_rank_one_whichever_way_is_better():
    scores = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 4.0]])
    assert ranks(scores, "lower").tolist() == [[1, 2, 3], [2.5, 2.5, 1]]
    assert ranks(scores, "higher").tolist() == [[3, 2, 1], [1.5, 1.5, 3]]


def test_arms_that_tie_everywhere_rank_alike():
    assert friedman_p(ranks(np.ones((5, 4)), "lower")) == 1


def test_every_arm_is_compared_with_the_baseline_and_adjusted_for_the_others():
    values = table(6, 10, 4, False)
    p, adjusted = wilcoxon_holm(values, 2)
    expected = [stats.wilcoxon(values[:, i], values[:, 2], method="exact").pvalue for i in (0, 1, 3)]
    assert p[[0, 1, 3]] == pytest.approx(expected, abs=1e-10)
    assert adjusted[[0, 1, 3]] == pytest.approx(holm(np.array(expected)), abs=1e-10)
    assert np.isnan([p[2], adjusted[2]]).all()
