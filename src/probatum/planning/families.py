"""Families of mutations: steps of one kind, whatever the numbers, so that what was seen elsewhere can be learned from.

'weight decay .1 -> .3' and '.01 -> .03' are one family, 'training.weight_decay up'. A family's effect is pooled over
all parent-child pairs of the tree that differ by one step of it (`probatum.evidence.effects`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from probatum.audit.configuration import attributable
from probatum.campaigns.experiment import Change, Experiment, Mutation
from probatum.evidence.effects import Effect, effects_of
from probatum.evidence.scores import ArmScores
from probatum.planning.proposal import Expected

LEVEL = 0.9


def family(mutation: Mutation) -> str | None:
    """What kind of step a mutation is; None for none, or for several at once.

    Args:
        mutation: of an experiment.
    """
    changes = {c.path: c for c in mutation.chosen}
    paths = attributable(changes)
    return _of_change(changes[paths[0]]) if len(paths) == 1 else None


def part(name: str) -> str:
    """The part of the recipe that a family changes: 'model.kind', or the section: 'features', 'training', 'model',
    'ensemble', 'components'. Steps in one part say little of what those in another do.

    Args:
        name: of the family.
    """
    path = name.partition(" ")[0]
    return path if path == "model.kind" else path.partition(".")[0]


def family_pairs(experiments: Sequence[Experiment], scored: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Family to the (parent, child) pairs that differ by one step of it, no pair of recipes twice.

    Args:
        experiments: of the tree.
        scored: names that have a score.
    """
    by_name = {e.name: e for e in experiments}
    found: dict[str, list[tuple[str, str]]] = {}
    seen: set[frozenset[str]] = set()
    for child in experiments:
        parent = by_name.get(child.parent or "")
        if parent is None or child.mutation is None or not {child.name, parent.name} <= scored.keys():
            continue
        both = frozenset((parent.recipe.digest(), child.recipe.digest()))
        name = family(child.mutation)
        if name is not None and both not in seen:
            seen.add(both)
            found.setdefault(name, []).append((parent.name, child.name))
    return found


def family_effects(
    experiments: Sequence[Experiment],
    arms: Mapping[str, ArmScores],
    *,
    splits: str,
    margin: float,
    alpha: float,
) -> tuple[Effect, ...]:
    """What the families of a tree do; the `mutation` of an effect is the family.

    Args:
        experiments: of the tree.
        arms: name to scores, of those that have some.
        splits, margin, alpha: the protocol's.
    """
    pairs = {
        name: [(arms[parent], arms[child]) for parent, child in names]
        for name, names in family_pairs(experiments, arms).items()
    }
    return tuple(effects_of(pairs, splits=splits, margin=margin, alpha=alpha))


def expected(name: str | None, effects: Sequence[Effect]) -> Expected | None:
    """What one more step of a family is expected to do: drawn back to what mutations do in general, where it was
    seldom seen.

    Effects of families scatter around a mean mu with variance tau2. A family of mean m and error e is expected at
    mu + tau2 / (tau2 + e^2) (m - mu), and one more pair at that with variance tau2 e^2 / (tau2 + e^2) + t2, with t2
    the family's own variance over parents (the normal-normal model; Gelman and others, Bayesian Data Analysis, 2013,
    section 5.4).

    Args:
        name: of the family.
        effects: of all families.

    Returns:
        None where the family was never seen, or its error is not known.
    """
    known = [e for e in effects if e.error is not None and e.error > 0]
    mine = next((e for e in known if e.mutation == name), None)
    if mine is None or mine.error is None:
        return None
    mu, tau2 = prior_of_families(known)
    error2 = mine.error**2
    share = tau2 / (tau2 + error2)
    mean = mu + share * (mine.mean - mu)
    spread = float(np.sqrt(share * error2 + mine.tau2))
    half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * spread
    return Expected(mean, (mean - half, mean + half), len(mine.pairs))


def prior_of_families(effects: Sequence[Effect]) -> tuple[float, float]:
    """(mean, variance) of the true effects of families, by the method of moments.

    Args:
        effects: of families with an error.
    """
    means = np.array([e.mean for e in effects if e.error])
    variances = np.array([e.error**2 for e in effects if e.error])
    if len(means) == 0:
        return 0.0, 0.0
    weights = 1 / variances
    centre = float(np.average(means, weights=weights))
    if len(means) == 1:  # nothing to learn a spread from: the effect itself is the only hint at its size
        return 0.0, float(means[0] ** 2)
    q = float(weights @ (means - centre) ** 2)
    curvature = float(weights.sum() - (weights**2).sum() / weights.sum())
    if curvature <= 0:  # one effect is known so exactly that the others weigh nothing beside it
        return centre, 0.0
    tau2 = max(0.0, (q - (len(means) - 1)) / curvature)
    return float(np.average(means, weights=1 / (variances + tau2))), tau2


def _of_change(change: Change) -> str:
    if change.of_names:
        added, removed = change.of_names
        return " ".join([change.path, *(f"+{n}" for n in added), *(f"-{n}" for n in removed)])
    before, after = _size(change.before), _size(change.after)
    if before is not None and after is not None and before != after:
        return f"{change.path} {'up' if after > before else 'down'}"
    if change.path == "components":
        return "components"
    return f"{change.path} -> {'none' if change.after is None else change.after}"


def _size(value: Any) -> float | None:
    """How large a number or a list of numbers is; None for what has no size."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list | tuple) and value and all(_size(v) is not None for v in value):
        return float(sum(abs(v) for v in value))
    return None
