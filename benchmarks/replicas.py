"""Many trainings in one compiled program against what people write. Both sides in one run; medians; compilation apart.

Case A: 120 replicas (24 folds x 5 seeds) of a perceptron [32, 16] on 800 x 50 -> 3, batch 64, 200 epochs, as a campaign
(index generation, dispatch, artifacts and ledger included). Slow peers train a share of the replicas and are scaled up.
Case B: ten networks 2000-256-128-64-9 on 1000 rows.
Case C: four networks of residual dilated convolutions, 475,000 parameters, on curves of 500 points.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peers import floor
from result import Row, benchmark

from probatum.campaigns.campaign import Campaign
from probatum.learning import RowSet, learner_kind

FOLDS, SEEDS, EPOCHS, BATCH, RATE, DECAY = 24, 5, 200, 64, 1e-3, 1e-4
SIZES = (50, 32, 16, 3)
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Side:
    """One way of training: median seconds for all replicas, and each trained replica's validation error."""

    seconds: float
    errors: np.ndarray


def measure(quick: bool) -> list[Row]:
    """All rows; `quick` repeats once and trains smaller shares."""
    repeats = 1 if quick else 3
    return [*case_a(repeats, quick), *case_b(repeats, quick), *case_c(repeats, quick)]


# ---------------------------------------------------------------------- case A


def case_a(repeats: int, quick: bool) -> list[Row]:
    """Small networks: the campaign against loops, torch.func, scikit-learn and the floor."""
    from peers import torch_loops

    x, y, group = regression(800, 50)
    folds = [(np.flatnonzero(group != g), np.flatnonzero(group == g)) for g in range(FOLDS)]
    every = [(train, test, seed) for train, test in folds for seed in range(SEEDS)]

    def share(count: int) -> list[tuple[np.ndarray, np.ndarray, int]]:
        return [every[i] for i in np.linspace(0, len(every) - 1, count).astype(int)]

    def loop(train: Callable[..., np.ndarray], count: int) -> Side:
        chosen = share(count)

        def run() -> list[np.ndarray]:
            return [train(x, y, rows, SIZES, EPOCHS, BATCH, RATE, DECAY, seed) for rows, _, seed in chosen]

        return timed(run, chosen, y, repeats, len(every) / count)

    rows = [train for train, _, _ in every]
    ours = campaign_side(x, y, group, repeats)
    peers = {
        "A_vs_dataloader": (loop(torch_loops.with_loader, 2 if quick else 4), 50.0),
        "A_vs_slices_fused": (loop(torch_loops.with_slices, 3 if quick else 8), 25.0),
        "A_vs_torch_func": (
            timed(
                lambda: list(torch_loops.with_vmap(x, y, rows, SIZES, EPOCHS, BATCH, RATE, DECAY)), every, y, repeats, 1
            ),
            3.5,
        ),
        "A_vs_sklearn": (sklearn_side(x, y, share(8 if quick else 24), repeats, len(every)), 9.0),
    }
    found = [Row("A_seconds", ours.seconds, "s"), Row("A_error", float(ours.errors.mean()), "mse")]
    for name, (side, target) in peers.items():
        found.append(Row(name, side.seconds / ours.seconds, "times", target, "higher"))
        found.append(score_row(name, ours, side))
    library = floor.compiled()
    if library is not None:
        side = timed(lambda: list(floor.train(library, x, y, rows, EPOCHS, RATE, DECAY, CORES)), every, y, repeats, 1)
        found.append(Row("A_vs_cpp_floor", ours.seconds / side.seconds, "times", 1.6, "lower"))
        found.append(score_row("A_vs_cpp_floor", ours, side))
    return found


CAMPAIGN = """
problem = {{ kind = "table", path = "table.csv", target = ["y0", "y1", "y2"], group = "group" }}
[protocol]
splits = "leave-one-group-out"
seeds = {seeds}
baseline = "warm"
"""
EXPERIMENT = """
[[experiment]]
name = "{name}"
model = {{ kind = "mlp", hidden = [32, 16], activation = "relu", norm = "none", output = "linear" }}
training = {{ epochs = {epochs}, batch = {batch}, optimiser = "adamw", rate = {rate}, weight_decay = {decay} }}
"""


