"""Rocking curves: time to the accuracy of a log's network, errors by parameter, and two ways to refine predictions.

The peer is the log's network in PyTorch: 50 epochs on 800 of 1000 curves of 701 points. Ours are eight small networks,
averaged, on the same scans, counts added up over eight angles; they may simulate more curves, whose simulation
counts in their time, and their compilation does not. Both are scored on the same fresh curves, which nothing was chosen
on. Errors are in per cent of the parameters' ranges. --quick trains no peer to the end: it times a few of its
mini-batches, and says what ours reaches with little data.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np
from result import Row, benchmark

from probatum.learning import RowSet, learner_kind
from probatum.problems.rocking_curve import prior
from probatum.problems.rocking_curve.problem import TASK, RockingCurve, in_ranges
from probatum.problems.rocking_curve.profile import PARAMETERS
from probatum.problems.rocking_curve.refinement import by_least_squares, by_slsqp, perturbed

CORES = os.cpu_count() or 1
EPOCHS, TRAINED, BATCH = 50, 800, 32
SIZES = (2_000, 4_000, 8_000, 16_000)
"""Curves that ours trains on, one size after another until the accuracy is reached."""
OURS = {
    "widths": (16, 16), "taps": 5, "stride": 4, "hidden": (64,), "norm": "none", "output": "sigmoid",
    "loss": "smooth_l1", "epochs": 30, "batch": BATCH, "optimiser": "adamw", "rate": 2e-3, "schedule": "cosine",
}  # fmt: skip
BEYOND = ((10_000, 30), (100_000, 6))
"""Curves, and epochs over them: what more data is worth."""
MEMBERS = 8
"""Small networks that are averaged: so many train side by side in the time of one."""
FRESH = 1_000_003
"""Seed of the curves that score, apart from those that train."""


@dataclass(frozen=True)
class Reached:
    """What a training gave: seconds, and squared errors [row, parameter] on the fresh curves."""

    seconds: float
    errors: np.ndarray

    @property
    def score(self) -> float:
        return float(self.errors.mean())


def measure(quick: bool) -> list[Row]:
    """All rows."""
    fresh = RockingCurve(curves=1_000 if quick else 10_000, seed=FRESH)
    return [*accuracy(fresh, quick), *([] if quick else more_data(fresh)), *refinement(8 if quick else 24)]


def accuracy(fresh: RockingCurve, quick: bool) -> list[Row]:
    """The peer, then ours until it is as good."""
    if quick:
        mine, seconds = ours(SIZES[0], fresh), peer_seconds_an_epoch(4) * EPOCHS
        return [
            Row("log's network in PyTorch, seconds", seconds, "s"),
            Row(f"ours on {SIZES[0]} curves, mse", mine.score, "share^2"),
            Row(
                "time of the log's 50 epochs over ours, whatever their accuracy",
                seconds / mine.seconds,
                "times",
                None,
                "higher",
            ),
            *by_parameter(f"ours on {SIZES[0]} curves", mine.errors),
        ]
    theirs = peer(fresh)
    rows = [
        Row("log's network in PyTorch, seconds", theirs.seconds, "s"),
        Row("log's network in PyTorch, mse", theirs.score, "share^2"),
        *by_parameter("log's network in PyTorch", theirs.errors),
    ]
    for size in SIZES:
        mine = ours(size, fresh)
        rows += [
            Row(f"ours on {size} curves, seconds", mine.seconds, "s"),
            Row(f"ours on {size} curves, mse", mine.score, "share^2"),
            *by_parameter(f"ours on {size} curves", mine.errors),
        ]
        if mine.score <= theirs.score:
            ratio = theirs.seconds / mine.seconds
            return [*rows, Row("times faster to the accuracy of the log's network", ratio, "times", 10.0, "higher")]
    return [*rows, Row("times faster to the accuracy of the log's network", 0.0, "times", 10.0, "higher")]


def more_data(fresh: RockingCurve) -> list[Row]:
    """Our networks on ten times the log's curves, and on a hundred times."""
    rows = []
    for size, epochs in BEYOND:
        name, mine = f"ours on {size} curves, {epochs} epochs", ours(size, fresh, epochs)
        rows += [
            Row(f"{name}, seconds", mine.seconds, "s"),
            Row(f"{name}, mse", mine.score, "share^2"),
            *by_parameter(name, mine.errors),
        ]
    return rows


