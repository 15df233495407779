"""Groups of foreign runs as experiments: their names, the baseline, and what changed from their parents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from probatum.campaigns.experiment import Mutation
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.campaigns.ledgers.recorded_ledger import RecordedLedger
from probatum.campaigns.recipe import Recipe
from probatum.errors import DataError, UnknownNameError
from probatum.interop.grouping import Group, clean_name

MOST_CHANGES = 12
"""Changes that a mutation's text lists; runs of a search may differ in hundreds of parameters."""


def names_of(groups: Sequence[Group], ledger: RecordedLedger) -> dict[str, str]:
    """Identity of a group to its experiment's name: that of an earlier import, or a new one that nobody has.

    Args:
        groups: of runs, one for each experiment.
        ledger: with what was imported before.
    """
    known: dict[str, str] = {}
    for record in ledger.experiments():
        known.setdefault(f"parameters {record.digest}", record.name)
        known.setdefault(f"name {record.name}", record.name)
    taken, found = {record.name for record in ledger.experiments()}, {}
    for group in groups:
        name = known.get(group.identity)
        if name is None:
            name = wanted = clean_name(group.name)
            count = 1
            while name in taken:
                count += 1
                name = f"{wanted} ({count})"
        taken.add(name)
        found[group.identity] = name
    return found


def baseline_of(groups: Sequence[Group], names: Mapping[str, str], wanted: str | None, where: str) -> str:
    """The experiment that was chosen, that a table marks, or that has the most repeats.

    Args:
        groups: of runs, one for each experiment.
        names: identity to name, from `names_of`.
        wanted: name of the one that was chosen; None where nobody chose.
        where: the source, for errors.

    Raises:
        UnknownNameError: a chosen one that is not there.
        DataError: no run has finished.
    """
    finished = [g for g in groups if any(r.score is not None for r in g.repeats)]
    if wanted is not None:
        if wanted not in names.values():
            raise UnknownNameError.of("experiment", wanted, names.values(), where=where)
        return wanted
    if not finished:
        raise DataError("no run has finished with the metric", where=where, remedy="import again when one has")
    marked = next((g for g in finished if any(r.run.marks.get("baseline") for r in g.repeats)), None)
    most = marked or max(finished, key=_finite_repeats)
    return names[most.identity]


def _finite_repeats(group: Group) -> tuple[bool, int]:
    """Whether all repeats have a score that is finite, and how many do."""
    finite = sum(r.score is not None and math.isfinite(r.score) for r in group.repeats)
    return finite == len(group.repeats), finite


def record_of(group: Group, names: Mapping[str, str], recipes: Mapping[str, Recipe], baseline: str) -> ExperimentRecord:
    """A group as an experiment; its mutation is the difference from its parent, or from the baseline without one.

    Args:
        group: of repeats.
        names: identity to name, from `names_of`.
        recipes: name to recipe, of this import and of earlier ones.
        baseline: name.
    """
    name = names[group.identity]
    parent = names[group.parent] if group.parent is not None else baseline
    recipe = recipes[name]
    mutation = None
    if parent == name or parent not in recipes:
        parent = None
    else:
        changes = Mutation.between(recipes[parent], recipe).changes
        shown = "; ".join(map(str, changes[:MOST_CHANGES])) or "nothing"
        more = len(changes) - MOST_CHANGES
        mutation = f"{shown}; and {more} more" if more > 0 else shown
    return ExperimentRecord(name, recipe.canonical(), recipe.digest(), parent, mutation, group.hypothesis)
