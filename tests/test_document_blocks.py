"""Every block of code in the documents works: commands run, campaigns are read, Python is executed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import document_blocks
from document_blocks import Block
from probatum.cli.main import run_program

ROOT = Path(__file__).parents[1]
LANGUAGES = {"", "text", "sh", "python", "toml", "json", "yaml", "html", "bibtex"}
OTHERS = {"make", "pip", "python", "dask", "createdb"}
"""Programs of others, which are not run; of the first three it is checked that what they are asked for is there."""
SKIPPED = 12
"""Blocks that may go untried, in all documents together."""
SMALL = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "solvent" }

[protocol]
splits = "leave-one-group-out"
baseline = "ridge"
margin = 0.001

[run]
cores = 2

[[experiment]]
name = "ridge"
features = ["temperature"]
model.kind = "ridge"

[[experiment]]
name = "mlp"
features = ["temperature"]
model = { kind = "mlp", hidden = [4] }
training = { epochs = 4, rate = 1e-2 }

[[experiment]]
name = "mlp+acs"
parent = "mlp"
features.add = ["acs"]
"""


def write_table(folder: Path) -> Path:
    """48 rows of six solvents in eight batches."""
    generator = np.random.default_rng(0)
    lines = ["temperature,acs,solvent,batch,yield"]
    for row in range(48):
        temperature, acs = generator.uniform(20, 90), generator.normal()
        value = 0.2 + 0.005 * temperature + 0.05 * acs + generator.normal(0, 0.02)
        lines.append(f"{temperature:.2f},{acs:.3f},s{row % 6},b{row % 8},{value:.4f}")
    (folder / "lab.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, and a campaign on it that has run. Not to be changed."""
    folder = write_table(tmp_path_factory.mktemp("finished"))
    (folder / "catechol.toml").write_text(SMALL, encoding="utf-8")
    assert _call(folder, ["probatum", "run", "catechol.toml"]) == 0
    return folder


@pytest.fixture
def prepared(finished: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a fresh folder: 'empty', 'table' (a table alone), 'finished', or 'examples' (the repository's)."""
    made = iter(range(100))

    def make(name: str) -> Path:
        at = tmp_path / f"{next(made)}"
        if name == "finished":
            return Path(shutil.copytree(finished, at))
        if name == "examples":
            ignored = shutil.ignore_patterns("*.probatum", "*.py")
            shutil.copytree(ROOT / "examples", at / "examples", ignore=ignored)
            return at
        at.mkdir()
        return write_table(at) if name == "table" else at

    return make


def _call(folder: Path, words: list[str]) -> int:
    """The exit code of the program, in this process."""
    before, here = sys.argv, Path.cwd()
    try:
        sys.argv = words
        os.chdir(folder)
        return run_program()
    finally:
        sys.argv = before
        os.chdir(here)


class Page:
    """A page that is being tried, block by block: its folder, its names, what was printed last."""

    def __init__(self, prepared: Callable[[str], Path], said: Callable[[], str]):
        self.prepared, self.said = prepared, said
        self.folder = prepared("empty")
        self.names: dict[str, object] = {"__name__": "document"}
        self.printed = ""

    def take(self, block: Block) -> None:
        """Tries one block."""
        at = None
        if block.word == "folder":
            self.folder = self.prepared(block.name or "")
        elif block.word in ("file", "append"):
            name, _, folder = (block.name or "").partition(" in ")
            self.folder = self.prepared(folder) if folder else self.folder
            at = self.folder / name
            old = at.read_text(encoding="utf-8") + "\n" if block.word == "append" else ""
            at.write_text(old + block.text, encoding="utf-8")
        if block.word == "output":
            expected = {document_blocks.masked(line) for line in block.text.splitlines()} - {"", "..."}
            assert expected <= {document_blocks.masked(line) for line in self.printed.splitlines()}, self.printed
        elif block.word == "project":
            assert block.language == "toml"
        elif block.language == "sh":
            self._shell(block)
        elif block.language == "python" and block.word != "file":
            self._python(block)
        elif block.language == "toml":
            document_blocks.check_toml(block.text, at)
        elif block.language in ("json", "yaml"):
            document_blocks.check_text(block.language, block.text)

    def _shell(self, block: Block) -> None:
        self.said()
        for words in document_blocks.command_lines(block.text):
            document_blocks.check_command(words)
            if block.word == "parsed":
                continue
            if words[0] == "cd":
                self.folder = self.folder / words[1]
            elif words[0] == "probatum":
                code = _call(self.folder, words)
                assert code == 0 or (code == 3 and words[1] == "audit"), f"{' '.join(words)}: exit code {code}"
            else:
                assert words[0] in OTHERS, f"{words[0]} needs a comment: parsed or skipped"
        self.printed = self.said()

    def _python(self, block: Block) -> None:
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            exec(compile(block.text, f"line {block.line}", "exec", dont_inherit=True), self.names)
        finally:
            os.chdir(here)


@pytest.mark.parametrize("document", document_blocks.documents(), ids=str)
def test_every_block_of_a_document_works(
    document: Path,
    prepared: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    page = Page(prepared, lambda: capsys.readouterr().out)
    for block in document_blocks.blocks((ROOT / document).read_text(encoding="utf-8")):
        assert block.language in LANGUAGES, f"{document}:{block.line}: nobody knows how to try '{block.language}'"
        if block.word == "skipped":
            continue
        try:
            page.take(block)
        except Exception as error:
            error.add_note(f"{document}:{block.line}")
            raise


def test_few_blocks_go_untried_and_each_says_why():
    found = [
        (document, block)
        for document in document_blocks.documents()
        for block in document_blocks.blocks((ROOT / document).read_text(encoding="utf-8"))
    ]
    untried = [(document, block) for document, block in found if block.word in ("skipped", "parsed")]
    assert all(block.reason and len(block.reason.split()) >= 2 for _, block in untried), untried
    assert sum(block.word == "skipped" for _, block in untried) <= SKIPPED
    known = {None, "file", "append", "folder", "output", "project", "parsed", "skipped"}
    assert {block.word for _, block in found} <= known


@pytest.mark.parametrize(
    "wrong",
    [
        "probatum run --nonsense",
        "probatum nothing",
        "make nothing",
        "python benchmarks/nothing.py",
        "pip install 'probatum[x]'",
    ],
)
def test_a_command_that_is_not_there_is_found(wrong: str):
    (words,) = document_blocks.command_lines(wrong)
    with pytest.raises(AssertionError):
        document_blocks.check_command(words)


@pytest.mark.parametrize(
    "wrong", ["[protocol]\nfold = 5", "nothing = 1", "[[experiment]]\nname = 'a'\nmodell.kind = 'ridge'"]
)
def test_a_key_that_is_not_there_is_found(wrong: str):
    with pytest.raises((AssertionError, ValueError)):
        document_blocks.check_toml(wrong, None)
