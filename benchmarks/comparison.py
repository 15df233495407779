"""How long verdicts take: fifty arms at once, with tests, intervals and what would decide."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from result import Row, benchmark
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the tests' simulations

from evidence.simulated import arm, held_out_arm
from probatum.evidence.comparison import compare
from probatum.evidence.resampling import sign_flip_p
from probatum.evidence.scores import ArmScores

ARMS, GROUPS, SEEDS, CASES = 50, 24, 5, 200
MARGIN = 0.01


def measure(quick: bool) -> list[Row]:
    """Seconds of the comparisons, median of several; the ratio to scipy's exact permutation test on fewer groups."""
    times = 2 if quick else 5
    generator = np.random.default_rng(0)
    rows = generator.integers(5, 40, GROUPS).tolist()
    by_groups = [
        arm(f"arm {i}", generator.gamma(3, 1, (SEEDS, GROUPS)), rows=rows, train_rows=500) for i in range(ARMS + 1)
    ]
    by_folds = [arm(f"arm {i}", generator.gamma(3, 1, (SEEDS, 25))) for i in range(ARMS + 1)]
    truth = generator.normal(size=CASES)
    held_out = [
        held_out_arm(f"arm {i}", truth, truth + generator.normal(size=(SEEDS, CASES)), train_rows=4 * CASES)
        for i in range(ARMS + 1)
    ]
    work: dict[str, tuple[str, list[ArmScores], float]] = {
        f"{ARMS} arms x {GROUPS} groups x {SEEDS} seeds": ("leave-one-group-out", by_groups, 2.0),
        f"{ARMS} arms x 25 folds x {SEEDS} seeds": ("repeated-k-fold", by_folds, 2.0),
        f"{ARMS} arms x one hold-out of {CASES} x {SEEDS} seeds": ("stratified-hold-out", held_out, 2.0),
    }
    found = [
        Row(name, seconds(lambda s=splits, a=arms: compare(a[1:], a[0], splits=s, margin=MARGIN), times), "s", target)
        for name, (splits, arms, target) in work.items()
    ]
    values = generator.normal(size=12 if quick else 16)
    ours = seconds(lambda: sign_flip_p(values, np.ones(len(values))), times)
    peer = seconds(
        lambda: stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=np.inf), times
    )
    return [*found, Row("exact sign flips, times faster than scipy", peer / ours, "", 1.0, "higher")]


def seconds(do: Callable[[], object], times: int) -> float:
    """Median wall time, after one call that is not counted."""
    do()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        do()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    benchmark("comparison", measure, ["probatum", "numpy", "scipy"])
