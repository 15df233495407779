"""Knowledge: principles established, refuted and open, each with its evidence; kept in the ledger, open to be edited.

A program learns them from the effects of families of steps. A person may set a state, which is then held: the evidence
beside it goes on, and where the two contradict each other that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from probatum.campaigns.ledgers.ledger import PrincipleRecord
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.evidence.effects import Effect
from probatum.planning.candidates import checked
from probatum.planning.prescriptions import MEAN, prescribed
from probatum.planning.principle import STATES, Principle, State
from probatum.planning.proposal import History, Proposal
from probatum.planning.tree import ranked

LEAST_PAIRS = 2
"""Pairs that establish or refute: one parent alone shows what a step does there, and no principle."""
ENOUGH_PAIRS = 5
"""Pairs after which an established or refuted principle is not tested again."""
PARENTS = 6
"""Best parents of the tree that a test is looked for on."""
HELPED = {"worked": "established", "failed": "refuted", "equivalent": "refuted"}


def learned_principles(principles: Sequence[Principle], effects: Sequence[Effect]) -> tuple[Principle, ...]:
    """The principles after what the effects show; states that a person holds stay.

    A family that worked, over two parents or more and after Holm over all families, is established: it helps. One that
    failed, or that is equivalent within the margin, is refuted. All others are open.

    Args:
        principles: as they were.
        effects: of families.
    """
    found = {p.family: p for p in principles}
    for effect in effects:
        before = found.get(effect.mutation, Principle(effect.mutation, f"'{effect.mutation}' makes the score better"))
        pairs = tuple((p.parent, p.child) for p in effect.pairs)
        evidence = replace(before, pairs=pairs, effect=effect.mean, interval=effect.interval)
        found[effect.mutation] = evidence if before.held else replace(evidence, state=shown(effect))
    return tuple(found.values())


def shown(effect: Effect) -> State:
    """The state that an effect's evidence gives a principle."""
    if len(effect.pairs) < LEAST_PAIRS:
        return "open"
    match HELPED.get(effect.outcome):
        case "established":
            return "established"
        case "refuted":
            return "refuted"
        case _:
            return "open"


def contradiction(principle: Principle, effects: Sequence[Effect]) -> str | None:
    """Why the evidence contradicts a state that a person holds; None where it does not.

    Args:
        principle: of the campaign.
        effects: of families.
    """
    effect = next((e for e in effects if e.mutation == principle.family), None)
    if not principle.held or effect is None or shown(effect) in ("open", principle.state):
        return None
    return f"held '{principle.state}' by a person, and {len(effect.pairs)} pairs show it {shown(effect)}"


def edited(
    principles: Sequence[Principle], family: str, *, state: str | None, statement: str | None, note: str | None
) -> Principle:
    """A principle as a person sets it: a known one changed, or a new one.

    Args:
        principles: as they are.
        family: of the principle.
        state: to be held; None leaves it; 'learned' gives it back to the evidence.
        statement, note: None leaves them.

    Raises:
        UnknownNameError: no such state.
        CampaignFileError: no family.
    """
    if not family.strip():
        raise CampaignFileError("a principle without a family of steps", remedy="name one, e.g. 'features +acs'")
    known = next((p for p in principles if p.family == family), None)
    found = known or Principle(family, f"'{family}' makes the score better")
    if state == "learned":
        found = replace(found, held=False, state="open")
    elif state is not None:
        found = replace(found, held=True, state=_state(state))
    return replace(found, statement=statement or found.statement, note=found.note if note is None else note)


class PrincipleTests:
    """Proposes to try a principle on a parent that it was not tried on.

    First come the open ones with most pairs, which one more may settle; then those that few pairs hold up. What is
    refuted is tried again too, as long as it rests on few pairs: a refutation may be wrong as well.
    """

    name = "principles"

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """Up to k tests, one for each principle."""
        waiting = [p for p in history.principles if p.state == "open" or len(p.pairs) < ENOUGH_PAIRS]
        order = sorted(waiting, key=lambda p: (p.state != "open", -len(p.pairs) if p.state == "open" else len(p.pairs)))
        parents = [history.by_name[n.name] for n in ranked(history)[:PARENTS]]
        by_parent = {p.name: prescribed(history, p) for p in parents if p.recipe.kind != MEAN}
        found = []
        for principle in order:
            tried = {name for pair in principle.pairs for name in pair}
            for parent, proposals in by_parent.items():
                test = None if parent in tried else self._test(principle, proposals, history)
                if test is not None:
                    found.append(test)
                    break
            if len(found) == k:
                break
        return found

    def _test(self, principle: Principle, proposals: Sequence[Proposal], history: History) -> Proposal | None:
        for proposal in proposals:
            if checked(proposal, history).family == principle.family:
                said = f"{principle.state} on {len(principle.pairs)} pairs: {principle.statement}"
                return replace(
                    proposal, slot="principle test", reason=said, hypothesis=principle.statement, proposer=""
                )
        return None


# ------------------------------------------------------------------ in the ledger


def to_record(principle: Principle) -> PrincipleRecord:
    """As the ledger keeps it."""
    content = {
        "statement": principle.statement,
        "pairs": [list(pair) for pair in principle.pairs],
        "effect": principle.effect,
        "interval": list(principle.interval) if principle.interval else None,
        "note": principle.note,
    }
    return PrincipleRecord(principle.family, principle.state, principle.held, content)


def from_record(record: PrincipleRecord) -> Principle:
    """As planning knows it.

    Raises:
        UnknownNameError: a state that nobody knows.
    """
    content: Any = record.content
    interval = content.get("interval")
    return Principle(
        record.name,
        content.get("statement", ""),
        _state(record.state),
        tuple((a, b) for a, b in content.get("pairs", ())),
        content.get("effect"),
        (interval[0], interval[1]) if interval else None,
        record.held,
        content.get("note", ""),
    )


def _state(name: str) -> State:
    states: dict[str, State] = {s: s for s in STATES}
    if name not in states:
        raise UnknownNameError.of("state", name, (*STATES, "learned"))
    return states[name]
