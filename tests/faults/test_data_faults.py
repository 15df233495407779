"""PB1 on small real campaigns: each fault planted, and its clean twin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from faults.table import table
from probatum.audit import inspect
from probatum.audit.history import History

CAMPAIGN = """
problem = { kind = "table", path = "rows.csv", target = "y"COLUMNS }
[protocol]
splits = "SPLITS"
folds = 4
repeats = 2
baseline = "line"
[[experiment]]
name = "line"
model.kind = "ridge"
"""
Columns = dict[str, np.ndarray]
K_FOLD, LEAVE_OUT = "repeated-k-fold", "leave-one-group-out"


def rows(count: int, inputs: int = 3, seed: int = 0) -> Columns:
    """Independent rows: y = 2 x0 - x1 + noise."""
    generator = np.random.default_rng(seed)
    columns = {f"x{i}": generator.normal(size=count) for i in range(inputs)}
    columns["y"] = 2 * columns["x0"] - columns["x1"] + generator.normal(0, 0.3, count)
    return columns


def duplicated(planted: bool) -> Columns:
    columns = rows(60)
    edge = np.flatnonzero(np.abs(columns["x0"]) > 0.8)
    return {n: np.concatenate([c, c[edge]]) for n, c in columns.items()} if planted else columns


def noisy_copies(planted: bool) -> Columns:
    columns = rows(80, inputs=6)
    if planted:
        generator = np.random.default_rng(1)
        for column in columns.values():
            column[60:] = column[:20] + generator.normal(0, 0.01, 20)
    return columns


def samples_over_days(planted: bool) -> Columns:
    columns = rows(72)
    sample = np.arange(72) // 3
    for name in ("x0", "x1", "x2", "y"):
        columns[name] = columns[name][sample] + np.random.default_rng(2).normal(0, 0.05, 72)
    columns["sample"] = sample
    columns["day"] = np.arange(72) % 6 if planted else sample % 6
    return columns


def nested_sources(planted: bool) -> Columns:
    columns = rows(72)
    columns["source"] = np.array([f"lab {i // 12}" for i in range(72)])
    if planted:
        for name in ("x0", "x1", "x2", "y"):
            columns[name][12:20] = columns[name][:8]
    return columns


def batch_in_percent(planted: bool) -> Columns:
    columns = rows(90)
    generator = np.random.default_rng(3)
    columns["x2"] = generator.uniform(size=90)
    columns["batch"] = np.arange(90) // 15
    if planted:
        columns["x2"][columns["batch"] == 2] *= 100
    return columns


def contradiction(planted: bool) -> Columns:
    columns = rows(80)
    sample = np.arange(80) // 2
    for name in ("x0", "x1", "x2"):
        columns[name] = columns[name][sample]
    columns["y"] = 2 * columns["x0"] - columns["x1"] + np.random.default_rng(4).normal(0, 0.1, 80)
    columns["sample"] = sample
    if planted:
        columns["y"][20] += 2.5
    return columns


CASES: dict[str, tuple[Callable[[bool], Columns], str, str]] = {
    "PB101": (duplicated, "", K_FOLD),
    "PB102": (noisy_copies, "", K_FOLD),
    "PB103": (samples_over_days, ', group = "day", replicate = "sample"', LEAVE_OUT),
    "PB104": (nested_sources, ', group = "source"', LEAVE_OUT),
    "PB105": (batch_in_percent, ', group = "batch"', LEAVE_OUT),
    "PB106": (contradiction, ', replicate = "sample"', K_FOLD),
}


def history(ran: Callable[..., History], code: str, planted: bool) -> History:
    make, roles, splits = CASES[code]
    campaign = CAMPAIGN.replace("COLUMNS", roles).replace("SPLITS", splits)
    return ran(campaign, {"rows.csv": table(make(planted))})


@pytest.mark.parametrize("code", CASES)
def test_a_planted_fault_is_found_under_its_code(ran: Callable[..., History], code: str):
    found = inspect(history(ran, code, planted=True)).findings
    assert code in {f.code for f in found if f.severity != "note"}


@pytest.mark.parametrize("code", CASES)
def test_its_clean_twin_is_silent(ran: Callable[..., History], code: str):
    clean = history(ran, code, planted=False)
    assert not any(training.error for run in clean.runs for training in run.trainings)
    found = inspect(clean).findings
    assert [(f.code, f.message) for f in found if f.severity != "note"] == []
    assert code not in {f.code for f in found}
