"""Where the experiments of a tree stand: each one's score, and the posterior of its true score among the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probatum.evidence.comparable import why_not_scored
from probatum.evidence.effects import paired_influence, random_effects
from probatum.evidence.scores import ArmScores


@dataclass(frozen=True)
class Standing:
    """One experiment's score.

    Attributes:
        name: of the experiment.
        score: as measured.
        error: standard error of its difference from the mean of all; None where one fold cannot tell it.
        mean, sd: of the posterior of the true score.
        seed_spread: standard deviation of the score over seeds; None where there is one seed.
        by_quantity: the score of each quantity alone.
    """

    name: str
    score: float
    error: float | None
    mean: float
    sd: float
    seed_spread: float | None = None
    by_quantity: tuple[float, ...] = ()


def standings(arms: Sequence[ArmScores], splits: str) -> dict[str, Standing]:
    """The standings of arms that were scored alike; those without a score are left out.

    On the same folds, an arm differs from the mean of all arms by d = theta + e, with e ~ N(0, v) and v from the
    spread over independent units, widened for shared training rows as verdicts widen it. The prior of theta is normal;
    its mean mu and variance tau2 come from the arms themselves (`random_effects`). So the posterior has

        share = tau2 / (tau2 + v),    mean = mu + share (d - mu),    variance = share v + (1 - share)^2 Var(mu),

    which draws a lucky score back to the others as far as noise explains it (Efron and Morris, Journal of the American
    Statistical Association 70, 311, 1975). What errors of two arms have in common beyond the mean of all is left out:
    a dozen folds cannot tell it.

    Args:
        arms: of one campaign.
        splits: the protocol's.

    Raises:
        IncomparableError: arms that were not scored alike.
    """
    scored = [a for a in arms if not why_not_scored(a)]
    if not scored:
        return {}
    influences = [paired_influence(a, scored[0], splits) for a in scored]
    table = np.array([i.values for i in influences])
    units = table.shape[1]
    if units < 2 or len(scored) < 2:
        return {a.name: _alone(a) for a in scored}
    centre = table.mean(axis=0)
    deviation = table - centre
    covariance = np.atleast_2d(np.cov(deviation)) * (1 / units + influences[0].ratio)
    difference = deviation.mean(axis=1)
    prior = random_effects(difference, covariance)
    noise = np.clip(np.diag(covariance), 0.0, None)
    both = prior.tau2 + noise
    share = np.divide(prior.tau2, both, out=np.ones(len(scored)), where=both > 0)
    mean = prior.mean + share * (difference - prior.mean)
    variance = share * noise + (1 - share) ** 2 * prior.sampling
    level = scored[0].score + float(centre.mean())
    errors = np.sqrt(noise)
    return {
        a.name: Standing(
            a.name,
            a.score,
            float(error),
            level + float(m),
            float(np.sqrt(v)),
            a.seed_spread,
            tuple(map(float, a.by_quantity)),
        )
        for a, error, m, v in zip(scored, errors, mean, variance, strict=True)
    }


def _alone(arm: ArmScores) -> Standing:
    """Nothing to compare with: the score is all that is known."""
    return Standing(arm.name, arm.score, None, arm.score, 0.0, arm.seed_spread, tuple(map(float, arm.by_quantity)))
