"""Problems bring commands of their own, which nothing imports before they are called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer
from rich.table import Table

from cli.small_lab import Call
from probatum.cli import problem_commands
from probatum.errors import FitError, UsageError
from probatum.problems.answer import Answer

MODULE = "lime_kiln_commands"


def fire(hours: Annotated[float, typer.Option(help="Hours in the kiln.")], quick: bool = False) -> Answer:
    """Fire the kiln."""
    if hours < 0:
        raise UsageError(f"{hours:g} hours are impossible", remedy="give hours above 0")
    if hours > 100:
        raise FitError("the kiln went out")
    table = Table()
    table.add_column("[hours]")
    table.add_row("[2-MeTHF]")
    return Answer({"schema": 1, "hours": hours, "quick": quick, "lost": float("nan")}, [table, "burnt [lime]"])


@pytest.fixture
def lime_kiln(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package whose entry point names a module with commands."""
    (tmp_path / f"{MODULE}.py").write_text(
        "from cli.test_problem_commands import fire\nCOMMANDS = {'fire': fire}\n", encoding="utf-8"
    )
    _install(tmp_path, monkeypatch, MODULE)


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    metadata = folder / "lime_kiln-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lime-kiln\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{problem_commands.ENTRY_POINTS}]\nlime-kiln = {module}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, module, raising=False)


def test_help_lists_the_groups_and_imports_none_of_them():
    code = (
        "import sys; sys.argv = ['probatum', '--help']\n"
        "from probatum.cli.main import run_program\n"
        "run_program()\n"
        "print(*sorted(sys.modules), sep=' ', file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name, (_, said) in problem_commands.BUILT_IN.items():
        assert f"  {name} " in ran.stdout
        assert said[:30] in ran.stdout
    imported = set(ran.stderr.split())
    assert not imported & {module for module, _ in problem_commands.BUILT_IN.values()}
    assert not imported & {"numpy", "jax", "matplotlib", "sklearn", "probatum.problems"}


@pytest.mark.parametrize("name", problem_commands.BUILT_IN)
def test_every_built_in_group_loads_and_its_commands_say_what_they_do(call: Call, tmp_path: Path, name: str):
    said = call(tmp_path, name, "--help")
    assert said.code == 0
    module, _ = problem_commands.BUILT_IN[name]
    commands = sys.modules[module].COMMANDS
    for verb, function in commands.items():
        assert f"  {verb} " in said.out
        assert function.__doc__
        assert "--json" in call(tmp_path, name, verb, "--help").out


@pytest.mark.usefixtures("lime_kiln")
def test_a_plug_in_brings_commands_by_an_entry_point(call: Call, tmp_path: Path):
    assert "lime-kiln" in call(tmp_path, "--help").out
    said = call(tmp_path, "lime-kiln", "fire", "--hours", "3")
    assert (said.code, said.err) == (0, "")
    assert "burnt [lime]" in said.out
    assert "[2-MeTHF]" in said.out
    assert "[hours]" in said.out


@pytest.mark.usefixtures("lime_kiln")
def test_every_command_has_json(call: Call, tmp_path: Path):
    said = call(tmp_path, "lime-kiln", "fire", "--hours", "3", "--quick", "--json")
    assert json.loads(said.out) == {"schema": 1, "hours": 3.0, "quick": True, "lost": None}


@pytest.mark.usefixtures("lime_kiln")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["fire", "--hours", "-1"], 2, "error: -1 hours are impossible; give hours above 0"),
        (["fire", "--hours", "200"], 1, "error: the kiln went out"),
        (["fire"], 2, "missing option '--hours'"),
        (["fire", "--hours", "long"], 2, "'--hours'"),
        (["quench"], 2, "no such command 'quench'"),
    ],
)
def test_refusals_are_a_sentence_and_an_exit_code(
    call: Call, tmp_path: Path, arguments: list[str], code: int, said: str
):
    answer = call(tmp_path, "lime-kiln", *arguments)
    assert answer.code == code
    assert said in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"), [("import no_such_package_at_all", "No module named"), ("x = 1", "no attribute 'COMMANDS'")]
)
def test_a_plug_in_that_cannot_be_loaded_is_named(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
):
    (tmp_path / "broken_kiln.py").write_text(text, encoding="utf-8")
    _install(tmp_path, monkeypatch, "broken_kiln")
    error = call(tmp_path, "lime-kiln", "fire").error
    assert said in error
    assert "broken_kiln" in error
    assert "uninstall" in error
    assert "lime-kiln" in call(tmp_path, "--help").out  # others can still be used


def test_an_unknown_command_is_still_unknown(call: Call, tmp_path: Path):
    assert "no such command 'catecol'" in call(tmp_path, "catecol", "predict").error
