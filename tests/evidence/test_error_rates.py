"""How often a verdict is wrong where neither arm is better: at most alpha, in every protocol.

Each data set has two (or more) ridge models that see different columns of equal worth, so that over data sets neither
is better; whatever is called better or worse is an error.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evidence.simulated import arm, arms_of_one_data_set, fold_errors, k_folds
from probatum.evidence.comparison import compare
from probatum.evidence.resampling import cluster_sums, corrected_t, sign_flip_p
from probatum.evidence.scores import ArmScores

ALPHA, REPEATS, ROWS = 0.05, 400, 60
LIMIT = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / REPEATS)

Draw = Callable[[np.random.Generator], list[ArmScores]]


def error_rate(draw: Draw, splits: str, repeats: int = REPEATS) -> float:
    """Share of the data sets in which some arm is called better or worse than the first."""
    wrong = 0
    for i in range(repeats):
        base, *arms = draw(np.random.default_rng([17, i]))
        verdicts = compare(arms, base, splits=splits, alpha=ALPHA)
        wrong += any(v.outcome in ("better", "worse") for v in verdicts)
    return wrong / repeats


def independent_groups(generator: np.random.Generator) -> list[ArmScores]:
    """Groups of unequal size and difficulty, with heavy tails; two arms alike."""
    hard = generator.gamma(2, 1, 12)
    rows = generator.integers(3, 30, 12).tolist()
    return [arm(name, hard * generator.gamma(3, 1, 12), rows=rows) for name in ("a", "b")]


def shared_measurements(generator: np.random.Generator) -> list[ArmScores]:
    """24 folds of two tasks that see the same 8 clusters: folds of one cluster move together."""
    clusters = np.arange(24) % 8
    moved = generator.normal(size=(2, 8))[:, clusters] + 0.1 * generator.normal(size=(2, 24))
    return [arm(name, 5 + m, clusters=[f"c{c}" for c in clusters]) for name, m in zip("ab", moved, strict=True)]


def left_out_groups(generator: np.random.Generator, columns: int = 3, signal: float = 0.0) -> list[ArmScores]:
    groups = np.arange(ROWS) % 12
    tests = groups[None, :] == np.arange(12)[:, None]
    return arms_of_one_data_set(generator, tests, columns=columns, signal=signal)


def hold_outs(generator: np.random.Generator) -> list[ArmScores]:
    """Ten hold-outs of a fifth of the rows, each of three strata by its share."""
    strata = np.arange(ROWS) % 3
    order = generator.random((10, ROWS))
    rank = np.stack([(order[:, strata == s]).argsort(axis=1).argsort(axis=1) for s in range(3)])
    tests = np.zeros((10, ROWS), dtype=bool)
    for s in range(3):
        tests[:, strata == s] = rank[s] < 4
    return arms_of_one_data_set(generator, tests)


PROTOCOLS: dict[str, tuple[Draw, str]] = {
    "independent groups": (independent_groups, "leave-one-group-out"),
    "folds that share measurements": (shared_measurements, "leave-one-group-out"),
    "leave-one-group-out": (left_out_groups, "leave-one-group-out"),
    "leave-one-group-out, inputs that matter": (
        lambda g: left_out_groups(g, columns=10, signal=0.5), "leave-one-group-out",
    ),
    "5 x 5-fold": (lambda g: arms_of_one_data_set(g, k_folds(g, ROWS, 5, 5)), "repeated-k-fold"),
    "5 x 5-fold, inputs that matter": (
        lambda g: arms_of_one_data_set(g, k_folds(g, ROWS, 5, 5), signal=0.5), "repeated-k-fold",
    ),
    "single 5-fold": (lambda g: arms_of_one_data_set(g, k_folds(g, ROWS, 5, 1)), "repeated-k-fold"),
    "single 10-fold": (lambda g: arms_of_one_data_set(g, k_folds(g, ROWS, 10, 1)), "repeated-k-fold"),
    "stratified hold-out": (hold_outs, "stratified-hold-out"),
    "ten arms by groups": (
        lambda g: [arm(f"arm {i}", g.gamma(3, 1, 10)) for i in range(11)], "leave-one-group-out",
    ),
    "ten arms by folds": (lambda g: arms_of_one_data_set(g, k_folds(g, ROWS, 5, 5), arms=11), "repeated-k-fold"),
}  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_exchangeable_arms_are_rarely_told_apart(protocol: str):
    assert error_rate(*PROTOCOLS[protocol]) <= LIMIT


def test_the_guards_are_needed():
    """The same simulations convict what the verdicts avoid: overlap ignored, clusters ignored, ten arms unadjusted."""
    repeats, naive, loose, many = 150, 0, 0, 0
    for i in range(repeats):
        generator = np.random.default_rng([17, i])
        a, b = PROTOCOLS["5 x 5-fold"][0](generator)
        naive += corrected_t(a.by_unit - b.by_unit, 0.0).p_value() <= ALPHA
        a, b = shared_measurements(generator)
        loose += corrected_t(a.by_unit - b.by_unit, 0.0).p_value() <= ALPHA
        base, *arms = PROTOCOLS["ten arms by groups"][0](generator)
        sums = [cluster_sums(x.by_unit - base.by_unit, x.weights, np.arange(10)) for x in arms]
        many += any(sign_flip_p(*s) <= ALPHA for s in sums)
    assert min(naive, loose, many) / repeats > 0.15


def test_a_real_difference_is_found():
    """Power: a model without the inputs that matter is called worse far more often than alpha."""
    found = 0
    for i in range(100):
        generator = np.random.default_rng([23, i])
        tests = k_folds(generator, ROWS, 5, 5)
        inputs = generator.normal(size=(ROWS, 3))
        targets = inputs @ np.array([1.0, 1.0, 0.0]) + generator.normal(size=ROWS)
        rows = tests.sum(axis=1).tolist()
        whole, part = (
            arm(n, fold_errors(x, targets, tests), rows=rows) for n, x in (("3", inputs), ("1", inputs[:, :1]))
        )
        found += compare([part], whole, splits="repeated-k-fold")[0].outcome == "worse"
    assert found > 80