def peer(fresh: RockingCurve) -> Reached:
    """The log's network, trained for all its epochs; simulation is not counted."""
    from peers.torch_rocking_network import Training

    data = RockingCurve(curves=1_000)
    seen, shares = scans(data, "log-intensity")
    training = Training(seen[:TRAINED], shares[:TRAINED], seed=0, batch=BATCH)
    started = time.perf_counter()
    for epoch in range(EPOCHS):
        training.epoch()
        if (epoch + 1) % 10 == 0:
            held = ((training.predict(seen[TRAINED:]) - shares[TRAINED:]) ** 2).mean()
            print(f"log's network, epoch {epoch + 1}: mse {held:.5f} on the other 200", flush=True)
    seconds = time.perf_counter() - started
    curves, truth = scans(fresh, "log-intensity")
    return Reached(seconds, (training.predict(curves) - truth) ** 2)


def peer_seconds_an_epoch(batches: int) -> float:
    """From a few mini-batches, after one that does not count."""
    from peers.torch_rocking_network import Training

    data = RockingCurve(curves=(batches + 1) * BATCH)
    training = Training(*scans(data, "log-intensity"), seed=0, batch=BATCH)
    training.epoch(1)
    started = time.perf_counter()
    done = training.epoch(batches)
    return (time.perf_counter() - started) / done * TRAINED / BATCH


def ours(size: int, fresh: RockingCurve, epochs: int = OURS["epochs"]) -> Reached:
    """Small networks on so many curves: simulation and training counted, compilation not."""
    kind = learner_kind("convolutional")
    fit_many = kind.estimator_class().fit_many  # type: ignore[attr-defined]
    started = time.perf_counter()
    inputs, shares = scans(RockingCurve(curves=size), "log-bins")
    simulated = time.perf_counter() - started
    seen, truth = scans(fresh, "log-bins")
    both, targets = np.concatenate([inputs, seen]), np.concatenate([shares, truth])
    train_rows, predicted_rows = np.arange(size), np.arange(size, len(both))

    def train(first: int) -> np.ndarray:
        rows = [RowSet(train_rows, predicted_rows, first + member) for member in range(MEMBERS)]
        outcomes = fit_many(
            [kind.build({**OURS, "epochs": epochs}, one.seed) for one in rows], both, targets, rows, CORES
        )
        return np.mean([outcome.prediction for outcome in outcomes], axis=0)

    train(MEMBERS)  # compile
    started = time.perf_counter()
    predicted = train(0)
    return Reached(simulated + time.perf_counter() - started, (predicted - truth) ** 2)


def scans(problem: RockingCurve, feature: str) -> tuple[np.ndarray, np.ndarray]:
    """[curve, column] inputs and [curve, 7] shares."""
    dataset = problem.dataset(TASK)
    return problem.features[feature].compute(dataset), dataset.targets()


def by_parameter(name: str, squared: np.ndarray) -> list[Row]:
    """Root mean squared errors in per cent of the ranges."""
    errors = 100 * np.sqrt(squared.mean(axis=0))
    return [Row(f"{name}, {p.name}", float(e), "% of range") for p, e in zip(PARAMETERS, errors, strict=True)]


def refinement(trials: int) -> list[Row]:
    """From starts that are 6 % off, curves without noise: medians of the errors that are left."""
    scan, generator = RockingCurve().scan, np.random.default_rng(0)
    truth = prior.draw(trials, generator)
    curves, starts = scan.signal(truth), perturbed(truth, 0.06, generator)
    rows = []
    for name, fit in (("SLSQP in raw units", by_slsqp), ("least squares in shares", by_least_squares)):
        started = time.process_time()
        found = np.array([fit(scan, curve, start) for curve, start in zip(curves, starts, strict=True)])
        seconds = (time.process_time() - started) / trials
        errors = 100 * np.abs(in_ranges(found) - in_ranges(truth))
        rows += [
            Row(f"{name}, median error of {p.name}", float(e), "% of range")
            for p, e in zip(PARAMETERS, np.median(errors, axis=0), strict=True)
        ]
        rows += [
            Row(f"{name}, curves with all within 1 %", float((errors < 1).all(axis=1).mean()), "share", None, "higher"),
            Row(f"{name}, seconds a curve", seconds, "s"),
        ]
    return rows


if __name__ == "__main__":
    benchmark("rocking_approaches", measure, ["probatum", "jax", "numpy", "scipy", "torch"])
