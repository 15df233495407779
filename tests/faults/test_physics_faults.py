"""PB6 on small real campaigns: each fault planted, and its clean twin."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from faults.table import table
from probatum.audit import inspect
from probatum.audit.history import History

REACTOR = """
problem = { kind = "reactor", OPTIONS }
[protocol]
splits = "SPLITS"
folds = 4
repeats = 4
baseline = "line"
[[experiment]]
name = "line"
model.kind = "ridge"
"""
TABLE = """
problem = { kind = "table", path = "rows.csv", TARGET }
[protocol]
splits = "SPLITS"
folds = 5
repeats = 2
baseline = "line"
[[experiment]]
name = "line"
model.kind = "ridge"
"""


@pytest.fixture(scope="module", autouse=True)
def _reactor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The reactor as an installed plug-in: its metadata where Python looks for it, here and in workers."""
    site = tmp_path_factory.mktemp("site")
    metadata = site / "reactor-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: reactor\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text("[probatum.problems]\nreactor = faults.reactor:Reactor\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(site), *sys.path])
        patch.setenv("PYTHONPATH", os.pathsep.join((str(site), str(Path(__file__).parents[1]))))
        yield


def reactor(options: str, splits: str = "repeated-k-fold") -> tuple[str, dict[str, str]]:
    return REACTOR.replace("OPTIONS", options).replace("SPLITS", splits), {}


def two_targets(planted: bool) -> tuple[str, dict[str, str]]:
    """Two quantities: y follows x, and z follows nothing where it is planted."""
    generator = np.random.default_rng(0)
    x, w = generator.normal(size=(2, 500))
    y = 2 * x + generator.normal(0, 0.5, 500)
    z = (0 if planted else 1) * w + generator.normal(0, 0.5, 500)
    rows = table({"x": x, "w": w, "y": y, "z": z})
    return TABLE.replace("TARGET", 'target = ["y", "z"]').replace("SPLITS", "repeated-k-fold"), {"rows.csv": rows}


def hot_batch(planted: bool) -> tuple[str, dict[str, str]]:
    generator = np.random.default_rng(1)
    batch = np.arange(72) // 12
    x = generator.uniform(0, 1, 72)
    x[batch == 4] += 2 * planted
    low, high = np.flatnonzero(batch == 0)[:2], np.flatnonzero(batch == 1)[:2]
    x[low], x[high] = [0, 1], [0, 1]  # two batches span the range, so that no other one leaves it by chance
    rows = table({"x": x, "batch": batch, "y": 2 * x + generator.normal(0, 0.2, 72)})
    campaign = TABLE.replace("TARGET", 'target = "y", group = "batch"').replace("SPLITS", "leave-one-group-out")
    return campaign, {"rows.csv": rows}


CASES: dict[str, tuple[str, Callable[[bool], tuple[str, dict[str, str]]]]] = {
    "Jacobian": ("PB601", lambda planted: reactor(f'probes = "{"one" if planted else "two"}"')),
    "targets": ("PB601", two_targets),
    "limits": ("PB602", lambda planted: reactor(f"steep = {3.0 if planted else 0.4}")),
    "draws": ("PB603", lambda planted: reactor(f"heeds_draw = {str(not planted).lower()}", "fresh-draws")),
    "range": ("PB604", hot_batch),
}


@pytest.mark.parametrize("case", CASES)
def test_a_planted_fault_is_found_under_its_code(ran: Callable[..., History], case: str):
    code, campaign = CASES[case]
    found = inspect(ran(*campaign(True))).findings
    assert code in {f.code for f in found if f.severity != "note" or code == "PB604"}


@pytest.mark.parametrize("case", CASES)
def test_its_clean_twin_is_silent(ran: Callable[..., History], case: str):
    code, campaign = CASES[case]
    history = ran(*campaign(False))
    assert not any(training.error for run in history.runs for training in run.trainings)
    found = inspect(history).findings
    assert [(f.code, f.message) for f in found if f.severity != "note"] == []
    assert code not in {f.code for f in found}
