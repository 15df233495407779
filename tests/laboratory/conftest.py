"""A small campaign of twelve scored rows, run once, and a contest that has a champion."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cli.small_lab import lab_table
from probatum.laboratory import Laboratory

CAMPAIGN = """
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }
[protocol]
splits = "leave-one-group-out"
metric = "METRIC"
scoring = "macro"
baseline = "mean"
held_out = 0.34
[[experiment]]
name = "mean"
model.kind = "mean"
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "stiff"
parent = "ridge"
model.alpha = 1e6
"""
CONTEST = """
problem = { kind = "table", path = "contest.csv", target = "yield", group = "batch" }
[protocol]
splits = "leave-one-group-out"
baseline = "mean"
held_out = 0.34
[[experiment]]
name = "mean"
model.kind = "mean"
[[experiment]]
name = "line"
model.kind = "ridge"
[[experiment]]
name = "stiff"
parent = "line"
features = ["numbers"]
model.alpha = 3.0
"""


@pytest.fixture(autouse=True)
def _same_import_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def campaign(folder: Path, name: str, measure: str = "mae") -> Path:
    """Writes the campaign and its table."""
    (folder / "lab.csv").write_text(lab_table(), encoding="utf-8")
    path = folder / f"{name}.toml"
    path.write_text(CAMPAIGN.replace("METRIC", measure), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that was run once. Not to be changed."""
    found = campaign(tmp_path_factory.mktemp("run"), "lab")
    Laboratory.open(found).run()
    return found


@pytest.fixture
def copy(path: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(path.parent, tmp_path / "copy")
    return tmp_path / "copy" / path.name


@pytest.fixture(scope="session")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with a champion, run once and never audited. Not to be changed."""
    folder, generator = tmp_path_factory.mktemp("contest"), np.random.default_rng(1)
    lines = ["temperature,solvent,batch,yield"]
    for row in range(72):
        temperature = generator.uniform(20, 90)
        value = 0.2 + 0.008 * temperature + generator.normal(0, 0.03)
        lines.append(f"{temperature:.2f},{('water', 'ethanol')[row % 2]},b{row % 24:02d},{value:.4f}")
    (folder / "contest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = folder / "contest.toml"
    found.write_text(CONTEST, encoding="utf-8")
    Laboratory.open(found).run()
    return found


@pytest.fixture
def changing_contest(contest: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(contest.parent, tmp_path / "copy")
    return tmp_path / "copy" / contest.name
