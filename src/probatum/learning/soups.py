"""Soups: one network whose weights are the mean of several that started from the same warmed-up weights.

Members of a soup must share a basin: branch them from one network that is already trained a little. Batch-norm
statistics of a soup are not those of its members: estimate them again, by one pass over the training rows. Choose by
rows that are not reported: a soup chosen by the score it reports is chosen for its luck. (Wortsman et al. 2022.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from probatum.learning.choices import among, check_number, named_choice, with_defaults

Network = Any
"""A pytree of arrays."""
Score = Callable[[Network], float]
"""Of a network on selection rows; lower is better."""


KINDS: dict[str, Mapping[str, float]] = {
    "none": {},
    "uniform": {"members": 5, "warmup": 0.3},
    "greedy": {"members": 5, "warmup": 0.3},
    "swap": {"members": 5, "warmup": 0.3, "rounds": 5},
}
"""Kinds of soups and their numbers: members trained, the share of the epochs that they share, rounds of swapping."""
SELECTED = ("greedy", "swap")
"""Kinds that choose by selection rows."""


@dataclass(frozen=True)
class SoupChoice:
    """How a training's soup is written in a recipe.

    Attributes:
        kind: 'uniform', 'greedy' or 'swap'.
        members: trainings branched from the shared one.
        warmup: share of the epochs that the shared one trains; each member trains the rest.
        rounds: of swapping, each of which trains one more network for as long as a member.
    """

    kind: str
    members: int
    warmup: float
    rounds: int = 0


def soup_choice(value: Any) -> SoupChoice | None:
    """What `soup` says: None for 'none', else the soup, checked.

    Args:
        value: a kind, or {"kind": "swap", "members": 5, "warmup": 0.3, "rounds": 5}.

    Raises:
        CampaignFileError: a kind, key or number that cannot be used.
    """
    kind, given = named_choice("soup", value)
    among("soup", kind, KINDS)
    numbers = with_defaults("soup", given, KINDS[kind])
    if kind == "none":
        return None
    check_number("soup.members", numbers["members"], whole=True, least=2)
    check_number("soup.warmup", numbers["warmup"], least=0, below=1)
    check_number("soup.rounds", numbers.get("rounds", 0), whole=True, least=0)
    return SoupChoice(kind, int(numbers["members"]), float(numbers["warmup"]), int(numbers.get("rounds", 0)))


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
    scores: Float[np.ndarray, " round"]


def mean_network(members: Sequence[Network]) -> Network:
    """The mean of networks of one structure, parameter by parameter, summed in float64."""
    import jax  # not above: recipes are checked without it

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
    of_members = [score(member) for member in members]
    first, *others = (members[place] for place in np.argsort(of_members, kind="stable"))
    chosen, best = [first], min(of_members)
    scores = [best]
    for member in others:
        tried = score(mean_network([*chosen, member]))
        if tried <= best:
            chosen, best = [*chosen, member], tried
        scores.append(best)
    return Soup(mean_network(chosen), tuple(chosen), np.array(scores))


@dataclass(frozen=True, eq=False)
class Swap:
    """A soup of fixed size on its way: better members are swapped in.

    Attributes:
        members: as they are now.
        of_members: their scores.
        soup: the best so far; its network is what the next candidate starts from.
    """

    members: tuple[Network, ...]
    of_members: tuple[float, ...]
    soup: Soup

    @classmethod
    def started(cls, members: Sequence[Network], score: Score) -> Swap:
        """With the first members."""
        network = mean_network(members)
        soup = Soup(network, tuple(members), np.array([score(network)]))
        return cls(tuple(members), tuple(score(member) for member in members), soup)

    def offered(self, candidate: Network, score: Score) -> Swap:
        """After one more network.

        If it scores better than the worst member, it takes its place; if the mean is then better than the best soup so
        far, it is the soup.
        """
        members, of_members, soup = list(self.members), list(self.of_members), self.soup
        reached, worst, best = score(candidate), int(np.argmax(of_members)), self.soup.scores[-1]
        network, kept = soup.network, soup.members
        if reached < of_members[worst]:
            members[worst], of_members[worst] = candidate, reached
            mean = mean_network(members)
            of_mean = score(mean)
            if of_mean < best:
                network, best, kept = mean, of_mean, tuple(members)
        return Swap(tuple(members), tuple(of_members), Soup(network, kept, np.append(soup.scores, best)))


def swap_soup(start: Sequence[Network], train: Callable[[Network, int], Network], score: Score, rounds: int) -> Soup:
    """A soup of fixed size into which better members are swapped; each round trains one more network from the soup.

    (The prize-winning entry of DrivenData's Mars Spectrometry 2 that reports it chose soups by the score it reports;
    give selection rows of their own.)

    Args:
        start: the first members.
        train: (network to start from, round) to a trained network.
        score: on selection rows, with statistics estimated again.
        rounds: networks that are trained beside those of the start.
    """
    swap = Swap.started(start, score)
    for number in range(rounds):
        swap = swap.offered(train(swap.soup.network, number), score)
    return swap.soup


def statistics(network: Network, rows: np.ndarray) -> Any:
    """Batch-norm statistics of a network over its training rows [row, column], as the network returns them."""
    _, found = network(rows, np.ones(len(rows), dtype=np.float32), None)
    return found
