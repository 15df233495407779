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
    what, remedy = why_no_champion(laboratory.campaign, results, audit(error))
    assert all(f"{name}: PB101" in what for name in blocked)
    assert remedy == "'probatum explain PB101'"


def test_an_error_that_is_ignored_or_about_the_baseline_stands_against_nobody(contest: Path):
    laboratory = Laboratory.open(contest)
    results = laboratory.results()
    ignored = Finding("PB101", "error", None, "odd", ignored="a control")
    assert blocked_by(results, audit(ignored, Finding("PB405", "error", "mean", "odd"))) == {}


def judged_round(number: int, champion: str, promoted: str | None) -> RoundRecord:
    return RoundRecord(number, ROUND_JUDGED, {"champion_before": "mean", "champion": champion, "promoted": promoted})


def test_where_rounds_were_judged_the_champion_is_theirs(changing_contest: Path):
    """Not the best score among what is better than the baseline: each round has spent its share of the error rate."""
    laboratory = Laboratory.open(changing_contest)
    results = laboratory.results()
    better = {v.arm: results.arm(v.arm).score for v in results.verdicts if v.outcome == "better"}
    first, second, *_ = sorted(better, key=lambda name: better[name])
    ledger = laboratory.campaign.ledger
    ledger.write_round(RoundRecord(1, ROUND_PLANNED, {"champion_before": "mean", "proposals": []}))
    champion = laboratory.champion(results)
    assert champion is not None
    assert (champion.name, champion.round) == (first, None)  # a round that waits has decided nothing

    ledger.write_round(judged_round(1, "mean", None))
    assert laboratory.champion(results) is None
    what, remedy = laboratory.why_no_champion(results)
    assert what == "no round promoted an experiment over 'mean'"
    assert "'probatum auto'" in remedy
    with pytest.raises(IncomparableError, match="no champion to confirm: no round promoted"):
        laboratory.confirm()

    ledger.write_round(RoundRecord(2, ROUND_PLANNED, {"champion_before": "mean", "proposals": []}))
    ledger.write_round(judged_round(2, second, second))
    champion = laboratory.champion(results)
    assert champion is not None
    assert (champion.name, champion.round) == (second, 2)
    assert champion_of(laboratory.campaign, results, audit(Finding("PB101", "error", "table / b00", "odd"))) is None


def test_a_confirmation_is_shown_where_what_it_confirmed_is_champion_no_more(changing_contest: Path):
    laboratory = Laboratory.open(changing_contest)
    confirmation, now = laboratory.confirm()
    assert now
    ledger = laboratory.campaign.ledger
    ledger.write_round(RoundRecord(1, ROUND_PLANNED, {"champion_before": "mean", "proposals": []}))
    ledger.write_round(judged_round(1, "mean", None))
    assert laboratory.champion(laboratory.results()) is None
    again, now = laboratory.confirm()
    assert (again.experiment, now) == (confirmation.experiment, False)


def test_the_next_round_starts_from_the_last_champion_that_no_error_stands_against():
    rounds = [
        RoundRecord(1, ROUND_JUDGED, {"champion_before": "first", "champion": "a"}),
        RoundRecord(2, ROUND_JUDGED, {"champion": "b"}),
        RoundRecord(3, ROUND_PLANNED, {"champion_before": "c"}),
    ]
    results: Any = SimpleNamespace(tried=[SimpleNamespace(name=n) for n in ("first", *"abc")], baseline="base")

    def start(*blocked: str) -> str:
        audit: Any = SimpleNamespace(against=lambda name: ("an error",) if name in blocked else ())
        nothing: Any = None
        return champion_to_start_from(nothing, results, audit, rounds)

    assert start() == "c"
    assert start("c") == "b"
    assert start("c", "b") == "a"
    assert start("a", "b", "c") == "first"
    assert start("a", "b", "c", "first") == "base"
