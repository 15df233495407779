"""Running averages of a network's weights while it trains."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Average(NamedTuple):
    """An average and how many weights it holds."""

    network: Any
    held: jax.Array


def over_steps(average: Average, network: Any, decay: jax.Array) -> Average:
    """a <- d a + (1 - d) w, the decay d held down at first to (1 + n) / (10 + n), so that the start is forgotten."""
    kept = jnp.minimum(decay, (1 + average.held) / (10 + average.held))
    mixed = jax.tree.map(lambda a, w: a + (1 - kept) * (w - a), average.network, network)
    return Average(mixed, average.held + 1)


def over_epochs(average: Average, network: Any, started: jax.Array) -> Average:
    """The mean of the weights since it started (Izmailov et al. 2018, SWA); before, the weights themselves."""
    count = jnp.where(started, average.held + 1, 0)
    share = 1 / jnp.maximum(count, 1)
    mixed = jax.tree.map(lambda a, w: jnp.where(count > 1, a + share * (w - a), w), average.network, network)
    return Average(mixed, count)
