"""What a fit sees: features as columns, a member's share of the columns, and how much each row counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from probatum.campaigns.recipe import Recipe
from probatum.errors import DataError, UnknownNameError
from probatum.problems.problem import Dataset, Problem

SUBSPACE = 5
"""Sets the stream that draws a member's columns apart from its other random numbers."""


def inputs_of(problem: Problem, dataset: Dataset, features: Sequence[str]) -> np.ndarray:
    """[case, column] float64: features side by side.

    Raises:
        DataError: a feature that is not finite, naming the case.
    """
    return np.concatenate(list(feature_blocks(problem, dataset, features).values()), axis=1)


def feature_blocks(problem: Problem, dataset: Dataset, features: Sequence[str]) -> dict[str, np.ndarray]:
    """Name to [case, column] float64 of each feature.

    Raises:
        DataError: a feature that is not finite, naming the case.
    """
    blocks = {}
    for name in features:
        block = np.asarray(problem.features[name].compute(dataset), dtype=np.float64)
        block = block.reshape(len(dataset), -1)
        if not np.isfinite(block).all():
            case = dataset.cases[np.flatnonzero(~np.isfinite(block).all(axis=1))[0]]
            raise DataError(
                f"feature '{name}' is not finite for case '{case}'", where=f"{dataset.problem}/{dataset.task}"
            )
        blocks[name] = block
    return blocks


def member_columns(recipe: Recipe, widths: Mapping[str, int], seed: int) -> np.ndarray | None:
    """[column] bool: which columns a member of the ensemble with this seed sees; None for all.

    Args:
        recipe: whose ensemble it is.
        widths: feature to its number of columns, in the order of the recipe.
        seed: of the member.
    """
    ensemble = recipe.ensemble
    if ensemble.subspace is None:
        return None
    always = np.repeat([name in ensemble.always for name in widths], list(widths.values()))
    drawn_from = np.flatnonzero(~always)
    count = max(1, round(ensemble.subspace * len(drawn_from)))
    seen = always.copy()
    seen[np.random.default_rng([seed, SUBSPACE]).choice(drawn_from, count, replace=False)] = True
    return seen


def row_weights(recipe: Recipe, dataset: Dataset, rows: np.ndarray) -> np.ndarray | None:
    """[row], how much each training row counts by a recipe's `repeats` and `group_weights`; None weighs them the same.

    Args:
        recipe: of the fit.
        dataset: whose cases are trained on.
        rows: [row] int, of these cases.

    Raises:
        UnknownNameError: a grouping that the dataset does not have.
        DataError: a grouping none of whose groups is named.
    """
    weights = sample_weights(dataset, rows) if recipe.repeats == "as one" else None
    for grouping, of_label in recipe.group_weights.items():
        if not of_label:  # a child's way of taking its parent's weights back
            continue
        where = f"group_weights of {dataset.problem}/{dataset.task}"
        if grouping not in dataset.groups:
            raise UnknownNameError.of("grouping", grouping, dataset.groups, where=where)
        labels, place = np.unique(dataset.groups[grouping], return_inverse=True)
        if not set(of_label) & set(labels.tolist()):
            known = ", ".join(labels[:10].tolist())
            raise DataError(f"no group of '{grouping}' is named", where=where, remedy=f"its groups: {known}")
        counts = np.array([of_label.get(label, 1.0) for label in labels.tolist()])[place.ravel()[rows]]
        weights = counts if weights is None else weights * counts
    return weights


def sample_weights(dataset: Dataset, rows: np.ndarray) -> np.ndarray | None:
    """[row] of sum 1 over the repeated measurements of each sample; None where nothing was repeated."""
    if dataset.replicates is None:
        return None
    _, sample, counts = np.unique(dataset.replicates[rows], return_inverse=True, return_counts=True)
    return 1 / counts[sample.ravel()]
