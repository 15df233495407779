"""Case A of `replicas.py` on a GPU: 120, 1,000 and 10,000 perceptrons at once, beside torch.func on the same GPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from result import Row, benchmark

SIZES, EPOCHS, BATCH, RATE, DECAY = (50, 32, 16, 3), 200, 64, 1e-3, 1e-4


def measure(quick: bool) -> list[Row]:
    """Seconds for each count and the ratio to torch.func; no rows where there is no GPU."""
    import jax

    if jax.default_backend() == "cpu":
        print("no GPU: JAX sees the CPU alone; `python benchmarks/replicas.py` measures that")
        return []
    print(f"GPU: {jax.devices()[0].device_kind}")
    rows = []
    for count in (120, 1_000) if quick else (120, 1_000, 10_000):
        repeats = 1 if quick or count > 1_000 else 3
        ours, error = ours_on_gpu(count, repeats)
        rows += [Row(f"seconds_{count}_replicas", ours, "s"), Row(f"error_{count}_replicas", error, "mse")]
        theirs = torch_on_gpu(count, repeats)
        if theirs is not None:
            rows.append(Row(f"vs_torch_func_{count}_replicas", theirs / ours, "times", None, "higher"))
    return rows


def data() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Inputs, targets, and the training rows of 24 folds."""
    generator = np.random.default_rng(17)
    x = generator.normal(size=(800, 50))
    y = np.tanh(1.5 * x @ generator.normal(size=(50, 8)) / 7) @ generator.normal(size=(8, 3)) / 2
    y += 0.2 * generator.normal(size=y.shape)
    return x, y, [np.flatnonzero(np.arange(800) % 24 != fold) for fold in range(24)]


def ours_on_gpu(count: int, repeats: int) -> tuple[float, float]:
    """Median seconds for all replicas, index generation and transfers included; mean validation error."""
    from probatum.learning import RowSet, learner_kind

    x, y, folds = data()
    kind = learner_kind("mlp")
    parameters = {"hidden": SIZES[1:-1], "norm": "none", "epochs": EPOCHS, "batch": BATCH, "optimiser": "adamw"}
    parameters |= {"rate": RATE, "weight_decay": DECAY}
    fit_many = kind.estimator_class().fit_many  # type: ignore[attr-defined]
    sets = [RowSet(folds[i % 24], np.setdiff1d(np.arange(800), folds[i % 24]), i) for i in range(count)]

    def run(some: list[RowSet]) -> list:
        return fit_many([kind.build(parameters, r.seed) for r in some], x, y, some, 16)

    run(sets[: min(count, 1_024)])  # compile
    seconds, outcomes = timed(lambda: run(sets), repeats)
    errors = [((o.prediction - y[r.predict]) ** 2).mean() for o, r in zip(outcomes, sets, strict=True)]
    return seconds, float(np.mean(errors))


def torch_on_gpu(count: int, repeats: int) -> float | None:
    """Median seconds of torch.func over all replicas on the GPU; None without torch's CUDA."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    from peers import torch_loops

    x, y, folds = data()
    sets = [folds[i % 24] for i in range(count)]
    torch.set_default_device("cuda")

    def run(epochs: int) -> np.ndarray:
        return torch_loops.with_vmap(
            x.astype(np.float32), y.astype(np.float32), sets, SIZES, epochs, BATCH, RATE, DECAY
        )

    run(2)
    seconds, _ = timed(lambda: run(EPOCHS), repeats)
    return seconds


def timed(run: Callable[[], list | np.ndarray], repeats: int) -> tuple[float, list | np.ndarray]:
    """Median seconds, and what the last run gave."""
    seconds = []
    result: list | np.ndarray = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


if __name__ == "__main__":
    benchmark("gpu", measure, ["jax", "numpy"])
