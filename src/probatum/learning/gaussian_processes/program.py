"""The programs that all fits of one shape share: the marginal likelihood with its gradient, and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from probatum.learning.gaussian_processes.covariance import (
    Coordinates,
    Parameters,
    Prior,
    Structure,
    noise_variance,
    process,
)

BLOCK = 128
"""Rows predicted at once."""
NOT_DEFINITE = 1e12
"""The loss where the covariance matrix is not positive definite."""


class Data(NamedTuple):
    """What a process is trained on; its rows are those of `measurements.Measurements`, quantity after quantity.

    Attributes:
        at: coordinates of the rows.
        counts, means, scatter: [row].
    """

    at: Coordinates
    counts: Any
    means: Any
    scatter: Any


def log_likelihood(structure: Structure, parameters: Parameters, data: Data) -> Any:
    """Logarithm of the marginal likelihood of all measurements (Rasmussen and Williams 2006, eq. 2.30)."""
    used, counts = data.at.used, data.counts
    of_means = process(structure, parameters, data.at, counts).log_probability(data.means)
    of_unused = -0.5 * jnp.log(2 * jnp.pi) * (1 - used).sum()
    variance = noise_variance(parameters)[data.at.quantity]
    within = (counts - 1) * jnp.log(2 * jnp.pi * variance) + jnp.log(counts) + data.scatter / variance
    return of_means - of_unused - 0.5 * (used * within).sum()


def objective_program(structure: Structure) -> Callable[..., Any]:
    """(parameters, prior, data) to the negative logarithm of the posterior density, up to a constant, and its gradient.

    Both are finite: where the covariance matrix is not positive definite, the loss is high and flat.
    """

    def loss(parameters: Parameters, prior: Prior, data: Data) -> Any:
        far = jax.tree.map(lambda p, m, s: (((p - m) / s) ** 2).sum(), parameters, prior.mean, prior.deviation)
        return 0.5 * sum(jax.tree.leaves(far)) - log_likelihood(structure, parameters, data)

    def run(parameters: Parameters, prior: Prior, data: Data) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, prior, data)
        return jnp.where(jnp.isfinite(value), value, NOT_DEFINITE), jax.tree.map(jnp.nan_to_num, gradient)

    return run


def prediction_program(structure: Structure) -> Callable[..., Any]:
    """(parameters, data, inputs, quantity) to means and variances of a measurement.

    Inputs are [block, BLOCK, column], standardised; quantity is [block, BLOCK], which one is predicted.
    """

    def run(parameters: Parameters, data: Data, inputs: jax.Array, quantity: jax.Array) -> Any:
        prior = process(structure, parameters, data.at, data.counts)
        noise = noise_variance(parameters)

        def block(at: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            rows = Coordinates(at[0], at[1], jnp.ones(BLOCK))
            posterior = prior.condition(data.means, rows, diag=noise[at[1]]).gp
            return posterior.loc, posterior.variance

        return jax.lax.map(block, (inputs, quantity))

    return run
