"""Learned heights of analog codes: errors on fresh codes, and errors at equal time against truncated searches.

First, n = 9: networks that see P alone, by (k, m), against the variance of the target, the best published score and the
seed log's residual network on raw entries, with verdicts at equal training time. Second, [16, 8] and [20, 10], where
exact heights cost more than a network. Trained networks and labels of long codes are kept in the user's cache, and what
is found is written line by line to a file there, so that a run that is cut goes on where it was.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import platformdirs
from peers.residual_heights import predicted as residual_predicted
from peers.residual_heights import residual_heights
from result import Row, benchmark

from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.evidence.comparison import compare
from probatum.evidence.scores import arm_scores
from probatum.evidence.verdict import Verdict
from probatum.learning.metrics import metric
from probatum.problems.analog_codes.generate import VERSIONS
from probatum.problems.analog_codes.heights import MAX_LENGTH, float64_height_profiles
from probatum.problems.analog_codes.learned_heights import (
    HeightTraining,
    LearnedHeights,
    learned_heights,
    mixed_heights,
)
from probatum.problems.analog_codes.long_codes import long_profile
from probatum.problems.analog_codes.problem import HEIGHT, STANDARD_GROUPS
from probatum.problems.analog_codes.tableaux import TableauView
from probatum.problems.analog_codes.training_stream import CodeStream
from probatum.problems.analog_codes.truncated_search import local_bounds, minor_bounds, vertex_bounds
from probatum.problems.problem import STANDARD_SCORINGS, Dataset, Origin, Truth

FRESH = 20_000
"""Codes of draw 0 that every group is scored on; no training sees them."""
TARGETS = {
    (4, 2): 0.02, (4, 3): 0.04, (4, 4): 0.22, (4, 5): 0.9,
    (5, 2): 0.04, (5, 3): 0.22, (5, 4): 0.9, (6, 2): 0.04, (6, 3): 0.7,
}  # fmt: skip
PUBLISHED = {
    (4, 2): 0.061, (4, 3): 0.086, (4, 4): 0.479, (4, 5): 2.03,
    (5, 2): 0.118, (5, 3): 0.462, (5, 4): 2.16, (6, 2): 0.135, (6, 3): 2.02,
}  # fmt: skip
"""Best found anywhere that is not known to leak; mixed distributions."""
PART = (TableauView(2, (1,)), TableauView(2, (0,)))
WIDE = TableauView(5, (1,))
"""Networks of three kinds: each sees entries, 2 x 2 minors and neighbours' norms of one tableau (the pivoted one, P, or
the pivoted one) and entries of others: 81 % of the maximal minors for k = 4 and 5, 88 % for k = 6."""
WHOLE = (TableauView(5, (0, 1, 2, 3, 4)),)
"""All of that of five tableaux, which between them show every maximal minor, as numerators of different bases."""
RESIDUAL = "residual network on entries"
RESIDUAL_WIDTH, NARROW = 512, 256
"""Main layer of the residual network for equal time, and of the one that is shown many more codes."""
SEEDS = 3
UNITS = {16: 256, 20: 64}
"""Hidden units of the largest networks for long codes: the fewer, the fewer codes there are labels of."""
SMALL = 64
LINES = platformdirs.user_cache_path("probatum") / "benchmarks" / "analog_codes.jsonl"


@dataclass(frozen=True)
class Budget:
    """Codes shown in each training; what CPU time that takes is printed.

    Attributes:
        part, wide, whole: in each training of the networks whose scores are held against the targets; wide by k.
        equal: of those of the verdicts, each seed.
        residual_rows: pairs of a code and one m that the residual network is shown, each seed, for the same time.
        residual_codes: that a narrower one is shown with all its m, once: whether time is what it lacks.
        long: to those of the long codes, by n, from a pool of `pool`.
        fresh: codes scored.
    """

    part: int
    wide: Mapping[int, int]
    whole: int
    equal: int
    residual_rows: int
    residual_codes: int
    long: Mapping[int, int]
    pool: Mapping[int, int]
    fresh: int
    long_fresh: int


FULL = Budget(
    6_000_000,
    {4: 6_000_000},
    3_000_000,
    1_000_000,
    300_000,
    1_000_000,
    {16: 2_000_000, 20: 150_000},
    {16: 393_216, 20: 16_384},
    FRESH,
    4096,
)
QUICK = Budget(60_000, {}, 30_000, 30_000, 20_000, 10_000, {16: 20_000}, {16: 8192}, 2000, 512)


def measure(quick: bool) -> list[Row]:
    """All rows."""
    budget = QUICK if quick else FULL
    LINES.parent.mkdir(parents=True, exist_ok=True)
    print(f"lines go to {LINES}")
    rows: list[Row] = []
    for k in (4,) if quick else (4, 5, 6):
        rows += short_codes(k, budget, 1 if quick else SEEDS)
    for n in budget.pool:
        rows += long_codes(n, budget)
    return rows


# ---------------------------------------------------------------------- n = 9


def short_codes(k: int, budget: Budget, seeds: int) -> list[Row]:
    """Scores of all arms for one dimension, and verdicts of networks against the residual one at equal time."""
    asked = [m for dimension, m in STANDARD_GROUPS if dimension == k]
    at, codes = np.array(asked) - 1, budget.residual_rows // len(asked)
    equal = [HeightTraining(9, k, budget.equal, view=PART[0], batch=512, seed=seed) for seed in range(seeds)]
    part = [HeightTraining(9, k, budget.part, view=view, seed=place) for place, view in enumerate(PART)]
    wide = [HeightTraining(9, k, budget.wide[k], view=WIDE, width=384, seed=2)] if k in budget.wide else []
    whole = [HeightTraining(9, k, budget.whole, view=view) for view in WHOLE]
    trainings = [*equal, *part, *wide, *whole]
    trained = dict(zip(trainings, trained_together(trainings), strict=True))
    residual = [residual_heights(k, asked, codes, RESIDUAL_WIDTH, seed) for seed in range(seeds)]
    shown_more = residual_heights(k, asked, budget.residual_codes, NARROW, seeds)
    names = {
        "sees a part": mixed_heights([trained[t] for t in (*part, *wide)]),
        "sees all": mixed_heights([trained[t] for t in whole]),
    }
    rows = []
    for distribution in VERSIONS:
        P, truth = CodeStream(9, k, distribution).labelled(0, budget.fresh)
        truth = truth[:, at]
        theirs = [residual_predicted(fitted, P, asked, RESIDUAL_WIDTH) for fitted in residual]
        ours = [trained[t](P)[:, at] for t in equal]
        table = {
            RESIDUAL: np.mean([scores(p, truth) for p in theirs], axis=0),
            f"{RESIDUAL}, {budget.residual_codes:,} codes": scores(
                residual_predicted(shown_more, P, asked, NARROW), truth
            ),
            "sees a part, equal time": np.mean([scores(p, truth) for p in ours], axis=0),
            **{name: scores(mixture(P)[:, at], truth) for name, mixture in names.items()},
        }
        for t, name in zip(part, ("pivoted", "systematic"), strict=True):
            table[f"sees a part, {name} alone"] = scores(trained[t](P)[:, at], truth)
        variance = np.nanvar(np.where(np.isfinite(truth), truth, np.nan), axis=0)
        show_table(k, asked, distribution, variance, table)
        for name, values in table.items():
            for m, value in zip(asked, values, strict=True):
                target = TARGETS[k, m] if distribution == "uniform" and name in names else None
                rows.append(Row(f"({k},{m}) {distribution}: {name}", float(value), "log2^2", target))
        if distribution == "uniform":
            for place, m in enumerate(asked):
                our, their = ([p[:, place] for p in arm] for arm in (ours, theirs))
                show_verdict(k, m, judged(f"({k},{m})", truth[:, place], our, their, codes))
    seconds = {name: sum(model.cpu_seconds for model in mixture.models) for name, mixture in names.items()}
    seconds["sees a part, equal time, each seed"] = float(np.mean([trained[t].cpu_seconds for t in equal]))
    seconds[f"{RESIDUAL}, {budget.residual_codes:,} codes"] = shown_more[2]
    seconds[f"{RESIDUAL}, each seed"] = float(np.mean([fitted[2] for fitted in residual]))
    kept("seconds", k=k, **seconds)
    return rows + [Row(f"k = {k}, CPU time of training, {name}", value, "s") for name, value in seconds.items()]


def show_verdict(k: int, m: int, verdict: Verdict) -> None:
    """Prints the network against the residual one, both trained equally long."""
    kept("verdict", k=k, m=m, outcome=verdict.outcome, difference=verdict.difference, interval=verdict.interval)
    low, high = verdict.interval or (np.nan, np.nan)
    print(f"  ({k},{m}), sees a part against {RESIDUAL} at equal time: {verdict.outcome}, {verdict.difference:+.4f}"
          f" [{low:+.4f}, {high:+.4f}], {verdict.seeds} seeds, {verdict.units} codes")  # fmt: skip


def trained_together(trainings: Sequence[HeightTraining]) -> list[LearnedHeights]:
    """The trained networks, two at a time on two cores."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = []
        for training, model in zip(trainings, pool.map(learned_heights, trainings), strict=True):
            kept("trained", training=repr(training), codes=model.codes, cpu_seconds=model.cpu_seconds)
            found.append(model)
        return found


