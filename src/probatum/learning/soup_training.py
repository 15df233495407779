"""Trains soups: a shared warm-up, members branched from it, and one network of them, for many fits at once.

All warm-ups are one call of `replicas.train`, all members another, and each round of swapping one more; so that the
bits of a soup do not depend on its company either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from probatum.learning import probes
from probatum.learning.procedure import Procedure
from probatum.learning.replicas import Evaluated, Network, Replica, Trained, evaluated, train
from probatum.learning.soups import Score, Soup, SoupChoice, Swap, greedy_soup, uniform_soup

SCORE, SIZE = "soup score", "soup size"
"""Curves: the selection score of the soup so far [round], and how many members it is the mean of [1]."""
T = TypeVar("T")
R = TypeVar("R")

SHARED = -1
"""Stands for the warm-up among the members of a fit."""
BRANCH = 2
"""Sets the random numbers of members apart from those of the fit."""


def train_soups(
    choice: SoupChoice,
    procedure: Procedure,
    replicas: Sequence[Replica],
    inputs: np.ndarray,
    targets: np.ndarray,
    batch: int,
    cores: int = 1,
) -> list[Trained]:
    """Trains a soup for each replica.

    The stages are cut where the warm-up ends; optimiser and schedule start anew there. Members differ by the order of
    their rows and by their noise. Selection is by the loss of the last stage on the validation rows, batch statistics
    being those of the training rows for each network that is scored.

    Args:
        choice: of the soups.
        procedure: of one training, of all its epochs.
        replicas: of the fits; with validation rows where the choice selects.
        inputs, targets, batch, cores: as `probatum.learning.replicas.train` takes them.

    Returns:
        One a replica: its soup, with the curves of the warm-up followed by those of its first member. Where the
        warm-up or a member diverged, that training instead.

    Raises:
        FitError: memory does not suffice for one replica alone.
    """
    fits = _Fits(procedure, replicas, inputs, targets, batch, cores)
    warm, rest = _cut(procedure, round(choice.warmup * sum(stage.epochs for stage in procedure.stages)))
    networks = {fit: replica.network for fit, replica in enumerate(replicas)}
    shared: dict[int, Trained] = {}
    if warm.epochs:
        shared = {
            fit: one for (fit, _), one in fits.trained(warm, {(f, SHARED): n for f, n in networks.items()}).items()
        }
        networks = {fit: one.network for fit, one in shared.items() if one.diverged is None}
    branched = fits.trained(rest, {(f, m): n for f, n in networks.items() for m in range(choice.members)})
    members = {fit: [branched[fit, member] for member in range(choice.members)] for fit in networks}
    failed = {fit: one for fit, one in shared.items() if one.diverged is not None}
    for fit, of_fit in members.items():
        lost = next((one for one in of_fit if one.diverged is not None), None)
        if lost is not None and lost.diverged is not None:
            failed[fit] = replace(lost, diverged=warm.epochs + lost.diverged)
    sound = {fit: [one.network for one in of_fit] for fit, of_fit in members.items() if fit not in failed}
    soups = fits.soups(choice, rest, sound)
    wholes = fits.mapped(lambda fit, soup: fits.on_all_cases(fit, soup.network), soups)
    return [
        failed[fit] if fit in failed else _as_trained(soups[fit], wholes[fit], shared.get(fit), members[fit])
        for fit in range(len(replicas))
    ]


@dataclass(frozen=True, eq=False)
class _Fits:
    """What the trainings of all fits share; fits are named by their place among the replicas."""

    procedure: Procedure
    replicas: Sequence[Replica]
    inputs: np.ndarray
    targets: np.ndarray
    batch: int
    cores: int

    def trained(self, phase: _Phase, starts: Mapping[tuple[int, int], Network]) -> dict[tuple[int, int], Trained]:
        """From (fit, member) and the network it starts from to its training in one phase."""
        chosen = [phase.replica(self.replicas[fit], network, member) for (fit, member), network in starts.items()]
        results = train(phase.procedure, chosen, self.inputs, self.targets, self.batch, self.cores)
        return dict(zip(starts, results, strict=True))

    def soups(self, choice: SoupChoice, rest: _Phase, members: Mapping[int, Sequence[Network]]) -> dict[int, Soup]:
        """The soup of each fit."""
        if choice.kind == "uniform":
            return {fit: uniform_soup(networks) for fit, networks in members.items()}
        if choice.kind == "greedy":
            return self.mapped(lambda fit, networks: greedy_soup(networks, self.score(fit)), members)
        swaps = self.mapped(lambda fit, networks: Swap.started(networks, self.score(fit)), members)
        for number in range(choice.members, choice.members + choice.rounds):
            trained = self.trained(rest, {(fit, number): swap.soup.network for fit, swap in swaps.items()})
            offers = {fit: (swap, trained[fit, number].network) for fit, swap in swaps.items()}
            # A candidate that diverged scores worst, and so is not swapped in.
            swaps = self.mapped(lambda fit, offer: offer[0].offered(offer[1], self.score(fit)), offers)
        return {fit: swap.soup for fit, swap in swaps.items()}

    def score(self, fit: int) -> Score:
        """The loss of validation rows; infinite where it is not finite."""

        def of(network: Network) -> float:
            found = self.on_all_cases(fit, network).score
            return found if np.isfinite(found) else np.inf

        return of

    def on_all_cases(self, fit: int, network: Network) -> Evaluated:
        return evaluated(self.procedure, self.replicas[fit], network, self.inputs, self.targets)

    def mapped(self, function: Callable[[int, T], R], values: Mapping[int, T]) -> dict[int, R]:
        """The function of every (fit, value), on all cores."""
        with ThreadPoolExecutor(max(1, self.cores)) as pool:
            return dict(zip(values, pool.map(function, values, values.values()), strict=True))


@dataclass(frozen=True)
class _Phase:
    """A part of a training.

    Attributes:
        procedure: of this part.
        stages: places of its stages among the whole training's.
        first: epoch of the whole training that it begins with.
        epochs: how many.
    """

    procedure: Procedure
    stages: tuple[int, ...]
    first: int
    epochs: int

    def replica(self, replica: Replica, network: Network, member: int) -> Replica:
        """The replica in this part of its training, from the network given."""
        numbers = {**replica.numbers, "stages": [replica.numbers["stages"][place] for place in self.stages]}
        curriculum = replica.curriculum
        if curriculum is not None:
            curriculum = replace(curriculum, shares=curriculum.shares[self.first : self.first + self.epochs])
        if member == SHARED:
            return replace(replica, network=network, numbers=numbers, curriculum=curriculum)
        generator = np.random.default_rng([replica.seed, BRANCH, member])
        seed = int(generator.integers(2**32))
        return replace(replica, network=network, numbers=numbers, curriculum=curriculum, seed=seed, generator=generator)


def _cut(procedure: Procedure, warmup: int) -> tuple[_Phase, _Phase]:
    """The training up to an epoch, and from it on."""
    starts = np.cumsum([0, *(stage.epochs for stage in procedure.stages)])
    total = int(starts[-1])
    warmup = min(warmup, total - 1)
    phases = []
    for first, last in ((0, warmup), (warmup, total)):
        within = [max(0, min(last, int(b)) - max(first, int(a))) for a, b in pairwise(starts)]
        places = tuple(place for place, epochs in enumerate(within) if epochs)
        stages = tuple(replace(procedure.stages[place], epochs=within[place]) for place in places)
        phases.append(_Phase(replace(procedure, stages=stages), places, first, last - first))
    return phases[0], phases[1]


def _as_trained(soup: Soup, whole: Evaluated, shared: Trained | None, members: Sequence[Trained]) -> Trained:
    first = members[0].curves
    curves = {
        name: values if shared is None else np.concatenate([shared.curves[name], values])
        for name, values in first.items()
        if name != probes.DEAD
    }
    if np.isfinite(whole.dead):
        curves[probes.DEAD] = np.array([whole.dead], dtype=np.float32)
    if len(soup.scores):
        curves[SCORE] = soup.scores.astype(np.float32)
    curves[SIZE] = np.array([len(soup.members)], dtype=np.float32)
    width = min(one.width for one in ([*members] if shared is None else [shared, *members]))
    return Trained(soup.network, whole.statistics, whole.outputs, curves, None, width)
