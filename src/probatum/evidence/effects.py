"""Effects: what one mutation does, pooled over every parent-child pair of the tree that differs by exactly it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Real

from probatum.evidence.comparable import require_comparable, why_not_scored
from probatum.evidence.resampling import CorrectedT, cluster_sums, corrected_t, holm, sign_flip_p
from probatum.evidence.row_table import RowTable
from probatum.evidence.scores import ArmScores

EffectOutcome = Literal["worked", "failed", "equivalent", "undecided", "no evidence"]
SMALLEST_SHARE = 1e-9
"""Of the largest variance: a pair whose differences are all equal would otherwise weigh infinitely much."""


@dataclass(frozen=True)
class Pair:
    """A parent and a child that differ by one mutation.

    Attributes:
        parent, child: names; where the tree holds the reverse step, the names are exchanged.
        difference: score of the child minus the parent's.
        error: its standard error, None where one fold cannot tell it.
    """

    parent: str
    child: str
    difference: float
    error: float | None


@dataclass(frozen=True)
class Effect:
    """What one mutation does.

    Attributes:
        mutation: as text, 'features: +acs'.
        pairs: that it rests on.
        outcome: 'worked' (better), 'failed' (worse), 'equivalent', 'undecided', or 'no evidence' (one fold).
        mean: random-effects mean of the differences, in the metric's unit.
        error: its standard error, from the spread over pairs and the sampling error that the pairs share.
        degrees: of freedom.
        interval: at level 1 - alpha.
        p, p_adjusted: two-sided, and adjusted by Holm for all mutations together.
        p_equivalent: of the two one-sided tests against the margin; None without a margin.
        tau2: variance of the true effect over parents.
        i2: share of the observed spread that the sampling error does not explain, 0 to 1; None for one pair.
        units: independent folds or groups.
    """

    mutation: str
    pairs: tuple[Pair, ...]
    outcome: EffectOutcome
    mean: float
    error: float | None = None
    degrees: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    p_equivalent: float | None = None
    tau2: float = 0.0
    i2: float | None = None
    units: int = 0


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """A random-effects mean of several differences.

    Attributes:
        mean: sum w_p d_p / sum w_p with w_p = 1 / (v_p + tau2).
        weights: [pair] w_p, of sum 1.
        tau2: variance between pairs by the method of moments.
        q, q_expected: Cochran's Q, and what sampling errors alone would make of it.
        hartung_knapp: variance of the mean from the weighted spread of the differences; 0 for one pair.
        sampling: variance of the mean from the sampling errors and their covariance.
    """

    mean: float
    weights: Float[np.ndarray, " pair"]
    tau2: float
    q: float
    q_expected: float
    hartung_knapp: float
    sampling: float

    @property
    def i2(self) -> float | None:
        """Share of Q that sampling errors do not explain (Higgins and Thompson, Statistics in Medicine 21, 1539)."""
        if len(self.weights) < 2:
            return None
        return max(0.0, 1 - self.q_expected / self.q) if self.q > 0 else 0.0


def random_effects(differences: Real[np.ndarray, " pair"], covariance: Real[np.ndarray, "pair pair"]) -> RandomEffects:
    """Random-effects mean of differences whose sampling errors may be correlated.

    tau2 = max(0, (Q - tr(M S)) / tr(M)) with a_p = 1 / S_pp, Q = sum a_p (d_p - mean_a)^2 and
    M = diag(a) - a a' / sum a. For a diagonal S this is DerSimonian and Laird (Controlled Clinical Trials 7, 177,
    1986), for tr(M S) is then the number of pairs less one. The spread's variance is Hartung and Knapp's (Statistics
    in Medicine 20, 3875, 2001): sum w_p (d_p - mean)^2 / ((P - 1) sum w_p).

    Args:
        differences: [pair].
        covariance: [pair, pair] S, of their sampling errors.
    """
    count = len(differences)
    variances = np.diag(covariance)
    largest = float(variances.max())
    usable = np.maximum(variances, SMALLEST_SHARE * largest) if largest > 0 else np.ones(count)
    a = 1 / usable
    spread = np.diag(a) - np.outer(a, a) / a.sum()
    q, q_expected, curvature = differences @ spread @ differences, np.trace(spread @ covariance), np.trace(spread)
    tau2 = max(0.0, float((q - q_expected) / curvature)) if count > 1 else 0.0
    weights = 1 / (usable + tau2)
    total = float(weights.sum())
    weights = weights / total
    mean = float(weights @ differences)
    hartung_knapp = float(weights @ (differences - mean) ** 2) / (count - 1) if count > 1 else 0.0
    sampling = float(weights @ covariance @ weights)
    return RandomEffects(mean, weights, tau2, float(q), float(q_expected), hartung_knapp, sampling)


@dataclass(frozen=True, eq=False)
class PairedInfluence:
    """A paired comparison, unit by unit, as verdicts make it.

    Attributes:
        values: [unit]; their mean is the difference, and the corrected t of them is the verdict's.
        ratio: test rows over training rows, of the corrected t.
        shares: [unit] weights of independent groups for sign flips; None where verdicts flip no signs.
    """

    values: Float[np.ndarray, " unit"]
    ratio: float
    shares: Float[np.ndarray, " unit"] | None


def paired_influence(child: ArmScores, parent: ArmScores, splits: str) -> PairedInfluence:
    """How much each independent unit contributes to the difference of two arms.

    Over left-out groups a unit is a group, or several that share measurements; over fresh draws it is a draw; on one
    hold-out it is a case, as far as the metric is a mean over cases; else it is a split.

    Args:
        child, parent: scored alike.
        splits: the protocol's.

    Raises:
        IncomparableError: the arms were not scored alike.
    """
    require_comparable(child, parent)
    order = np.argsort([u.digest for u in child.units])  # the same for every pair of a campaign
    units, weights = [child.units[i] for i in order], child.weights[order]
    position = {u.digest: i for i, u in enumerate(parent.units)}
    beside = [position[u.digest] for u in units]
    difference = child.by_unit[order] - parent.by_unit[beside]
    ratio = float(np.mean([u.test_rows for u in units]) / np.mean([u.train_rows for u in units]))
    if splits == "leave-one-group-out":
        sums, shares = cluster_sums(difference, weights, np.array([u.dependence for u in units]))
        return PairedInfluence(_influence(sums, shares), 1 / max(len(sums) - 1, 1), shares)
    if splits == "fresh-draws":
        return PairedInfluence(
            _influence(*cluster_sums(difference, weights, np.array([u.draw for u in units]))), 0.0, None
        )
    if splits == "stratified-hold-out" and child.rows and parent.rows and child.metric.additive:
        tables = [(child.rows[i], parent.rows[b]) for i, b in zip(order, beside, strict=True)]
        losses = np.concatenate([_losses(child, c) - _losses(parent, p) for c, p in tables])
        each = np.concatenate(
            [np.full(len(c.truth), w / len(c.truth)) for (c, _), w in zip(tables, weights, strict=True)]
        )
        sums, shares = cluster_sums(losses, each, np.concatenate([c.together for c, _ in tables]))
        return PairedInfluence(_influence(sums, shares), ratio / len(sums), None)
    return PairedInfluence(_influence(weights * difference, weights), ratio, None)


def _influence(sums: Real[np.ndarray, " unit"], shares: Real[np.ndarray, " unit"]) -> Float[np.ndarray, " unit"]:
    """[unit]: what stands for a unit's difference where units weigh differently; their mean is the difference."""
    return sums.sum() + len(sums) * (sums - sums.sum() * shares)


