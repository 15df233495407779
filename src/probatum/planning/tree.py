"""Parents by UCB over the campaign's tree: good experiments, and those that little was made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probatum.campaigns.experiment import Experiment
from probatum.planning.proposal import History

EXPLORATION = 1.414
"""c of the metabolism log's engine, about sqrt(2) (Auer, Cesa-Bianchi and Fischer, Machine Learning 47, 235, 2002)."""
BEST_VALUE = 2.0
"""The value of a score at the noise floor; the champion's is 1."""

CURABLE = ("PB201", "PB304", "PB602")
"""Errors that another recipe may cure (diverged, no better than trivial, against physical law): they keep an experiment
from being champion, and not from being a parent."""

By = Literal["mean", "posterior"]


@dataclass(frozen=True)
class Node:
    """An experiment as a parent.

    Attributes:
        name: of it.
        value: its score normalised: 1 for the champion, 2 at the noise floor, 0 as far from the champion the other way.
        descendants: in the tree.
        ucb: value + c sqrt(N) / (1 + V) with N nodes and V = 1 + descendants.
    """

    name: str
    value: float
    descendants: int
    ucb: float


def ranked(history: History, *, by: By = "mean", c: float = EXPLORATION, seed: int | None = None) -> list[Node]:
    """The experiments that something can be made of, the best parent first.

    Left out are those without a score, and those that an error of the audit stands against: what cannot be believed is
    nothing to build on. Errors that another recipe may cure (`CURABLE`) are no reason: they call for a child.

    Args:
        history: of the campaign.
        by: 'mean' takes the score as measured; 'posterior' takes a draw from the posterior of the true score (Thompson,
            Biometrika 25, 285, 1933), so that parents come up as often as they may be the best.
        c: weight of exploration.
        seed: of the draw; default: the round's number.
    """
    family_tree = descendants(history.experiments)
    usable = [e for e in history.experiments if e.name in history.standings and may_be_parent(e.name, history)]
    scores = {e.name: history.standings[e.name].score for e in usable}
    if by == "posterior":
        generator = np.random.default_rng(history.round if seed is None else seed)
        draws = generator.normal(size=len(usable))
        standing = history.standings
        scores = {
            e.name: standing[e.name].mean + standing[e.name].sd * float(z) for e, z in zip(usable, draws, strict=True)
        }
    n = len(usable)
    nodes = []
    for name, score in scores.items():
        worth = value(score, history)
        below = family_tree[name]
        nodes.append(Node(name, worth, below, worth + c * math.sqrt(n) / (2 + below)))
    return sorted(nodes, key=lambda node: -node.ucb)


def may_be_parent(name: str, history: History) -> bool:
    """Whether no error stands against an experiment but those that another recipe may cure.

    Args:
        name: of the experiment.
        history: of the campaign.
    """
    return all(f.code in CURABLE for f in history.blocked(name))


def value(score: float, history: History) -> float:
    """A score normalised by the noise floor and the champion: 1 + (champion - score) / (champion - floor), in [0, 2].

    Where no floor is known, a perfect score stands for it (0 of errors, 1 of shares explained). Where the champion is
    at the floor already, the scale is its standard error.

    Args:
        score: in the metric's unit.
        history: of the campaign.
    """
    champion = history.standings.get(history.champion)
    if champion is None or not math.isfinite(score):
        return 0.0
    perfect = 0.0 if history.better == "lower" else 1.0
    floor = history.floor if history.floor is not None else perfect
    scale = max(history.sign * (champion.score - floor), champion.error or 0.0, 1e-12 * (1 + abs(champion.score)))
    return float(np.clip(1 + history.sign * (champion.score - score) / scale, 0.0, BEST_VALUE))


def descendants(experiments: tuple[Experiment, ...]) -> Mapping[str, int]:
    """Name to the number of experiments below it in the tree.

    Args:
        experiments: of the tree; a parent that is none of them is a root.
    """
    parent = {e.name: e.parent for e in experiments}
    found = dict.fromkeys(parent, 0)
    for name in parent:
        above = parent[name]
        while above in found:
            found[above] += 1
            above = parent[above]
    return found
