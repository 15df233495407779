"""A campaign that has been run once, and copies of it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from cli.small_lab import Call, Said, start
from mcp_server.small_campaign import write_campaign
from probatum.cli.main import run_program


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose campaign has been run to its end. Not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    write_campaign(folder)
    process = start(folder, "run", "lab.toml", "--no-groups")
    _, said = process.communicate(timeout=500)
    assert process.returncode == 0, said
    return folder


@pytest.fixture
def campaign(finished: Path, tmp_path: Path) -> Path:
    """A copy of the campaign, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "lab")) / "lab.toml"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The program without a process of its own: call(folder, 'mcp', '--http', '9')."""

    def called(folder: Path, *arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["probatum", *map(str, arguments)])
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.chdir(folder)
        capsys.readouterr()
        code = run_program()
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return called
