"""A network that looks at the spectra of a run one by one and puts together what it finds, wherever in time it is.

A compound that was never trained on comes out at a time of its own, and programmes of temperature differ, so what a
spectrum says must not depend on when it was recorded. Each spectrum is seen twice, as the logarithm of its counts and
as shares of its largest count, which do not depend on how much of the compound there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import Dense, Norm, before, initial_dense, initial_norm
from probatum.learning.networks.network import ForwardPass, Network
from probatum.problems.gas_chromatography.family_network import ACTIVATION, with_prior

LOG_SCALE = 10.0
"""What logarithms of counts are divided by: the largest are about 15."""


class SpectraNetwork(Network):
    """max and mean over spectra of (dense -> norm -> rectifier)*, then the same without spectra, then dense + prior.

    Attributes:
        embedding: layers that see one spectrum.
        layers: those that see all of them together.
        last: into logits.
        spectra, masses: how many a row holds.
        prior: [label] logits of the prior probabilities; () for none.
    """

    embedding: list[tuple[Dense, Norm]]
    layers: list[tuple[Dense, Norm]]
    last: Dense
    spectra: int = eqx.field(static=True)
    masses: int = eqx.field(static=True)
    prior: tuple[float, ...] = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        logs = rows[:, : self.spectra * self.masses].reshape(len(rows), self.spectra, self.masses)
        rest = rows[:, self.spectra * self.masses :]
        counts = jnp.expm1(jnp.clip(logs, 0.0, 20.0))
        shares = counts / jnp.maximum(counts.max(axis=2, keepdims=True), 1.0)
        x = jnp.concatenate([logs / LOG_SCALE, jnp.sqrt(shares)], axis=2)
        for dense, norm in self.embedding:
            x = forward.drop(forward.activate(ACTIVATION, forward.normalise(norm, dense(x))))
        x = jnp.concatenate([x.max(axis=1), x.mean(axis=1), rest], axis=1)
        for dense, norm in self.layers:
            x = forward.drop(forward.activate(ACTIVATION, forward.normalise(norm, dense(x))))
        return with_prior(self.last(x), self.prior)


def initial_spectra_network(
    columns: int,
    outputs: int,
    shape: tuple[int, int],
    embedding: Sequence[int],
    hidden: Sequence[int],
    norm: str,
    prior: tuple[float, ...],
    generator: np.random.Generator,
) -> SpectraNetwork:
    """An untrained network.

    Args:
        columns, outputs: sizes.
        shape: spectra of a row and m/z of a spectrum, which the first columns hold spectrum after spectrum.
        embedding, hidden: units of the layers that see one spectrum, and of those that see all.
        norm: 'batch', 'layer' or 'none', before each rectifier.
        prior: see `SpectraNetwork`.
        generator: of the weights.
    """
    spectra, masses = shape

    def layers(sizes: Sequence[int]) -> list[tuple[Dense, Norm]]:
        return [(initial_dense(a, b, generator, before(ACTIVATION)), initial_norm(b, norm)) for a, b in pairwise(sizes)]

    seen = (2 * masses, *embedding)
    together = (2 * seen[-1] + columns - spectra * masses, *hidden)
    last = initial_dense(together[-1], outputs, generator)
    return SpectraNetwork(layers(seen), layers(together), last, spectra, masses, prior)
