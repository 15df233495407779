"""A kinetic scheme of the rearrangement, solved in closed form.

    SM --k1--> I,   I --k2--> Product 2 --k5--> lost,   I --k3--> Product 3 --k6--> lost,   I --k4--> lost

Both products take two rearrangements of the diallyl ether, so both come from an intermediate I, which has lost one
allyl ether and was not measured: while it waits, the measured mass is short. All steps are of first order, with
k = exp(a - E (1/T - 1/T0) / R), T0 = 473.15 K. With q = k2 + k3 + k4 and D[..] the divided differences of
x -> exp(-x t) without their sign (H. Bateman, Proc. Cambridge Phil. Soc. 15 (1910) 423; where arguments coincide:
C. de Boor, Surveys in Approximation Theory 1 (2005) 46):

    SM = exp(-k1 t),   I = k1 D[k1, q],   Product 2 = k1 k2 D[k1, q, k5],   Product 3 = k1 k3 D[k1, q, k6]

The starting material that is measured is r SM, its recovery r between 0 and 1: in several solvents it is short by a
tenth before anything has reacted. So the measured three never sum to more than 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

GAS_CONSTANT = 8.31446261815324e-3
"""kJ / (mol K)"""
REFERENCE = 473.15
"""K: T0, in the middle of the measured range."""
STEPS = ("SM -> I", "I -> Product 2", "I -> Product 3", "I -> lost", "Product 2 -> lost", "Product 3 -> lost")
PARAMETERS = (*(f"ln k, {step}" for step in STEPS), *(f"E, {step}" for step in STEPS), "logit of the recovery of SM")
"""Of one solvent: ln of the rates at T0 [1/min], activation energies [kJ/mol], logit of r."""


def species(rates: Float[jax.Array, " 6"], time: Float[jax.Array, ""]) -> Float[jax.Array, " 4"]:
    """Fractions of SM, I, Product 2 and Product 3, [4], each from 0 to 1; what is missing to 1 is lost.

    Args:
        rates: [6] of the steps, 1/min, positive.
        time: scalar, min, not negative.
    """
    k1, k2, k3, k4, k5, k6 = rates
    q = k2 + k3 + k4
    products = [k1 * k * _difference_of_three(k1, q, decay, time) for k, decay in ((k2, k5), (k3, k6))]
    return jnp.stack([jnp.exp(-k1 * time), k1 * _difference_of_two(k1, q, time), *products])


def measured(
    parameters: Float[jax.Array, " 13"], inverse: Float[jax.Array, ""], time: Float[jax.Array, ""]
) -> Float[jax.Array, " 3"]:
    """Measured fractions of SM, Product 2 and Product 3, [3].

    Args:
        parameters: [13], as `PARAMETERS` names them.
        inverse: scalar, (1/T - 1/T0) / R, mol/kJ.
        time: scalar, min.
    """
    steps = len(STEPS)
    # Beyond these limits nothing or everything happens at once; exp must not overflow on the way of a fit.
    logarithms = jnp.clip(parameters[:steps] - parameters[steps : 2 * steps] * inverse, -25.0, 8.0)
    sm, _, second, third = species(jnp.exp(logarithms), time)
    return jnp.stack([jax.nn.sigmoid(parameters[2 * steps]) * sm, second, third])


def inverse_temperature(celsius: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """(1/T - 1/T0) / R for temperatures in deg C, mol/kJ."""
    return (1 / (celsius + 273.15) - 1 / REFERENCE) / GAS_CONSTANT


def yields(
    parameters: Float[np.ndarray, "row 13"], celsius: Float[np.ndarray, " row"], minutes: Float[np.ndarray, " row"]
) -> Float[np.ndarray, "row 3"]:
    """Measured fractions of SM, Product 2 and Product 3: [row, 3] float64.

    Args:
        parameters: [row, 13] float64, as `PARAMETERS` names them.
        celsius: [row] float64, deg C.
        minutes: [row] float64, residence times.
    """
    return _in_blocks(_values, parameters, celsius, minutes)[0]


def yields_and_derivatives(
    parameters: Float[np.ndarray, "row 13"], celsius: Float[np.ndarray, " row"], minutes: Float[np.ndarray, " row"]
) -> tuple[Float[np.ndarray, "row 3"], Float[np.ndarray, "row 3 13"]]:
    """As `yields`, and their derivatives by the parameters: [row, 3, 13] float64."""
    value, derivative = _in_blocks(_values_and_derivatives, parameters, celsius, minutes)
    return value, derivative


_BLOCK = 512


def _in_blocks(
    function: Callable[..., tuple[jax.Array, ...]],
    parameters: Float[np.ndarray, "row 13"],
    celsius: Float[np.ndarray, " row"],
    minutes: Float[np.ndarray, " row"],
) -> tuple[Float[np.ndarray, "row ..."], ...]:
    """Evaluates in blocks of one shape, so that a function is compiled once, whatever the number of rows."""
    rows = len(parameters)
    inverse = inverse_temperature(np.asarray(celsius, dtype=np.float64))
    padding = -rows % _BLOCK
    columns = [np.concatenate([a, np.zeros((padding, *a.shape[1:]))]) for a in (parameters, inverse, minutes)]
    with jax.enable_x64(True):
        blocks = [
            [np.asarray(part) for part in function(*(a[start : start + _BLOCK] for a in columns))]
            for start in range(0, rows + padding, _BLOCK)
        ]
    return tuple(np.concatenate(parts)[:rows] for parts in zip(*blocks, strict=True))


@jax.jit
def _values(
    parameters: Float[jax.Array, "row 13"], inverse: Float[jax.Array, " row"], time: Float[jax.Array, " row"]
) -> tuple[Float[jax.Array, "row 3"]]:
    return (jax.vmap(measured)(parameters, inverse, time),)


@jax.jit
def _values_and_derivatives(
    parameters: Float[jax.Array, "row 13"], inverse: Float[jax.Array, " row"], time: Float[jax.Array, " row"]
) -> tuple[Float[jax.Array, "row 3"], Float[jax.Array, "row 3 13"]]:
    forward = jax.vmap(jax.jacfwd(measured))
    return jax.vmap(measured)(parameters, inverse, time), forward(parameters, inverse, time)


def _difference_of_two(
    a: Float[jax.Array, ""], b: Float[jax.Array, ""], time: Float[jax.Array, ""]
) -> Float[jax.Array, ""]:
    """(exp(-a t) - exp(-b t)) / (b - a), also where a = b."""
    z = jnp.abs(b - a) * time
    close = z < 1e-4
    apart = jnp.where(close, 1.0, z)
    ratio = jnp.where(close, 1 - z / 2 + z**2 / 6 - z**3 / 24, -jnp.expm1(-apart) / apart)
    return time * jnp.exp(-jnp.minimum(a, b) * time) * ratio


def _difference_of_three(
    a: Float[jax.Array, ""], b: Float[jax.Array, ""], c: Float[jax.Array, ""], time: Float[jax.Array, ""]
) -> Float[jax.Array, ""]:
    """The second divided difference of exp(-x t) at a, b and c, also where they coincide.

    Near coincidence it is t^2/2 times the mean of exp(-x t) over the simplex of a, b, c (Hermite and Genocchi), here up
    to the variance of x.
    """
    low, high = jnp.minimum(jnp.minimum(a, b), c), jnp.maximum(jnp.maximum(a, b), c)
    middle = jnp.maximum(jnp.minimum(a, b), jnp.minimum(jnp.maximum(a, b), c))
    difference = partial(_difference_of_two, time=time)
    close = (high - low) * time < 1e-3
    span = jnp.where(close, 1.0, high - low)
    mean = (a + b + c) / 3
    variance = ((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 12
    near = time**2 / 2 * jnp.exp(-mean * time) * (1 + time**2 * variance / 2)
    return jnp.where(close, near, (difference(low, middle) - difference(middle, high)) / span)
