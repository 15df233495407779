"""Files beside a campaign are imported where a recipe names them, and never in the standard library's place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from probatum.campaigns.import_path import import_own_modules_from

LIBRARY = str(Path(os.__file__).parent)
CAMPAIGN = """\
[problem]
kind = "table"
path = "table.csv"
target = "y"
[protocol]
splits = "repeated-k-fold"
folds = 2
repeats = 1
seeds = 1
[[experiment]]
name = "mine"
model = { kind = "own_model:Mine" }
"""
MINE = """\
from sklearn.linear_model import Ridge


class Mine(Ridge):
    pass
"""


def test_own_folders_stand_behind_the_standard_library_and_before_all_else(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", ["", "/elsewhere", LIBRARY, "/site-packages", "/mine"])
    import_own_modules_from(["/mine", "/other", "/mine"])
    assert sys.path == [LIBRARY, "/mine", "/other", "", "/elsewhere", "/site-packages"]
    import_own_modules_from([LIBRARY])
    assert sys.path == [LIBRARY, "/mine", "/other", "", "/elsewhere", "/site-packages"]


def test_files_named_as_modules_of_the_standard_library_harm_no_campaign(tmp_path: Path):
    for name in ("http", "statistics", "queue", "random", "secrets", "types", "email"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('a note of my own')\n", encoding="utf-8")
    (tmp_path / "own_model.py").write_text(MINE, encoding="utf-8")
    rows = "".join(f"{n % 7},{n % 5},{n % 7 - n % 5}\n" for n in range(40))
    (tmp_path / "table.csv").write_text(f"a,b,y\n{rows}", encoding="utf-8")
    (tmp_path / "mine.toml").write_text(CAMPAIGN, encoding="utf-8")
    program = Path(sys.executable).parent / "probatum"
    ran = subprocess.run([program, "run", "mine.toml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "a note of my own" not in ran.stdout + ran.stderr
    assert "failed" not in ran.stderr
