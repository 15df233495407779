"""The house is as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "probatum"
MODULES = sorted(SOURCE.rglob("*.py"))


def test_a_folder_imports_only_from_what_stands_to_its_left():
    linter = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def test_truth_is_opened_by_scoring_alone():
    may = {
        "problems/problem.py": "defines it, and hands supervised targets out",
        "problems/picture.py": "shows it beside predictions that were made without it",
        "campaigns/execution.py": "scores each fit",
        "evidence/scores.py": "scores",
        "evidence/noise.py": "measures repeated measurements",
        "audit/retraining.py": "replaces scored targets by noise, to see who reads them",
        "audit/campaign_history.py": "looks for labels that cannot be and scores that mislead",
    }
    openers = {m.relative_to(SOURCE).as_posix() for m in MODULES if "open_for_scoring" in m.read_text(encoding="utf-8")}
    assert openers <= set(may)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.relative_to(SOURCE).as_posix())
def test_every_module_says_what_it_is_for(module: Path):
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


def test_no_module_has_a_name_that_says_nothing():
    assert not {m.stem for m in MODULES} & {"utils", "helpers", "common", "misc", "manager"}


def test_nothing_is_pickled():
    for module in MODULES:
        imported = {
            name
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            for name in (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}, module