def _losses(arm: ArmScores, table: RowTable) -> np.ndarray:
    """[case]: mean over seeds and quantities."""
    return np.mean([arm.metric.row_losses(table.truth, p).mean(axis=1) for p in table.predictions], axis=0)


def effect(
    mutation: str,
    names: Sequence[tuple[str, str]],
    influences: Sequence[PairedInfluence],
    *,
    margin: float = 0.0,
    alpha: float = 0.05,
) -> Effect:
    """The effect of one mutation; its outcome waits for `judged`, which knows how many others there are.

    All pairs are scored on the same folds, so they are no independent studies: what the folds have in common moves
    all of them. The variance of the mean is therefore the sum of Hartung and Knapp's, from the spread over pairs, and
    of the sampling variance of the mean, with the pairs' covariance over folds; its degrees of freedom are those of
    Satterthwaite (Biometrics Bulletin 2, 110, 1946), as in the quasi-F of two crossed random factors (Clark, Journal
    of Verbal Learning and Verbal Behavior 12, 335, 1973). One pair gives the verdict's own t. Over left-out
    groups sign flips have to agree, as for verdicts.

    Args:
        mutation: as text.
        names: (parent, child) of each pair.
        influences: of each pair, on the same units.
        margin: differences up to this do not matter.
        alpha: 1 - level of the interval.
    """
    table = np.array([i.values for i in influences])
    count, units = table.shape
    differences = table.mean(axis=1)
    if units < 2:
        unknown = tuple(Pair(*pair, float(d), None) for pair, d in zip(names, differences, strict=True))
        return Effect(mutation, unknown, "no evidence", float(differences.mean()), units=units)
    ratio = influences[0].ratio
    covariance = np.atleast_2d(np.cov(table)) * (1 / units + ratio)
    pooled = random_effects(differences, covariance)
    variance = pooled.hartung_knapp + pooled.sampling
    if variance == 0 and pooled.mean != 0:  # the same on every fold: its spread is not known
        same = tuple(Pair(*pair, float(d), None) for pair, d in zip(names, differences, strict=True))
        return Effect(mutation, same, "no evidence", pooled.mean, units=units)
    between = pooled.hartung_knapp**2 / (count - 1) if count > 1 else 0.0
    degrees = variance**2 / (between + pooled.sampling**2 / (units - 1)) if variance > 0 else float(units - 1)
    pooled_units = pooled.weights @ table
    spread = float(np.std(pooled_units, ddof=1))
    t = CorrectedT(pooled.mean, math.sqrt(variance), degrees, ratio, spread)
    shares = influences[0].shares
    sums = None if shares is None else (pooled_units - pooled.mean) / units + pooled.mean * shares

    def p_value(null: float, alternative: Literal["two-sided", "less", "greater"]) -> float:
        by_t = t.p_value(null, alternative)
        return by_t if sums is None or shares is None else max(by_t, sign_flip_p(sums, shares, null, alternative))

    errors = (corrected_t(row, ratio).error for row in table)
    pairs = tuple(Pair(*pair, float(d), e) for pair, d, e in zip(names, differences, errors, strict=True))
    return Effect(
        mutation,
        pairs,
        "undecided",
        pooled.mean,
        t.error,
        degrees,
        t.interval(1 - alpha),
        p_value(0.0, "two-sided"),
        p_equivalent=max(p_value(margin, "less"), p_value(-margin, "greater")) if margin > 0 else None,
        tau2=pooled.tau2,
        i2=pooled.i2,
        units=units,
    )