def scores(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[m] mean squared errors over the codes of finite height."""
    finite = np.isfinite(truth)
    return np.nanmean(np.where(finite, (predicted - np.where(finite, truth, 0.0)) ** 2, np.nan), axis=0)


def show_table(
    k: int, asked: Sequence[int], distribution: str, variance: np.ndarray, table: Mapping[str, np.ndarray]
) -> None:
    """Prints every arm's score of every group."""
    print(f"\n{f'log2-MSE, {distribution}':48}" + "".join(f"{f'({k},{m})':>9}" for m in asked))
    published = [PUBLISHED[k, m] for m in asked]
    lines = {"variance": variance, "best published": published, **table, "target": [TARGETS[k, m] for m in asked]}
    for name, values in lines.items():
        print(f"  {name:46}" + "".join(f"{value:9.4f}" for value in values), flush=True)
        kept("scores", k=k, distribution=distribution, arm=name, values=[float(value) for value in values])


def judged(
    task: str, truth: np.ndarray, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], trained: int
) -> Verdict:
    """Our arm against theirs on the same codes, by hold-out; every code is a case of its own."""
    cases = np.array([f"code{i:06d}" for i in range(len(truth))])
    dataset = Dataset(
        problem="analog_codes",
        task=task,
        cases=cases,
        observations={"code": np.arange(float(len(truth)))},
        units={"code": "1"},
        quantities=(HEIGHT,),
        truth=Truth(truth[:, None]),
        groups={"code": cases},
        origin=Origin(generator=f"analog_codes/{VERSIONS['uniform']}", seed=0, count=len(truth)),
    )
    arms = []
    for name, arm in (("ours", ours), ("theirs", theirs)):
        fits = [
            StoredPrediction(task, 0, "fresh codes", "fresh", seed, np.arange(len(truth)), values[:, None])
            for seed, values in enumerate(arm)
        ]
        # Training codes stand in no dataset: the fewer of the two arms' widen the interval.
        arms.append(arm_scores(name, fits, {task: dataset}, metric("mse"), STANDARD_SCORINGS["pooled"], {task: -trained}))  # fmt: skip  # noqa: E501
    return compare(arms[:1], arms[1], splits="stratified-hold-out")[0]


