"""AGENTS.md beside a new campaign: what an agent reads there is true of the program."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from cli.small_lab import Call, lab_table
from probatum.audit.catalogue import CHECKS
from probatum.cli.main import app


def written(call: Call, folder: Path) -> str:
    (folder / "lab.csv").write_text(lab_table(), encoding="utf-8")
    said = call(folder, "new", "my lab.toml", "--table", "lab.csv", "--target", "yield", "--json")
    assert said.values == {"campaign": "my lab.toml", "agents": "AGENTS.md"}
    return (folder / "AGENTS.md").read_text(encoding="utf-8")


def test_it_names_the_campaign_and_commands_that_exist(tmp_path: Path, call: Call):
    text = written(call, tmp_path)
    assert "@" not in text
    assert "`probatum run 'my lab.toml'`" in text
    assert "my lab.probatum/" in text
    commands = {
        c.name or c.callback.__name__
        for group in app.registered_groups
        for c in group.typer_instance.registered_commands
    }
    commands |= {g.name for group in app.registered_groups for g in group.typer_instance.registered_groups}
    said = set(re.findall(r"`probatum ([a-z-]+)", text))
    assert {"run", "compare", "audit", "next", "champion", "report"} <= said <= commands
    assert set(re.findall(r"\bPB\d{3}\b", text)) <= set(CHECKS)


def test_its_examples_can_be_read(tmp_path: Path, call: Call):
    text = written(call, tmp_path)
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(line.strip() for line in example.splitlines())
    assert tomllib.loads(lines)["experiment"][0]["parent"] == "mlp"
    (configuration,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(configuration)["mcpServers"]["probatum"]["args"] == ["mcp", "-C", "my lab.toml"]


def test_every_verdict_is_explained(tmp_path: Path, call: Call):
    text = written(call, tmp_path)
    for outcome in ("better", "worse", "equivalent", "undecided", "no evidence"):
        assert f"| {outcome} |" in text


def test_instructions_that_are_there_stay_as_they_are(tmp_path: Path, call: Call):
    (tmp_path / "AGENTS.md").write_text("ours", encoding="utf-8")
    said = call(tmp_path, "new", "a.toml", "--json")
    assert said.values["agents"] is None
    assert (tmp_path / "AGENTS.md").read_text() == "ours"
    (tmp_path / "AGENTS.md").unlink()
    assert call(tmp_path, "new", "b.toml", "--no-agents", "--json").values["agents"] is None
    assert not (tmp_path / "AGENTS.md").exists()


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path, call: Call):
    (tmp_path / "AGENTS.md").symlink_to(tmp_path / "elsewhere.md")
    assert call(tmp_path, "new", "a.toml", "--json").values["agents"] is None
    assert not (tmp_path / "elsewhere.md").exists()