def judged(effects: Sequence[Effect], *, lower_is_better: bool, margin: float, alpha: float) -> list[Effect]:
    """Effects with their outcomes, Holm over all mutations: what worked first, then what failed, then the rest.

    Args:
        effects: of different mutations.
        lower_is_better: which way the metric goes.
        margin: differences up to this do not matter.
        alpha: error rate over all mutations.
    """
    tested = [e for e in effects if e.p is not None]
    adjusted = holm(np.array([e.p for e in tested], dtype=np.float64)) if tested else []
    found = [e for e in effects if e.p is None]
    for e, p in zip(tested, adjusted, strict=True):
        outcome: EffectOutcome = "undecided"
        if p <= alpha and abs(e.mean) > margin:
            outcome = "worked" if (e.mean < 0) == lower_is_better else "failed"
        elif e.p_equivalent is not None and e.p_equivalent <= alpha:
            outcome = "equivalent"
        found.append(replace(e, outcome=outcome, p_adjusted=float(p)))
    place = {"worked": 0, "failed": 1, "equivalent": 2, "undecided": 3, "no evidence": 4}
    return sorted(found, key=lambda e: (place[e.outcome], -abs(e.mean) if e.outcome == "failed" else e.p or 0.0))


def effects_of(
    pairs: Mapping[str, Sequence[tuple[ArmScores, ArmScores]]], *, splits: str, margin: float = 0.0, alpha: float = 0.05
) -> list[Effect]:
    """The effects of mutations.

    Args:
        pairs: mutation to its (parent, child) arms, no pair of recipes twice; pairs of which one has no score are
            left out.
        splits: the protocol's, which decides what is an independent unit.
        margin: differences up to this do not matter, in the metric's unit.
        alpha: error rate over all mutations.

    Raises:
        IncomparableError: arms that were not scored alike.
    """
    found = []
    lower = True
    for mutation, given in pairs.items():
        arms = [pair for pair in given if not any(map(why_not_scored, pair))]
        if not arms:
            continue
        lower = arms[0][0].metric.better == "lower"
        influences = [paired_influence(child, parent, splits) for parent, child in arms]
        names = [(parent.name, child.name) for parent, child in arms]
        found.append(effect(mutation, names, influences, margin=margin, alpha=alpha))
    return judged(found, lower_is_better=lower, margin=margin, alpha=alpha)
