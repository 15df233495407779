"""Curricula: training rows are shown from easy to hard (Bengio et al. 2009; Hacohen and Weinshall 2019).

The first epochs deal the easiest share of the rows, which grows until it is all of them. An epoch always has as many
places as there are rows, so that easy rows are then shown several times in one: steps, mini-batches and the compiled
program are the same as without a curriculum, which is what Hacohen and Weinshall do too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_number, imported, named_choice, with_defaults

Difficulty = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From inputs [row, column] and targets [row, quantity] of the training rows to [row]; small is easy."""

ORDERS = ("random", "curriculum")
NUMBERS: Mapping[str, float] = {"start": 0.25, "until": 0.5}
"""Of a curriculum: the share of rows that is shown first, and the share of the epochs after which all are shown."""


@dataclass(frozen=True)
class CurriculumChoice:
    """How a training's curriculum is written in a recipe.

    Attributes:
        by: name of a difficulty, or 'module:function'.
        pacing: of `PACINGS`.
        start: share of the rows that the first epoch shows, above 0.
        until: share of the epochs after which all rows are shown, above 0.
    """

    by: str
    pacing: str
    start: float
    until: float

    def shares(self, epochs: int) -> np.ndarray:
        """[epoch] float64, not falling: the share of the rows that each epoch shows."""
        done = np.minimum(np.arange(epochs) / (self.until * epochs), 1.0)
        return np.minimum(PACINGS[self.pacing](self.start, done), 1.0)

    def difficulty(self, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """[row] float64 of training rows, small being easy.

        Args:
            inputs: [row, column].
            targets: [row, quantity].

        Raises:
            CampaignFileError: a function of the user's own gives something else than a finite number a row.
        """
        function = DIFFICULTIES[self.by] if self.by in DIFFICULTIES else imported(self.by)
        found = np.asarray(function(inputs, targets), dtype=np.float64)
        if found.shape != (len(inputs),) or not np.isfinite(found).all():
            raise CampaignFileError(
                f"difficulty '{self.by}' gives shape {found.shape} for {len(inputs)} rows, or numbers not finite",
                where="order.by",
                remedy="return one finite number a row",
            )
        return found


@dataclass(frozen=True, eq=False)
class Curriculum:
    """A training's own curriculum.

    Attributes:
        difficulty: [row], of its training rows.
        shares: [epoch], of these rows, that each epoch shows.
    """

    difficulty: np.ndarray
    shares: np.ndarray

    def dealt(self, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """The rows of every epoch, [epoch, row], each as long as `rows`.

        Args:
            rows: [row] indices; equal difficulties keep their order.
            generator: shuffles the rows of an epoch.
        """
        ranked = rows[np.argsort(self.difficulty, kind="stable")]
        counts = np.maximum(np.ceil(self.shares * len(rows) - 1e-9).astype(int), 1)
        dealt = np.empty((len(counts), len(rows)), dtype=rows.dtype)
        for epoch, count in enumerate(counts):
            decks = -(-len(rows) // count)
            shuffled = generator.permuted(np.broadcast_to(ranked[:count], (decks, count)), axis=1)
            dealt[epoch] = shuffled.ravel()[: len(rows)]
        return dealt


def curriculum_choice(value: Any) -> CurriculumChoice | None:
    """What `order` says: None for 'random', else the curriculum, checked.

    Args:
        value: 'random', 'curriculum', or {"kind": "curriculum", "by": ..., "pacing": ..., "start": ..., "until": ...}.

    Raises:
        CampaignFileError: an order, key or value that cannot be used.
    """
    kind, given = named_choice("order", value)
    among("order", kind, ORDERS)
    texts: dict[str, Any] = {"by": "target_size", "pacing": "linear"} if kind == "curriculum" else {}
    texts |= {key: given.pop(key) for key in tuple(texts) if key in given}
    numbers = with_defaults("order", given, NUMBERS if kind == "curriculum" else {})
    if kind == "random":
        return None
    if ":" in str(texts["by"]):
        imported(texts["by"])
    else:
        among("order.by", texts["by"], DIFFICULTIES)
    among("order.pacing", texts["pacing"], PACINGS)
    for key, number in numbers.items():
        check_number(f"order.{key}", number, above=0)
        if number > 1:
            raise CampaignFileError(f"order.{key} = {number:g} cannot be used", where="order", remedy="a share up to 1")
    return CurriculumChoice(texts["by"], texts["pacing"], **numbers)


# ---------------------------------------------------------------------- how the share grows


def _linear(start: float, done: np.ndarray) -> np.ndarray:
    return start + (1 - start) * done


def _root(start: float, done: np.ndarray) -> np.ndarray:
    """sqrt(s^2 + (1 - s^2) t): new rows come ever more slowly (Platanios et al. 2019)."""
    return np.sqrt(start**2 + (1 - start**2) * done)


def _exponential(start: float, done: np.ndarray) -> np.ndarray:
    """s^(1 - t): the share grows by a constant ratio (Hacohen and Weinshall 2019)."""
    return start ** (1 - done)


def _step(start: float, done: np.ndarray) -> np.ndarray:
    """The easiest share, then all (Bengio et al. 2009)."""
    return np.where(done < 1, start, 1.0)


PACINGS: dict[str, Callable[[float, np.ndarray], np.ndarray]] = {
    "linear": _linear,
    "root": _root,
    "exponential": _exponential,
    "step": _step,
}
"""From the share at the start and how far the growth is, [epoch] from 0 to 1, to the share shown, [epoch]."""

# ---------------------------------------------------------------------- what is easy


def _target_size(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return _distance_from_median(targets)


def _inputs_size(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return _distance_from_median(inputs)


def _distance_from_median(values: np.ndarray) -> np.ndarray:
    """[row], the mean over columns of |x - median| in units of its mean; columns that do not vary count 0."""
    away = np.abs(values - np.median(values, axis=0))
    scale = away.mean(axis=0)
    return (away / np.where(scale > 0, scale, 1.0)).mean(axis=1)


DIFFICULTIES: dict[str, Difficulty] = {"target_size": _target_size, "inputs_size": _inputs_size}
"""Distances of a row's targets, or inputs, from their medians: rows far out are hard."""