# ---------------------------------------------------------------------- at equal time


@dataclass(frozen=True)
class Point:
    """An arm's error and time.

    Attributes:
        arm: its name.
        microseconds: a code, in batches, on one thread; pivoting and searches included.
        error: mean over m of the log2-MSE.
        by_m: [n - k] log2-MSE.
    """

    arm: str
    microseconds: float
    error: float
    by_m: np.ndarray


def long_codes(n: int, budget: Budget) -> list[Row]:
    """Errors against time of networks and searches, and over how much of the time a network has the least error."""
    k, pool = n // 2, budget.pool[n]
    P, truth = CodeStream(n, k).labelled(0, budget.long_fresh)
    calibration = CodeStream(n, k, draw=1).labelled(0, min(8192, pool))
    print(f"\n[{n}, {k}]: mean over m of log2-MSE; variance of the target {truth.var(axis=0).mean():.3f}")
    searches = searched(P, truth, calibration)
    described = long_trainings(n, budget)
    trainings = [training for several in described.values() for training in several]
    models = dict(zip(trainings, trained_together(trainings), strict=True))
    networks = [
        point(f"{name}, {t.width} units, {t.vertex_bases} bases, {t.minor_steps} steps", models[t], P, truth)
        for name, several in described.items()
        for t in several
    ]
    exact = microseconds(lambda: exact_heights(P[:64]), 64, 3)
    print(f"  exact heights take {exact:.0f} us a code")
    rows = [Row(f"[{n},{k}] exact, time a code", exact, "us")]
    for p in (*searches, *networks):
        print(f"  {p.arm:48} {p.microseconds:8.1f} us {p.error:10.4f}   " + " ".join(f"{x:.3f}" for x in p.by_m))
        kept("curve", n=n, k=k, arm=p.arm, microseconds=p.microseconds, error=p.error, by_m=p.by_m.tolist())
        rows += [Row(f"[{n},{k}] {p.arm}: time", p.microseconds, "us"), Row(f"[{n},{k}] {p.arm}: error", p.error, "log2^2")]  # fmt: skip  # noqa: E501
    raw = [p for p in searches if "calibrated" not in p.arm]
    rivals = {"searches": (raw, networks), "calibrated searches": (searches, networks)}
    rivals["calibrated searches, P alone"] = (searches, [p for p in networks if "bounds" not in p.arm])
    for name, (theirs, ours) in rivals.items():
        decades = leading(ours, theirs, float(truth.var(axis=0).mean()))
        rows.append(Row(f"[{n},{k}] decades of time ahead of all {name}", decades, "", 1.0, "higher"))
    seconds = sum(model.cpu_seconds for model in models.values())
    return [*rows, Row(f"[{n},{k}] CPU time of training {len(models)} networks", seconds, "s")]