def campaign_side(x: np.ndarray, y: np.ndarray, group: np.ndarray, repeats: int) -> Side:
    """The trainings as a campaign whose worker has started and compiled; one experiment a repeat."""
    with tempfile.TemporaryDirectory() as folder:
        header = ",".join([*(f"x{i}" for i in range(x.shape[1])), "y0", "y1", "y2", "group"])
        lines = [",".join([*(f"{v:.9g}" for v in (*x[i], *y[i])), f"g{group[i]:02d}"]) for i in range(len(x))]
        Path(folder, "table.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
        file = Path(folder, "a.toml")
        numbers = {"epochs": EPOCHS, "batch": BATCH, "decay": DECAY}
        text = CAMPAIGN.format(seeds=SEEDS) + EXPERIMENT.format(name="warm", rate=2 * RATE, **numbers)
        file.write_text(text, encoding="utf-8")
        campaign = Campaign.open(file)
        executor = campaign.executor()
        campaign.run(executor=executor)
        seconds = []
        for repeat in range(repeats):
            # Another rate in the ninth digit: other keys, the same program, the same result for all that matters.
            text += EXPERIMENT.format(name=f"run {repeat}", rate=RATE * (1 + 1e-9 * repeat), **numbers)
            file.write_text(text, encoding="utf-8")
            campaign = Campaign.open(file)
            _ = campaign.splits
            started = time.perf_counter()
            campaign.run(executor=executor)
            seconds.append(time.perf_counter() - started)
        executor.close()
        truth = campaign.datasets["table"].targets()
        found = campaign.predictions("run 0")
    errors = np.array([((p.prediction - truth[p.rows]) ** 2).mean() for p in found])
    return Side(statistics.median(seconds), errors)


def sklearn_side(x: np.ndarray, y: np.ndarray, chosen: Sequence, repeats: int, total: int) -> Side:
    """scikit-learn's MLPRegressor in two processes."""
    import warnings

    from joblib import Parallel, delayed

    with Parallel(n_jobs=2) as pool:
        pool(delayed(_sklearn_fit)(x, y, rows, 1, seed) for rows, _, seed in chosen[:2])  # start the processes

        def run() -> list[np.ndarray]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return list(pool(delayed(_sklearn_fit)(x, y, rows, EPOCHS, seed) for rows, _, seed in chosen))

        return timed(run, chosen, y, repeats, total / len(chosen))


def _sklearn_fit(x: np.ndarray, y: np.ndarray, rows: np.ndarray, epochs: int, seed: int) -> np.ndarray:
    import warnings

    from sklearn.neural_network import MLPRegressor

    warnings.simplefilter("ignore")
    model = MLPRegressor(hidden_layer_sizes=SIZES[1:-1], batch_size=BATCH, max_iter=epochs, random_state=seed)
    model.set_params(tol=0, n_iter_no_change=epochs, learning_rate_init=RATE, alpha=DECAY)
    return model.fit(x[rows], y[rows]).predict(x)


# ---------------------------------------------------------------------- case B


def case_b(repeats: int, quick: bool) -> list[Row]:
    """Wide networks, where one training fills the cache: a thread each, against torch's slices."""
    from peers import torch_loops

    sizes, epochs, count = (2000, 256, 128, 64, 9), 5 if quick else 20, 4 if quick else 10
    x, y, _ = regression(1000, 2000, quantities=9)
    generator = np.random.default_rng(3)
    test = [np.sort(generator.choice(1000, 200, replace=False)) for _ in range(count)]
    chosen = [(np.setdiff1d(np.arange(1000), t), t, seed) for seed, t in enumerate(test)]
    kind = learner_kind("mlp")
    parameters = {"hidden": sizes[1:-1], "norm": "none", "epochs": epochs, "batch": BATCH, "optimiser": "adamw"}
    parameters |= {"rate": RATE, "weight_decay": DECAY}

    def ours() -> list[np.ndarray]:
        estimators = [kind.build(parameters, seed) for _, _, seed in chosen]
        row_sets = [RowSet(train, np.arange(1000), seed) for train, _, seed in chosen]
        fit_many = kind.estimator_class().fit_many  # type: ignore[attr-defined]
        return [o.prediction for o in fit_many(estimators, x, y, row_sets, CORES)]

    def peer() -> list[np.ndarray]:
        numbers = (epochs, BATCH, RATE, DECAY)
        return [torch_loops.with_slices(x, y, rows, sizes, *numbers, seed) for rows, _, seed in chosen]

    ours()  # compile
    mine, theirs = timed(ours, chosen, y, repeats, 1), timed(peer, chosen, y, repeats, 1)
    ratio = Row("B_vs_slices_fused", theirs.seconds / mine.seconds, "times", 2.0, "higher")
    return [Row("B_seconds", mine.seconds, "s"), ratio, score_row("B_vs_slices_fused", mine, theirs)]


# ---------------------------------------------------------------------- case C


def case_c(repeats: int, quick: bool) -> list[Row]:
    """Convolutions of curves, where the arithmetic itself is the cost: a thread each, against torch float32."""
    from peers import torch_convolution

    points, widths, taps = 500, (32, 64, 64, 128), 11
    count, epochs, batch = (2, 1, 32) if quick else (4, 4, 32)
    x, y = curves(192, points)
    generator = np.random.default_rng(3)
    test = [np.sort(generator.choice(192, 64, replace=False)) for _ in range(count)]
    chosen = [(np.setdiff1d(np.arange(192), t), t, seed) for seed, t in enumerate(test)]
    kind = learner_kind("convolutional")
    parameters = {"widths": widths, "taps": taps, "position": False, "pool": "mean", "norm": "none", "hidden": []}
    parameters |= {"epochs": epochs, "batch": batch, "optimiser": "adamw", "rate": RATE, "weight_decay": DECAY}

    def ours() -> list[np.ndarray]:
        estimators = [kind.build(parameters, seed) for _, _, seed in chosen]
        row_sets = [RowSet(train, rows, seed) for train, rows, seed in chosen]
        fit_many = kind.estimator_class().fit_many  # type: ignore[attr-defined]
        outcomes = fit_many(estimators, x, y, row_sets, CORES)
        return [scattered(o.prediction, rows, len(x)) for o, (_, rows, _) in zip(outcomes, chosen, strict=True)]

    def peer() -> list[np.ndarray]:
        numbers = (epochs, batch, RATE, DECAY)
        return [torch_convolution.train(x, y, rows, widths, taps, *numbers, seed) for rows, _, seed in chosen]

    ours()  # compile
    mine, theirs = timed(ours, chosen, y, repeats, 1), timed(peer, chosen, y, repeats, 1)
    ratio = Row("C_vs_torch", mine.seconds / theirs.seconds, "times", 1.2, "lower")
    return [Row("C_seconds", mine.seconds, "s"), ratio, score_row("C_vs_torch", mine, theirs)]


def curves(rows: int, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy curves of two peaks, and the places and the ratio of these."""
    generator = np.random.default_rng(23)
    place = np.sort(generator.uniform(0.2, 0.8, (rows, 2)), axis=1)
    ratio = generator.uniform(0.5, 2, (rows, 1))
    grid = np.linspace(0, 1, points)
    first, second = (np.exp(-(((grid - place[:, [k]]) / 0.03) ** 2)) for k in range(2))
    x = first + ratio * second + 0.05 * generator.normal(size=(rows, points))
    y = np.concatenate([place, ratio], axis=1)
    return x.astype(np.float32), ((y - y.mean(axis=0)) / y.std(axis=0)).astype(np.float32)


def scattered(prediction: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Predictions of some rows, at their places among all."""
    everywhere = np.zeros((count, prediction.shape[1]))
    everywhere[rows] = prediction
    return everywhere


# ---------------------------------------------------------------------- shared


def regression(rows: int, columns: int, quantities: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, noisy non-linear targets of variance one, and a group for each row."""
    generator = np.random.default_rng(17)
    x = generator.normal(size=(rows, columns)).astype(np.float32)
    z = x @ generator.normal(size=(columns, 8)) / np.sqrt(columns)
    y = np.tanh(1.5 * z) @ generator.normal(size=(8, quantities)) / 2 + 0.2 * generator.normal(size=(rows, quantities))
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return x, y.astype(np.float32), np.arange(rows) % FOLDS


def timed(run: Callable[[], list[np.ndarray]], chosen: Sequence, y: np.ndarray, repeats: int, scale: float) -> Side:
    """Median seconds of a run, scaled to all replicas, and the validation errors of the last one."""
    seconds = []
    predictions: list[np.ndarray] = []
    for _ in range(repeats):
        started = time.perf_counter()
        predictions = run()
        seconds.append(time.perf_counter() - started)
    errors = [((p[test] - y[test]) ** 2).mean() for p, (_, test, _) in zip(predictions, chosen, strict=True)]
    return Side(scale * statistics.median(seconds), np.array(errors))


def score_row(name: str, ours: Side, peer: Side) -> Row:
    """Difference of the mean validation errors, of replicas that both trained, in standard errors; equal within two."""
    mine = ours.errors[np.linspace(0, len(ours.errors) - 1, len(peer.errors)).astype(int)]  # as `share` chose them
    spread = np.hypot(*(errors.std(ddof=1) / np.sqrt(len(errors)) for errors in (mine, peer.errors)))
    difference = abs(mine.mean() - peer.errors.mean()) / spread
    return Row(f"{name}_score_difference", float(difference), "se", 2.0)


if __name__ == "__main__":
    benchmark("replicas", measure, ["probatum", "jax", "jaxlib", "optax", "numpy", "torch", "scikit-learn"])
