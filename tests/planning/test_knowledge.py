"""Principles are learned from effects over several parents, may be held by a person, and are tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.small_history import history
from probatum.campaigns.campaign_file import CampaignFile
from probatum.campaigns.ledgers.ledger import PrincipleRecord
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.evidence.effects import Effect, Pair
from probatum.planning.knowledge import (
    PrincipleTests,
    contradiction,
    edited,
    from_record,
    learned_principles,
    to_record,
)
from probatum.planning.principle import STATES, Principle


def effect(outcome: str, pairs: int, family: str = "features +acs") -> Effect:
    made = tuple(Pair(f"p{i}", f"c{i}", -0.1, 0.02) for i in range(pairs))
    return Effect(family, made, outcome, -0.1, 0.02, interval=(-0.14, -0.06))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "pairs", "state"),
    [
        ("worked", 2, "established"),
        ("failed", 2, "refuted"),
        ("equivalent", 3, "refuted"),
        ("undecided", 9, "open"),
        ("no evidence", 2, "open"),
        ("worked", 1, "open"),
        ("failed", 1, "open"),
    ],
)
def test_a_principle_needs_two_parents_and_a_verdict(outcome: str, pairs: int, state: str):
    (found,) = learned_principles([], [effect(outcome, pairs)])
    assert found.state == state
    assert (len(found.pairs), found.effect, found.interval) == (pairs, -0.1, (-0.14, -0.06))


def test_what_was_established_is_given_up_when_more_pairs_speak_against_it():
    before = learned_principles([], [effect("worked", 2)])
    assert [p.state for p in learned_principles(before, [effect("failed", 4)])] == ["refuted"]


def test_a_state_that_a_person_holds_stays_and_its_evidence_goes_on():
    held = edited([], "features +acs", state="established", statement="ACS carries polarity", note="from 2019")
    (now,) = learned_principles([held], [effect("failed", 3)])
    assert (now.state, now.held, now.statement, now.note) == ("established", True, "ACS carries polarity", "from 2019")
    assert len(now.pairs) == 3
    said = contradiction(now, [effect("failed", 3)])
    assert said == "held 'established' by a person, and 3 pairs show it refuted"
    assert contradiction(now, [effect("worked", 3)]) is None
    given_back = edited([now], "features +acs", state="learned", statement=None, note=None)
    assert [p.state for p in learned_principles([given_back], [effect("failed", 3)])] == ["refuted"]


def test_a_state_that_nobody_knows_is_refused():
    with pytest.raises(UnknownNameError, match="unknown state 'proven'"):
        edited([], "features +acs", state="proven", statement=None, note=None)
    with pytest.raises(CampaignFileError, match="without a family"):
        edited([], " ", state="open", statement=None, note=None)
    with pytest.raises(UnknownNameError, match="unknown state"):
        from_record(PrincipleRecord("x", "sure", False, {}))


@given(
    st.builds(
        Principle,
        st.text(min_size=1),
        st.text(),
        st.sampled_from(STATES),
        st.lists(st.tuples(st.text(), st.text())).map(tuple),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)),
        st.booleans(),
        st.text(),
    )
)
def test_a_principle_survives_the_ledger(principle: Principle):
    assert from_record(to_record(principle)) == principle


def test_open_principles_are_tested_before_established_ones_and_settled_ones_no_more(file: CampaignFile):
    many = tuple((f"p{i}", f"c{i}") for i in range(6))
    principles = (
        Principle("features +w", "", "established", many[:2]),
        Principle("features +x", "", "open", many[:1]),
        Principle("ensemble.members up", "", "established", many),
    )
    tests = PrincipleTests().propose(history(file, principles=principles), 5)
    assert [t.mutation for t in tests] == [{"features": {"add": ["x"]}}, {"features": {"add": ["w"]}}]
    assert {t.slot for t in tests} == {"principle test"}


def test_a_principle_that_was_tried_everywhere_is_not_proposed(file: CampaignFile):
    tried = tuple((name, f"{name}+x") for name in ("net", "trees", "line"))
    principle = Principle("features +x", "", "open", tried)
    assert PrincipleTests().propose(history(file, principles=(principle,)), 5) == []
