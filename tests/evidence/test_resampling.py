"""Tests and intervals agree with independent implementations, and keep their levels."""

from __future__ import annotations

import warnings
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import Ridge

from probatum.evidence.resampling import (
    EXACT_UNITS,
    _exact_share,
    cluster_bootstrap,
    cluster_sums,
    corrected_t,
    correlated_posterior,
    five_by_two_t,
    holm,
    sign_flip_p,
)

with warnings.catch_warnings():  # the oracles' own imports warn
    warnings.simplefilter("ignore")
    import baycomp
    from mlxtend.evaluate import paired_ttest_5x2cv
    from statsmodels.stats.multitest import multipletests

differences = st.lists(st.integers(-20, 20), min_size=2, max_size=9).map(lambda v: np.array(v) / 8)


def equal(count: int) -> np.ndarray:
    return np.full(count, 1 / count)


@given(differences, st.sampled_from(["two-sided", "less", "greater"]))
@settings(deadline=None, max_examples=60)
def test_sign_flips_agree_with_scipy(values: np.ndarray, alternative):
    expected = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative=alternative
    )
    found = sign_flip_p(values * equal(len(values)), equal(len(values)), alternative=alternative)
    # scipy doubles the smaller side; with a statistic that is symmetric by construction the two are the same
    assert found == pytest.approx(min(expected.pvalue, 1.0))


def test_sign_flips_test_any_mean():
    values = np.array([1.0, 2.0, 3.5, 0.5, 2.5, 1.5])
    weights = np.array([1, 2, 1, 1, 2, 1]) / 8
    shifted = values - 1.7
    expected = stats.permutation_test(
        (shifted * weights,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="less"
    )
    assert sign_flip_p(values * weights, weights, 1.7, "less") == pytest.approx(expected.pvalue)


def test_sign_flips_of_two_arms_are_the_paired_permutation_test():
    first, second = np.random.default_rng(7).normal(size=(2, 12))
    expected = stats.permutation_test(
        (first, second), lambda a, b: np.mean(a) - np.mean(b), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_p((first - second) / 12, equal(12)) == pytest.approx(expected.pvalue, abs=1e-10)


def test_the_smallest_p_is_that_of_one_pattern_in_all():
    assert sign_flip_p(np.full(8, 0.1), equal(8)) == 2 / 2**8
    assert sign_flip_p(np.full(8, 0.1), equal(8), alternative="greater") == 1 / 2**8
    assert sign_flip_p(np.zeros(8), equal(8)) == 1


def test_two_halves_count_what_all_patterns_count():
    """Up to 2^20 patterns are listed here one by one; the observed total stands among its own ties."""
    for count in (1, 2, 13, 20):
        values = np.round(np.random.default_rng(count).normal(0.3, 1, count), 1)
        signs = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1) * 2 - 1
        totals = signs @ values
        for alternative, reached in (
            ("two-sided", np.abs(totals) >= abs(values.sum()) - 1e-9),
            ("greater", totals >= values.sum() - 1e-9),
        ):
            assert sign_flip_p(values, equal(count), alternative=alternative) == pytest.approx(
                np.mean(reached), rel=1e-12
            )


def test_thirty_two_units_are_exact_and_more_are_sampled():
    assert sign_flip_p(np.full(EXACT_UNITS, 0.1), equal(EXACT_UNITS)) == 2 / 2**EXACT_UNITS
    values = np.random.default_rng(5).normal(0.2, 1, EXACT_UNITS + 1)
    exact = 2 * _exact_share(values, abs(values.sum()), 0)
    sampled = sign_flip_p(values, equal(len(values)))
    assert sampled == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 50_000))
    assert sampled == sign_flip_p(values, equal(len(values)))
    assert sign_flip_p(np.full(40, 0.1), equal(40)) > 0  # the observed pattern is one of the sampled


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=30).filter(lambda v: np.std(v) > 1e-3))
@settings(deadline=None)
def test_without_overlap_the_corrected_t_is_students(values: list[float]):
    t = corrected_t(np.array(values), 0.0)
    for alternative in ("two-sided", "less", "greater"):
        expected = stats.ttest_1samp(values, 0.3, alternative=alternative)
        assert t.p_value(0.3, alternative) == pytest.approx(expected.pvalue, rel=1e-9)
    assert t.interval(0.9) == pytest.approx(tuple(stats.ttest_1samp(values, 0).confidence_interval(0.9)), rel=1e-9)


def test_the_corrected_t_widens_by_the_published_factor():
    values = np.random.default_rng(0).normal(size=25)
    plain, corrected = corrected_t(values, 0.0), corrected_t(values, 0.25)
    assert corrected.error / plain.error == pytest.approx(np.sqrt((1 / 25 + 1 / 4) / (1 / 25)))
    assert corrected.degrees == 24


