"""What comes next is said as planning or the ledger knows it; nothing is run for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED, PrincipleRecord, RoundRecord
from probatum.reporting.next_round import next_values, principle_values, round_values

PROPOSAL = {
    "name": "7 wider", "parent": "net", "change": "model.hidden: [8] -> [16]", "hypothesis": "", "reason": "why not",
    "expected": None, "priority": "LOW", "slot": "explore", "proposer": "person", "family": "model.hidden",
}  # fmt: skip


def ledger(*rounds: RoundRecord, principles: tuple[PrincipleRecord, ...] = ()) -> Any:
    return SimpleNamespace(rounds=lambda: list(rounds), principles=lambda: list(principles))


def test_a_round_that_waits_is_what_comes_next():
    judged = RoundRecord(1, ROUND_JUDGED, {"champion": "net", "proposals": []})
    waiting = RoundRecord(2, ROUND_PLANNED, {"champion_before": "net", "proposals": [PROPOSAL]})
    laboratory: Any = SimpleNamespace(campaign=SimpleNamespace(ledger=ledger(judged, waiting)))
    nothing: Any = None
    said = next_values(laboratory, nothing, nothing)
    assert said["round"] == 2
    assert said["waiting"] is True
    (proposal,) = said["proposals"]
    assert proposal == {key: value for key, value in PROPOSAL.items() if key != "family"}


def test_rounds_say_what_was_tried_and_what_came_of_it():
    content = {"champion_before": "a", "champion": "b", "champion_score": 0.5, "promoted": "b", "why": "better"}
    found = round_values(ledger(RoundRecord(1, ROUND_JUDGED, {**content, "proposals": [PROPOSAL]}, "2026-01-02")))
    assert found == [
        {"number": 1, "state": "judged", "when": "2026-01-02", **content, "remarks": None, "experiments": ["7 wider"]}
    ]


def test_principles_say_their_state_and_evidence():
    content = {"statement": "helps", "pairs": [["a", "b"]], "effect": -0.1, "interval": [-0.2, 0.0], "note": "odd"}
    (found,) = principle_values(ledger(principles=(PrincipleRecord("+acs", "open", True, content),)))
    assert found == {
        "family": "+acs", "statement": "helps", "state": "open", "held": True, "pairs": 1, "effect": -0.1,
        "interval": [-0.2, 0.0], "note": "odd",
    }  # fmt: skip
