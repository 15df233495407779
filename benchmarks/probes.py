"""What watching a training costs: case A's networks with the probes and with them cut out, in one process by turns.

120 perceptrons [32, 16] on 800 x 50 -> 3, batch 64. Each side goes first in every other pair. The cost is the median
over pairs of with / without - 1, in processor time of all threads, which other work on the machine hardly touches.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace

import jax
import numpy as np
from replicas import BATCH, DECAY, FOLDS, RATE, SEEDS, SIZES, regression
from result import Row, benchmark

from probatum.learning.networks.mlp import initial_mlp
from probatum.learning.objective import Objective
from probatum.learning.procedure import Procedure, Stage
from probatum.learning.replicas import Replica, train

CORES = os.cpu_count() or 1


def measure(quick: bool) -> list[Row]:
    """The cost in percent and the seconds of both sides; `quick` trains fewer epochs."""
    epochs, pairs = (20, 7) if quick else (60, 11)
    x, y, group = regression(800, SIZES[0])
    folds = [np.flatnonzero(group != g) for g in range(FOLDS)]
    whole = Procedure((Stage(epochs, Objective(), optimiser="adamw"),))

    def seconds(probing: bool) -> tuple[float, float]:
        """Of the processors, and of the clock."""
        replicas = [_replica(rows, seed) for rows in folds for seed in range(SEEDS)]
        started, clock = time.process_time(), time.perf_counter()
        train(replace(whole, probing=probing), replicas, x, y, BATCH, CORES)
        return time.process_time() - started, time.perf_counter() - clock

    for probing in (True, False):
        seconds(probing)  # compile
    taken: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for pair in range(pairs):
        for probing in (True, False) if pair % 2 else (False, True):
            taken[probing].append(seconds(probing))
    ratios = [a[0] / b[0] for a, b in zip(taken[True], taken[False], strict=True)]
    return [
        Row("probes_cost_percent", 100 * (statistics.median(ratios) - 1), "%", 3.0),
        Row("probes_with_s", statistics.median(clock for _, clock in taken[True]), "s"),
        Row("probes_without_s", statistics.median(clock for _, clock in taken[False]), "s"),
    ]


def _replica(rows: np.ndarray, seed: int) -> Replica:
    generator = np.random.default_rng(seed)
    columns, quantities = SIZES[0], SIZES[-1]
    stage = {
        "rate": RATE,
        "weight_decay": DECAY,
        "loss": {},
        "penalties": [],
        "schedule": {},
        "paces": [],
        "target_weights": np.ones(quantities),
        "units": np.stack([np.zeros(quantities), np.ones(quantities)]),
    }
    as_is = np.stack([np.zeros(columns), np.ones(columns)]).astype(np.float32)
    return Replica(
        network=initial_mlp(SIZES, "relu", "none", "linear", generator),
        numbers=jax.tree.map(lambda number: np.asarray(number, dtype=np.float32), {"stages": [stage]}),
        rows=rows,
        seed=seed,
        generator=generator,
        inputs=as_is,
        targets=np.stack([np.zeros(quantities), np.ones(quantities)]).astype(np.float32),
    )


if __name__ == "__main__":
    benchmark("probes", measure, ["probatum", "jax", "jaxlib", "optax", "numpy"])
