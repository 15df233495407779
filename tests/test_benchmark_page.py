"""The page of benchmarks: every script is on it, and no missed target is hidden."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("benchmark_page", BENCHMARKS / "page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def row(name: str, value: float, target: float | None, better: str, holds: bool) -> dict[str, object]:
    return {"name": name, "value": value, "unit": "s", "target": target, "better": better, "holds": holds}


def printed(*rows: dict[str, object]) -> str:
    return json.dumps({
        "benchmark": "heights", "machine": "m", "versions": {"numpy": "2"}, "seconds": 3.0, "rows": rows,
    })  # fmt: skip


def test_every_script_that_is_a_benchmark_is_listed_with_a_sentence(page):
    scripts = page.scripts()
    assert {"heights", "catechol", "metabolism", "scale"} <= set(scripts)
    assert "page" not in scripts
    assert "result" not in scripts
    assert all(sentence and not sentence.startswith("benchmark") for sentence in scripts.values())


def test_missed_targets_stand_first_and_what_was_not_run_is_said(page, tmp_path):
    slow = row("an | answer", 2.0, 1.0, "lower", False)
    (tmp_path / "printed.txt").write_text("some rows\n" + printed(row("fine", 1.0, 2.0, "lower", True), slow) + "\n")
    result = page.read(tmp_path / "printed.txt")
    text = page.page({"heights": result}, {"heights": "Exact heights.", "scale": "Many workers."})
    assert "2 figures have a target; 1 hold, 1 are missed." in text
    missed = text.split("## Missed")[1].split("## heights")[0]
    assert "an \\| answer | 2 s | at most 1" in missed
    assert "fine" not in missed
    assert "Not measured yet: `python benchmarks/scale.py --json`." in text


def test_a_file_without_a_result_is_refused(page, tmp_path):
    (tmp_path / "printed.txt").write_text("Traceback\n")
    with pytest.raises(RuntimeError, match="no object was printed"):
        page.read(tmp_path / "printed.txt")


def test_the_page_says_what_the_kept_results_say(page):
    kept = json.loads(page.DATA.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(kept, page.scripts())
    wrong = [
        (name, r["name"])
        for name, result in kept.items()
        for r in result["rows"]
        if r["target"] is not None
        and r["holds"] != (r["value"] <= r["target"] if r["better"] == "lower" else r["value"] >= r["target"])
    ]
    assert not wrong
