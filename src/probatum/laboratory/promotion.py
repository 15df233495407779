"""Promotion: a round's experiments against the champion, with the round's share of alpha."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    given_up: int = 0,
    simpler: Callable[[str], bool] = lambda _: False,
    errors: Callable[[str], tuple[Finding, ...]] = lambda _: (),
) -> Promotion:
    """Promotes the best candidate that is better than the champion, or else one that is equivalent and simpler.

    All verdicts of a round are adjusted together (Holm), at the round's share of alpha (`rounds.spent`). They are
    two-sided, so over any number of rounds the chance of promoting what is not better is at most alpha / 2; the other
    half is for `final_promotion`. An equivalent one has to be so within the margin, by two one-sided tests at the same
    share, divided by the number of candidates. What an error of the audit stands against is promoted in neither way.

    Args:
        champion: before the round.
        candidates: the round's experiments that have predictions, scored alike.
        splits, margin, alpha: the protocol's.
        round: its number, from 1.
        given_up: candidates of the round that a race took away before they had all scores; they count as tested, for
            the others were chosen by the same folds.
        simpler: whether a candidate is simpler than the champion.
        errors: of the audit, against a candidate.

    Raises:
        IncomparableError: arms that were not scored alike.
    """
    share = spent(alpha, round)
    if not candidates:
        return Promotion(champion.name, False, "nothing was scored", (), share, {})
    verdicts = tuple(
        compare(candidates, champion, splits=splits, margin=margin, alpha=alpha, round=round, given_up=given_up)
    )
    sign = 1 if champion.metric.better == "lower" else -1
    better = sorted((v for v in verdicts if v.outcome == "better"), key=lambda v: sign * v.score)
    each = share / (len(candidates) + given_up)
    alike = sorted((v for v in verdicts if _equivalent(v, each) and simpler(v.arm)), key=lambda v: sign * v.score)
    blocked = {v.arm: found for v in (*better, *alike) if (found := errors(v.arm))}
    for v in (*better, *alike):
        if v.arm not in blocked:
            how = "better" if v.outcome == "better" else "equivalent and simpler"
            why = f"'{v.arm}' is {how}: {v.difference:+.3g}, adjusted p {v.p_adjusted:.2g} at {share:.2g}"
            if v.outcome == "equivalent":
                why = f"'{v.arm}' is {how}: {v.difference:+.3g} within {margin:g}, p {v.p_equivalent:.2g} at {each:.2g}"
            return Promotion(v.arm, True, why, verdicts, share, blocked)
    if blocked:
        name, found = next(iter(blocked.items()))
        codes = ", ".join(sorted({f.code for f in found}))
        return Promotion(champion.name, False, f"errors stand against '{name}' ({codes})", verdicts, share, blocked)
    return Promotion(champion.name, False, "no experiment is better", verdicts, share, blocked)


def final_promotion(
    champion: ArmScores,
    tried: Sequence[ArmScores],
    *,
    splits: str,
    margin: float,
    alpha: float,
    look: int,
    given_up: int = 0,
    errors: Callable[[str], tuple[Finding, ...]] = lambda _: (),
) -> Promotion:
    """Holds everything that was tried against the champion once more, at the end of a search.

    A late round can only find large differences, and what it could not prove is not looked at again by later rounds.
    This test looks at all of it at once. Verdicts of rounds are two-sided, so towards 'better' they spend alpha / 2 at
    most; this spends the other half: two-sided verdicts at the look's share of alpha, with Holm over everything that
    was tried, for the best of them was found by the same scores.

    Args:
        champion: after the last round.
        tried: every other experiment that has predictions, scored alike.
        splits, margin, alpha: the protocol's.
        look: how often the campaign was looked at so, this time included: k looks share alpha / 2 as rounds do theirs.
        given_up: candidates that races took away, which were tried too.
        errors: of the audit, against an experiment.

    Raises:
        IncomparableError: arms that were not scored alike.
    """
    found = promotion(
        champion, tried, splits=splits, margin=margin, alpha=alpha, round=look, given_up=given_up, errors=errors
    )
    return replace(found, why=f"of all {len(tried) + given_up} that were tried: {found.why}")


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


def _equivalent(verdict: Verdict, level: float) -> bool:
    return verdict.outcome == "equivalent" and verdict.p_equivalent is not None and verdict.p_equivalent <= level


def _is_part(one: Recipe, other: Recipe) -> bool:
    return len(one.components) < len(other.components) and all(c in other.components for c in one.components)


def _amounts(recipe: Recipe) -> list[float]:
    return [recipe.ensemble.members, len(recipe.features), *(_amount(recipe.parameters.get(name)) for name in SIZES)]


def _amount(value: Any) -> float:
    """A number, or the sum of a list of numbers; 0 for what a recipe does not set."""
    if isinstance(value, list | tuple):
        return float(sum(_amount(v) for v in value))
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
