"""A small campaign that has been run once, and the program without a process of its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from cli.small_lab import Call, Said, program, write_contest, write_lab
from probatum.cli.main import run_program


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose campaign has been run to its end. Not to be changed."""
    folder = write_lab(tmp_path_factory.mktemp("finished"))
    said = program(folder, "run", "lab.toml", "--json")
    assert said.code == 0, said.err
    (folder / "run.json").write_text(said.out, encoding="utf-8")
    return folder


@pytest.fixture
def lab(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished campaign, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "lab"))


def _contest(folder: Path, held_out: float) -> Path:
    said = program(write_contest(folder, held_out), "run", "contest.toml", "--no-groups")
    assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="session")
def finished_contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with a champion and no held-out set, run to its end. Not to be changed."""
    return _contest(tmp_path_factory.mktemp("contest"), 0.0)


@pytest.fixture(scope="session")
def finished_contest_with_held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a quarter of the batches held out. Not to be changed."""
    return _contest(tmp_path_factory.mktemp("held_contest"), 0.25)


@pytest.fixture
def contest(finished_contest: Path, tmp_path: Path) -> Path:
    """A copy of the contest without a held-out set."""
    return Path(shutil.copytree(finished_contest, tmp_path / "contest"))


@pytest.fixture
def held_contest(finished_contest_with_held_out: Path, tmp_path: Path) -> Path:
    """A copy of the contest with one."""
    return Path(shutil.copytree(finished_contest_with_held_out, tmp_path / "held"))


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The program without a process of its own: call(folder, 'run', 'lab.toml')."""

    def called(folder: Path, *arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["probatum", *map(str, arguments)])
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.chdir(folder)
        capsys.readouterr()
        code = run_program()
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return called
