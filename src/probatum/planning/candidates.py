"""Proposals become candidates: each is checked, and whoever proposes what cannot be tried is named, not obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from probatum.audit.configuration import attributable
from probatum.campaigns.experiment import Change, Experiment
from probatum.campaigns.experiment_tables import OWN_KEYS, child_of
from probatum.campaigns.recipe import BLEND, Recipe
from probatum.campaigns.recipe_book import recipe_book
from probatum.errors import CampaignFileError, ProbatumError, UnknownNameError
from probatum.planning.cost import estimated_seconds
from probatum.planning.families import family
from probatum.planning.proposal import PRIORITIES, SLOTS, History, Proposal, Proposer

PERSON = "person"
"""The proposer of a file, who means what it says."""
LABEL = 60
"""Most characters of a name that is made from a mutation."""


@dataclass(frozen=True)
class Candidate:
    """A proposal that can be tried.

    Attributes:
        proposal: as it was made; a round fills in its name and slot.
        experiment: that it describes.
        family: of its mutation.
    """

    proposal: Proposal
    experiment: Experiment
    family: str


@dataclass(frozen=True)
class Dropped:
    """What a proposer said that cannot be tried.

    Attributes:
        proposer: who.
        name: of the proposal; '' where there is none.
        why: one line.
    """

    proposer: str
    name: str
    why: str


def collected(proposers: Iterable[Proposer], history: History, k: int) -> tuple[list[Candidate], list[Dropped]]:
    """Asks every proposer for k proposals and checks what they say.

    A proposer that raises, or says what is no proposal, is reported, and the others go on. Ctrl-C goes through.

    Args:
        proposers: in the order in which they are asked; of two equal recipes the first is kept.
        history: that all of them see.
        k: proposals that each is asked for.
    """
    found: list[Candidate] = []
    dropped: list[Dropped] = []
    for proposer in proposers:
        who = str(getattr(proposer, "name", type(proposer).__name__))
        try:
            said: list[object] = list(proposer.propose(history, k))
        except Exception as error:  # somebody else's code, which may fail in any way
            why = str(error) if isinstance(error, ProbatumError) else f"{type(error).__name__}: {error}"
            dropped.append(Dropped(who, "", f"it raised {why}" if not isinstance(error, ProbatumError) else why))
            continue
        for one in said:
            if not isinstance(one, Proposal):
                dropped.append(Dropped(who, "", f"{type(one).__name__} is no Proposal"))
                continue
            one = replace(one, proposer=one.proposer or who)
            try:
                own = [c for c in found if c.proposal.proposer == one.proposer or c.proposal.name == one.name != ""]
                candidate = checked(one, history, own)
                if all(candidate.experiment.recipe != c.experiment.recipe for c in found):
                    found.append(candidate)  # else another proposer said it before, which is no fault
            except ProbatumError as error:
                dropped.append(Dropped(who, one.name, str(error)))
            except Exception as error:  # an edit of no form at all
                dropped.append(Dropped(who, one.name, f"cannot be read: {type(error).__name__}: {error}"))
    return found, dropped


def checked(proposal: Proposal, history: History, others: Sequence[Candidate] = ()) -> Candidate:
    """A proposal that reads as an edit of its parent, changes one thing, is new, and can be trained.

    Args:
        proposal: of anybody.
        history: that it is for.
        others: candidates that are there already.

    Raises:
        CampaignFileError, UnknownNameError: what is wrong with it, and what to do.
    """
    who = f"proposal '{proposal.name}'" if proposal.name else "a proposal"
    where = f"{who} of {proposal.proposer}" if proposal.proposer else who
    known = history.by_name
    if proposal.parent not in known:
        raise UnknownNameError.of("parent", str(proposal.parent), known, where=where)
    if proposal.priority not in PRIORITIES:
        raise UnknownNameError.of("priority", str(proposal.priority), PRIORITIES, where=where)
    if proposal.slot is not None and proposal.slot not in SLOTS:
        raise UnknownNameError.of("slot", str(proposal.slot), SLOTS, where=where)
    if not isinstance(proposal.mutation, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  of anybody
        what = f"its mutation is {type(proposal.mutation).__name__}"
        raise CampaignFileError(what, where=where, remedy="give the keys that an [[experiment]] table would have")
    for key in proposal.mutation:
        if key in OWN_KEYS and key != "recipe":
            raise CampaignFileError(f"its mutation sets '{key}'", where=where, remedy="say it as the proposal's own")
    entry = {"name": proposal.name or "unnamed", "parent": proposal.parent, **proposal.mutation}
    if proposal.hypothesis:
        entry["hypothesis"] = proposal.hypothesis
    named_recipes = _named_recipes(history) if "recipe" in entry else {}
    experiment = child_of(entry, known, history.problem, where, named_recipes)
    one_change(experiment, where)
    _new(experiment, proposal, history, others, where)
    _possible(experiment, history, where)
    kind = family(experiment.mutation) if experiment.mutation else None
    assert kind is not None  # one change has a family
    return Candidate(proposal, experiment, kind)


def numbered(candidates: Sequence[Candidate], history: History) -> list[Candidate]:
    """The same with names: a number that grows with the tree, as the node ids of a log, and what changed.

    Args:
        candidates: of a round; those that have a name keep it.
        history: that they are for.
    """
    taken = {e.name for e in history.experiments} | {c.proposal.name for c in candidates}
    number, found = len(history.experiments), []
    for candidate in candidates:
        number += 1
        name = candidate.proposal.name
        while not name or (name in taken and not candidate.proposal.name):
            name = f"{number} {_label(candidate.experiment)}"
            number += name in taken
        proposal, experiment = replace(candidate.proposal, name=name), replace(candidate.experiment, name=name)
        found.append(Candidate(proposal, experiment, candidate.family))
        taken.add(name)
    return found


def one_change(experiment: Experiment, where: str) -> None:
    """Refuses what changes nothing, or several things at once: no effect could be attributed.

    Another kind of model, soup or schedule counts once with its parameters, and with features that are its own; so does
    becoming a blend. Of a list of names, one name may be added, taken away, or put in the place of another.

    Raises:
        CampaignFileError.
    """
    changes = {c.path: c for c in (experiment.mutation.chosen if experiment.mutation else ())}
    paths = attributable(changes)
    if not paths:
        raise CampaignFileError("it changes nothing", where=where, remedy=f"it is '{experiment.parent}' itself")
    names = sum(_names_changed(changes[p]) for p in paths)
    if names > 1:
        shown = "; ".join(str(changes[p]) for p in paths[:4]) + ("; ..." if len(paths) > 4 else "")
        what = f"{names} changes at once ({shown})"
        raise CampaignFileError(what, where=where, remedy="propose each of them alone")


def _names_changed(change: Change) -> int:
    return max(map(len, change.of_names)) if change.of_names else 1


def _new(experiment: Experiment, proposal: Proposal, history: History, others: Sequence[Candidate], where: str) -> None:
    digest = experiment.recipe.digest()
    if digest in history.by_digest:
        what = f"its recipe is that of '{history.by_digest[digest]}'"
        raise CampaignFileError(what, where=where, remedy="propose something new")
    if digest in history.given_up and proposal.proposer != PERSON:  # a person may insist
        what = "an earlier round's race took its recipe away"
        raise CampaignFileError(what, where=where, remedy="propose something new")
    for other in others:
        if other.experiment.recipe.digest() == digest:
            named = f" '{other.proposal.name}'" if other.proposal.name else ""
            what = f"its recipe is that of proposal{named} of {other.proposal.proposer}"
            raise CampaignFileError(what, where=where, remedy="propose something new")
        if proposal.name and other.proposal.name == proposal.name:
            raise CampaignFileError("another proposal has this name", where=where, remedy="give it another name")


def _possible(experiment: Experiment, history: History, where: str) -> None:
    """Whether it may be trained, and can be: what the recipe's own check, which knows no data, cannot say."""
    recipe = experiment.recipe
    changed = [c.path for c in (experiment.mutation.changes if experiment.mutation else ())]
    for part in history.fixed:
        if any(f"{path}.".startswith(f"{part}.") for path in changed):
            what = f"it changes {part}, which [planning] fixes"
            raise CampaignFileError(what, where=where, remedy="leave it as it is, or take it out of planning.fixed")
    weights = recipe.parameters.get("target_weights")
    if history.quantities and weights is not None and len(weights) != len(history.quantities):
        what = f"target_weights has {len(weights)} numbers, and {len(history.quantities)} quantities are predicted"
        raise CampaignFileError(what, where=where, remedy=f"give one for each of {', '.join(history.quantities)}")
    seconds = estimated_seconds(experiment, history)
    if seconds is not None and seconds > history.limit:
        what = f"one fit would take about {seconds:.0f} s, and the limit is {history.limit:.0f} s"
        raise CampaignFileError(what, where=where, remedy="make it smaller, or raise run.limit")


def _label(experiment: Experiment) -> str:
    changes = {c.path: c for c in (experiment.mutation.chosen if experiment.mutation else ())}
    change = changes[attributable(changes)[0]]
    if change.path == "components" or change.after == BLEND:
        return ("blend of " + " and ".join(_short(c.kind) for c in experiment.recipe.components))[:LABEL]
    if change.path == "model.kind":
        return _short(str(change.after))
    if change.of_names:
        added, removed = change.of_names
        return " ".join([*(f"+{n}" for n in added), *(f"-{n}" for n in removed)])[:LABEL]
    path = change.path.partition(".")[2] or change.path
    after = (
        "none" if change.after is None else f"{change.after:.3g}" if isinstance(change.after, float) else change.after
    )
    return f"{path} {after}"[:LABEL]


def _short(kind: str) -> str:
    """A model's name without the module of an import path."""
    return kind.rpartition(":")[2]


def _named_recipes(history: History) -> Mapping[str, Recipe]:
    return {name: one.recipe for name, one in recipe_book(history.problem).items()}
