"""Five real logs of such work, as tables of runs: what their own figures say against them is found by import.

The tables stand in `logs`; its README names where the figures come from.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from probatum.audit.importers import read_runs
from probatum.audit.inspection import Audit, inspect

LOGS = Path(__file__).parent / "logs"


def audit(name: str, better="lower", target=None) -> Audit:
    return inspect(read_runs(LOGS / name, better=better, target=target))


def subjects(of: Audit, code: str) -> set[str | None]:
    return {f.subject for f in of.findings if f.code == code}


def figures(of: Audit, code: str) -> dict[str, float]:
    """Of its first finding."""
    return dict(next(f.figures for f in of.findings if f.code == code))


def test_rocking_curves_rank_losses_that_are_not_comparable_and_trainings_that_are_not_alike():
    log = audit("rocking_curve.jsonl")
    assert subjects(log, "PB301") == {"augmented sampling", "sensitivity weights", "multi-task"}
    assert subjects(log, "PB203") == {"attention"}
    assert subjects(log, "PB204") == {"augmented sampling", "sensitivity weights"}
    assert subjects(log, "PB205") == {"augmented sampling"}
    assert figures(log, "PB203")["best"] == 31
    assert figures(log, "PB205")["gap"] == pytest.approx(1 - 0.013334 / 0.017637)


def test_the_winner_of_the_rocking_curves_cannot_be_believed():
    assert audit("rocking_curve.jsonl").against("augmented sampling")


def test_the_metabolism_diverged_and_was_judged_by_its_trimmed_score():
    log = audit("metabolism.csv", better="higher")
    all_four = {f"iteration {n}" for n in range(1, 5)}
    assert subjects(log, "PB201") == subjects(log, "PB302") == all_four
    assert figures(log, "PB201")["score"] == pytest.approx(-766043.33)
    assert figures(log, "PB302") == {"r2": 0.0443, "trimmed": 0.9234}


def test_four_repeats_of_one_metabolism_differ_more_than_its_mutations():
    log = audit("metabolism_repeats.csv", better="higher")
    assert subjects(log, "PB206") == {None}
    assert figures(log, "PB206")["limit"] == pytest.approx(0.61, abs=0.01)


def test_the_catechol_target_is_out_of_reach_and_its_leaderboard_a_root():
    log = audit("catechol.csv", target=0.01727)
    assert subjects(log, "PB305") == subjects(log, "PB306") == {None}
    assert figures(log, "PB306")["ratio"] == pytest.approx(0.96, abs=0.005)
    assert figures(log, "PB305")["needed"] == pytest.approx(0.000326, rel=0.01)


OTHERS = {
    "rocking_curve.jsonl": {"PB501", "PB502", "PB503"},
    "metabolism.csv": set(),
    "metabolism_repeats.csv": set(),
    "catechol.csv": {"PB404", "PB502"},
    "catechol_by_target.csv": {"PB504"},
    "analog_codes.jsonl": {"PB404"},
    "gas_chromatography.jsonl": {"PB501"},
}
"""What the checks of configurations and of selection find in the same tables."""
OWN = {
    "rocking_curve.jsonl": {"PB203", "PB204", "PB205", "PB301"},
    "metabolism.csv": {"PB201", "PB302"},
    "metabolism_repeats.csv": {"PB206"},
    "catechol.csv": {"PB305", "PB306"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_log_shows_these_findings_and_no_other_of_trainings_and_scores(name):
    log = audit(name, "higher" if "metabolism" in name else "lower", 0.01727 if name == "catechol.csv" else None)
    codes = {f.code for f in log.findings}
    assert {c for c in codes if c.startswith(("PB2", "PB3"))} == OWN.get(name, set())
    assert OTHERS[name] <= codes
