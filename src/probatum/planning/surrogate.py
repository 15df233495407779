"""Steps in a declared space by expected improvement under a Gaussian process, one parameter a step.

Whoever changes one thing at a time still learns from all points: the process is fitted to every scored experiment of
the space, and among all steps that change one parameter of one experiment the one is proposed that is expected to
improve most.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from scipy.linalg import cho_factor, cho_solve
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from probatum.campaigns.experiment import Experiment
from probatum.planning.proposal import History, Proposal, Slot
from probatum.planning.space import Dimension
from probatum.planning.tree import may_be_parent, ranked

LEVELS = 25
"""Values of a range that are looked at."""
PARENTS = 12
"""Experiments that steps are taken from, the best by their posterior mean."""
SLOTS: tuple[Slot, ...] = ("exploit", "second")
"""That its first steps are made for: whoever declares a space wants it searched. The others it leaves to others."""


class Surrogate:
    """Proposes steps in the declared space.

    The next of a round is chosen as if the ones before had come out as predicted (the kriging believer of Ginsbourger,
    Le Riche and Carraro, 2010). Expected improvement: Jones, Schonlau and Welch, Journal of Global Optimization 13, 455
    (1998), over the best predicted mean, for scores are noisy.

    Args:
        seed: of the fit's restarts.
    """

    name = "surrogate"

    def __init__(self, seed: int = 0):
        self._seed = seed

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """Up to k steps; none where the file declares no space, or no experiment lies in it."""
        group = _group(history)
        if not group:
            return []
        assert history.space is not None
        dimensions = history.space.of(group[0].recipe)
        points = np.array([_place(e, dimensions) for e in group])
        scores = np.array([history.sign * history.standings[e.name].score for e in group])
        kernel = self._fitted(points, scores)
        parents = sorted(group, key=lambda e: history.sign * history.standings[e.name].mean)[:PARENTS]
        steps = [(p, d, v) for p in parents for d in dimensions for v in values(d) if v != d.of(p.recipe)]
        places = np.array([_moved(_place(p, dimensions), dimensions, d, v) for p, d, v in steps])
        new = np.abs(places[:, None] - points[None]).max(axis=2).min(axis=1) > 1e-9
        steps, places = [s for s, kept in zip(steps, new, strict=True) if kept], places[new]
        found = []
        for _ in range(min(k, len(steps))):
            gain = _expected_improvement(kernel, points, scores, places)
            best = int(np.argmax(gain))
            parent, dimension, value = steps[best]
            slot = SLOTS[len(found)] if len(found) < len(SLOTS) else None
            found.append(_proposal(parent, dimension, value, float(gain[best]), slot))
            mean, _ = _predicted(kernel, points, scores, places[[best]])
            points, scores = np.vstack([points, places[[best]]]), np.append(scores, mean)
            keep = np.abs(places - places[best]).max(axis=1) > 1e-9
            steps, places = [s for s, kept in zip(steps, keep, strict=True) if kept], places[keep]
        return found

    def leader(self, history: History) -> str | None:
        """The experiment of the space with the best predicted mean: what looks best, proven or not.

        The process lends each point what its neighbours measured, so that a lucky score leads less often.
        """
        group = _group(history)
        if not group:
            return None
        assert history.space is not None
        dimensions = history.space.of(group[0].recipe)
        points = np.array([_place(e, dimensions) for e in group])
        scores = np.array([history.sign * history.standings[e.name].score for e in group])
        mean, _ = _predicted(self._fitted(points, scores), points, scores, points)
        return group[int(np.argmin(mean))].name

    def _fitted(self, points: np.ndarray, scores: np.ndarray) -> Any:
        """The kernel by maximum likelihood, of standardised scores."""
        width = points.shape[1]
        kernel = ConstantKernel(1.0, (0.05, 20.0)) * Matern([0.5] * width, (0.1, 10.0), nu=2.5)
        kernel = kernel + WhiteKernel(0.05, (1e-4, 1.0))
        if len(points) < 2 * width:  # too few to tell lengths: the prior ones do
            return kernel
        process = GaussianProcessRegressor(kernel, random_state=self._seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound is an answer
            process.fit(points, _standardised(scores)[0])
        return process.kernel_


def values(dimension: Dimension) -> list[Any]:
    """Values of a dimension that are looked at: its choices, or an even grid that keeps to its steps."""
    if dimension.choices:
        return list(dimension.choices)
    low, high = dimension.low, dimension.high
    if dimension.log:
        grid = np.exp(np.linspace(math.log(low), math.log(high), LEVELS))
    elif dimension.step is not None:
        grid = low + dimension.step * np.unique(np.linspace(0, (high - low) // dimension.step, LEVELS).round())
    else:
        grid = np.linspace(low, high, LEVELS)
    found = [round(v) if dimension.whole else float(f"{v:.4g}") for v in grid.tolist()]
    return sorted({min(max(v, low), high) for v in found})


def _group(history: History) -> list[Experiment]:
    """The scored experiments that differ by parameters of the space alone, of the best parent that has some."""
    if history.space is None:
        return []
    groups: dict[str, list[Experiment]] = {}
    for experiment in history.experiments:
        dimensions = history.space.of(experiment.recipe)
        usable = experiment.name in history.standings and may_be_parent(experiment.name, history)
        if usable and dimensions and all(d.holds(d.of(experiment.recipe)) for d in dimensions):
            groups.setdefault(_rest(experiment, dimensions), []).append(experiment)
    names = {e.name: key for key, some in groups.items() for e in some}
    for node in ranked(history, by="posterior", c=0.0):
        if node.name in names:
            return groups[names[node.name]]
    return []


def _rest(experiment: Experiment, dimensions: Sequence[Dimension]) -> str:
    """What of a recipe the space does not say."""
    recipe = experiment.recipe.canonical()
    for d in dimensions:
        section, _, name = d.path.partition(".")
        recipe[section] = {k: v for k, v in recipe[section].items() if k != name}
    return json.dumps(recipe, sort_keys=True)


def _place(experiment: Experiment, dimensions: Sequence[Dimension]) -> np.ndarray:
    """[dimension] from 0 to 1."""
    return np.array([_share(d, d.of(experiment.recipe)) for d in dimensions])


def _moved(place: np.ndarray, dimensions: Sequence[Dimension], one: Dimension, value: Any) -> np.ndarray:
    found = place.copy()
    found[list(dimensions).index(one)] = _share(one, value)
    return found


def _share(dimension: Dimension, value: Any) -> float:
    if dimension.choices:
        return dimension.choices.index(value) / (len(dimension.choices) - 1)
    low, high = dimension.low, dimension.high
    if dimension.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _standardised(scores: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Scores of mean 0 and spread 1; what is far off the median counts as far, and no more."""
    median = float(np.median(scores))
    limit = median + 10 * (float(np.median(np.abs(scores - median))) or float(np.std(scores)) or 1.0)
    kept = np.minimum(scores, limit)
    mean, spread = float(kept.mean()), float(kept.std()) or 1.0
    return (kept - mean) / spread, mean, spread


