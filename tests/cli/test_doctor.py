"""`probatum doctor` says what is here and what is wrong with it, downloads nothing and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cli.small_lab import Call
from probatum.cli import diagnosis
from probatum.problems.catechol.problem import Catechol

ROWS = ("probatum", "python", "jax", "cores", "memory", "disk", "accelerator", "compiled programs", "data of catechol")
SOURCE = Catechol.data_source
assert SOURCE is not None


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PROBATUM_OFFLINE")

    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def rows(call: Call, folder: Path, code: int = 0) -> dict[str, dict[str, Any]]:
    """What is said of each thing."""
    said = call(folder, "doctor", "--json")
    assert said.code == code, said.err
    found = json.loads(said.out)
    assert found["schema"] == 1
    for row in found["checks"]:
        assert set(row) == {"what", "state", "remark", "values"}
        assert row["state"] in ("ok", "missing", "fault")
    return {row["what"]: row for row in found["checks"]}


def test_an_empty_folder_is_no_fault_and_stays_empty(call: Call, tmp_path: Path):
    folder = tmp_path / "empty"
    folder.mkdir()
    found = rows(call, folder)
    assert set(ROWS) <= set(found)
    assert found["data of catechol"]["state"] == "missing"
    assert "probatum data fetch catechol" in found["data of catechol"]["remark"]
    assert found["compiled programs"]["state"] == "missing"
    assert found["memory"]["values"].get("total", 1) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]
    assert list(folder.iterdir()) == []


def test_every_extra_is_named_with_the_line_that_installs_it(call: Call, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(diagnosis, "_installed", lambda package: package != "rdkit")
    found = rows(call, tmp_path)
    assert found["extra xgboost"]["state"] == "ok"
    assert found["extra catechol"]["state"] == "missing"
    assert found["extra catechol"]["values"]["lacking"] == ["rdkit"]
    assert found["extra catechol"]["remark"] == "lacks rdkit: pip install 'probatum[catechol]'"


def test_data_that_is_not_the_published_is_said(call: Call, tmp_path: Path):
    folder = tmp_path / "nowhere" / "catechol"
    folder.mkdir(parents=True)
    for file in SOURCE.files[:-1]:
        (folder / file.name).write_bytes(b"a,b\n1,2\n")
    found = rows(call, tmp_path)["data of catechol"]
    assert found["state"] == "missing"
    assert found["values"]["missing"] == [SOURCE.files[-1].name]
    (folder / SOURCE.files[-1].name).write_bytes(b"")
    found = rows(call, tmp_path)["data of catechol"]
    assert found["state"] == "ok"
    assert found["values"]["other"] == [file.name for file in SOURCE.files]
    assert "not the published" in found["remark"]


def test_real_data_is_as_published(call: Call, real_data: Path, tmp_path: Path):
    found = rows(call, tmp_path)["data of catechol"]
    assert found["remark"].endswith("every file as published")
    assert found["values"]["other"] == []


def test_a_campaign_is_counted_and_its_record_compared(call: Call, finished: Path):
    found = rows(call, finished)["campaign lab.toml"]
    assert found["state"] == "ok"
    values = found["values"]
    assert values["done"] == values["fits"] > 0
    assert (values["failed"], values["missing"], values["changed"], values["ledger"]) == (0, 0, 0, None)
    assert (values["shared"], values["holder"], values["stale_lock"], values["file"]) == (False, None, False, True)


def test_what_is_wrong_with_a_campaign_is_said(call: Call, lab: Path):
    state = lab / "lab.probatum"
    first, second, *_ = sorted((state / "artifacts").glob("*/*.npz"))
    first.write_bytes(first.read_bytes()[:-1])
    second.unlink()
    (state / "lock.holder").write_text(f"pid 999999999 on {socket.gethostname()} since long ago", encoding="utf-8")
    (lab / "lab.toml").unlink()
    found = rows(call, lab, code=1)["campaign lab.toml"]
    assert found["state"] == "fault"
    assert (found["values"]["missing"], found["values"]["changed"]) == (1, 1)
    assert found["values"]["stale_lock"]
    assert "killed" in found["remark"]
    assert "gone" in found["remark"]


def test_a_ledger_that_is_none_is_a_fault_and_the_others_are_still_looked_at(call: Call, lab: Path):
    (lab / "broken.probatum").mkdir()
    (lab / "broken.probatum" / "ledger.sqlite").write_bytes(b"no database, " * 100)
    found = rows(call, lab, code=1)
    assert found["campaign broken.toml"]["state"] == "fault"
    assert found["campaign lab.toml"]["state"] == "ok"


def test_looking_changes_no_file(call: Call, lab: Path):
    def content() -> dict[str, str]:
        files = sorted(
            path for path in lab.rglob("*") if path.is_file() and path.suffix not in (".sqlite-wal", ".sqlite-shm")
        )
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if "wal" not in path.name}

    before = content()
    rows(call, lab)
    assert {name: digest for name, digest in content().items() if name in before} == before


def test_people_get_a_table(call: Call, finished: Path):
    said = call(finished, "doctor")
    assert said.code == 0
    for what in (*ROWS, "campaign lab.toml"):
        assert what in said.out
