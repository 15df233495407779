"""A campaign that is killed and resumed ends with the same bits as one that was not: benchmarks/crash.py, short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "crash.py"
LIMIT = 1700
"""Seconds: it takes one minute on a quiet machine, and several on a busy one."""


@pytest.mark.timeout(LIMIT + 60)
def test_a_killed_and_resumed_campaign_ends_with_the_same_bits():
    ran = subprocess.run(
        [sys.executable, str(BENCHMARK), "--quick", "--json"], capture_output=True, text=True, check=True, timeout=LIMIT
    )
    rows = {row["name"]: row for row in json.loads(ran.stdout.splitlines()[-1])["rows"]}
    assert rows["kills"]["value"] == 3
    assert rows["fits_compared"]["value"] >= 8 * (1 + 2 + 2 + 2)
    assert rows["predictions_that_differ"]["value"] == 0
    assert rows["fits_run_again_though_not_in_flight"]["value"] == 0
