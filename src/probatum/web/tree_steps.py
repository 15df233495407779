"""The tree of experiments as a page writes it: one step after the other, however deep it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from probatum.campaigns.ledgers.ledger import ExperimentRecord

DEEPEST = 24
"""Generations on one page; deeper ones have a page of their own. Browsers cut what is nested hundreds deep."""
MOST = 250
"""Experiments on one page, the first generations first; the others come when their branch is opened."""


@dataclass(frozen=True)
class Step:
    """One step of writing nested lists.

    Attributes:
        what: 'node' begins an experiment, 'open' the list of those made from it, 'shut' ends that list, 'end' the
            experiment; 'more' stands for a branch that is left out.
        record: of the experiment; None where a list or an experiment ends.
        below: experiments under it, in all generations.
        children: those made from it.
    """

    what: Literal["node", "open", "shut", "end", "more"]
    record: ExperimentRecord | None = None
    below: int = 0
    children: int = 0


def steps(
    roots: Sequence[ExperimentRecord], children: Mapping[str | None, Sequence[ExperimentRecord]]
) -> Iterator[Step]:
    """The steps that write these experiments and all below them.

    Args:
        roots: experiments to begin with.
        children: name to the experiments that were made from it.
    """
    below, unfolded = _counts(children), _unfolded(roots, children)
    waiting = [Step("node", r) for r in reversed(roots)]
    while waiting:
        step = waiting.pop()
        if step.what != "node" or step.record is None:
            yield step
            continue
        name = step.record.name
        own = children.get(name, ())
        yield Step("node", step.record, below.get(name, 0), len(own))
        waiting.append(Step("end"))
        if name in unfolded:
            waiting.append(Step("shut"))
            waiting.extend(Step("node", child) for child in reversed(own))
            waiting.append(Step("open", step.record, below[name], len(own)))
        elif own:
            waiting.append(Step("more", step.record, below[name], len(own)))


def _unfolded(roots: Sequence[ExperimentRecord], children: Mapping[str | None, Sequence[ExperimentRecord]]) -> set[str]:
    """Names of the experiments whose children stand on the page: generation by generation, as long as they fit."""
    found: set[str] = set()
    shown, generation = len(roots), list(roots)
    for _ in range(DEEPEST):
        following: list[ExperimentRecord] = []
        for r in generation:
            own = children.get(r.name, ())
            if own and shown + len(own) <= MOST:
                found.add(r.name)
                shown += len(own)
                following += own
        generation = following
    return found


def _counts(children: Mapping[str | None, Sequence[ExperimentRecord]]) -> dict[str, int]:
    """Name to the number of experiments below it."""
    order: list[tuple[str | None, str]] = []
    waiting: list[tuple[str | None, ExperimentRecord]] = [(None, r) for r in children.get(None, ())]
    while waiting:
        parent, record = waiting.pop()
        order.append((parent, record.name))
        waiting.extend((record.name, child) for child in children.get(record.name, ()))
    counts = {name: 0 for _, name in order}
    for parent, name in reversed(order):
        if parent is not None:
            counts[parent] += counts[name] + 1
    return counts
