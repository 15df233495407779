"""Samplers: Optuna asked for points of a declared space, and told what our protocol measured of those that were tried.

The study is made anew from the history each time: it is told all experiments that lie in the space, then asked. So
nothing has to be kept beside the ledger, and what was interrupted goes on. Optuna is an optional extra.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from probatum.campaigns.experiment import Experiment
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.planning.proposal import History, Proposal
from probatum.planning.space import Dimension
from probatum.planning.tree import ranked

SAMPLERS: tuple[Literal["tpe", "random", "gp"], ...] = ("tpe", "random", "gp")
TRIES = 20
"""Points asked for until one is new."""


class Sampler:
    """Proposes steps along one dimension of the declared space, from the parents that come first by the posterior.

    Optuna suggests a whole point; one coordinate of it is taken over into the parent, so that a slot changes one thing
    and its effect can be attributed. Coordinates take turns, the one that was changed least first.

    Args:
        kind: 'tpe' (tree-structured Parzen estimator: Bergstra and others, NeurIPS 2011), 'random', or 'gp' (a Gaussian
            process; it needs torch).
        seed: of the sampler; the round's number is added.

    Raises:
        UnknownNameError: no such sampler.
        CampaignFileError: Optuna is not installed.
    """

    def __init__(self, kind: Literal["tpe", "random", "gp"] = "tpe", seed: int = 0):
        if kind not in SAMPLERS:
            raise UnknownNameError.of("sampler", kind, SAMPLERS)
        self._optuna = optuna()
        self._kind, self._seed = kind, seed

    @property
    def name(self) -> str:
        """As rounds record it."""
        return f"optuna {self._kind}"

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """Up to k steps; none where the file declares no space."""
        if history.space is None:
            return []
        nodes = ranked(history, by="posterior", seed=self._seed + history.round)
        parents = [history.by_name[n.name] for n in nodes if history.space.of(history.by_name[n.name].recipe)]
        found: list[Proposal] = []
        digests: set[tuple[str, str, str]] = set()
        share = -(
            -k // max(1, min(len(parents), 2))
        )  # so that there are two parents to choose from, where there are two
        for parent in parents:
            dimensions = history.space.of(parent.recipe)
            study = self.study(history, dimensions, self._seed + 1000 * history.round + len(found))
            times = _times_changed(history, dimensions)
            for _ in range(TRIES):
                point = ask(study, dimensions)
                moved = [d for d in dimensions if point[d.path] != d.of(parent.recipe)]
                if not moved:
                    continue
                one = min(moved, key=lambda d: times[d.path])
                key = (parent.name, one.path, repr(point[one.path]))
                if key not in digests:
                    digests.add(key)
                    times[one.path] += 1
                    found.append(self._proposal(parent, one, point[one.path]))
                if len(found) == k:
                    return found
                if sum(p.parent == parent.name for p in found) == share:
                    break
        return found

    def study(self, history: History, dimensions: Sequence[Dimension], seed: int) -> Any:
        """A study that was told every scored experiment that lies in the space.

        Args:
            history: of the campaign.
            dimensions: of the space.
            seed: of the sampler.
        """
        lower = history.better == "lower"
        study = self._optuna.create_study(direction="minimize" if lower else "maximize", sampler=self._sampler(seed))
        distributions = {d.path: distribution(d) for d in dimensions}
        for experiment in history.experiments:
            standing = history.standings.get(experiment.name)
            if standing is None or not np.isfinite(standing.score) or experiment.recipe.is_blend:
                continue
            values = {d.path: _stored(d, d.of(experiment.recipe)) for d in dimensions}
            if all(d.holds(d.of(experiment.recipe)) for d in dimensions):
                trial = self._optuna.trial.create_trial(
                    params=values, distributions=distributions, value=standing.score
                )
                study.add_trial(trial)
        return study

    def _sampler(self, seed: int) -> Any:
        samplers = self._optuna.samplers
        match self._kind:
            case "tpe":
                return samplers.TPESampler(seed=seed, n_startup_trials=5)
            case "random":
                return samplers.RandomSampler(seed=seed)
            case _:
                return samplers.GPSampler(seed=seed)

    def _proposal(self, parent: Experiment, dimension: Dimension, value: Any) -> Proposal:
        reason = f"{self.name} suggests it, told all experiments in the space"
        hypothesis = f"{dimension.path} is better elsewhere in its range"
        return Proposal(parent.name, dimension.edit(value), hypothesis=hypothesis, reason=reason)


def optuna() -> Any:
    """The library, imported when it is first needed.

    Raises:
        CampaignFileError: it is not installed.
    """
    try:
        found = importlib.import_module("optuna")
    except ImportError:
        what = "a [space] is searched by Optuna, which is not installed"
        raise CampaignFileError(what, remedy="pip install probatum[optuna], or remove [space]") from None
    found.logging.set_verbosity(logging.WARNING)
    return found


def distribution(dimension: Dimension) -> Any:
    """A dimension in Optuna's words; choices go by their position, so that they may be lists."""
    library = optuna().distributions
    if dimension.choices:
        return library.CategoricalDistribution(list(range(len(dimension.choices))))
    if dimension.whole:
        step = 1 if dimension.step is None else int(dimension.step)
        high = int(dimension.low + (dimension.high - dimension.low) // step * step)
        return library.IntDistribution(int(dimension.low), high, log=dimension.log, step=1 if dimension.log else step)
    if dimension.step is None:
        return library.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    steps = int((dimension.high - dimension.low) / dimension.step + 1e-9)
    return library.FloatDistribution(dimension.low, dimension.low + steps * dimension.step, step=dimension.step)


def ask(study: Any, dimensions: Sequence[Dimension]) -> dict[str, Any]:
    """A point of the space: path to value.

    Args:
        study: from `Sampler.study`.
        dimensions: of the space.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's own remarks on experimental arguments
        trial = study.ask({d.path: distribution(d) for d in dimensions})
    point = {d.path: d.choices[trial.params[d.path]] if d.choices else trial.params[d.path] for d in dimensions}
    study.tell(trial, state=optuna().trial.TrialState.FAIL)  # what was tried instead is told from the history
    return point


def _stored(dimension: Dimension, value: Any) -> Any:
    return dimension.choices.index(value) if dimension.choices and value in dimension.choices else value


def _times_changed(history: History, dimensions: Sequence[Dimension]) -> dict[str, int]:
    changed = [c.path for e in history.experiments if e.mutation for c in e.mutation.changes]
    return {d.path: changed.count(d.path) for d in dimensions}
