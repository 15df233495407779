"""A round: one candidate for each slot, and the champion unchanged as a control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from probatum.errors import CampaignFileError
from probatum.planning.candidates import PERSON, Candidate, Dropped, collected, numbered
from probatum.planning.families import family, part
from probatum.planning.proposal import PRIORITIES, History, Proposal, Proposer, Slot
from probatum.planning.tree import ranked

CYCLE: tuple[Slot, ...] = ("exploit", "second", "explore", "principle test")
PLANNED = 8
"""Proposals that each proposer is asked for, at least: some will be dropped."""


@dataclass(frozen=True)
class PlannedRound:
    """What is to be tried together.

    Attributes:
        number: from 1.
        candidates: one a slot, each with the slot that it fills.
        control: the experiment that is trained once more, unchanged; None where no seed changes it.
        dropped: what proposers said that cannot be tried.
    """

    number: int
    candidates: tuple[Candidate, ...]
    control: Proposal | None
    dropped: tuple[Dropped, ...]


def plan_round(history: History, proposers: Iterable[Proposer], slots: int) -> PlannedRound:
    """Fills the slots of a round.

    Slots come in the order exploit, second, explore, principle test, and again. *Exploit* edits the parent of highest
    UCB, *second* the next one; *explore* takes a kind of step that was never tried, if it can in a part of the recipe
    that was never changed, on a parent that a draw from the posterior puts first; *principle test* tries a principle
    once more. What a proposer made for a slot goes before others there, and a slot that finds nothing takes the most
    urgent candidate that is left, of equal ones in a part that no other slot changes. One change a slot is what every
    candidate has passed already.

    Args:
        history: of the campaign.
        proposers: whose candidates are taken, in the order in which they are asked.
        slots: experiments of the round.

    Raises:
        CampaignFileError: no slot.
    """
    if slots < 1:
        raise CampaignFileError(f"{slots} slots: a round has at least one", where="--slots", remedy="give 4, say")
    candidates, dropped = collected(proposers, history, max(PLANNED, 2 * slots))
    left = sorted(candidates, key=_urgency(history))
    by_mean = [n.name for n in ranked(history)]
    by_draw = [n.name for n in ranked(history, by="posterior")]
    tried = families_of(history)
    chosen: list[Candidate] = []
    for i in range(slots):
        if not left:
            break
        slot = CYCLE[i % len(CYCLE)]
        made_for = next((c for c in left if c.proposal.slot == slot), None)
        later = {CYCLE[n % len(CYCLE)] for n in range(i + 1, slots)} - {slot}
        waiting = [c.proposal.mutation for c in left if c.proposal.slot in later]
        free = [c for c in left if c.proposal.slot is None and c.proposal.mutation not in waiting]
        match slot:
            case _ if made_for is not None:
                pick = made_for
            case "exploit":
                pick = _of_parent(free, by_mean)
            case "second":
                before = {c.proposal.parent for c in chosen if c.proposal.slot == "exploit"}
                pick = _of_parent(free, [n for n in by_mean if n not in before])
            case "explore":
                new = [c for c in free if c.family not in tried]
                changed = {part(name) for name in tried} | {part(c.family) for c in chosen}
                pick = _of_parent([c for c in new if part(c.family) not in changed], by_draw)
                pick = pick or _of_parent(new, by_draw)
            case _:
                pick = None
        if pick is None:  # nothing of its own: what is most urgent, said as what it is
            pick = _unlike(chosen, left)
            slot = "exploit" if pick.family in tried else "explore"
        left.remove(pick)
        chosen.append(replace(pick, proposal=replace(pick.proposal, slot=pick.proposal.slot or slot)))
        same = pick.proposal.mutation  # what a round tries in one slot, another slot need not try on another parent
        left = [c for c in left if c.proposal.mutation != same] or left
    return PlannedRound(history.round, tuple(numbered(chosen, history)), control_of(history), tuple(dropped))


def families_of(history: History) -> set[str]:
    """Kinds of steps that the tree has seen.

    Args:
        history: of the campaign.
    """
    found = (family(e.mutation) for e in history.experiments if e.mutation is not None)
    return {name for name in found if name is not None}


def untried_parts(history: History, candidates: Iterable[Candidate]) -> set[str]:
    """Parts of the recipe that candidates change and no experiment has.

    Args:
        history: of the campaign.
        candidates: for a round.
    """
    return {part(c.family) for c in candidates} - {part(name) for name in families_of(history)}


def control_of(history: History) -> Proposal | None:
    """The champion, unchanged: what differs when it is trained with other seeds is luck.

    Args:
        history: of the campaign.
    """
    champion = history.by_name.get(history.champion)
    if champion is None or champion.recipe.deterministic:
        return None
    reason = "trained with other seeds, it differs by the luck of seeds alone"
    return Proposal(champion.name, {}, "", "the score does not rest on its seeds", reason, None, "LOW", "control", "")


def _urgency(history: History) -> Callable[[Candidate], tuple[bool, int, float]]:
    """A person's proposals first, then by priority, then by what is expected."""

    def key(candidate: Candidate) -> tuple[bool, int, float]:
        proposal = candidate.proposal
        gain = history.sign * proposal.expected.mean if proposal.expected else 0.0
        return (proposal.proposer != PERSON, PRIORITIES.index(proposal.priority), gain)

    return key


def _unlike(chosen: Sequence[Candidate], left: Sequence[Candidate]) -> Candidate:
    """Of the most urgent candidates one in a part of the recipe that no slot changes yet; a person's before all."""
    first = left[0].proposal
    if first.proposer == PERSON:
        return left[0]
    changed = {part(c.family) for c in chosen}
    equal = (c for c in left if c.proposal.priority == first.priority)
    return next((c for c in equal if part(c.family) not in changed), left[0])


def _of_parent(left: Sequence[Candidate], parents: Sequence[str]) -> Candidate | None:
    """The most urgent candidate of the first parent that has one."""
    for parent in parents:
        for candidate in left:
            if candidate.proposal.parent == parent:
                return candidate
    return None
