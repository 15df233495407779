"""What a fit is besides its score, by the names of the exploration's log, and the same without that log's faults.

| name | what it is |
|---|---|
| rate_constants_R2 | squared Pearson correlation of log10 k over all constants: blind to slope and offset |
| n_outliers | constants with an error of log10 k above 0.3 |
| trimmed_R2, slope | the same correlation, and the slope of learned over true log10 k, without them |
| alpha | f(1): the scale that k and f trade, corrected for in all of these |
| test_R2, test_pearson | means over metabolites of a rollout of 2000 frames, R2 on the identity line |
| final_loss | of training |
| identity_R2, identity_R2_all | R2 of log10 k on the identity line, over identifiable constants and over all |
| MLP_sub | largest error of the substrate function over the visited range, as a share of its largest true value |
| MLP_node | the same of the homeostasis function, median over metabolites of a type, the worse type |
| rollout_R2 | of held-out rollouts up to the Lyapunov time, in units of the spread of concentrations at the start |
| lyapunov_time | of the true course, in the unit of time |
| rollout_time | until held-out rollouts are off by .1 of that spread's variance, in Lyapunov times |

The visited range holds the middle 99 % of all true concentrations of the draw's course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.metabolism.agreement import identity_r2
from probatum.problems.metabolism.identifiability import identifiability
from probatum.problems.metabolism.learned import Learned
from probatum.problems.metabolism.rollout import lyapunov_exponent, rollout
from probatum.problems.metabolism.simulator import Course

OUTLIER = 0.3
"""Error of log10 k: a factor of two."""
TEST_FRAMES = 2000
VISITED = 0.99
POINTS = 400
"""At which functions are compared."""
LOST = 0.1
"""Share of the spread's variance at which a rollout no longer follows: R2 of .9."""
EXPLODED = 1e6
"""Rollout errors are cut at this many times the spread, so that means of what exploded can be told."""


def diagnostics(
    course: Course, held_out: Sequence[Course], curves: Mapping[str, Real[np.ndarray, " _"]]
) -> Mapping[str, float]:
    """All of the table above that a fit's curves allow; {} where they hold no learned metabolism.

    Args:
        course: the true one that was learned from.
        held_out: true ones of the same constants.
        curves: that the learner kept (`Learned.curves`).
    """
    model = Learned.of(curves)
    if model is None:
        return {}
    return {**of_constants(course, model), **of_functions(course, model), **of_rollouts(course, held_out, model)}


def of_constants(course: Course, model: Learned) -> dict[str, float]:
    """What is told of the rate constants."""
    network = course.metabolism.network
    truth = np.log10(course.constants)
    found = model.corrected(np.asarray(network.orders.sum(axis=0)).ravel())
    near = np.abs(found - truth) <= OUTLIER
    known = identifiability(network).identifiable
    return {
        "rate_constants_R2": _squared_correlation(truth, found),
        "trimmed_R2": _squared_correlation(truth[near], found[near]),
        "n_outliers": float((~near).sum()),
        "slope": _slope(truth[near], found[near]),
        "alpha": model.alpha,
        "final_loss": model.final_loss,
        "identity_R2": identity_r2(truth[known], found[known]),
        "identity_R2_all": identity_r2(truth, found),
    }


def of_functions(course: Course, model: Learned) -> dict[str, float]:
    """How far the learned functions are from the true ones over the visited range."""
    metabolism = course.metabolism
    c = visited(course)
    law = np.abs(model.law_at(c) - c).max() / c.max()
    true = -metabolism.decay[:, None] * (c - metabolism.level[:, None])
    away = np.abs(model.homeostasis_at(c) - true).max(axis=1) / np.abs(true).max(axis=1)
    types = np.unique(np.column_stack([metabolism.decay, metabolism.level]), axis=0, return_inverse=True)[1].ravel()
    return {
        "MLP_sub": float(law),
        "MLP_node": max(float(np.median(away[types == one])) for one in np.unique(types)),
    }


def of_rollouts(course: Course, held_out: Sequence[Course], model: Learned) -> dict[str, float]:
    """How long the learned model follows true courses from their starts."""
    network, step = course.metabolism.network, course.step
    frames = min(TEST_FRAMES, len(course.concentrations))
    exponent = lyapunov_exponent(course)
    lyapunov_frames = 1 / (exponent * step) if exponent > 0 else np.inf
    errors, of_one = [], []
    for number, other in enumerate((course, *held_out)):
        true = other.concentrations[:frames]
        found = rollout(network, model, true[0], len(true), step)
        if number:
            errors.append(_errors(true, found))
        if number == (0 if model.from_training else 1):
            of_one = [_r2_of_course(true, found), _correlation_of_course(true, found)]
    error = np.mean(errors, axis=0)
    horizon = int(min(max(lyapunov_frames, 1), frames - 1))
    lost = np.flatnonzero(error > LOST)
    followed = float(lost[0]) if len(lost) else float(frames)
    return {
        "test_R2": of_one[0],
        "test_pearson": of_one[1],
        "rollout_R2": float(1 - error[: horizon + 1].mean()),
        "lyapunov_time": lyapunov_frames * step,
        "rollout_time": followed / lyapunov_frames,
    }


def visited(course: Course) -> Float[np.ndarray, " point"]:
    """Concentrations over the visited range: [point] float64."""
    tail = (1 - VISITED) / 2
    low, high = np.quantile(course.concentrations, [tail, 1 - tail])
    return np.linspace(low, high, POINTS)


def _errors(
    true: Float[np.ndarray, "frame metabolite"], found: Float[np.ndarray, "frame metabolite"]
) -> Float[np.ndarray, " frame"]:
    """[frame]: mean squared error over metabolites, in units of the variance of concentrations at the start."""
    error = np.where(np.isfinite(found), (found - true) ** 2, np.inf).mean(axis=1) / np.var(true[0])
    return np.minimum(error, EXPLODED)


def _r2_of_course(true: Float[np.ndarray, "frame metabolite"], found: Float[np.ndarray, "frame metabolite"]) -> float:
    """Mean over metabolites of R2 over frames."""
    spread = np.maximum(np.var(true, axis=0), np.finfo(np.float64).tiny)
    error = np.where(np.isfinite(found), (found - true) ** 2, EXPLODED).mean(axis=0)
    return float(np.mean(1 - error / spread))


def _correlation_of_course(
    true: Float[np.ndarray, "frame metabolite"], found: Float[np.ndarray, "frame metabolite"]
) -> float:
    """Mean over metabolites of Pearson's correlation over frames; 0 where one does not vary or is lost."""
    pairs = zip(true.T, np.where(np.isfinite(found), found, 0.0).T, strict=True)
    return float(np.mean([_correlation(a, b) for a, b in pairs]))


def _correlation(a: Float[np.ndarray, " value"], b: Float[np.ndarray, " value"]) -> float:
    if len(a) < 2 or not (np.ptp(a) > 0 and np.ptp(b) > 0):
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _squared_correlation(truth: Float[np.ndarray, " reaction"], found: Float[np.ndarray, " reaction"]) -> float:
    return _correlation(truth, found) ** 2


def _slope(truth: Float[np.ndarray, " reaction"], found: Float[np.ndarray, " reaction"]) -> float:
    """Of the line by least squares; no number where it is not defined."""
    return float(np.polyfit(truth, found, 1)[0]) if len(truth) > 1 and np.ptp(truth) > 0 else np.nan
