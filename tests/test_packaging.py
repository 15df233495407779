"""What is built holds what the program reads, and nothing that is not its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "probatum"
LARGEST = 8 * 2**20
"""Bytes of a wheel: models that are shipped may have 5 MB a problem, and none is shipped so far."""
BUILD = "import hatchling.build as b, sys; print(getattr(b, 'build_' + sys.argv[1])(sys.argv[2]))"
SEES = (
    "import sys; sys.path.insert(0, sys.argv[1]); import probatum.cli.main as m, probatum.web, probatum.mcp_server;"
    "assert m.__file__.startswith(sys.argv[1]); sys.argv = ['probatum', *sys.argv[2:]]; sys.exit(m.run_program())"
)


def built(kind: str, folder: Path) -> Path:
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the package, is not installed")
    words = [sys.executable, "-c", BUILD, kind, str(folder)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return folder / ran.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip lays it out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files_of(folder: Path) -> set[str]:
    """Paths of the files that belong to a folder of the tree."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    packed = {name.removeprefix("probatum/") for name in names if name.startswith("probatum/")}
    assert packed == files_of(SOURCE)
    assert {name.split("/")[0] for name in names if not name.startswith("probatum/")} == {
        f"{wheel.name.split('-py3')[0]}.dist-info"
    }
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_runs_on_every_system_and_stays_small(wheel: Path):
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < LARGEST


def test_extras_that_are_declared_are_those_of_the_wheel(unpacked: Path):
    metadata = next(unpacked.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    said = {
        line.split(": ")[1].replace("-", "_") for line in metadata.splitlines() if line.startswith("Provides-Extra")
    }
    assert said == {name.replace("-", "_") for name in declared}


def test_the_installed_program_begins_a_campaign_without_the_tree(unpacked: Path, tmp_path: Path):
    """Templates and recipes are read from the wheel: in an empty home, from an empty folder, without data."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PROBATUM", "PYTHON"))}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PROBATUM_OFFLINE": "1"}
    work = tmp_path / "work"
    work.mkdir()

    def said(*words: str) -> str:
        called = [sys.executable, "-W", "error", "-c", SEES, str(unpacked), *words]
        ran = subprocess.run(called, cwd=work, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert said("--version").startswith("probatum ")
    assert "analog_codes" in said("problems")
    assert "wrote mine.toml" in said("new", "mine.toml")
    assert "lime_kiln" in said("new", "problem", "lime_kiln")
    assert {path.name for path in work.iterdir()} == {"mine.toml", "AGENTS.md", "lime-kiln"}


def test_the_source_archive_holds_what_the_tests_need(tmp_path: Path):
    archive = built("sdist", tmp_path)
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    for folder in ("src", "tests", "examples", "docs"):
        wanted = {f"{folder}/{name}" for name in files_of(ROOT / folder)}
        ignored = {name for name in wanted if ".probatum/" in name or name.endswith((".ipynb_checkpoints", ".pyc"))}
        assert wanted - ignored <= names, sorted(wanted - ignored - names)[:5]
    for name in ("pyproject.toml", "README.md", "LICENSE", "SECURITY.md", "CHANGELOG.md", "Makefile"):
        assert name in names
    assert not any(name.startswith((".venv", ".git/", "dist", "build")) or ".probatum/" in name for name in names)


def test_the_cli_shows_its_help_without_anything_heavy():
    heavy = ("jax", "numpy", "scipy", "sklearn", "sqlalchemy", "pandas", "pydantic", "matplotlib", "pyarrow", "jinja2")
    check = (
        "import sys; from probatum.cli.main import run_program; sys.argv = ['probatum', '--help']; run_program();"
        f"print('heavy:', [m for m in {heavy} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.strip().endswith("heavy: []")
