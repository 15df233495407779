"""Promotion: a round's experiments against the champion, with the round's share of alpha."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum.audit.finding import Finding
from probatum.campaigns.recipe import Recipe
from probatum.evidence.comparison import compare
from probatum.evidence.rounds import spent
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict

SIZES = ("hidden", "widths", "n_estimators", "num_leaves", "max_depth", "epochs")
"""Parameters of which less is simpler."""


@dataclass(frozen=True)
class Promotion:
    """What a round's comparison with the champion came to.

    Attributes:
        champion: after the round.
        promoted: whether it is a new one.
        why: one line.
        verdicts: of the round's experiments against the champion before it.
        alpha: that the round spent.
        blocked: name to the errors that stand against it, of those that would have been promoted.
    """

    champion: str
    promoted: bool
    why: str
    verdicts: tuple[Verdict, ...]
    alpha: float
    blocked: Mapping[str, tuple[Finding, ...]]


def promotion(
    champion: ArmScores,
    candidates: Sequence[ArmScores],
    *,
    splits: str,
    margin: float,
    alpha: float,
    round: int,
    simpler: Callable[[str], bool] = lambda _: False,
    errors: Callable[[str], tuple[Finding, ...]] = lambda _: (),
) -> Promotion:
    """Promotes the best candidate that is better than the champion, or else one that is equivalent and simpler.

    All verdicts of a round are adjusted together (Holm), at the round's share of alpha (`rounds.spent`), so that over
    any number of rounds the chance of promoting what is not better is at most alpha. An equivalent one has to be so
    within the margin, by two one-sided tests at the same share. What an error of the audit stands against is promoted
    in neither way.

    Args:
        champion: before the round.
        candidates: the round's experiments that have predictions, scored alike.
        splits, margin, alpha: the protocol's.
        round: its number, from 1.
        simpler: whether a candidate is simpler than the champion.
        errors: of the audit, against a candidate.

    Raises:
        IncomparableError: arms that were not scored alike.
    """
    share = spent(alpha, round)
    if not candidates:
        return Promotion(champion.name, False, "nothing was scored", (), share, {})
    verdicts = tuple(compare(candidates, champion, splits=splits, margin=margin, alpha=alpha, round=round))
    sign = 1 if champion.metric.better == "lower" else -1
    better = sorted((v for v in verdicts if v.outcome == "better"), key=lambda v: sign * v.score)
    alike = sorted((v for v in verdicts if v.outcome == "equivalent" and simpler(v.arm)), key=lambda v: sign * v.score)
    blocked = {v.arm: found for v in (*better, *alike) if (found := errors(v.arm))}
    for v in (*better, *alike):
        if v.arm not in blocked:
            how = "better" if v.outcome == "better" else "equivalent and simpler"
            why = f"'{v.arm}' is {how}: {v.difference:+.3g}, adjusted p {v.p_adjusted:.2g} at {share:.2g}"
            if v.outcome == "equivalent":
                why = (
                    f"'{v.arm}' is {how}: {v.difference:+.3g} within {margin:g}, p {v.p_equivalent:.2g} at {share:.2g}"
                )
            return Promotion(v.arm, True, why, verdicts, share, blocked)
    if blocked:
        name, found = next(iter(blocked.items()))
        codes = ", ".join(sorted({f.code for f in found}))
        return Promotion(champion.name, False, f"errors stand against '{name}' ({codes})", verdicts, share, blocked)
    return Promotion(champion.name, False, "no experiment is better", verdicts, share, blocked)


def is_simpler(one: Recipe, other: Recipe) -> bool:
    """Whether a recipe has less of something and more of nothing: trainings, features, units, trees, epochs.

    Models of different kinds are not ordered, but a component is simpler than the blend that it stands in.

    Args:
        one, other: complete recipes.
    """
    if other.is_blend:
        return any(one == c for c in other.components) or (one.is_blend and _is_part(one, other))
    if one.is_blend or one.kind != other.kind or not set(one.features) <= set(other.features):
        return False
    mine, theirs = _amounts(one), _amounts(other)
    return all(m <= t for m, t in zip(mine, theirs, strict=True)) and mine != theirs


def _is_part(one: Recipe, other: Recipe) -> bool:
    return len(one.components) < len(other.components) and all(c in other.components for c in one.components)


def _amounts(recipe: Recipe) -> list[float]:
    return [recipe.ensemble.members, len(recipe.features), *(_amount(recipe.parameters.get(name)) for name in SIZES)]


def _amount(value: Any) -> float:
    """A number, or the sum of a list of numbers; 0 for what a recipe does not set."""
    if isinstance(value, list | tuple):
        return float(sum(_amount(v) for v in value))
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
