"""When an autopilot stops: what remains to be gained cannot be told from noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np
from scipy import stats

from probatum.evidence.effects import Effect
from probatum.evidence.rounds import spent
from probatum.evidence.verdict import Verdict
from probatum.planning.proposal import History

LEAST_STEPS = 8
"""Steps whose effects are known before anything is said of those to come."""
POWER = 0.8
LEAST_CHANCE = 0.05
"""A round is not worth its fits that shows something with less than this probability."""


def detectable(error: float, units: int, *, alpha: float, round: int, slots: int) -> float:
    """The difference from the champion that a round finds with power .8: (t_(1 - a/2) + t_.8) error, a = alpha_r/slots.

    Args:
        error: standard error of a difference from the champion.
        units: independent units that it rests on.
        alpha: over all rounds.
        round: its number, from 1.
        slots: experiments of the round, whose verdicts share its alpha.
    """
    level = spent(alpha, round) / slots
    degrees = max(units - 1, 1)
    return float((stats.t.isf(level / 2, degrees) + stats.t.ppf(POWER, degrees)) * error)


def told_from_noise(
    history: History,
    against: Sequence[Verdict],
    *,
    alpha: float,
    slots: int,
    untried: Callable[[], Collection[str]] = tuple,
) -> str | None:
    """Why what remains cannot be told from noise; None where it may.

    Either all that can still be gained, from the champion to the floor, is less than what the next round could find.
    Or the steps so far say so: their true effects scatter around mu with variance tau2 (method of moments over all
    parent-child pairs), so a step from a parent whose true score is posterior-normal gains with a known probability
    more than the round could find; where that is under 5 % for all of its slots together, it is not worth its fits.
    Steps in one part of the recipe say little of those in another, so this is only said once every part was tried.

    Args:
        history: of the campaign, before the round.
        against: verdicts of earlier rounds against this champion, whose standard errors tell what the next one's will
            be; without any, nothing is said.
        alpha: over all rounds.
        slots: experiments of the round.
        untried: gives parts of the recipe that the round would change for the first time; asked where it matters.
    """
    contenders = [v for v in against if v.outcome != "worse"] or against  # what is far off varies more
    errors = [(_error(v), v.units) for v in contenders if v.interval is not None]
    champion = history.standings.get(history.champion)
    if not errors or champion is None:
        return None
    error = float(np.median([e for e, _ in errors]))
    units = int(np.median([u for _, u in errors]))
    least = max(detectable(error, units, alpha=alpha, round=history.round, slots=slots), history.margin)
    if history.floor is not None:
        left = history.sign * (champion.score - history.floor)
        if left < least:
            return (
                f"the champion ({champion.score:.4g}) is {max(left, 0):.2g} above the noise floor "
                f"({history.floor:.4g}), and a round can only find {least:.2g}"
            )
    chance = chance_of_a_gain(history, least, slots)
    if chance is not None and chance < LEAST_CHANCE and not untried():
        return (
            f"a round can find {least:.2g}, and after the steps so far one of {slots} more gains that much with "
            f"probability {chance:.2g}"
        )
    return None


def chance_of_a_gain(history: History, least: float, slots: int) -> float | None:
    """Probability that one of the next steps is better than the champion by so much; None where too few steps tell.

    Args:
        history: of the campaign.
        least: the gain, in the metric's unit.
        slots: steps, one from each of the best parents.
    """
    steps = _steps(history.effects)
    champion = history.standings.get(history.champion)
    if len(steps) < LEAST_STEPS or champion is None:
        return None
    gains = np.array([-history.sign * d for d, _ in steps])
    variances = np.array([max(e, 1e-12) ** 2 for _, e in steps])
    weights = 1 / variances
    centre = float(np.average(gains, weights=weights))
    q = float(weights @ (gains - centre) ** 2)
    curvature = float(weights.sum() - (weights**2).sum() / weights.sum())
    tau2 = max(0.0, (q - (len(gains) - 1)) / curvature) if curvature > 0 else 0.0
    mu = float(np.average(gains, weights=1 / (variances + tau2)))
    parents = sorted(history.standings.values(), key=lambda s: history.sign * s.mean)[:slots]
    none = 1.0
    for i in range(slots):
        parent = parents[i % len(parents)]
        mean = mu + history.sign * (champion.mean - parent.mean)
        sd = math.sqrt(tau2 + parent.sd**2)
        none *= float(stats.norm.cdf((least - mean) / sd)) if sd > 0 else float(mean < least)
    return 1 - none


def _steps(effects: Sequence[Effect]) -> list[tuple[float, float]]:
    """(difference, error) of every parent-child pair whose error is known."""
    return [(p.difference, p.error) for e in effects for p in e.pairs if p.error is not None]


def _error(verdict: Verdict) -> float:
    """The standard error behind a verdict's interval."""
    assert verdict.interval is not None
    low, high = verdict.interval
    return (high - low) / 2 / float(stats.t.isf(verdict.level / 2, max(verdict.units - 1, 1)))
