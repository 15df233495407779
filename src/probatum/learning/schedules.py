"""Learning-rate schedules: the rate's factor at each step, from traced numbers.

The schedules and their numbers are named in `probatum.learning.vocabulary`. `warmup` is a share of the training's steps
in which the factor rises from 0 to 1; `held` is one in which it stays 1; `final` is the factor at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

Numbers = Mapping[str, Any]


def _constant(done: jax.Array, numbers: Numbers) -> jax.Array:
    return jnp.ones(())


def _warm(done: jax.Array, numbers: Numbers) -> tuple[jax.Array, jax.Array]:
    """The factor of the warm-up, and the share done of what follows it."""
    warmup = numbers["warmup"]
    rising = jnp.minimum(done / jnp.maximum(warmup, 1e-9), 1.0)
    return jnp.where(warmup > 0, rising, 1.0), jnp.clip((done - warmup) / jnp.maximum(1 - warmup, 1e-9), 0.0, 1.0)


def _exponential(done: jax.Array, numbers: Numbers) -> jax.Array:
    rising, after = _warm(done, numbers)
    return rising * numbers["final"] ** after


def _held_exponential(done: jax.Array, numbers: Numbers) -> jax.Array:
    held = numbers["held"]
    return numbers["final"] ** jnp.clip((done - held) / jnp.maximum(1 - held, 1e-9), 0.0, 1.0)


def _cosine(done: jax.Array, numbers: Numbers) -> jax.Array:
    rising, after = _warm(done, numbers)
    return rising * _half_wave(after, numbers["final"])


def _cosine_restarts(done: jax.Array, numbers: Numbers) -> jax.Array:
    """Cycles of equal length (Loshchilov and Hutter 2017, SGDR with T_mult = 1)."""
    rising, after = _warm(done, numbers)
    cycle = after * numbers["cycles"]
    return rising * _half_wave(cycle - jnp.floor(cycle), numbers["final"])


def _half_wave(share: jax.Array, final: jax.Array) -> jax.Array:
    return final + (1 - final) * 0.5 * (1 + jnp.cos(jnp.pi * share))


FACTORS: dict[str, Callable[[jax.Array, Numbers], jax.Array]] = {
    "constant": _constant,
    "exponential": _exponential,
    "held_exponential": _held_exponential,
    "cosine": _cosine,
    "cosine_restarts": _cosine_restarts,
    "plateau": _constant,
}
"""From the share of the training done, from 0 to below 1, and numbers to what the rate is multiplied by."""

IMPROVES = 1e-4
"""A score is better if it is lower than the best by this share of it."""


def plateau_start() -> dict[str, jax.Array]:
    """What the schedule 'plateau' remembers."""
    return {"factor": jnp.ones(()), "best": jnp.full((), jnp.inf), "waited": jnp.zeros((), jnp.int32)}


def plateau_next(state: dict[str, jax.Array], score: jax.Array, numbers: Numbers) -> dict[str, jax.Array]:
    """What it remembers after an epoch of this score (the rule of optax.contrib.reduce_on_plateau)."""
    better = score < (1 - IMPROVES) * state["best"]
    waited = jnp.where(better, 0, state["waited"] + 1)
    lower = waited >= numbers["wait"]
    factor = jnp.where(lower, jnp.maximum(state["factor"] * numbers["factor"], numbers["least"]), state["factor"])
    return {
        "factor": factor,
        "best": jnp.where(better, score, state["best"]),
        "waited": jnp.where(lower, 0, waited).astype(jnp.int32),
    }
