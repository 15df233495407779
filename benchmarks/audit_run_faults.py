"""Faults of runs, planted at random: PB201-PB504.

Learners and configurations are planted in real campaigns; loss curves, reported figures and other people's tables of
runs, which no campaign can be made to have, are written as such.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from audit_campaigns import (
    K_FOLD,
    LINE,
    Generator,
    Planted,
    audit_of,
    experiment,
    history_of,
    honest_table,
    of_runs,
    own,
    predicted,
    table_size,
)

from probatum.audit.history import Run, Training
from probatum.audit.inspection import Audit, inspect


def trained(generator: Generator, faulty: str, *more: str, **of_campaign: Any) -> Audit:
    """A campaign of a line and a faulty model (TOML) on an honest table."""
    rows, columns = table_size(generator)
    table = honest_table(generator, rows, columns)
    return audit_of(Planted(table, LINE + experiment("faulty", faulty, *more), **of_campaign))


# ---------------------------------------------------------------------- PB2: trainings


def diverged(generator: Generator) -> Audit:
    if generator.uniform() < 0.5:
        return trained(generator, own("Network", "rate = 1e6, validation_fraction = 0.2, restore_best = false"))
    return trained(generator, own("Shifted", f"offset = {generator.choice([-1, 1]) * generator.uniform(3.5, 30)}"))


def dead_part(generator: Generator) -> Audit:
    kind = generator.choice(["zero", "dead", "constant"])
    if kind == "constant":
        return trained(generator, own("Constant"))
    return trained(generator, own("Network", f'start = "{kind}", relu = true, hidden = {generator.integers(8, 33)}'))


def converged(generator: Generator, fits: int, rise: float, spread: float, epochs: int = 60) -> list[np.ndarray]:
    """Logarithms of training and validation losses, [fit, epoch]; from half of the epochs validation rises."""
    t = np.arange(epochs) / epochs
    train = np.log(0.05 + np.exp(-5 * t)) + generator.normal(0, 0.02, (fits, epochs))
    rises = 2 * np.clip(t - 0.5, 0, None) * (rise + generator.normal(0, spread, (fits, 1)))
    floor = np.log(0.5 + np.exp(-12 * t)) + generator.normal(0, 0.2, (fits, 1))
    return [train, floor + rises + generator.normal(0, 0.05, (fits, epochs))]


def curves(name: str, losses: list[np.ndarray], **of_run: Any) -> Run:
    fits = tuple(
        Training("task", f"fold {n}", 0, {"training loss": np.exp(train), "validation loss": np.exp(validation)})
        for n, (train, validation) in enumerate(zip(*losses, strict=True))
    )
    return Run(name, trainings=fits, **of_run)


def beside_clean_ones(generator: Generator, faulty: Run) -> Audit:
    """With up to four runs that converged, in any order."""
    clean = [curves(f"clean {i}", converged(generator, 10, 0.0, 0.0)) for i in range(generator.integers(5))]
    runs = [faulty, *clean]
    return of_runs(*(runs[i] for i in generator.permutation(len(runs))))


def over_fitted(generator: Generator) -> Audit:
    fits, times = [(10, 5.0), (25, 3.0), (1, None)][generator.integers(3)]
    rise = 1.0 if times is None else float(generator.uniform(0.5, 1.0))
    losses = converged(generator, fits, rise, 0.0 if times is None else rise / times)
    return beside_clean_ones(generator, curves("faulty", losses))


def unfinished(generator: Generator) -> Audit:
    t = np.arange(60) / 60
    fall = generator.uniform(0.2, 0.5)
    slopes = fall + generator.normal(0, fall / 3, (10, 1))
    validation = -4 * t * slopes + generator.normal(0, 0.05, (10, 60))
    return beside_clean_ones(generator, curves("faulty", [validation - 0.1, validation]))


def too_good(generator: Generator) -> Audit:
    train, _ = converged(generator, 10, 0.0, 0.0)
    gap = generator.uniform(0.25, 0.5)
    between = generator.normal(-gap, gap / 3, (10, 1))
    validation = train + between + generator.normal(0, 0.05, train.shape)
    return beside_clean_ones(generator, curves("faulty", [train, validation]))


def luck_of_seeds(generator: Generator) -> Audit:
    if generator.uniform() < 0.5:
        scores = generator.uniform(0.5, 0.9, generator.integers(2, 7))
        return of_runs(*(Run(f"try {i}", score=s, recipe={"rate": 0.01, "seed": i}) for i, s in enumerate(scores)))
    rows, columns = table_size(generator)
    luck = generator.uniform(1, 3)
    arms = [experiment(name, own("Shifted", f"offset = {o}, luck = {luck}")) for name, o in (("old", 0.3), ("new", 0))]
    history = history_of(Planted(honest_table(generator, rows, columns), "".join(arms), f"{K_FOLD}\nseeds = 2"))
    return inspect(replace(history, chosen="new", confirmed=True))


def drifted_scale(generator: Generator) -> Audit:
    """Scales off by a factor of 1.6 to 30, up or down, in half of the fits; elsewhere they are near 1."""
    fits = int(generator.integers(1, 13))
    logs = generator.normal(0, 0.1, fits)
    off = generator.permutation(fits)[: (fits + 1) // 2]
    logs[off] = np.log(generator.uniform(1.6, 30, len(off))) * generator.choice([-1, 1], len(off))
    trainings = (Training("task", f"fold {n}", 0, {"free scale law": np.exp([log])}) for n, log in enumerate(logs))
    return beside_clean_ones(generator, Run("faulty", trainings=tuple(trainings)))


# ---------------------------------------------------------------------- PB3: scores


def predictions(generator: Generator, scale: float = 1.0, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """[row, 1] truth, and predictions with Gaussian errors, scaled."""
    truth = generator.normal(size=(int(generator.integers(40, 401)), 1))
    return truth, scale * (truth + noise * generator.normal(size=truth.shape))


def scored_differently(generator: Generator) -> Audit:
    usual = {"loss": "plain", "rows": "all", "weights": "none"}
    runs = [Run(f"run {i}", metric="mse", score=generator.uniform(0.1, 0.3), scored_on=usual) for i in range(9)]
    runs = runs[: generator.integers(2, 10)]
    changed, at = generator.choice(["metric", *usual]), generator.integers(len(runs))
    other = {"metric": "mae"} if changed == "metric" else {"scored_on": {**usual, changed: "another"}}
    runs[at] = replace(runs[at], **other)
    return of_runs(*runs)


def contradicting(generator: Generator) -> Audit:
    match generator.integers(4):
        case 0:
            truth, prediction = predictions(generator)
            worst = generator.permutation(len(truth)) < 0.03 * len(truth)
            prediction[worst] += 3.0
            return of_runs(predicted("run", truth, prediction))
        case 1:
            return of_runs(predicted("run", *predictions(generator, scale=generator.uniform(0.2, 0.35))))
        case 2:
            trimmed = generator.uniform(0.7, 0.95)
            r2 = 1 - generator.uniform(4.1, 8) * (1 - trimmed)
            return of_runs(Run("run", metrics={"R2": max(r2, -0.9), "trimmed_R2": trimmed}))
        case _:
            correlation = generator.uniform(0.75, 0.95)
            r2 = correlation**2 + generator.choice([-0.32, 0.03])
            return of_runs(Run("run", metrics={"test_R2": r2, "test_pearson": correlation}))


def squared_correlation(generator: Generator) -> Audit:
    truth, prediction = predictions(generator, scale=generator.uniform(0.5, 0.8))
    correlation = float(np.corrcoef(truth[:, 0], prediction[:, 0])[0, 1])
    if generator.uniform() < 0.5:
        return of_runs(predicted("run", truth, prediction, metrics={"R2": correlation**2}))
    slope = float(np.polyfit(truth[:, 0], prediction[:, 0], 1)[0])
    return of_runs(Run("run", metrics={"R2": correlation**2, "pearson": correlation, "slope": slope}))


def no_better_than_the_mean(generator: Generator) -> Audit:
    flat = '{ kind = "ridge", alpha = 1e9 }'
    return trained(generator, flat, protocol=K_FOLD.replace("repeats = 2", "repeats = 5"))


def target_out_of_reach(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    sample = np.arange(rows) // 2
    table = {n: v[sample] for n, v in honest_table(generator, rows, columns).items()}
    noise = generator.uniform(0.2, 0.5)
    table["y0"] = table["y0"] + noise * generator.normal(size=rows)
    table["sample"] = sample
    planted = Planted(table, LINE, K_FOLD, 'replicate = "sample"', target=float(0.4 * noise**2))
    return audit_of(planted)


def another_unit(generator: Generator) -> Audit:
    internal = np.exp(generator.uniform(np.log(0.01), np.log(0.0155), 9))
    internal[:2] = 0.01, 0.0155
    external = generator.uniform(0.8, 1.2) * np.sqrt(internal) * np.exp(generator.normal(0, 0.01, 9))
    return of_runs(external=tuple(zip(internal.tolist(), external.tolist(), strict=True)))


# ---------------------------------------------------------------------- PB4 and PB5: configurations and choices


def unread_key(generator: Generator) -> Audit:
    return trained(generator, own("IgnoresItsKey", f"seed = {generator.integers(1, 99)}"))


def idle_seed(generator: Generator) -> Audit:
    if generator.uniform() < 0.5:
        return trained(generator, own("Unseeded"), retrain=True)
    return trained(generator, own("IgnoresTheSeed"), protocol=f"{K_FOLD}\nseeds = {generator.integers(2, 4)}")


def child(generator: Generator, *changes: str) -> Audit:
    rows, columns = table_size(generator)
    base = experiment("base", own("Line"))
    faulty = experiment("faulty", own("Line", "alpha = 1.0"), 'parent = "base"', *changes)
    return audit_of(Planted(honest_table(generator, rows, columns), base + faulty))


def idle_mutation(generator: Generator) -> Audit:
    return child(generator, 'hypothesis = "the default, said aloud"')


def several_changes(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    faulty = ['name = "faulty"', 'parent = "base"', 'features = ["x0"]', f"model.alpha = {generator.uniform(2, 9)}"]
    text = experiment("base", own("Line")) + "\n".join(["[[experiment]]", *faulty]) + "\n"
    return audit_of(Planted(honest_table(generator, rows, columns), text))


def saved_too_early(generator: Generator) -> Audit:
    return trained(generator, own("SavesTooEarly", "epochs = 20"), keep_weights=True)


def chosen_on_reported(generator: Generator) -> Audit:
    match generator.integers(3):
        case 0:
            return trained(generator, own("Cheating"), retrain=True)
        case 1:
            loss = 1 / np.arange(1, int(generator.integers(6, 40))) + 0.1
            loss[generator.integers(len(loss) - 1)] = 0.05
            fit = Training("", "", 0, {"validation loss": loss})
            return of_runs(Run("run", score=0.05, metric="mse", trainings=(fit,)))
        case _:
            return of_runs(Run("run", score=0.1, scored_on={"rows": "validation", "selected_on": "validation"}))


def best_of_many(generator: Generator) -> Audit:
    runs = [Run(f"run {i}", score=s) for i, s in enumerate(generator.uniform(0.1, 0.3, generator.integers(2, 30)))]
    return of_runs(*runs, chosen=min(runs, key=lambda run: run.score or 0.0).name)


def claimed(generator: Generator) -> Audit:
    claims = ("p < .001", "p = 0.03 by a t test", "a significant improvement", "significantly better")
    runs = [Run(f"run {i}", score=s) for i, s in enumerate(generator.uniform(0.1, 0.3, generator.integers(1, 9)))]
    return of_runs(*runs, Run("new", score=0.05, claims=(str(generator.choice(claims)),)))


def estimated(generator: Generator) -> Audit:
    old = Run("old", score=generator.uniform(0.1, 0.3), estimated=True)
    return of_runs(old, Run("new", parent="old" if generator.uniform() < 0.5 else None, score=0.05), baseline="old")
