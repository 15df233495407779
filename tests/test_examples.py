"""The examples run as they stand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from probatum.campaigns.campaign_file import read_campaign_file

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAM = [sys.executable, "-c", "from probatum.cli.main import run_and_exit; run_and_exit()"]


def test_the_demo_ends_with_verdicts_and_a_report(tmp_path: Path):
    shutil.copy(EXAMPLES / "demo.toml", tmp_path)
    ran = subprocess.run([*PROGRAM, "run", "demo.toml", "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    values = json.loads(ran.stdout)
    scores = {arm["name"]: arm["score"] for arm in values["arms"]}
    assert scores["ridge"] < scores["trivial: m"] < scores["trivial: mean"]
    outcomes = {v["arm"]: v["outcome"] for v in values["verdicts"]}
    assert outcomes == {"ridge+by_m": "better", "lightgbm": "better", "mlp": "better", "blend": "better"}
    assert (tmp_path / values["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.real
@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda f: f.name)
def test_every_example_is_a_campaign_that_can_be_read(file: Path, real_data: Path):
    assert read_campaign_file(file).experiments
