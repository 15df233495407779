"""A campaign on a cluster whose machines are killed loses nothing and repeats nothing: benchmarks/chaos.py, short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "chaos.py"


def test_a_campaign_whose_cluster_is_killed_again_and_again_ends_with_the_same_bits():
    ran = subprocess.run(
        [sys.executable, str(BENCHMARK), "--quick", "--json"], capture_output=True, text=True, check=True, timeout=500
    )
    rows = {row["name"]: row["value"] for row in json.loads(ran.stdout.splitlines()[-1])["rows"]}
    assert rows["worker_kills"] >= 4
    assert rows["scheduler_restarts"] == 1
    assert rows["fits_compared"] >= 8 * (1 + 2 + 2 + 2)
    for nothing in (
        "fits_lost",
        "predictions_that_differ",
        "fits_begun_again_though_not_in_flight",
        "trainings_that_the_ledger_does_not_know",
        "jobs_given_again_beyond_those_of_killed_workers",
    ):
        assert rows[nothing] == 0, nothing
