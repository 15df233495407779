"""A champion is better than the baseline, and no error stands against it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED, RoundRecord
from probatum.errors import IncomparableError
from probatum.laboratory import Laboratory
from probatum.laboratory.champion import blocked_by, champion_of, champion_to_start_from, why_no_champion


def audit(*findings: Finding) -> Audit:
    return Audit("contest.toml", findings, ())


def test_four_groups_make_no_champion(path: Path):
    """No sign pattern of four groups is rarer than 1 in 8."""
    laboratory = Laboratory.open(path)
    assert laboratory.champion(laboratory.results()) is None
    with pytest.raises(
        IncomparableError, match=r"lab\.toml: no champion to confirm: no experiment is better than 'mean'"
    ):
        laboratory.confirm()


def test_the_champion_is_the_best_of_those_without_errors(contest: Path):
    laboratory = Laboratory.open(contest)
    results = laboratory.results()
    better = {v.arm: results.arm(v.arm).score for v in results.verdicts if v.outcome == "better"}
    first, second, *_ = sorted(better, key=lambda name: better[name])
    champion = champion_of(laboratory.campaign, results, audit())
    assert champion is not None
    assert (champion.name, champion.confirmed) == (first, False)
    against_first = audit(Finding("PB405", "error", first, "odd"), Finding("PB404", "warning", second, "odd"))
    champion = champion_of(laboratory.campaign, results, against_first)
    assert champion is not None
    assert champion.name == second
    assert list(blocked_by(results, against_first)) == [first]


@pytest.mark.parametrize("subject", [None, "table / b00"])
def test_an_error_about_the_data_stands_against_all(contest: Path, subject: str | None):
    laboratory = Laboratory.open(contest)
    results = laboratory.results()
    error = Finding("PB101", "error", subject, "odd")
    assert champion_of(laboratory.campaign, results, audit(error)) is None
    blocked = blocked_by(results, audit(error))
    assert set(blocked) == {v.arm for v in results.verdicts if v.outcome == "better"}
    what, remedy = why_no_champion("mean", blocked)
    assert what.endswith("(PB101)")
    assert remedy == "'probatum explain PB101'"


def test_an_error_that_is_ignored_or_about_the_baseline_stands_against_nobody(contest: Path):
    laboratory = Laboratory.open(contest)
    results = laboratory.results()
    ignored = Finding("PB101", "error", None, "odd", ignored="a control")
    assert blocked_by(results, audit(ignored, Finding("PB405", "error", "mean", "odd"))) == {}


def test_the_next_round_starts_from_the_last_champion_that_no_error_stands_against():
    rounds = [
        RoundRecord(1, ROUND_JUDGED, {"champion": "a"}),
        RoundRecord(2, ROUND_JUDGED, {"champion": "b"}),
        RoundRecord(3, ROUND_PLANNED, {"champion_before": "c"}),
    ]
    results: Any = SimpleNamespace(tried=[SimpleNamespace(name=n) for n in "abc"], baseline="base")

    def start(*blocked: str) -> str:
        audit: Any = SimpleNamespace(against=lambda name: ("an error",) if name in blocked else ())
        nothing: Any = None
        return champion_to_start_from(nothing, results, audit, rounds)

    assert start() == "c"
    assert start("c") == "b"
    assert start("c", "b") == "a"
    assert start("a", "b", "c") == "base"
