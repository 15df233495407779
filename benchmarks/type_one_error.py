"""How often verdicts are wrong where no arm is better, beside the usual tests; and how often they see a difference.

Null problems: arms are ridge models that see different columns of equal worth, so that over data sets none is better
and every 'better' or 'worse' is an error. Each row gives a rate over many data sets; those of our verdicts should be at
most alpha plus two standard errors. Power: the same arms, but only one of them sees columns that matter.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from result import Row, benchmark
from scipy import stats
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the tests' simulations

from evidence.simulated import (
    arms_of_many_draws,
    arms_of_one_data_set,
    arms_of_one_hold_out,
    k_folds,
    left_out_groups,
    stratified_hold_outs,
)
from probatum.evidence.comparison import compare
from probatum.evidence.rank_tests import signed_rank_p
from probatum.evidence.resampling import cluster_sums, corrected_t, sign_flip_p
from probatum.evidence.scores import ArmScores

ALPHA = 0.05
OURS = "ours"
SIGNAL = 0.5
ARMS, ROUNDS, GROUPS = 10, 20, 12
FULL, QUICK = (2000, 500), (80, 40)
"""Data sets for an error rate and for a power."""

Test = Callable[[ArmScores, ArmScores], float]
Make = Callable[[np.random.Generator, Sequence[float]], list[ArmScores]]


def differences(arm: ArmScores, base: ArmScores) -> np.ndarray:
    return arm.by_unit - base.by_unit


def naive_t(arm: ArmScores, base: ArmScores) -> float:
    """Student's t over folds, as if they were independent."""
    return corrected_t(differences(arm, base), 0.0).p_value()


def wilcoxon(arm: ArmScores, base: ArmScores) -> float:
    """Signed ranks over folds, as if they were independent."""
    return signed_rank_p(differences(arm, base))


def sign_flips(arm: ArmScores, base: ArmScores) -> float:
    """Sign flips over groups without a correction for the training rows that folds share."""
    return sign_flip_p(*cluster_sums(differences(arm, base), arm.weights, np.arange(len(arm.units))))


def unadjusted(arm: ArmScores, base: ArmScores) -> float:
    """The corrected t alone, whatever else is compared."""
    unit = arm.units[0]
    return corrected_t(differences(arm, base), unit.test_rows / unit.train_rows).p_value()


def t_over_cases(arm: ArmScores, base: ArmScores) -> float:
    """Student's t over the cases of one hold-out, as if the training set and the seeds were the only ones there are."""
    assert arm.rows is not None
    assert base.rows is not None
    losses = [a.metric.row_losses(t.truth, p)[:, 0] for a in (arm, base) for t in a.rows or () for p in t.predictions]
    ours, theirs = np.mean(losses[: arm.seeds], axis=0), np.mean(losses[arm.seeds :], axis=0)
    return corrected_t(ours - theirs, 0.0).p_value()


def t_over_seeds(arm: ArmScores, base: ArmScores) -> float:
    """Student's t over seeds, as if each were new data."""
    return float(stats.ttest_ind(arm.values[:, 0, 0], base.values[:, 0, 0]).pvalue)


def t_over_draws_and_seeds(arm: ArmScores, base: ArmScores) -> float:
    """Student's t over draws x seeds, as if each seed were new data."""
    return corrected_t((arm.values - base.values).ravel(), 0.0).p_value()


OVER_FOLDS: Mapping[str, Test] = {"naive t": naive_t, "Wilcoxon": wilcoxon}


@dataclass(frozen=True)
class Case:
    """One protocol at one size.

    Attributes:
        name: of its rows.
        splits: of the protocol.
        make: arms of one data set, given the signal of each.
        naive: the usual tests.
        arms: compared with the baseline.
        rounds: whether arms come one after the other, each against the champion so far.
    """

    name: str
    splits: str
    make: Make
    naive: Mapping[str, Test] = field(default_factory=dict)
    arms: int = 1
    rounds: bool = False


def folds(folds: int, repeats: int, rows: int, columns: int) -> Make:
    def make(generator: np.random.Generator, signals: Sequence[float]) -> list[ArmScores]:
        return arms_of_one_data_set(generator, k_folds(generator, rows, folds, repeats), signals, columns)

    return make


def groups(rows: int, columns: int) -> Make:
    return lambda generator, signals: arms_of_one_data_set(generator, left_out_groups(rows, GROUPS), signals, columns)


def hold_outs(repeats: int, rows: int, columns: int) -> Make:
    return lambda generator, signals: arms_of_one_data_set(
        generator, stratified_hold_outs(generator, rows, repeats), signals, columns
    )


def hold_out(rows: int, seeds: int, columns: int, share: float = 0.2) -> Make:
    return lambda generator, signals: arms_of_one_hold_out(generator, rows, seeds, signals, columns, share=share)


def draws(count: int, seeds: int) -> Make:
    return lambda generator, signals: arms_of_many_draws(generator, count, seeds, signals)


