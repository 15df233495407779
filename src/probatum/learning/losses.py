"""The losses that train. The metric that judges is another thing: see `probatum.learning.metrics`.

A loss looks at one row at a time; a penalty is added to it, and may look at a whole mini-batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from probatum.errors import UnknownNameError
from probatum.learning.label_correlation import label_correlation, sampled_label_correlation
from probatum.learning.vocabulary import LossChoice, is_own_loss, loss_choice, own_loss

Numbers = Mapping[str, jax.Array]
OfRows = Callable[[jax.Array, jax.Array, Numbers], jax.Array]
OfBatch = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]


@dataclass(frozen=True)
class Loss:
    """What a training makes small.

    Attributes:
        rows: (outputs, targets [row, quantity], numbers) to [row, quantity].
        choice: what is known of it by name.
    """

    rows: OfRows
    choice: LossChoice


@dataclass(frozen=True)
class Penalty:
    """What is added to a loss, times a traced weight.

    Attributes:
        batch: (predictions, targets [row, quantity], weight [row] of sum 1, word uint32 of the step) to a number.
        outputs: what `batch` sees, as in `LossChoice`.
    """

    batch: OfBatch
    outputs: str = "scaled"


def loss(name: str) -> Loss:
    """A loss by name, or a function of somebody else's, by import path 'module:function' or of a plug-in.

    The function takes (predictions, targets, numbers), both [row, quantity] in the units of the targets, and gives
    [row, quantity] or [row].

    Raises:
        UnknownNameError: nobody registered the name.
        CampaignFileError: the import path leads nowhere.
    """
    choice = loss_choice(name)
    return Loss(own_loss(name) if is_own_loss(name) else LOSSES[name], choice)


def penalty(name: str) -> Penalty:
    """A penalty by name; a loss by name, its mean then being the penalty; or 'module:function' as in `loss`.

    Raises:
        UnknownNameError: nobody registered the name.
        CampaignFileError: the import path leads nowhere.
    """
    if name in PENALTIES:
        return PENALTIES[name]
    if not is_own_loss(name) and name not in LOSSES:
        raise UnknownNameError.of("penalty", name, {**PENALTIES, **LOSSES})
    one = loss(name)

    def mean(outputs: jax.Array, targets: jax.Array, weight: jax.Array, word: jax.Array) -> jax.Array:
        return (weight * by_row(one.rows(outputs, targets, one.choice.numbers))).sum()  # type: ignore[arg-type]

    return Penalty(mean, one.choice.outputs)


def by_row(losses: jax.Array, weights: jax.Array | None = None) -> jax.Array:
    """[row] from [row, quantity] or [row]: the mean over quantities, each times its weight."""
    if losses.ndim == 1:
        return losses
    return (losses if weights is None else weights * losses).mean(axis=1)


# ---------------------------------------------------------------------- of rows


def _squared(outputs: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    return (outputs - targets) ** 2


def _absolute(outputs: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    return jnp.abs(outputs - targets)


def _huber(outputs: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    """r^2 / 2 where |r| <= delta, delta (|r| - delta / 2) beyond (Huber 1964)."""
    size = jnp.abs(outputs - targets)
    inner = jnp.minimum(size, numbers["delta"])
    return inner * (size - 0.5 * inner)


def _smooth_l1(outputs: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    """The Huber loss over its delta, so that the slope far out is 1 (Girshick 2015)."""
    return _huber(outputs, targets, {"delta": numbers["delta"]}) / numbers["delta"]


def _cross_entropy(logits: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    """-t ln s(z) - (1 - t) ln(1 - s(z)) = softplus(z) - t z, which does not overflow."""
    return jax.nn.softplus(logits) - targets * logits


def _hinge(logits: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    """max(0, 1 - (2 t - 1) z) for targets t of 0 and 1."""
    return jax.nn.relu(1 - (2 * targets - 1) * logits)


def _gaussian(raw: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    """(ln v + (m - t)^2 / v) / 2, raw outputs being means m and ln v (Nix and Weigend 1994); ln v is kept in +-20."""
    mean, log_variance = jnp.split(raw, 2, axis=1)
    log_variance = jnp.clip(log_variance, -20.0, 20.0)
    return 0.5 * (log_variance + (mean - targets) ** 2 * jnp.exp(-log_variance))


def _log2(outputs: jax.Array, targets: jax.Array, numbers: Numbers) -> jax.Array:
    """(log2 p - log2 t)^2; predictions below 2^-20 of a scaled unit count as that."""
    return (jnp.log2(jnp.maximum(outputs, 2.0**-20)) - jnp.log2(jnp.maximum(targets, 2.0**-20))) ** 2


LOSSES: dict[str, OfRows] = {
    "mse": _squared,
    "mae": _absolute,
    "huber": _huber,
    "smooth_l1": _smooth_l1,
    "bce": _cross_entropy,
    "hinge": _hinge,
    "gaussian_nll": _gaussian,
    "log2_mse": _log2,
}

# ---------------------------------------------------------------------- of mini-batches


def _mass_balance(predictions: jax.Array, targets: jax.Array, weight: jax.Array, word: jax.Array) -> jax.Array:
    """Mean of max(0, sum of the predicted shares - 1)^2: a whole has no more than one of itself."""
    return (weight * jax.nn.relu(predictions.sum(axis=1) - 1) ** 2).sum()


def _correlations(predictions: jax.Array, targets: jax.Array, weight: jax.Array, word: jax.Array) -> jax.Array:
    return jnp.abs(label_correlation(targets, weight) - label_correlation(predictions, weight)).mean()


def _sampled_correlations(predictions: jax.Array, targets: jax.Array, weight: jax.Array, word: jax.Array) -> jax.Array:
    of_targets = sampled_label_correlation(targets, weight, word)
    return jnp.abs(of_targets - sampled_label_correlation(predictions, weight, word ^ 0x5BD1E995)).mean()


PENALTIES: dict[str, Penalty] = {
    "mass_balance": Penalty(_mass_balance, "units"),
    "label_correlation": Penalty(_correlations),
    "sampled_label_correlation": Penalty(_sampled_correlations),
}
