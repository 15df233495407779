"""Soups: one network whose weights are the mean of several that started from the same warmed-up weights.

Members of a soup must share a basin: branch them from one network that is already trained a little. Batch-norm
statistics of a soup are not those of its members: estimate them again, by one pass over the training rows. Choose by
rows that are not reported: a soup chosen by the score it reports is chosen for its luck. (Wortsman et al. 2022.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

Network = Any
"""A pytree of arrays."""
Score = Callable[[Network], float]
"""Of a network on selection rows; lower is better."""


@dataclass(frozen=True, eq=False)
class Soup:
    """A soup and how it came about.

    Attributes:
        network: the mean.
        members: what it is the mean of.
        scores: [round] of the soup on the selection rows, the best so far; [] where nothing was selected.
    """

    network: Network
    members: tuple[Network, ...]
    scores: np.ndarray


def mean_network(members: Sequence[Network]) -> Network:
    """The mean of networks of one structure, parameter by parameter, summed in float64."""

    def mean(*leaves: Any) -> np.ndarray:
        first = np.asarray(leaves[0])
        return np.mean([np.asarray(leaf, dtype=np.float64) for leaf in leaves], axis=0).astype(first.dtype)

    return jax.tree.map(mean, *members)


def uniform_soup(members: Sequence[Network]) -> Soup:
    """The mean of all members."""
    return Soup(mean_network(members), tuple(members), np.zeros(0))


def greedy_soup(members: Sequence[Network], score: Score) -> Soup:
    """Members are added from the best to the worst, each kept if the mean is then no worse.

    Args:
        members: networks of one structure.
        score: on selection rows, with statistics estimated again.
    """
    ranked = sorted(members, key=score)
    chosen, best = [ranked[0]], score(ranked[0])
    scores = [best]
    for member in ranked[1:]:
        tried = score(mean_network([*chosen, member]))
        if tried <= best:
            chosen, best = [*chosen, member], tried
        scores.append(best)
    return Soup(mean_network(chosen), tuple(chosen), np.array(scores))


def swap_soup(start: Sequence[Network], train: Callable[[Network, int], Network], score: Score, rounds: int) -> Soup:
    """A soup of fixed size into which better members are swapped.

    Each round trains one more network from the soup. If it scores better than the worst member, it takes its place;
    if the mean is then better than the best soup so far, it is the soup. (The prize-winning entry of DrivenData's Mars
    Spectrometry 2 that reports it chose soups by the score it reports; give selection rows of their own.)

    Args:
        start: the first members.
        train: (network to start from, round) to a trained network.
        score: on selection rows, with statistics estimated again.
        rounds: networks that are trained beside those of the start.
    """
    members, of_members = list(start), [score(member) for member in start]
    network = mean_network(members)
    best, kept = score(network), tuple(members)
    scores = [best]
    for number in range(rounds):
        candidate = train(network, number)
        reached, worst = score(candidate), int(np.argmax(of_members))
        if reached < of_members[worst]:
            members[worst], of_members[worst] = candidate, reached
            mean = mean_network(members)
            of_mean = score(mean)
            if of_mean < best:
                network, best, kept = mean, of_mean, tuple(members)
        scores.append(best)
    return Soup(network, kept, np.array(scores))


def statistics(network: Network, rows: np.ndarray) -> Any:
    """Batch-norm statistics of a network over its training rows [row, column], as the network returns them."""
    _, found = network(rows, np.ones(len(rows), dtype=np.float32), None)
    return found
