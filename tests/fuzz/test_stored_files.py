"""What the program stores and reads again: models, artifacts, ledgers, jobs, memories, searches, codes."""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuzz.reading import Reader, Sample, holds
from probatum.audit.memory import Memory
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.ledgers.ledger import ExperimentRecord, FitResult, PlannedFit, SplitRecord
from probatum.campaigns.ledgers.lock import HOLDER, holder_of
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.campaigns.saved_model import SavedModel, read_model, write_model
from probatum.campaigns.verification import verify
from probatum.errors import StorageError
from probatum.problems import model_file
from probatum.problems.analog_codes.code_search import Search, resumed
from probatum.problems.analog_codes.shards import CodeRequest, read_codes, write_codes

SPLITS = [SplitRecord(f"split-{i}", "table", 0, f"fold {i}", "a" * 64 + ".npz", i, 8, 2) for i in range(2)]
FITS = [PlannedFit(f"fit-{i}", f"split-{i}", 0) for i in range(2)]


def written(make: Callable[[Path], object], name: str) -> bytes:
    """What a function writes to a path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        make(path)
        return path.read_bytes()


def small_model() -> SavedModel:
    from probatum.campaigns.recipe import Recipe

    weights = [
        [{"inputs": np.zeros((2, 3)), "outputs": np.ones(2)}],
        [{"inputs": np.zeros((2, 3)), "outputs": np.ones(2)}],
    ]
    recipe = Recipe(features=("a",), model={"kind": "ridge"})
    return SavedModel("line", "table", ("analog_codes", {}), recipe, ("y",), "digest", 24, 0, weights)


def make_ledger(path: Path) -> None:
    ledger = SqlLedger.at(path)
    ledger.add_experiment(ExperimentRecord("line", {"model": {"kind": "ridge"}}, "d"), FITS, SPLITS)
    ledger.start_jobs({"job": [fit.key for fit in FITS]}, {"code": 1})
    ledger.finish_jobs({"job": [FitResult(fit.key, 0.5, "b" * 64 + ".npz", 0, {"y": 1.0}, 2) for fit in FITS]})
    ledger.close()
    with sqlite3.connect(path) as db:  # one file, with nothing left in a journal beside it
        db.execute("PRAGMA journal_mode=DELETE")
    db.close()


def look(path: Path) -> None:
    """All that reports and commands ask of a ledger."""
    ledger = SqlLedger.at(path, read_only=True)
    try:
        ledger.summary()
        ledger.frozen()
        for experiment in ledger.experiments():
            ledger.scores(experiment.name)
            for fit in ledger.fits(experiment.name):
                ledger.split(fit.split)
                ledger.manifest(fit.key)
        for listed in (ledger.rounds, ledger.principles, ledger.confirmations, ledger.submissions):
            listed()
    finally:
        ledger.close()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_artifacts(path: Path) -> None:
    """Every way to read an artifact, of a file that lies under any name."""
    store = ArtifactStore(path.parent.parent)
    for read in (store.read_arrays, store.read_tensors):
        with pytest.raises(StorageError):
            read(path.name)


SEARCH = Search(8, 4, 2, entries=(-2, 2), rounds=3, height=5.0, P=((1.0, 2.0, 0.0, -1.0),) * 4)
DIGEST = "0123" * 16
READERS = [
    Reader("model", read_model, [Sample.of("a.safetensors", written(lambda p: write_model(small_model(), p),
        "a.safetensors"))]),
    Reader("artifacts", read_artifacts, [Sample({f"01/{DIGEST}.npz": npz(x=np.eye(3))}, f"01/{DIGEST}.npz")],
        examples=60, writes=True),
    Reader("ledger", look, [Sample.of("ledger.sqlite", written(make_ledger, "ledger.sqlite"))], writes=True),
    Reader(
        "verification",
        lambda path: verify(path.parent.with_name("a.toml")),
        [Sample({"a.probatum/ledger.sqlite": written(make_ledger, "ledger.sqlite")}, "a.probatum/ledger.sqlite")],
        writes=True,
    ),
    Reader("memory", Memory.read, [Sample.of("memory.json", b'0123\n{"look": [["PB101", "a", 0.5, {}]]}')],
        examples=60),
    Reader("holder", lambda path: holder_of(path.parent), [Sample.of(HOLDER,
        "pid 1 on here since 2026-01-01T00:00:00")]),
    Reader(
        "search", lambda path: resumed(Search(8, 4, 2, entries=(-2, 2)), path),
        [Sample.of("search.json", json.dumps({"schema": 1, **asdict(SEARCH)}))],
    ),
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_a_damaged_file_of_our_own_is_read_or_refused(reader: Reader):
    holds(reader)


def codes() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        list(write_codes(CodeRequest(5, 2, 12, rows=8), Path(folder)))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_damaged_codes_are_read_as_they_were_or_refused():
    whole = codes()

    def as_they_were(found: list[Any]) -> None:
        assert [len(part) for part in found] in ([8, 4], [8], [4], [12]) or len(found) > 2

    holds(Reader("codes", lambda path: list(read_codes(path)), [Sample(whole, ".")], sound=as_they_were))


def test_a_damaged_model_of_the_cache_is_made_again(tmp_path: Path):
    """`cached` trains anew on whatever reading raises of `_DAMAGED`."""
    path = tmp_path / "model.npz"
    model_file.write(path, {"weights": np.eye(3), "name": "a", "numbers": [1, 2.5, None, True]})
    sample = Sample.of("model.npz", path.read_bytes())
    holds(Reader("cached model", model_file.read, [sample], allowed=model_file._DAMAGED, examples=200))


BOMB = {"[" * 100_000: "lists", '{"a":' * 50_000: "tables", "9" * 5000: "digits"}


@pytest.mark.parametrize("text", BOMB, ids=BOMB.values())
def test_a_state_of_a_search_that_no_parser_ends_is_refused(text: str, tmp_path: Path):
    (tmp_path / "s.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no state of a search"):
        resumed(SEARCH, tmp_path / "s.json")