@pytest.mark.parametrize("seed", range(5))
def test_five_by_two_agrees_with_mlxtend(seed: int):
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(40, 3))
    targets = inputs[:, 0] + generator.normal(size=40)
    scored: list[float] = []

    def score(model, x: np.ndarray, y: np.ndarray) -> float:
        scored.append(float(np.mean((model.predict(x) - y) ** 2)))
        return scored[-1]

    t, p = paired_ttest_5x2cv(Ridge(0.1), Ridge(50.0), inputs, targets, scoring=score, random_seed=seed)
    first, second = np.array(scored).reshape(5, 2, 2).transpose(2, 0, 1)
    found = five_by_two_t(first - second)
    assert found.estimate / found.error == pytest.approx(t, rel=1e-10)
    assert found.p_value() == pytest.approx(p, rel=1e-10)


def test_five_by_two_takes_five_repeats_of_two_folds():
    with pytest.raises(ValueError, match="five repeats of two folds"):
        five_by_two_t(np.zeros((2, 5)))


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_correlated_t_agrees_with_baycomp_on_one_problem(shift: float):
    """baycomp's own entrance to the test, with its way of telling runs from folds."""
    first, second = np.random.default_rng(3).normal(size=(2, 25))
    expected = baycomp.two_on_single(first, second + shift, rope=0.05, runs=5)
    found = correlated_posterior(second + shift - first, 1 / 5, 0.05)
    assert found == pytest.approx(tuple(expected), abs=1e-10)


@pytest.mark.parametrize("count", [1, 2, 10, 60])
def test_holm_agrees_with_statsmodels(count: int):
    p_values = np.round(np.random.default_rng(count).beta(0.3, 1, count), 2)  # some tie
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-10)


def test_equal_differences_are_certain():
    t = corrected_t(np.full(5, 0.25), 0.25)
    assert (t.p_value(), t.p_value(0.5, "less"), t.p_value(0.0, "less")) == (0, 0, 1)
    assert corrected_t(np.zeros(5), 0.25).p_value() == 1
    assert correlated_posterior(np.full(5, 0.25), 0.2, 0.1) == (0, 0, 1)


@pytest.mark.parametrize("margin", [0.01, 0.2])
@pytest.mark.parametrize("runs", [1, 5])
def test_the_correlated_posterior_agrees_with_baycomp(margin: float, runs: int):
    generator = np.random.default_rng(runs)
    first, second = generator.normal(size=5 * runs), generator.normal(0.2, 1, size=5 * runs)
    expected = baycomp.CorrelatedTTest(first, second, rope=margin, runs=runs).probs()
    found = correlated_posterior(second - first, 1 / 5, margin)
    assert sorted(found) == pytest.approx(sorted(expected), abs=1e-10)
    assert found[2] == pytest.approx(1 - found[0] - found[1])
    assert (found[2] > found[0]) == (np.mean(second) > np.mean(first))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(deadline=None)
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]):
    """A hypothesis is adjusted to the largest Bonferroni p of all sets of hypotheses that it belongs to."""
    p = np.array(p_values)
    expected = np.zeros(len(p))
    for members in range(1, 2 ** len(p)):
        chosen = [i for i in range(len(p)) if members >> i & 1]
        bonferroni = min(1.0, len(chosen) * p[chosen].min())
        expected[chosen] = np.maximum(expected[chosen], bonferroni)
    assert holm(p) == pytest.approx(expected)


def test_holm_by_hand_and_in_any_order():
    p, adjusted = [0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]
    for order in permutations(range(4)):
        assert holm(np.array(p)[list(order)]) == pytest.approx(np.array(adjusted)[list(order)])


def test_clusters_gather_what_their_units_weigh():
    sums, weights = cluster_sums(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25, 0.25]), np.array(["b", "a", "b"]))
    assert sums.tolist() == [0.5, 1.25]
    assert weights.tolist() == [0.25, 0.75]


def test_the_bootstrap_agrees_with_scipy():
    generator = np.random.default_rng(1)
    weights = generator.dirichlet(np.full(15, 5.0))
    sums = weights * generator.normal(1, 1, 15)
    found = cluster_bootstrap(sums, weights, 0.9)
    expected = stats.bootstrap(
        (sums, weights),
        lambda s, w, axis: s.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        confidence_level=0.9,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found == pytest.approx(tuple(expected), abs=0.04)


def test_the_bootstrap_covers_the_truth_as_often_as_a_percentile_interval_can():
    """Percentile intervals of 20 groups are known to cover a little less than they say: 0.93 to 0.94 for 0.95."""
    generator = np.random.default_rng(3)
    covered = 0
    repeats = 400
    for i in range(repeats):
        values = generator.normal(0.7, 1, 20)
        low, high = cluster_bootstrap(values / 20, equal(20), 0.95, samples=1000, seed=i)
        covered += low <= 0.7 <= high
    assert 0.90 <= covered / repeats <= 0.97