def _predicted(kernel: Any, points: np.ndarray, scores: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[place] mean and standard deviation of the true score."""
    standard, mean, spread = _standardised(scores)
    noise = kernel.k2.noise_level
    factor = cho_factor(kernel.k1(points) + (noise + 1e-9) * np.eye(len(points)), lower=True)
    across = kernel.k1(at, points)
    found = across @ cho_solve(factor, standard)
    variance = kernel.k1.diag(at) - np.einsum("ap,pa->a", across, cho_solve(factor, across.T))
    return mean + spread * found, spread * np.sqrt(np.clip(variance, 1e-12, None))


def _expected_improvement(kernel: Any, points: np.ndarray, scores: np.ndarray, at: np.ndarray) -> np.ndarray:
    """[place] E[max(0, best - score)], of true scores; the best is the least predicted mean of a measured point."""
    seen, _ = _predicted(kernel, points, scores, points)
    mean, sd = _predicted(kernel, points, scores, at)
    z = (seen.min() - mean) / sd
    return sd * (z * stats.norm.cdf(z) + stats.norm.pdf(z))


def _proposal(parent: Experiment, dimension: Dimension, value: Any, gain: float, slot: Slot | None) -> Proposal:
    reason = f"a Gaussian process over the space expects an improvement of {gain:.2g} by it"
    hypothesis = f"{dimension.path} is better at {value}"
    return Proposal(parent.name, dimension.edit(value), hypothesis=hypothesis, reason=reason, slot=slot)
