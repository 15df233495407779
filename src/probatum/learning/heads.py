"""Output heads: what turns a network's raw outputs into predictions, and how targets are scaled for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax
import numpy as np
from scipy.special import expit

from probatum.learning.networks.ordered import increasing, ordered
from probatum.learning.scaling import Scaling


@dataclass(frozen=True)
class Head:
    """The end of a network.

    Attributes:
        name: as estimators name it.
        description: one line.
        apply: raw outputs [row, quantity] to predictions [row, quantity], of the scaled targets, inside a program.
        finish: the same on NumPy arrays, outside of one, where compiling for each number of rows would cost more.
        scaling: of the targets while training: 'standard' to mean 0 and variance 1, 'size' divides by the standard
            deviation only, 'none' leaves them in their units.
        columns: raw outputs a quantity; with 2, the second one is the logarithm of the predictive variance.
        common: whether all quantities share one scaling, so that their order is the same before and after it.
    """

    name: str
    description: str
    apply: Callable[[jax.Array], jax.Array]
    finish: Callable[[np.ndarray], np.ndarray]
    scaling: Literal["standard", "size", "none"] = "standard"
    columns: int = 1
    common: bool = False

    def predict(self, raw: jax.Array) -> jax.Array:
        """Predictions [row, quantity] of raw outputs [row, columns x quantity]; the means come first."""
        return self.apply(raw[..., : raw.shape[-1] // self.columns])

    def target_scaling(self, targets: np.ndarray) -> Scaling:
        """How the targets [row, quantity] of a training are scaled."""
        if self.scaling == "none":
            return Scaling.none(targets.shape[1])
        standard = Scaling.of(targets.reshape(-1, 1) if self.common else targets)
        if self.common:
            standard = Scaling(*(np.repeat(number, targets.shape[1]) for number in standard.to_array()))
        return standard if self.scaling == "standard" else Scaling(0 * standard.subtract, standard.multiply)

    def undo(self, raw: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, np.ndarray | None]:
        """Predictions and, where the head has them, predictive standard deviations, in the units of the targets.

        Args:
            raw: [row, columns x quantity].
            scaling: of the targets.

        Returns:
            [row, quantity] float64 each.
        """
        raw = np.asarray(raw, dtype=np.float64)
        prediction = scaling.undo(self.finish(raw[:, : raw.shape[1] // self.columns]))
        if self.columns == 1:
            return prediction, None
        log_variance = raw[:, raw.shape[1] // 2 :]
        with np.errstate(over="ignore"):
            return prediction, np.exp(0.5 * log_variance) / scaling.multiply


HEADS: dict[str, Head] = {
    head.name: head
    for head in (
        Head("linear", "any number", lambda raw: raw, lambda raw: raw),
        Head("sigmoid", "between 0 and 1; targets stay in their units", jax.nn.sigmoid, expit, "none"),
        Head("softplus", "above 0", jax.nn.softplus, lambda raw: np.logaddexp(0, raw), "size"),
        Head(
            "relu_plus_one",
            "at least 1; targets stay in their units",
            lambda raw: jax.nn.relu(raw) + 1,
            lambda raw: np.maximum(raw, 0) + 1,
            "none",
        ),
        Head(
            "ordered",
            "at least 0, never falling from one quantity to the next",
            ordered,
            lambda raw: np.cumsum(np.logaddexp(0, raw), axis=-1),
            "size",
            common=True,
        ),
        Head(
            "increasing",
            "any number, never falling from one quantity to the next",
            increasing,
            lambda raw: np.cumsum(np.concatenate([raw[..., :1], np.logaddexp(0, raw[..., 1:])], axis=-1), axis=-1),
            common=True,
        ),
        Head("gaussian", "any number, with its own predictive variance", lambda raw: raw, lambda raw: raw, columns=2),
    )
}
