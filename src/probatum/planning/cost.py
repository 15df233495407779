"""What an experiment is going to cost, guessed from its parent's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum.campaigns.experiment import Experiment
from probatum.campaigns.recipe import Recipe
from probatum.planning.proposal import History

LENGTHS = ("epochs", "n_estimators", "steps")
"""Parameters that training time is proportional to."""


def estimated_seconds(experiment: Experiment, history: History) -> float | None:
    """Seconds that one fit may take: the parent's times what the change multiplies; None where nothing is known.

    A network's time grows with its epochs and with the members of its ensemble, and fits that train at once share it,
    so this is a guess for budgets, not a figure to show. Another kind of model, or a blend, is guessed at the mean of
    all experiments of that kind, else of all.

    Args:
        experiment: of a proposal.
        history: that knows what others took.
    """
    parent = history.by_name.get(experiment.parent or "")
    took = history.seconds.get(experiment.parent or "")
    if parent is None or took is None or parent.recipe.kind != experiment.recipe.kind:
        same = [history.seconds[e.name] for e in history.experiments if _alike(e, experiment, history.seconds)]
        known = same or list(history.seconds.values())
        return sum(known) / len(known) if known else None
    return took * _length(experiment.recipe) / _length(parent.recipe)


def _alike(one: Experiment, other: Experiment, seconds: Mapping[str, float]) -> bool:
    return one.recipe.kind == other.recipe.kind and one.name in seconds


def _length(recipe: Recipe) -> float:
    length = float(recipe.ensemble.members)
    for name in LENGTHS:
        value: Any = recipe.parameters.get(name)
        if isinstance(value, int | float) and value > 0:
            length *= value
    return length
