"""A campaign whose cluster and database are killed loses nothing and repeats nothing: benchmarks/chaos.py, short."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "chaos.py"
LIMIT = 1700
"""Seconds: it takes one minute on a quiet machine and four on a very busy one."""


@pytest.mark.timeout(LIMIT + 60)
def test_a_campaign_whose_cluster_and_database_are_killed_again_and_again_ends_with_the_same_bits():
    ran = subprocess.run(
        [sys.executable, str(BENCHMARK), "--quick", "--json"], capture_output=True, text=True, check=True, timeout=LIMIT
    )
    rows = {row["name"]: row["value"] for row in json.loads(ran.stdout.splitlines()[-1])["rows"]}
    assert rows["worker_kills"] >= 4
    assert rows["scheduler_restarts"] == 1
    if "no PostgreSQL server" in ran.stdout and os.environ.get("PROBATUM_REQUIRE_POSTGRES") != "1":
        assert rows["database_restarts"] == 0
    else:
        assert rows["database_restarts"] >= 2
    assert rows["fits_compared"] >= 8 * (1 + 2 + 2 + 2)
    for nothing in (
        "fits_lost",
        "predictions_that_differ",
        "fits_begun_again_though_not_in_flight",
        "trainings_that_the_ledger_does_not_know",
        "jobs_given_again_beyond_those_of_killed_workers",
    ):
        assert rows[nothing] == 0, nothing
