"""A small campaign on a table, and the program called as a person calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CAMPAIGN = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 2
baseline = "ridge"
margin = 0.001

[run]
cores = 2

[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "stiff"
parent = "ridge"
hypothesis = "fewer wiggles"
model.alpha = 100.0

[[experiment]]
name = "trees"
features = ["temperature", "solvent"]
model = { kind = "extra_trees", n_estimators = 5 }

[[experiment]]
name = "both"
components = ["ridge", "trees"]
model = { kind = "blend", weights = [0.5, 0.5] }
"""
CONTEST = """\
problem = { kind = "table", path = "contest.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 2
baseline = "mean"

[run]
cores = 2

[[experiment]]
name = "mean"
model.kind = "mean"

[[experiment]]
name = "trees"
model = { kind = "extra_trees", n_estimators = 10 }

[[experiment]]
name = "flat trees"
parent = "trees"
model.max_depth = 1

[[experiment]]
name = "other trees"
parent = "flat trees"
model.min_samples_leaf = 2
"""
"""A campaign with a champion: trees learn what a mean cannot."""
PROGRAM = str(Path(sys.executable).with_name("probatum"))


def lab_table() -> str:
    """24 rows of 6 batches; the yield grows with the temperature."""
    generator = np.random.default_rng(0)
    lines = ["temperature,solvent,batch,yield"]
    for row in range(24):
        temperature = generator.uniform(20, 90)
        value = 0.2 + 0.005 * temperature + generator.normal(0, 0.02)
        lines.append(f"{temperature:.2f},{('water', 'ethanol')[row % 2]},b{row % 6},{value:.4f}")
    return "\n".join(lines) + "\n"


def contest_table() -> str:
    """48 rows of 16 batches; the yield follows the temperature closely."""
    generator = np.random.default_rng(1)
    lines = ["temperature,solvent,batch,yield"]
    for row in range(48):
        temperature = generator.uniform(20, 90)
        value = 0.2 + 0.008 * temperature + generator.normal(0, 0.01)
        lines.append(f"{temperature:.2f},{('water', 'ethanol')[row % 2]},b{row % 16:02d},{value:.4f}")
    return "\n".join(lines) + "\n"


def write_contest(folder: Path, held_out: float = 0.0) -> Path:
    """The folder of a contest, with a held-out share or none."""
    (folder / "contest.csv").write_text(contest_table(), encoding="utf-8")
    protocol = f"[protocol]\nheld_out = {held_out}\n"
    (folder / "contest.toml").write_text(CONTEST.replace("[protocol]\n", protocol), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of a refusal."""
        assert self.code == 2, self.out + self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        assert "Traceback" not in self.err + self.out
        return lines[0]

    @property
    def values(self) -> dict[str, Any]:
        """What `--json` printed: one strict JSON object on one line."""
        assert self.out.count("\n") == 1, self.out + self.err
        return json.loads(self.out, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
os.execv(sys.argv[2], sys.argv[2:])
"""


def start(folder: Path, *arguments: str, largest_file: int | None = None, **options: Any) -> subprocess.Popen[str]:
    """The installed program in a process of its own; writing beyond `largest_file` bytes fails as on a full disk."""
    command = [str(PROGRAM), *arguments]
    if largest_file is not None:
        command = [sys.executable, "-c", LIMITED, str(largest_file), *command]
    environment = {k: v for k, v in os.environ.items() if k not in ("PROBATUM_DATA", "COLUMNS")}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        **options,
    )


def program(folder: Path, *arguments: str, **options: Any) -> Said:
    """Runs the installed program to its end."""
    process = start(folder, *arguments, **options)
    out, err = process.communicate(timeout=400)
    return Said(process.returncode, out, err)


def write_lab(folder: Path, campaign: str = CAMPAIGN) -> Path:
    (folder / "lab.csv").write_text(lab_table(), encoding="utf-8")
    (folder / "lab.toml").write_text(campaign, encoding="utf-8")
    return folder


Call = Callable[..., Said]


def recorded(call: Call, folder: Path, name: str = "lab") -> tuple[Any, Sequence[str]]:
    """What a campaign's ledger and its store of artifacts hold."""
    artifacts = sorted(p.name for p in (folder / f"{name}.probatum" / "artifacts").rglob("*.*"))
    return call(folder, "status", f"{name}.toml", "--json").values, artifacts
