"""The prior of a Gaussian process: kernels over blocks of columns, built of tinygp's, and the mean.

Coordinates are of standardised inputs, values of standardised targets. With blocks b of columns x_b, each with its own
distance r_b = |x_b - x_b'| / lengthscale,

    product:  k(x, x') = amplitude * prod_b s_b(r_b)           sum:  k(x, x') = sum_b amplitude_b * s_b(r_b)

where s is the Matern kernel of smoothness 5/2 or the squared exponential (Rasmussen and Williams 2006, chapter 4).
Several quantities in one process have the covariance B[q, q'] k(x, x') with B = W W' + diag(own), the intrinsic
coregionalisation model (Bonilla et al., NeurIPS 2007).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from tinygp import GaussianProcess, kernels
from tinygp.kernels.distance import L2Distance

LEAST_NOISE = 1e-8
"""Added to the noise variance, of targets of variance 1, so that covariance matrices stay positive definite."""
FARTHEST = 30.0
"""Logarithms of hyper-parameters are held within this of 0, so that no trial step overflows."""

Parameters = Mapping[str, Any]
"""Hyper-parameters by name: the natural logarithms of 'lengthscale' [lengthscale], 'amplitude' [block or 1], 'noise'
[quantity] (a variance) and 'own' [quantity]; as they are, 'constant' [quantity] and 'loading' [quantity, rank].
Only a process of several quantities has 'own' and 'loading'."""


@dataclass(frozen=True)
class Structure:
    """What shapes a process, apart from its numbers.

    Attributes:
        kernel: 'product' or 'sum' of the blocks.
        blocks: columns of each block.
        shapes: of each block, 'matern52' or 'rbf'.
        ard: whether every column has its own lengthscale, or every block.
        quantities: in one process.
        rank: columns of W; 0 where a process has one quantity.
    """

    kernel: str
    blocks: tuple[tuple[int, ...], ...]
    shapes: tuple[str, ...]
    ard: bool
    quantities: int = 1
    rank: int = 0


class Prior(NamedTuple):
    """Independent normal priors of hyper-parameters: mean and standard deviation, of `Parameters` each."""

    mean: Parameters
    deviation: Parameters


class Coordinates(NamedTuple):
    """Where a process is looked at.

    Attributes:
        inputs: [row, column] standardised.
        quantity: [row] int, which one.
        used: [row] 1, or 0 for rows that only fill a program's shape.
    """

    inputs: Any
    quantity: Any
    used: Any


def weak_prior(structure: Structure) -> Prior:
    """What is assumed of standardised data: log-normal, wide, about medians that do not depend on the data.

    Lengthscales of d columns: median exp(sqrt 2) sqrt d, deviation of the logarithm sqrt 3 (Hvarfner, Hellsten and
    Nardi, ICML 2024); noise variance: median exp(-4), deviation 1 (the same source); amplitudes: median 1, deviation 1.
    The constant is normal with mean 0 and deviation 1, loadings are with deviation 1, 'own' is as amplitudes.
    """
    sizes = [len(block) for block in structure.blocks]
    each = np.repeat(sizes, sizes) if structure.ard else np.array(sizes)
    many = len(sizes) if structure.kernel == "sum" else 1
    quantities = structure.quantities
    mean = {
        "lengthscale": np.sqrt(2) + 0.5 * np.log(each),
        "amplitude": np.zeros(many),
        "noise": np.full(quantities, -4.0),
        "constant": np.zeros(quantities),
    }
    deviation = {
        "lengthscale": np.full(len(each), np.sqrt(3)),
        "amplitude": np.ones(many),
        "noise": np.ones(quantities),
        "constant": np.ones(quantities),
    }
    if structure.rank:
        mean |= {"loading": np.zeros((quantities, structure.rank)), "own": np.zeros(quantities)}
        deviation |= {"loading": np.ones((quantities, structure.rank)), "own": np.ones(quantities)}
    return Prior(mean, deviation)


def noise_variance(parameters: Parameters) -> Any:
    """[quantity] variance of one measurement, of standardised targets."""
    return LEAST_NOISE + _positive(parameters["noise"])


def process(structure: Structure, parameters: Parameters, at: Coordinates, counts: Any) -> Any:
    """The prior of means of `counts` measurements each, [row], their noise included.

    A row that is not used is independent of all others, with mean 0 and variance 1.
    """
    constant = jnp.asarray(parameters["constant"])
    rows: Any = at  # tinygp takes any tree of arrays, though its types name one

    def mean(row: Any) -> Any:
        return row.used * constant[row.quantity]

    noise = at.used * noise_variance(parameters)[at.quantity] / counts + (1 - at.used)
    kernel = _OfRows(_kernel(structure, parameters), _between(structure, parameters))
    return GaussianProcess(kernel, rows, diag=noise, mean=mean)


class _OfRows(kernels.Kernel):
    """A kernel of inputs, for coordinates: times B[q, q'], and 0 where a row is not used."""

    kernel: kernels.Kernel
    between: Any

    def evaluate(self, X1: Any, X2: Any) -> Any:
        both = X1.used * X2.used * self.between[X1.quantity, X2.quantity]
        return both * self.kernel.evaluate(X1.inputs, X2.inputs)


class _OfColumns(kernels.Kernel):
    """A kernel of some columns, each divided by its scale."""

    kernel: kernels.Kernel
    scale: Any
    columns: tuple[int, ...] = eqx.field(static=True)

    def evaluate(self, X1: Any, X2: Any) -> Any:
        at = np.array(self.columns)
        return self.kernel.evaluate(X1[at] / self.scale, X2[at] / self.scale)


def _kernel(structure: Structure, parameters: Parameters) -> kernels.Kernel:
    lengthscales = _positive(parameters["lengthscale"])
    blocks, first = [], 0
    for columns, shape in zip(structure.blocks, structure.shapes, strict=True):
        count = len(columns) if structure.ard else 1
        scale = jnp.broadcast_to(lengthscales[first : first + count], (len(columns),))
        blocks.append(_OfColumns(_SHAPES[shape](), scale, columns))
        first += count
    amplitudes = _positive(parameters["amplitude"])
    if structure.kernel == "sum":
        return reduce(add, [amplitude * block for amplitude, block in zip(amplitudes, blocks, strict=True)])
    return amplitudes[0] * reduce(mul, blocks)


def _between(structure: Structure, parameters: Parameters) -> Any:
    if not structure.rank:
        return jnp.ones((1, 1))
    loading = jnp.asarray(parameters["loading"])
    return loading @ loading.T + jnp.diag(_positive(parameters["own"]))


def _positive(logarithm: Any) -> Any:
    return jnp.exp(jnp.clip(logarithm, -FARTHEST, FARTHEST))


_SHAPES = {
    "matern52": lambda: kernels.Matern52(distance=L2Distance()),
    "rbf": lambda: kernels.ExpSquared(distance=L2Distance()),
}
