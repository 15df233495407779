"""The label-correlation grid: how labels of a batch go together.

Sampled form: X[n, i, j] = x[n, j] + e, e ~ N(0, 1/4), drawn anew for every (n, i, j); G_ij = Corr_n(X_ij, X_ji).
Its closed form in the limit of many rows: G_ij = Cov(x_i, x_j) / sqrt((Var x_i + 1/4) (Var x_j + 1/4)), G_ii = 1.
(From a prize-winning entry of DrivenData's Mars Spectrometry 2, where the loss is the mean of |G(y) - G(p)|.)
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt32

from probatum.learning.noise import normal

NOISE_VARIANCE = 0.25


def label_correlation(labels: Float[Array, "row label"], weight: Float[Array, " row"]) -> Float[Array, "label label"]:
    """The grid in closed form.

    Args:
        labels: [row, label].
        weight: [row], of sum 1.

    Returns:
        [label, label], 1 on the diagonal.
    """
    centred = labels - (weight[:, None] * labels).sum(axis=0)
    covariance = jnp.matmul((weight[:, None] * centred).T, centred, precision=jax.lax.Precision.HIGHEST)
    size = jnp.sqrt((weight[:, None] * centred**2).sum(axis=0) + NOISE_VARIANCE)
    return jnp.where(np.eye(labels.shape[1], dtype=bool), 1.0, covariance / (size[:, None] * size[None, :]))


def sampled_label_correlation(
    labels: Float[Array, "row label"], weight: Float[Array, " row"], word: UInt32[Array, ""]
) -> Float[Array, "label label"]:
    """The grid as first published.

    Args:
        labels: [row, label].
        weight: [row], of sum 1.
        word: uint32, where the noise derives from.

    Returns:
        [label, label].
    """
    rows, count = labels.shape
    noisy = labels[:, None, :] + np.sqrt(NOISE_VARIANCE) * normal((rows, count, count), word)
    share = weight[:, None, None]
    centred = noisy - (share * noisy).sum(axis=0)
    covariance = (share * centred * centred.swapaxes(1, 2)).sum(axis=0)
    size = jnp.sqrt((share * centred**2).sum(axis=0) + 1e-12)
    return covariance / (size * size.T)