def long_trainings(n: int, budget: Budget) -> dict[str, list[HeightTraining]]:
    """Networks that see P alone, and with the bounds of searches of several lengths."""
    units, view = UNITS[n], TableauView(2, (), 0, 0)
    layers = 2 if units > SMALL else 1
    plain = HeightTraining(n, n // 2, budget.long[n], "uniform", view, width=units, layers=layers, pool=budget.pool[n])
    return {
        "network": [replace(plain, width=units // 4, layers=1), plain],
        "network with bounds": [
            replace(plain, width=units // 2, layers=1, vertex_bases=16, minor_steps=100),
            replace(plain, vertex_bases=64, minor_steps=500),
            replace(plain, vertex_bases=256, minor_steps=2000),
            replace(plain, vertex_bases=512, minor_steps=4000),
            replace(plain, vertex_bases=1024, minor_steps=8000),
        ],
    }


def searched(P: np.ndarray, truth: np.ndarray, calibration: tuple[np.ndarray, np.ndarray]) -> list[Point]:
    """All searches at several lengths: their bounds as they are, and as inputs of a regression on labelled codes."""
    found = []
    arms: tuple[tuple[str, Callable[[np.ndarray, int], np.ndarray], Sequence[int]], ...] = (
        ("vertex search", vertex_bounds, (16, 64, 256, 1024, 2048)),
        ("truncated F4", minor_bounds, (100, 500, 2000, 8000, 16000)),
        ("local search", local_bounds, (1, 4)),
        ("vertex search and truncated F4", both_bounds, (64, 256, 512, 1024)),
    )
    for name, search, lengths in arms:
        for length in lengths:
            bounds = np.log2(search(P, length))
            time_taken = microseconds(lambda: search(P[:2048], length), min(len(P), 2048), 3)  # noqa: B023
            largest = bounds.reshape(len(bounds), -1, truth.shape[1]).max(axis=1)
            by_m = ((largest - truth) ** 2).mean(axis=0)
            found.append(Point(f"{name}, {length}", time_taken, float(by_m.mean()), by_m))
            known = np.log2(search(calibration[0], length))
            by_m = ((calibrated(known, calibration[1], bounds) - truth) ** 2).mean(axis=0)
            found.append(Point(f"{name}, {length}, calibrated", time_taken, float(by_m.mean()), by_m))
    return found


def both_bounds(P: np.ndarray, length: int) -> np.ndarray:
    """Bounds of two searches that take about equally long, [code, 2 (n - k)]: the same that networks are given."""
    return np.concatenate([vertex_bounds(P, length), minor_bounds(P, 8 * length)], axis=1)


def calibrated(known: np.ndarray, labels: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Least squares on all bounds and their squares: what a search is worth once its bias is known."""
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-9

    def columns(values: np.ndarray) -> np.ndarray:
        standard = (values - centre) / spread
        return np.concatenate([np.ones((len(values), 1)), standard, standard**2], axis=1)

    return columns(bounds) @ np.linalg.lstsq(columns(known), labels, rcond=1e-8)[0]


def point(arm: str, model: LearnedHeights, P: np.ndarray, truth: np.ndarray) -> Point:
    by_m = ((model(P) - truth) ** 2).mean(axis=0)
    return Point(arm, microseconds(lambda: model(P[:2048]), min(len(P), 2048), 5), float(by_m.mean()), by_m)


def leading(ours: Sequence[Point], theirs: Sequence[Point], variance: float) -> float:
    """Over how many decades of time the best of ours so far has less error than the best of theirs so far.

    A search or network counts from its time on, to the longest time measured; before it, the mean is predicted.
    """
    times = sorted({p.microseconds for p in (*ours, *theirs)})
    ahead = 0.0
    for start, stop in pairwise(times):
        best = [min([variance, *(p.error for p in arm if p.microseconds <= start)]) for arm in (ours, theirs)]
        if best[0] < best[1]:
            ahead += np.log10(stop / start)
    return float(ahead)


def exact_heights(P: np.ndarray) -> np.ndarray:
    """The fastest exact way for this length, on one thread."""
    if P.shape[1] + P.shape[2] <= MAX_LENGTH:
        return float64_height_profiles(P)
    nothing = np.zeros_like(P[0])
    return np.array([long_profile(one, nothing, tolerance=2.0**-46, threads=1) for one in P])


def microseconds(do: Callable[[], object], codes: int, times: int) -> float:
    """CPU time a code, the least of several batches after one that is not counted."""
    do()
    taken = []
    for _ in range(times):
        began = time.process_time()
        do()
        taken.append(time.process_time() - began)
    return min(taken) / codes * 1e6


def kept(kind: str, **what: object) -> None:
    """Adds a line to the file of results."""
    with LINES.open("a") as file:
        file.write(json.dumps({"kind": kind, "at": time.time(), **what}) + "\n")


if __name__ == "__main__":
    benchmark("analog_codes", measure, ["probatum", "numpy", "jax", "numba"])
