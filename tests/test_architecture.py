"""The house is as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "probatum"
MODULES = sorted(SOURCE.rglob("*.py"))
LEDGER = {
    method.name
    for node in ast.walk(ast.parse((SOURCE / "campaigns" / "ledgers" / "ledger.py").read_text(encoding="utf-8")))
    if isinstance(node, ast.ClassDef)
    for method in node.body
    if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
}
"""What the ledger's contract says already: functions of these names, in modules of the ledger, carry it out."""


def test_a_folder_imports_only_from_what_stands_to_its_left():
    linter = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


NAMED = re.findall(r"`([\w./]+(?:\.py|\.toml|/))`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))


def test_the_page_about_architecture_names_enough_to_be_held_to_it():
    assert len(set(NAMED)) > 40


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_what_the_page_about_architecture_names_is_there(name: str):
    below = [path for path in SOURCE.rglob(name.rstrip("/").split("/")[-1]) if "__pycache__" not in path.parts]
    assert (ROOT / name).exists() or any(path.as_posix().endswith(f"/{name.rstrip('/')}") for path in below)


def test_every_folder_of_the_program_stands_on_the_page_about_architecture():
    folders = {f"{p.name}/" for p in SOURCE.iterdir() if p.is_dir() and (p / "__init__.py").is_file()}
    assert folders <= set(NAMED)


def test_truth_is_opened_by_scoring_alone():
    may = {
        "problems/problem.py": "defines it, and hands supervised targets out",
        "problems/picture.py": "shows it beside predictions that were made without it",
        "campaigns/execution.py": "scores each fit",
        "campaigns/executors/shipment.py": "sends it, sealed, to workers that score",
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


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.relative_to(SOURCE).as_posix())
def test_every_public_function_and_class_says_what_it_does(module: Path):
    place = module.relative_to(SOURCE).as_posix()
    said = LEDGER if place.startswith("campaigns/ledgers/") else set()
    silent = {
        node.name
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    }
    assert silent <= said


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
