"""The examples in Python run from top to bottom as notebooks, and show tables and pictures."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
SHOWN = {
    "first_campaign": ["codes.toml: analog_codes", "Results, against ridge"],
    "your_own_table": ["Results, against line", "<svg"],
    "verdicts_effects_audit": [
        "Results, against dose",
        "trees against dose",
        "Audit of",
        "PB101 error",
        "blocked: ['trees']",
    ],
}


def test_every_example_in_python_is_run_here():
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_runs_as_a_notebook(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = jupytext.read(EXAMPLES / f"{name}.py")
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    rich = [output["data"] for output in outputs if "data" in output]
    found = "\n".join(data.get("text/html", "") + data.get("image/svg+xml", "") for data in rich)
    found += "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    for part in SHOWN[name]:
        assert part in found
