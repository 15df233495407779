"""Faults of data and physics, planted at random in real campaigns and splits: PB101-PB106 and PB601-PB604."""

from __future__ import annotations

import numpy as np
from audit_campaigns import (
    K_FOLD,
    LEAVE_OUT,
    LINE,
    Generator,
    Planted,
    audit_of,
    column,
    honest_table,
    of_runs,
    predicted,
    table_size,
)

from probatum import audit
from probatum.audit.history import History, Partition, Run, Side, Training
from probatum.audit.inspection import Audit, inspect
from probatum.problems.problem import Quantity, Sensitivity


def numbers(generator: Generator, rows: int, columns: int) -> np.ndarray:
    """[row, column] independent inputs of continuous kinds."""
    kinds = generator.choice(["normal", "uniform", "lognormal"], columns)
    return np.stack([column(generator, rows, kind) for kind in kinds], axis=1)


def test_rows(generator: Generator, rows: int) -> np.ndarray:
    """[row] bool: a random fifth."""
    return generator.permutation(rows) < rows // 5


# ---------------------------------------------------------------------- PB1: data


def copied_rows(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    table = honest_table(generator, rows, columns)
    chosen = generator.choice(rows, int(generator.integers(1, 5)), replace=False)
    copied = {name: np.concatenate([values, values[chosen]]) for name, values in table.items()}
    return audit_of(Planted(copied, LINE, K_FOLD.replace("repeats = 2", "repeats = 5")))


def noisy_copies(generator: Generator) -> Audit:
    columns, rows = int(generator.integers(2, 21)), int(generator.integers(200, 401))
    x = numbers(generator, rows, columns)
    y = x[:, :1] / x[:, 0].std() + generator.normal(0, 0.3, (rows, 1))
    test = test_rows(generator, rows)
    share, noise = (0.075, 0.01) if columns >= 8 else (0.25, 0.01 if columns > 2 else 0.003)
    copies = np.flatnonzero(test)[: round(share * test.sum())]
    chosen = generator.choice(np.flatnonzero(~test), len(copies), replace=False)
    for values in (x, y):
        jitter = noise * values.std(axis=0) * generator.normal(size=(len(copies), values.shape[1]))
        values[copies] = values[chosen] + jitter
    return audit.split(x[~test], x[test], y[~test], y[test])


def torn_group(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    groups = int(generator.integers(3, 13))
    if generator.uniform() < 0.5:  # samples that the protocol's groups tear
        sample = np.arange(rows) // 2
        table = honest_table(generator, rows, columns)
        table = {n: v[sample] + generator.normal(0, 0.02, rows) * v.std() for n, v in table.items()}
        table |= {"sample": sample, "day": sample % groups}
        table["day"][0] = (table["day"][1] + 1) % groups
        return audit_of(Planted(table, LINE, LEAVE_OUT, 'group = "day", replicate = "sample"'))
    group = generator.integers(0, groups, rows)
    test = group == group[0]
    test[generator.choice(np.flatnonzero(~test))] = True
    x = numbers(generator, rows, columns)
    return audit.split(x[~test], x[test], groups=(group[~test], group[test]))


def overlapping_sources(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    table = honest_table(generator, rows, columns)
    source = np.arange(rows) % int(generator.integers(3, 13))
    one, other = generator.choice(rows, 2, replace=False)
    while source[one] == source[other]:
        one, other = generator.choice(rows, 2, replace=False)
    for values in table.values():
        values[one] = values[other]
    table["source"] = np.char.add("lab ", source.astype(str))
    return audit_of(Planted(table, LINE, LEAVE_OUT, 'group = "source"'))


def other_unit(generator: Generator) -> Audit:
    kind = generator.choice(["group", "side", "mixed", "constant"])
    columns = int(generator.integers(2, 21))
    rows = 400 if kind == "mixed" else int(generator.integers(100, 401))
    table = honest_table(generator, rows, columns)
    at = f"x{generator.integers(columns)}"
    table[at] = generator.uniform(size=rows)
    factor = generator.choice([10.0, 60.0, 100.0, 1000.0, 3600.0, 1e6])
    if kind == "group":
        groups = int(generator.integers(3, max(4, min(12, rows // 20) + 1)))
        table["batch"] = np.arange(rows) % groups
        table[at] = np.where(table["batch"] == 1, factor * table[at], table[at])
        return audit_of(Planted(table, LINE, LEAVE_OUT, 'group = "batch"'))
    x = np.stack([v for n, v in table.items() if n.startswith("x")], axis=1)
    place = int(at[1:])
    test = test_rows(generator, rows) if kind != "constant" else generator.permutation(rows) < 30
    if kind == "mixed":
        x[generator.permutation(rows) < 100, place] *= 100.0
    elif kind == "side":
        x[test, place] *= factor
    else:
        x[test, place] = 25.0
    return audit.split(x[~test], x[test])


def impossible_label(generator: Generator) -> Audit:
    if generator.uniform() < 0.3:
        rows, columns = table_size(generator)
        x, test = numbers(generator, rows, columns), test_rows(generator, rows)
        y = generator.normal(size=rows)
        y[generator.integers(rows)] = generator.choice([np.nan, np.inf])
        return audit.split(x[~test], x[test], y[~test], y[test])
    samples = int(generator.integers(30, 150))
    sample = np.repeat(np.arange(samples), 2)
    table = honest_table(generator, samples, int(generator.integers(2, 6)))
    scatter = generator.uniform(0.02, 0.1)
    table = {n: v[sample] for n, v in table.items()}
    table["y0"] = table["y0"] + scatter * generator.normal(size=2 * samples)
    table["y0"][20] = table["y0"][21] + 16 * scatter * generator.choice([-1, 1])
    table["sample"] = sample
    return audit_of(Planted(table, LINE, K_FOLD, 'replicate = "sample"'))


# ---------------------------------------------------------------------- PB6: physics


def undetermined(generator: Generator) -> Audit:
    parameters = int(generator.integers(2, 9))
    names = tuple(f"k{i}" for i in range(parameters))
    if generator.uniform() < 0.6:
        jacobian = generator.normal(size=(int(generator.integers(parameters, 60)), parameters))
        jacobian[:, 0] = jacobian[:, 1] * generator.uniform(0.5, 2)
        jacobian *= 10.0 ** generator.uniform(-3, 3, parameters)
        return of_runs(sensitivities=(Sensitivity("run", names, jacobian, 0.1),))
    truth, noise = generator.normal(size=(2, 10, 100, 2))
    prediction = np.stack([0.9 * truth[..., 0], 0.3 * noise[..., 1]], axis=-1) + 0.2 * noise[::-1]
    fits = (Training("t", f"fold {i}", 0, truth=truth[i], prediction=prediction[i]) for i in range(10))
    return of_runs(Run("net", trainings=tuple(fits)), quantities=(Quantity("a", "1"), Quantity("b", "1")))


def unlawful(generator: Generator) -> Audit:
    truth = generator.uniform(0, 1, (int(generator.integers(100, 401)), 1))
    prediction = truth + 0.02 * generator.normal(size=truth.shape)
    beyond = generator.permutation(len(truth)) < 0.06 * len(truth)
    prediction[beyond] = generator.choice([-0.08, 1.08])
    run = predicted("net", truth, prediction)
    return of_runs(run, quantities=(Quantity("conversion", "fraction", 0.0, 1.0),))


def drawn_from_training(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    x, test = numbers(generator, rows, columns), test_rows(generator, rows)
    if generator.uniform() < 0.5:
        origin = np.where(test, 10**6, 0) + np.arange(rows) // 10
        origin[np.flatnonzero(test)[0]] = origin[np.flatnonzero(~test)[0]]
        return audit.split(x[~test], x[test], origins=(origin[~test], origin[test]))
    draws = [numbers(generator, rows, columns) for _ in range(int(generator.integers(2, 6)))]
    draws.append(draws[0][generator.permutation(rows)])
    partitions = [Partition(f"draw {i}", Side(d[~test]), Side(d[test]), task="t", draw=i) for i, d in enumerate(draws)]
    return inspect(History("draws", partitions=partitions))


def extrapolated(generator: Generator) -> Audit:
    rows, columns = table_size(generator)
    x, test = numbers(generator, rows, columns), test_rows(generator, rows)
    at, low, high = int(generator.integers(columns)), x[~test].min(axis=0), x[~test].max(axis=0)
    x[np.flatnonzero(test)[0], at] = high[at] + 0.11 * (high - low)[at]
    return audit.split(x[~test], x[test])
