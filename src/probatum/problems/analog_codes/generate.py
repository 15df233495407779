"""Random codes: the two distributions of P that heights are learned on, as streams that anybody can regenerate.

Code i of a stream is the same however many are asked for at once: it depends on the distribution and its version, n,
k, the seed, the draw and i alone. Only `Generator.random` is used, the most stable of numpy's streams.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, UnknownNameError

Distribution = Literal["uniform", "integer"]
VERSIONS: dict[str, str] = {"uniform": "uniform/1", "integer": "integer/1"}
"""Distribution to generator name; the number rises whenever the same seed would give other matrices."""
LARGEST_ENTRY = 100
SMALLEST_SCALE = 7
"""With this and no zero entries, quantiles of max |P| and the share of infinite heights are those of course data."""
BLOCK = 256
"""Codes drawn from one seed sequence; part of what a generator's version stands for."""
_STREAMS = {"uniform/1": 1, "integer/1": 2}


def random_codes(
    distribution: str, n: int, k: int, start: int, stop: int, *, seed: int = 0, draw: int = 0
) -> Float[np.ndarray, "code dimension redundancy"]:
    """Codes start..stop-1 of a stream.

    Args:
        distribution: 'uniform', entries uniform real in [-100, 100]; or 'integer', entries uniform among -s..-1 and
            1..s, with s uniform among 7..100 for each matrix.
        n, k: length and dimension, 1 <= k < n.
        start, stop: which codes, 0 <= start <= stop.
        seed: of the stream, at least 0.
        draw: independent draws of one seed, at least 0.

    Returns:
        [stop - start, k, n - k] float64.

    Raises:
        UnknownNameError: for the distribution.
        DataError: for numbers out of range.
    """
    if distribution not in VERSIONS:
        raise UnknownNameError.of("distribution", distribution, VERSIONS)
    if not 1 <= k < n:
        raise DataError(f"there is no code of length {n} and dimension {k}", remedy="choose 1 <= k < n")
    if not 0 <= start <= stop:
        raise DataError(f"no codes {start} to {stop}", remedy="choose 0 <= start <= stop")
    if seed < 0 or draw < 0:
        raise DataError(f"seed {seed} and draw {draw} must not be negative", remedy="choose numbers from 0")
    if start == stop:
        return np.empty((0, k, n - k))
    sample = _uniform if distribution == "uniform" else _integer
    stream = _STREAMS[VERSIONS[distribution]]
    blocks = range(start // BLOCK, (stop - 1) // BLOCK + 1)
    drawn = []
    for block in blocks:
        key = np.random.SeedSequence(seed, spawn_key=(stream, n, k, draw, block))
        drawn.append(sample(np.random.Generator(np.random.PCG64(key)), k, n - k))
    skipped = blocks[0] * BLOCK
    return np.concatenate(drawn)[start - skipped : stop - skipped]


def _uniform(rng: np.random.Generator, k: int, redundancy: int) -> Float[np.ndarray, "code dimension redundancy"]:
    return (2 * rng.random((BLOCK, k, redundancy)) - 1) * LARGEST_ENTRY


def _integer(rng: np.random.Generator, k: int, redundancy: int) -> Float[np.ndarray, "code dimension redundancy"]:
    scales = SMALLEST_SCALE + np.floor(rng.random((BLOCK, 1, 1)) * (LARGEST_ENTRY - SMALLEST_SCALE + 1))
    entries = np.floor(rng.random((BLOCK, k, redundancy)) * 2 * scales) - scales
    return np.where(entries < 0, entries, entries + 1)