def cases() -> Iterator[Case]:
    """All null problems."""
    for rows, columns in ((60, 2), (60, 10), (60, 40), (240, 2), (240, 10), (240, 40)):
        size = f"{rows} rows, 2 x {columns} inputs"
        yield Case(f"5 x 5-fold, {size}", "repeated-k-fold", folds(5, 5, rows, columns), OVER_FOLDS)
    yield Case("10 x 10-fold, 60 rows, 2 x 3 inputs", "repeated-k-fold", folds(10, 10, 60, 3), OVER_FOLDS)
    for count, columns in ((5, 2), (5, 10), (5, 40), (10, 2), (10, 10), (10, 40)):
        name = f"single {count}-fold, 60 rows, 2 x {columns} inputs"
        yield Case(name, "repeated-k-fold", folds(count, 1, 60, columns), OVER_FOLDS)
    for rows in (60, 120, 240):
        for columns in (2, 10, 20, 40):
            name = f"{GROUPS} groups left out, {rows} rows, 2 x {columns} inputs"
            naive = OVER_FOLDS | {"sign flips alone": sign_flips}
            yield Case(name, "leave-one-group-out", groups(rows, columns), naive)
    for rows, columns in ((60, 3), (240, 10)):
        name = f"10 stratified hold-outs, {rows} rows, 2 x {columns} inputs"
        yield Case(name, "stratified-hold-out", hold_outs(10, rows, columns), OVER_FOLDS)
    for rows, seeds, columns, share in ((60, 1, 3, 0.2), (60, 3, 3, 0.4), (100, 3, 10, 0.2), (240, 5, 10, 0.2)):
        name = f"one hold-out of {share:.0%}, {seeds} seeds, {rows} rows, 2 x {columns} inputs"
        naive = {"t over cases": t_over_cases} | ({"t over seeds": t_over_seeds} if seeds > 1 else {})
        yield Case(name, "stratified-hold-out", hold_out(rows, seeds, columns, share), naive)
    for count, seeds in ((5, 5), (10, 3)):
        name = f"{count} draws of generated data, {seeds} seeds"
        yield Case(name, "fresh-draws", draws(count, seeds), {"t over draws x seeds": t_over_draws_and_seeds})
    name = f"{ARMS} arms, 5 x 5-fold, 60 rows"
    yield Case(name, "repeated-k-fold", folds(5, 5, 60, 3), {"unadjusted": unadjusted}, arms=ARMS)
    name = f"{ROUNDS} rounds, 5 x 5-fold, 60 rows"
    yield Case(name, "repeated-k-fold", folds(5, 5, 60, 3), {"unadjusted": unadjusted}, arms=ROUNDS, rounds=True)


POWER = (
    Case("5 x 5-fold, 60 rows", "repeated-k-fold", folds(5, 5, 60, 3), {"naive t": naive_t}),
    Case(f"{GROUPS} groups left out, 60 rows", "leave-one-group-out", groups(60, 3), {"naive t": naive_t}),
    Case("one hold-out, 3 seeds, 100 rows", "stratified-hold-out", hold_out(100, 3, 3), {"t over cases": t_over_cases}),
    Case("10 draws, 3 seeds", "fresh-draws", draws(10, 3), {"t over draws x seeds": t_over_draws_and_seeds}),
)
EFFECTS = (0.15, 0.3, 0.45, 0.6)


def told_apart(case: Case, arms: Sequence[ArmScores]) -> Iterator[str]:
    """The tests that call some arm different from its baseline; each at most once."""
    base, *others = arms
    if not case.rounds:
        if any(v.outcome in ("better", "worse") for v in compare(others, base, splits=case.splits, alpha=ALPHA)):
            yield OURS
    else:
        verdicts = (
            compare([arm], base, splits=case.splits, alpha=ALPHA, round=k)[0] for k, arm in enumerate(others, 1)
        )
        if any(v.outcome in ("better", "worse") for v in verdicts):  # until a first error the champion is the same
            yield OURS
    for name, test in case.naive.items():
        if any(test(arm, base) <= ALPHA for arm in others):
            yield name


def count_errors(index: int, first: int, last: int) -> Counter[str]:
    """How many of the null data sets numbered first to last each test calls different."""
    case, found = list(cases())[index], Counter[str]()
    for i in range(first, last):
        found.update(told_apart(case, case.make(np.random.default_rng([index, i]), [SIGNAL] * (case.arms + 1))))
    return found


def count_found(index: int, effect: float, first: int, last: int) -> Counter[str]:
    """How many times the arm with the columns that matter is called better."""
    case, found = POWER[index], Counter[str]()
    for i in range(first, last):
        base, arm = case.make(np.random.default_rng([index, i]), [0.0, effect])
        found[OURS] += compare([arm], base, splits=case.splits, alpha=ALPHA)[0].outcome == "better"
        for name, test in case.naive.items():
            found[name] += test(arm, base) <= ALPHA and arm.score < base.score
    return found


def measure(quick: bool) -> list[Row]:
    """Rates on the null problems, and power; `quick` has fewer data sets and so wider limits."""
    repeats, for_power = QUICK if quick else FULL
    limit = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / repeats)
    rows = []
    context = get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=threadpool_limits, initargs=(1,)) as workers:

        def total(count: Callable[[int, int], Counter[str]], repeats: int) -> Callable[[], Counter[str]]:
            step = -(-repeats // 4)
            jobs = [workers.submit(count, i, min(i + step, repeats)) for i in range(0, repeats, step)]
            return lambda: sum((job.result() for job in jobs), Counter[str]())

        nulls = [(case, total(partial(count_errors, i), repeats)) for i, case in enumerate(cases())]
        effects = [
            (case, effect, total(partial(count_found, i, effect), for_power))
            for i, case in enumerate(POWER)
            for effect in EFFECTS
        ]
        for case, counted in nulls:
            found = counted()
            rows.append(Row(f"error rate, {case.name}: {OURS}", found[OURS] / repeats, "", float(limit)))
            rows += [Row(f"error rate, {case.name}: {name}", found[name] / repeats, "") for name in case.naive]
        for case, effect, counted in effects:
            found = counted()
            for name in (OURS, *case.naive):
                share = found[name] / for_power
                rows.append(Row(f"power, {case.name}, coefficient {effect}: {name}", share, "", better="higher"))
    return rows


if __name__ == "__main__":
    benchmark("type_one_error", measure, ["probatum", "numpy", "scipy"])
