"""Which pairs of experiments differ by one mutation alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from probatum.campaigns.experiment import Mutation
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.campaigns.recipe import Recipe


def mutation_pairs(records: Sequence[ExperimentRecord]) -> dict[str, list[tuple[str, str]]]:
    """Every mutation of the tree with the (parent, child) pairs that differ by exactly it.

    Two experiments of equal recipes are one experiment, so no pair of recipes counts twice. A step back counts as the
    step, its parent and child exchanged. So no two pairs of a mutation share an experiment.

    Args:
        records: of the ledger; those that are not finished are left out.
    """
    finished = {r.name: r for r in records if r.status == "done"}
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    seen: set[frozenset[str]] = set()
    for child in finished.values():
        parent = finished.get(child.parent or "")
        if parent is None or frozenset((parent.digest, child.digest)) in seen:
            continue
        mutation = Mutation.between(Recipe.model_validate(parent.recipe), Recipe.model_validate(child.recipe))
        if not mutation.changes:
            continue
        seen.add(frozenset((parent.digest, child.digest)))
        pair = (parent.name, child.name)
        if mutation.inverse.key in found:
            mutation, pair = mutation.inverse, (child.name, parent.name)
        found.setdefault(mutation.key, (str(mutation), []))[1].append(pair)
    texts = Counter(text for text, _ in found.values())
    return {
        text if texts[text] == 1 else f"{text} ({pairs[0][0]} -> {pairs[0][1]})": pairs  # long values, cut short
        for text, pairs in found.values()
    }
