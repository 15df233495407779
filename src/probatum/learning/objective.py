"""What one stage of a training makes small: a loss, the penalties added to it, and the head they look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from probatum.learning.heads import HEADS
from probatum.learning.losses import by_row, loss, penalty

SMALLEST_WEIGHT = 1e-12


@dataclass(frozen=True)
class Objective:
    """Loss and penalties by name. Equal objectives compile once: their numbers are traced.

    The numbers are 'loss', the loss's own by name; 'penalties' [penalty], their weights; 'target_weights' [quantity];
    'units' [2, quantity], what was subtracted from the targets and what they were multiplied by.

    Attributes:
        loss: as `probatum.learning.losses.loss` takes it.
        penalties: as `probatum.learning.losses.penalty` takes them.
        head: of `probatum.learning.heads.HEADS`.
    """

    loss: str = "mse"
    penalties: tuple[str, ...] = ()
    head: str = "linear"

    def rows(self, raw: jax.Array, targets: jax.Array, numbers: Any) -> jax.Array:
        """The loss of each row, [row].

        Args:
            raw: [row, columns of the head] network outputs.
            targets: [row, quantity], scaled.
            numbers: see above.
        """
        one = loss(self.loss)
        outputs, wanted = self._seen(one.choice.outputs, raw, targets, numbers)
        return by_row(one.rows(outputs, wanted, numbers["loss"]), numbers["target_weights"])

    def batch(self, raw: jax.Array, targets: jax.Array, weight: jax.Array, numbers: Any, word: Any) -> jax.Array:
        """The loss of a mini-batch with its penalties, a number.

        Args:
            raw, targets, numbers: as in `rows`.
            weight: [row], of sum 1, or a little more or less where rows have weights of their own.
            word: uint32 of the step.
        """
        total = (self.rows(raw, targets, numbers) * weight).sum()
        share = weight / jnp.maximum(weight.sum(), SMALLEST_WEIGHT) if self.penalties else weight
        for place, name in enumerate(self.penalties):
            one = penalty(name)
            outputs, wanted = self._seen(one.outputs, raw, targets, numbers)
            total = total + numbers["penalties"][place] * one.batch(outputs, wanted, share, word)
        return total

    def _seen(self, kind: str, raw: jax.Array, targets: jax.Array, numbers: Any) -> tuple[jax.Array, jax.Array]:
        if kind == "raw":
            return raw, targets
        prediction = HEADS[self.head].predict(raw)
        if kind == "scaled":
            return prediction, targets
        subtracted, multiplied = numbers["units"]
        return prediction / multiplied + subtracted, targets / multiplied + subtracted
