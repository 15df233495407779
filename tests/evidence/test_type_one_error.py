"""How often a verdict is wrong where neither arm is better: at most alpha, in every protocol.

Each data set has two (or more) ridge models that see different columns of equal worth, so that over data sets neither
is better; whatever is called better or worse is an error. `benchmarks/type_one_error.py` is the longer form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from evidence.simulated import (
    arm,
    arms_of_many_draws,
    arms_of_one_data_set,
    arms_of_one_hold_out,
    fold_errors,
    k_folds,
    left_out_groups,
    stratified_hold_outs,
)
from probatum.evidence import hold_out
from probatum.evidence.comparison import compare
from probatum.evidence.resampling import cluster_sums, corrected_t, sign_flip_p
from probatum.evidence.scores import ArmScores

ALPHA, REPEATS, ROWS = 0.05, 400, 60
LIMIT = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / REPEATS)
MATTER = (0.5, 0.5)
"""Both arms see columns that matter, by the same coefficient."""

Draw = Callable[[np.random.Generator], list[ArmScores]]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Matrices this small take longer on several threads, most of all where other work runs beside."""
    with threadpool_limits(1):
        yield


@pytest.fixture(autouse=True)
def _few_bootstrap_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for a rate; a single verdict draws more."""
    monkeypatch.setattr(hold_out, "MOST_SAMPLES", hold_out.FEWEST_SAMPLES)


def error_rate(draw: Draw, splits: str, repeats: int = REPEATS) -> float:
    """Share of the data sets in which some arm is called better or worse than the first."""
    wrong = 0
    for i in range(repeats):
        base, *arms = draw(np.random.default_rng([17, i]))
        verdicts = compare(arms, base, splits=splits, alpha=ALPHA)
        wrong += any(v.outcome in ("better", "worse") for v in verdicts)
    return wrong / repeats


def independent_groups(generator: np.random.Generator, arms: int = 2) -> list[ArmScores]:
    """Groups of unequal size and difficulty, with heavy tails; all arms alike."""
    hard = generator.gamma(2, 1, 12)
    rows = generator.integers(3, 30, 12).tolist()
    return [arm(f"arm {i}", hard * generator.gamma(3, 1, 12), rows=rows) for i in range(arms)]


def shared_measurements(generator: np.random.Generator) -> list[ArmScores]:
    """24 folds of two tasks that see the same 8 clusters: folds of one cluster move together."""
    clusters = np.arange(24) % 8
    moved = generator.normal(size=(2, 8))[:, clusters] + 0.1 * generator.normal(size=(2, 24))
    return [arm(name, 5 + m, clusters=[f"c{c}" for c in clusters]) for name, m in zip("ab", moved, strict=True)]


def folds(count: int, repeats: int, generator: np.random.Generator, **options) -> list[ArmScores]:
    return arms_of_one_data_set(generator, k_folds(generator, ROWS, count, repeats), **options)


def groups(generator: np.random.Generator, **options) -> list[ArmScores]:
    return arms_of_one_data_set(generator, left_out_groups(ROWS, 12), **options)


def hold_outs(generator: np.random.Generator) -> list[ArmScores]:
    return arms_of_one_data_set(generator, stratified_hold_outs(generator, ROWS, 10), MATTER)


GROUPS, FOLDS, HOLD_OUT, DRAWS = "leave-one-group-out", "repeated-k-fold", "stratified-hold-out", "fresh-draws"
PROTOCOLS: dict[str, tuple[Draw, str]] = {
    "repeated k-fold": (partial(folds, 5, 5), FOLDS),
    "repeated k-fold, inputs that matter": (partial(folds, 5, 5, signals=MATTER), FOLDS),
    "single 5-fold": (partial(folds, 5, 1, signals=MATTER), FOLDS),
    "single 10-fold": (partial(folds, 10, 1, signals=MATTER), FOLDS),
    "independent groups": (independent_groups, GROUPS),
    "folds that share measurements": (shared_measurements, GROUPS),
    "leave-one-group-out": (groups, GROUPS),
    "leave-one-group-out, inputs that matter": (partial(groups, signals=MATTER, columns=10), GROUPS),
    "stratified hold-outs": (hold_outs, HOLD_OUT),
    "one hold-out, one seed": (partial(arms_of_one_hold_out, rows=ROWS, seeds=1, signals=MATTER), HOLD_OUT),
    "one hold-out, three seeds": (partial(arms_of_one_hold_out, rows=ROWS, seeds=3, signals=MATTER), HOLD_OUT),
    "one hold-out of half the rows": (
        partial(arms_of_one_hold_out, rows=ROWS, seeds=2, signals=MATTER, columns=10, share=0.5), HOLD_OUT,
    ),
    "generated data, three seeds": (partial(arms_of_many_draws, draws=6, seeds=3, signals=MATTER), DRAWS),
    "ten arms by groups": (partial(independent_groups, arms=11), GROUPS),
    "ten arms by folds": (partial(folds, 5, 5, signals=[0.5] * 11), FOLDS),
}  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_exchangeable_arms_are_rarely_told_apart(protocol: str):
    assert error_rate(*PROTOCOLS[protocol]) <= LIMIT


def test_neither_are_they_by_a_metric_that_is_no_mean_over_rows():
    repeats = 100
    draw = partial(arms_of_one_hold_out, rows=ROWS, seeds=1, signals=MATTER, measure="rmse")
    assert error_rate(draw, HOLD_OUT, repeats) <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / repeats)


def test_twenty_rounds_err_no_more_than_one():
    """Every round compares one new arm with the champion so far; any verdict is an error, a promotion too."""
    repeats, wrong, unspent = REPEATS // 2, 0, 0
    for i in range(repeats):
        made = folds(5, 5, np.random.default_rng([19, i]), signals=[0.5] * 21)
        champion, *arms = made
        erred = False
        for k, new in enumerate(arms, 1):
            (verdict,) = compare([new], champion, splits=FOLDS, alpha=ALPHA, round=k)
            erred |= verdict.outcome in ("better", "worse")
            if verdict.outcome == "better":
                champion = new
        wrong += erred
        first, *others = (replace(a, rows=None) for a in made)  # by the corrected t alone, which errs as often as alpha
        unspent += any(compare([new], first, splits=FOLDS)[0].outcome != "undecided" for new in others)
    assert wrong / repeats <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / repeats)
    assert unspent / repeats > 2 * ALPHA  # without spending, a long campaign errs far more often


def test_the_guards_are_needed():
    """The same simulations convict what the verdicts avoid: overlap, clusters, many arms and seeds ignored."""
    repeats, naive, loose, many, seeds, draws = 150, 0, 0, 0, 0, 0
    for i in range(repeats):
        generator = np.random.default_rng([17, i])
        a, b = folds(5, 5, generator)
        naive += corrected_t(a.by_unit - b.by_unit, 0.0).p_value() <= ALPHA
        a, b = shared_measurements(generator)
        loose += corrected_t(a.by_unit - b.by_unit, 0.0).p_value() <= ALPHA
        base, *arms = independent_groups(generator, 11)
        sums = [cluster_sums(x.by_unit - base.by_unit, x.weights, np.arange(12)) for x in arms]
        many += any(sign_flip_p(*s) <= ALPHA for s in sums)
        a, b = arms_of_one_hold_out(generator, ROWS, 5, MATTER)
        seeds += corrected_t((a.values - b.values)[:, 0, 0], 0.0).p_value() <= ALPHA
        a, b = arms_of_many_draws(generator, 6, 5, MATTER)
        draws += corrected_t((a.values - b.values).ravel(), 0.0).p_value() <= ALPHA
    assert min(naive, loose, many, seeds, draws) / repeats > 0.15


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
        found += compare([part], whole, splits=FOLDS)[0].outcome == "worse"
    assert found > 80


@pytest.mark.parametrize(
    ("draw", "splits"),
    [
        (partial(arms_of_one_hold_out, rows=300, seeds=3, signals=(0.0, 0.8)), HOLD_OUT),
        (partial(arms_of_many_draws, draws=8, seeds=3, signals=(0.0, 0.8)), DRAWS),
        (partial(groups, signals=(0.0, 0.8)), GROUPS),
    ],
)
def test_every_protocol_finds_a_large_difference(draw: Draw, splits: str):
    outcomes = []
    for i in range(50):
        base, better = draw(np.random.default_rng([29, i]))
        outcomes.append(compare([better], base, splits=splits)[0].outcome)
    assert outcomes.count("better") > 35
    assert "worse" not in outcomes


def test_models_that_overfit_are_not_told_apart_either():
    """With two thirds as many inputs as rows, splits are far more alike than n_test/n_train allows for."""
    made = partial(folds, 5, 5, signals=MATTER, columns=40)
    assert error_rate(made, FOLDS) <= LIMIT
    repeats = 100
    without = 0
    for i in range(repeats):
        base, new = (replace(a, rows=None) for a in made(np.random.default_rng([17, i])))
        without += compare([new], base, splits=FOLDS)[0].outcome != "undecided"
    assert without / repeats > 2 * ALPHA  # what the correction by the row count alone does
