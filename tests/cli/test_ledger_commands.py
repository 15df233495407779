"""A campaign whose ledger is on a server, as the program shows it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.small_lab import Call
from postgresql_fixture import server  # noqa: F401

Server = Any


def answer(call: Call, folder: Path, *arguments: str) -> dict[str, Any]:
    said = call(folder, *arguments, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_ledger_is_shown_and_a_campaign_moves_to_a_server(
    lab: Path,
    call: Call,
    server: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    """Copied, the campaign file pointed there, and every command that looks says the same as before."""
    folder, file = lab, lab / "lab.toml"
    before = answer(call, folder, "ledger", "show", "lab.toml")
    assert (before["shared"], before["at_work"]) == (False, None)
    assert before["place"].endswith("ledger.sqlite")
    address = server.url(campaign="cli")
    copied = answer(call, folder, "ledger", "copy", "lab.toml", address)
    assert copied["rows"]["fit"] > 0
    status = answer(call, folder, "status", "lab.toml")
    shown = call(folder, "compare", "--all").out

    (folder / "lab.probatum" / "ledger.sqlite").unlink()
    for left in (folder / "lab.probatum").glob("ledger.sqlite-*"):
        left.unlink()
    file.write_text(file.read_text().replace("[run]\n", f'[run]\nledger = "{address}"\n'))
    after = answer(call, folder, "ledger", "show", "lab.toml")
    assert after["shared"]
    assert (after["fits"], after["done"], after["schema"]) == (before["fits"], before["done"], before["schema"])
    assert after["bytes"] > 0
    assert answer(call, folder, "status", "lab.toml") == status
    assert call(folder, "compare", "--all").out == shown
    assert answer(call, folder, "verify")["whole"]
    campaigns = [row for row in answer(call, folder, "doctor")["checks"] if row["what"].startswith("campaign")]
    assert [(row["what"], row["state"]) for row in campaigns] == [("campaign lab.toml", "ok")]
    assert call(folder, "run").code == 0  # nothing is left to do
    assert answer(call, folder, "status", "lab.toml")["done"] == status["done"]

    said = call(folder, "ledger", "copy", "lab.toml", server.url(campaign="cli"))
    assert said.code == 2
    assert "holds tables already" in said.err

    monkeypatch.setenv("PROBATUM_LEDGER", server.url(campaign="of nobody"))
    said = call(folder, "status", "lab.toml")
    assert said.code == 2
    assert "has not been run yet" in said.err


def test_a_password_in_the_campaign_file_is_refused_with_its_line(lab: Path, call: Call):
    ledger = 'ledger = "postgresql+psycopg://ada:secret@h/d"'
    file = lab / "lab.toml"
    file.write_text(file.read_text().replace("[run]\n", f"[run]\n{ledger}\n"))
    line = 1 + file.read_text().splitlines().index(ledger)
    for command in ("run", "status", "compare"):
        said = call(lab, command, *(["--all"] if command == "compare" else []))
        assert said.code == 2
        assert "a password stands in the ledger's address; take it out" in said.err
        assert "secret" not in said.err + said.out
        assert command == "status" or f"lab.toml:{line}" in said.err


def test_a_copy_of_a_ledger_file_is_made_beside_it(lab: Path, call: Call, tmp_path: Path):
    copied = call(lab, "ledger", "copy", "lab.toml", f"sqlite:///{tmp_path / 'copy.sqlite'}")
    assert copied.code == 0
    assert "compared: sha256" in copied.out
    shutil.copy(tmp_path / "copy.sqlite", lab / "lab.probatum" / "ledger.sqlite")
    assert answer(call, lab, "verify")["whole"]
