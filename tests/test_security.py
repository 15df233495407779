"""What SECURITY.md says of the code, as statements about every module: nothing runs data, or writes where it is told.

Paths that files and clients name are tested where they are read: tests/fuzz, and the hostile clients and uploads of
tests/mcp_server and tests/web.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from probatum.campaigns.artifacts import ArtifactStore
from probatum.cli.main import run_program
from probatum.errors import ProbatumError, StorageError

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "probatum"
TREES = {m.relative_to(SOURCE).as_posix(): ast.parse(m.read_text(encoding="utf-8")) for m in SOURCE.rglob("*.py")}

FORBIDDEN_IMPORTS = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "telnetlib", "ftplib", "pty",
    "code", "codeop", "xmlrpc", "imp",
}  # fmt: skip
"""Modules that turn data into code, or speak where nothing is checked."""
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.exec", "os.execv", "os.execl", "os.execvp",
    "os.spawnl", "os.spawnv", "os.startfile", "tempfile.mktemp", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "yaml.load_all", "torch.load", "pd.read_pickle", "pandas.read_pickle", "subprocess.getoutput",
    "subprocess.getstatusoutput", "ssl._create_unverified_context", "shutil.unpack_archive", "pd.eval", "pandas.eval",
    "input",
}  # fmt: skip
FORBIDDEN_METHODS = {"extractall", "to_pickle", "read_pickle"}
"""Methods that unpack archives or pickles, of whatever object."""
FORBIDDEN_WORDS = {
    "shell": True, "allow_pickle": True, "verify": False, "unsafe": True, "resolve_entities": True, "huge_tree": True,
}  # fmt: skip
"""Keyword arguments with the value that switches a protection off."""


def name_of(node: ast.AST) -> str:
    """'os.system' of such an expression; '' of others."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def imports(tree: ast.AST) -> Iterator[str]:
    """'xml.parsers.expat' of each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_turns_data_into_code():
    for module, tree in TREES.items():
        assert not FORBIDDEN_IMPORTS & {name.partition(".")[0] for name in imports(tree)}, module
        for call in calls(tree):
            called = name_of(call.func)
            assert called not in FORBIDDEN_CALLS, f"{called} in {module}, line {call.lineno}"
            assert called.rpartition(".")[2] not in FORBIDDEN_METHODS, f"{called} in {module}, line {call.lineno}"


def test_no_protection_is_switched_off():
    for module, tree in TREES.items():
        for call in calls(tree):
            for word in call.keywords:
                if word.arg in FORBIDDEN_WORDS and isinstance(word.value, ast.Constant):
                    assert word.value.value is not FORBIDDEN_WORDS[word.arg], (
                        f"{word.arg} in {module}, line {call.lineno}"
                    )


def test_arrays_are_read_and_written_without_pickle():
    """`numpy.load` refuses pickles by default, `numpy.savez` and `numpy.save` do not: they have to be told."""
    for module, tree in TREES.items():
        for call in calls(tree):
            if name_of(call.func) in ("np.load", "numpy.load", "np.savez", "np.savez_compressed", "np.save"):
                said = {word.arg: word.value for word in call.keywords}.get("allow_pickle")
                assert isinstance(said, ast.Constant), f"{module}, line {call.lineno}"
                assert said.value is False, f"{module}, line {call.lineno}"


def test_programs_are_started_by_a_list_of_words():
    for module, tree in TREES.items():
        for call in calls(tree):
            if name_of(call.func) in (
                "subprocess.run",
                "subprocess.Popen",
                "subprocess.check_output",
                "subprocess.call",
            ):
                assert isinstance(call.args[0], ast.List | ast.Name | ast.BinOp | ast.Attribute), (
                    f"{module}, line {call.lineno}"
                )


def test_sql_is_never_put_together_from_texts():
    for module, tree in TREES.items():
        for call in calls(tree):
            if name_of(call.func).rpartition(".")[2] in ("execute", "executemany", "exec_driver_sql") and call.args:
                first = call.args[0]
                if isinstance(first, ast.JoinedStr):
                    inside = {name_of(part.value) for part in first.values if isinstance(part, ast.FormattedValue)}
                    assert all(name.isupper() for name in inside), f"{module}, line {call.lineno}: {inside}"
                assert not (isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mod | ast.Add)), (
                    f"{module}, line {call.lineno}"
                )


GUARDS = ("path", "name", "token", "password", "allowed", "permitted", "safe", "host", "origin")


@pytest.mark.parametrize("folder", ["web/", "mcp_server/", "problems/packed_files.py", "problems/xml_prolog.py"])
def test_no_guard_is_an_assertion_that_optimised_python_leaves_out(folder: str):
    """An `assert` on what somebody else may choose disappears under `python -O`."""
    for module, tree in TREES.items():
        if module.startswith(folder):
            for node in ast.walk(tree):
                if isinstance(node, ast.Assert):
                    words = {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
                    assert not words & set(GUARDS), f"{module}, line {node.lineno}"


def test_archives_are_read_as_streams_in_one_place_and_never_unpacked():
    readers = {module for module, tree in TREES.items() if {"tarfile", "zipfile"} & {*imports(tree)}}
    # zipfile is imported there for the error that a damaged npz raises.
    assert readers <= {"problems/gas_chromatography/massbank_release.py", "problems/model_file.py"}


def test_xml_is_parsed_only_behind_a_look_for_entities():
    """expat, lxml and libSBML are each given a file only after its document type was refused."""
    guarded = {
        "problems/rocking_curve/readers.py": "refuse_document_type",
        "problems/gas_chromatography/mzml.py": "refuse_document_type",
        "problems/metabolism/sbml.py": "StartDoctypeDeclHandler",
    }
    own = {"reporting/inline_svg.py", "problems/xml_prolog.py", "web/uploads.py"}
    """The first reads what matplotlib has just drawn; the others are the look itself."""
    parsers = ("xml.etree", "xml.parsers", "xml.dom", "xml.sax.make", "xml.sax.parse", "lxml", "pyteomics", "libsbml")
    found = {module for module, tree in TREES.items() if any(name.startswith(parsers) for name in imports(tree))}
    for module, guard in guarded.items():
        assert guard in (SOURCE / module).read_text(encoding="utf-8")
    readers = {module for module in found if not module.startswith("problems/metabolism/")} - own
    assert readers <= set(guarded)


# ---------------------------------------------------------------------- names that climb

CLIMBING = ("../outside", "..", "/outside", "a/../../outside", "a\\..\\..\\outside", "\x00", "con:", "~/outside")


@pytest.mark.parametrize("name", CLIMBING)
def test_no_artifact_has_a_name_that_climbs(name: str, tmp_path: Path):
    store = ArtifactStore(tmp_path / "artifacts")
    for read in (store.read_arrays, store.read_tensors, store.path):
        with pytest.raises(StorageError):
            read(name)


@pytest.mark.parametrize("name", CLIMBING)
def test_no_problem_has_a_name_that_climbs(name: str, tmp_path: Path, monkeypatch, capsys):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    for arguments in (
        ["new", "mine.toml", "--problem", name], ["new", "problem", name], ["data", "fetch", name], ["problems", name],
        ["explain", name], ["data", "import", name, "."],
    ):  # fmt: skip
        monkeypatch.setattr("sys.argv", ["probatum", *arguments])
        assert run_program() == 2, arguments
        assert capsys.readouterr().err.startswith("error: ")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b"]


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "..", "a/b", "<script>alert(1)</script>", "a\nb"])
def test_an_experiment_of_any_name_names_no_file(name: str, tmp_path: Path, monkeypatch):
    """Names of experiments stand in ledgers and reports; what is written for them is named by its content."""
    from campaigns.small_campaigns import PROBLEM, run, write_table
    from probatum.campaigns.campaign import Campaign
    from probatum.planning.round_file import toml

    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    write_table(folder / "batches.csv")
    path = folder / "a.toml"
    head = "[protocol]\nfolds = 2\nrepeats = 1\n[run]\ncores = 1\n[[experiment]]\n"
    path.write_text(f'{PROBLEM}{head}name = {toml(name)}\nmodel.kind = "mean"\n', encoding="utf-8")
    try:
        campaign, _ = run(Campaign.open(path))
    except ProbatumError:
        campaign = None
    if campaign is not None:
        assert campaign.predictions(name)
        campaign.ledger.close()
    outside = {p for p in tmp_path.rglob("*") if p.is_file()} - set((folder / "a.probatum").rglob("*"))
    assert outside == {path, folder / "batches.csv"}
