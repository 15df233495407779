"""Kills a campaign with SIGKILL at random moments, resumes it each time, and compares it with one never killed.

Rows: predictions that differ in any bit (none may), and trainings beyond those that a kill interrupted (none may).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from disturbed_campaign import EXPERIMENTS, FILE, RUN, Predictions, differing, predictions, write_campaign
from result import Row, benchmark

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.files import LEDGER, open_ledger, state_folder
from probatum.errors import LedgerError


def measure(quick: bool) -> list[Row]:
    """Runs one campaign undisturbed and one under kills; `quick` kills 3 times instead of 20."""
    kills = 3 if quick else 20
    with tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as killed:
        started = time.perf_counter()
        write_campaign(Path(calm))
        subprocess.run(RUN, cwd=calm, check=True, capture_output=True)
        undisturbed = time.perf_counter() - started
        write_campaign(Path(killed))
        expected = predictions(Campaign.open(Path(calm) / FILE))
        ends, moments = run_under_kills(Path(killed), kills, undisturbed, expected)
    return [
        Row("kills", len(moments), "kills", kills, "higher"),
        Row("fits_compared", len(ends) * len(expected), "fits"),
        Row("fits_interrupted", sum(end.interrupted for end in ends), "fits"),
        Row("predictions_that_differ", sum(end.differing for end in ends), "fits", 0),
        Row("fits_run_again_though_not_in_flight", sum(end.beyond for end in ends), "fits", 0),
    ]


@dataclass(frozen=True)
class End:
    """What a killed campaign was when it reached its end: counts of fits."""

    interrupted: int
    differing: int
    beyond: int


def run_under_kills(
    folder: Path, kills: int, undisturbed: float, expected: Predictions
) -> tuple[list[End], list[float]]:
    """Starts the campaign again and again and kills it, every other time with its workers; then lets it finish.

    One that reaches its end before its kill is compared and begins anew.

    Returns:
        every end that was reached; the moments of the kills, seconds after each start.
    """
    generator = np.random.default_rng(11)
    in_flight: Counter[str] = Counter()
    moments: list[float] = []
    ends: list[End] = []
    while len(moments) < kills:
        moment = float(generator.uniform(0.3, undisturbed))
        process = subprocess.Popen(
            RUN, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            target = os.killpg if len(moments) % 2 else os.kill
            target(process.pid, signal.SIGKILL)
            process.wait()
            moments.append(moment)
            in_flight.update(interrupted(folder, in_flight))
        else:
            ends.append(end_of(folder, expected, in_flight))
            shutil.rmtree(state_folder(folder / FILE))
            in_flight.clear()
    subprocess.run(RUN, cwd=folder, check=True, capture_output=True)
    return [*ends, end_of(folder, expected, in_flight)], moments


def end_of(folder: Path, expected: Predictions, in_flight: Counter[str]) -> End:
    """Compares a finished campaign with the undisturbed one, bit for bit."""
    differ = differing(expected, predictions(Campaign.open(folder / FILE)))
    ledger = open_ledger(folder / FILE)
    attempts = {r.key: r.attempts for name in EXPERIMENTS for r in ledger.fits(name)}
    ledger.close()
    beyond = sum(count > 1 + in_flight[key] for key, count in attempts.items())
    return End(sum(in_flight.values()), differ, beyond)


def interrupted(folder: Path, before: Counter[str]) -> list[str]:
    """Fits that were begun more often than kills explain so far, and have no result."""
    if not (state_folder(folder / FILE) / LEDGER).exists():
        return []
    try:
        ledger = open_ledger(folder / FILE)
    except LedgerError:  # killed while the ledger was made: nothing had begun
        return []
    fits = {r.key: r for name in EXPERIMENTS for r in ledger.fits(name)}
    ledger.close()
    return [key for key, r in fits.items() if r.status != "done" and r.attempts > before[key]]


if __name__ == "__main__":
    benchmark("crash", measure, ["probatum", "numpy", "jax", "lightgbm", "sqlalchemy"])
