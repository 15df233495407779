"""Prescriptions: what was found, and what is tried for it. The table stands in `prescriptions.toml`.

A problem may bring lines of its own, in a `prescriptions.toml` beside the module that its class stands in. Priorities
are the table's until the campaign knows better: a step that is expected to help goes first, one that is not goes last.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from scipy import stats

from probatum.audit.catalogue import CHECKS
from probatum.campaigns.experiment import Experiment
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.planning.candidates import checked
from probatum.planning.edits import edits
from probatum.planning.families import LEVEL, expected, part
from probatum.planning.matrix import Pattern, patterns
from probatum.planning.proposal import PRIORITIES, Expected, History, Priority, Proposal
from probatum.planning.tree import ranked
from probatum.problems.problem import Problem

FILE = "prescriptions.toml"
ALWAYS, SEEDS = "always", "high seed variance"
PATTERNS = ("one bad target", "bad groups", "all groups alike", SEEDS, ALWAYS)
"""What a line may answer, beside the codes of findings."""
LIKELY = 0.75
"""A step that helps with this probability is HIGH, one that harms with it LOW."""
MEAN = "mean"
"""A kind of model that has nothing to be changed."""
PARENTS = 4
"""Parents that proposals are made for."""


@dataclass(frozen=True)
class Prescription:
    """One line of the table.

    Attributes:
        cause: code of a finding, or one of `PATTERNS`.
        edit: what is done, as `probatum.planning.edits` reads it.
        priority: until the campaign knows better.
        reason: why it should help.
    """

    cause: str
    edit: Mapping[str, Any]
    priority: Priority
    reason: str


@dataclass(frozen=True)
class Cause:
    """Something about an experiment that calls for a prescription.

    Attributes:
        name: code or pattern.
        text: one line with the figures.
        pattern: of the matrix, where it is one.
    """

    name: str
    text: str
    pattern: Pattern | None = None


class Prescriber:
    """Proposes what the table prescribes for the best parents of the tree.

    Args:
        parents: how many of them.
    """

    name = "prescriptions"

    def __init__(self, parents: int = PARENTS):
        self._parents = parents

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """The most urgent for each parent first; k for each parent, so that every slot finds one of its own, and the
        first for each part of the recipe, so that a slot that explores does."""
        found: list[Proposal] = []
        seen: set[str] = set()
        nodes = [n for n in ranked(history) if history.by_name[n.name].recipe.kind != MEAN]
        for node in nodes[: self._parents]:
            own, parts = 0, set[str]()
            for proposal in prescribed(history, history.by_name[node.name]):
                candidate = checked(proposal, history)
                digest, changes = candidate.experiment.recipe.digest(), part(candidate.family)
                if (own < k or changes not in parts) and digest not in seen:  # two parents may lead to one recipe
                    own += 1
                    parts.add(changes)
                    seen.add(digest)
                    found.append(proposal)
        return sorted(found, key=lambda p: PRIORITIES.index(p.priority))


def prescribed(history: History, parent: Experiment) -> list[Proposal]:
    """Everything that is prescribed for one parent and can be tried, the most urgent first; no recipe twice.

    Args:
        history: of the campaign.
        parent: an experiment of it.
    """
    lines = prescriptions(history.problem)
    found: dict[str, Proposal] = {}
    changed: dict[str, str] = {}
    for cause in causes(history, parent):
        for line in lines:
            if line.cause != cause.name:
                continue
            for proposal in _proposals(line, cause, parent, history):
                try:
                    candidate = checked(proposal, history)
                except (CampaignFileError, UnknownNameError):
                    continue  # an edit that does not fit this recipe
                known = expected(candidate.family, history.effects)
                urgent = replace(proposal, expected=known, priority=learned(proposal.priority, known, history.sign))
                digest = candidate.experiment.recipe.digest()
                if digest not in found or _urgency(urgent) < _urgency(found[digest]):
                    found[digest] = urgent
                    changed[digest] = candidate.family.partition(" ")[0]
    order = sorted(found, key=lambda digest: _urgency(found[digest]))
    turns: Counter[tuple[object, ...]] = Counter()
    turn = {}
    for digest in order:  # of equal urgency, one for each part of the recipe, then a second one for each
        part = (*_urgency(found[digest]), changed[digest])
        turn[digest] = turns[part]
        turns[part] += 1
    return [found[d] for d in sorted(order, key=lambda d: (*_urgency(found[d]), turn[d]))]


def causes(history: History, parent: Experiment) -> list[Cause]:
    """What calls for something: findings against an experiment, patterns of its matrix, its seeds, and 'always'.

    Args:
        history: of the campaign.
        parent: an experiment of it.
    """
    found = [Cause(f.code, f.message) for f in history.findings if f.subject == parent.name and f.ignored is None]
    matrix = history.matrices.get(parent.name)
    if matrix is not None:
        found += [Cause(p.kind, p.text, p) for p in patterns(matrix, history.better)]
    standing = history.standings.get(parent.name)
    if standing is not None and standing.seed_spread and standing.error and standing.seed_spread > standing.error:
        spread = f"the score varies by {standing.seed_spread:.2g} from seed to seed, by {standing.error:.2g} over folds"
        found.append(Cause(SEEDS, spread))
    return [*found, Cause(ALWAYS, "")]


def learned(priority: Priority, known: Expected | None, sign: int) -> Priority:
    """A priority after what the campaign has seen of the same kind of step.

    Args:
        priority: the table's.
        known: what is expected of it; None leaves the table's.
        sign: 1 where a lower score is better, else -1.
    """
    if known is None:
        return priority
    sd = (known.interval[1] - known.interval[0]) / (2 * float(stats.norm.ppf(0.5 + LEVEL / 2)))
    if sd == 0:
        return priority if known.mean == 0 else "HIGH" if sign * known.mean < 0 else "LOW"
    helps = float(stats.norm.cdf(-sign * known.mean / sd))
    return "HIGH" if helps >= LIKELY else "LOW" if helps <= 1 - LIKELY else priority


def for_a_person(history: History) -> list[tuple[str, str]]:
    """(code, what to do) of findings that no recipe cures, each code once.

    Args:
        history: of the campaign.
    """
    table = _read(Path(__file__).with_name(FILE))["person"]
    codes = dict.fromkeys(f.code for f in history.findings if f.ignored is None and f.severity != "note")
    return [(code, f"{table[code]}; {CHECKS[code].remedy}") for code in codes if code in table]


def prescriptions(problem: Problem | None = None) -> tuple[Prescription, ...]:
    """The table, after the lines that a problem brings.

    Args:
        problem: of the campaign; None gives the table alone.

    Raises:
        CampaignFileError: a line that cannot be, naming it.
    """
    files = [Path(__file__).with_name(FILE)]
    source = None if problem is None else _source(problem)
    if source is not None and source.with_name(FILE).is_file():
        files.insert(0, source.with_name(FILE))
    return tuple(_line(entry, file, i) for file in files for i, entry in enumerate(_read(file)["prescription"]))


def _source(problem: Problem) -> Path | None:
    try:
        found = inspect.getsourcefile(type(problem))
    except TypeError:  # defined where there is no file
        return None
    return Path(found) if found else None


@lru_cache(maxsize=16)
def _read(file: Path) -> Mapping[str, Any]:
    try:
        return read_toml(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise CampaignFileError(f"no valid TOML: {error}", where=str(file)) from None


def _line(entry: Mapping[str, Any], file: Path, number: int) -> Prescription:
    cause = entry.get("for")
    if cause not in CHECKS and cause not in PATTERNS:
        where = f"{file.name}, prescription {number + 1}"
        raise CampaignFileError(f"for = {cause!r} is no finding or pattern", where=where, remedy="correct the code")
    return Prescription(cause, entry["edit"], entry.get("priority", "MEDIUM"), entry["reason"])


def _proposals(line: Prescription, cause: Cause, parent: Experiment, history: History) -> Iterator[Proposal]:
    edit = dict(line.edit)
    matrix = history.matrices.get(parent.name)
    if cause.pattern is not None and matrix is not None and cause.pattern.task is not None:
        edit.setdefault("grouping", matrix.groupings.get(cause.pattern.task))
    reason = f"{cause.name}: {cause.text}; {line.reason}" if cause.text else line.reason
    for mutation in edits(edit, parent, history, cause.pattern):
        yield Proposal(parent.name, mutation, hypothesis=line.reason, reason=reason, priority=line.priority)


def _urgency(proposal: Proposal) -> tuple[int, bool]:
    """What sorts first: priority, then what a finding or pattern called for."""
    return PRIORITIES.index(proposal.priority), proposal.reason == proposal.hypothesis
