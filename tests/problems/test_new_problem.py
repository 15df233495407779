"""`probatum new problem` writes a package that works as it is: its tests pass, and its campaign runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.small_lab import PROGRAM, Said


def run(command: list[str | Path], folder: Path, *path: Path) -> Said:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return Said(ended.returncode, ended.stdout, ended.stderr)


def installed(package: Path, site: Path) -> Path:
    """The package's metadata as an installer writes it, from what its pyproject.toml declares."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    metadata = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(head, encoding="utf-8")
    groups = project["entry-points"].items()
    entries = "".join(f"[{g}]\n" + "".join(f"{n} = {v}\n" for n, v in e.items()) for g, e in groups)
    (metadata / "entry_points.txt").write_text(entries, encoding="utf-8")
    return site


def test_the_package_passes_its_own_tests_and_runs_its_campaign(tmp_path: Path):
    said = run([PROGRAM, "new", "problem", "cement-mill", "--json"], tmp_path)
    assert said.code == 0, said.err
    assert said.values["problem"] == "cement_mill"
    package = tmp_path / said.values["folder"]
    assert all((tmp_path / file).is_file() for file in said.values["files"])
    assert not [file for file in said.values["files"] if re.search("@[A-Z]+@", (tmp_path / file).read_text())]
    path = (installed(package, tmp_path / "site"), package / "src")

    tested = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], package, *path)
    assert tested.code == 0, tested.out
    assert "8 passed" in tested.out

    shown = run([PROGRAM, "problems", "cement_mill", "--json"], package, *path).values["problems"][0]
    assert shown["tasks"] == ["conversion"]
    assert set(shown["recipes"]) == {"ridge", "mlp"}

    ran = run([PROGRAM, "run", "cement_mill.toml", "--json"], package, *path)
    assert ran.code == 0, ran.err
    verdicts = {e["name"]: e["score"] for e in json.loads(ran.out)["experiments"]}
    assert verdicts["ridge"] < 0.2 * verdicts["trivial: mean"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["problem"], "a problem without a name"),
        (["problem", "Lime Kiln"], "is no name of a problem"),
        (["problem", "../kiln"], "is no name of a problem"),
        (["problem", "class"], "is no name of a problem"),
        (["problem", "catechol"], "the name 'catechol' is taken"),
        (["problem", "json"], "the name 'json' is taken"),
        (["problem", "kiln", "--target", "yield"], "takes no options of a table"),
        (["kiln.toml", "kiln"], "unexpected 'kiln'"),
    ],
)
def test_a_name_that_cannot_be_a_module_or_is_taken_is_refused(tmp_path: Path, arguments: list[str], said: str):
    assert said in run([PROGRAM, "new", *arguments], tmp_path).error
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "lime-kiln").mkdir()
    assert "is already there" in run([PROGRAM, "new", "problem", "lime_kiln"], tmp_path).error
    assert list((tmp_path / "lime-kiln").iterdir()) == []
