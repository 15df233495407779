"""Codes with their exact heights, drawn afresh as long as a training lasts: nothing is shown twice.

Draws 0 are for evaluation; training takes others, which share no code with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError
from probatum.problems.analog_codes.generate import VERSIONS, random_codes
from probatum.problems.analog_codes.heights import (
    LONGEST,
    MAX_LENGTH,
    float64_height_profiles,
    height_profile,
)
from probatum.problems.model_file import cached, key_of

CHEAP = 12
"""Lengths up to this take less time to compute than to read from a file."""
KEPT, KEPT_LONG = 8192, 512
"""Codes whose heights are kept in one file; fewer of those longer than `MAX_LENGTH`, which take milliseconds each."""


@dataclass(frozen=True)
class CodeStream:
    """Which codes.

    Attributes:
        n, k: length and dimension, n up to 24.
        distribution: of P, see `generate.random_codes`.
        seed, draw: of the generator.
    """

    n: int
    k: int
    distribution: str = "uniform"
    seed: int = 0
    draw: int = 0

    def __post_init__(self) -> None:
        if self.n > LONGEST:
            raise DataError(f"there are no exact heights of codes of length {self.n}", remedy=f"choose n <= {LONGEST}")

    def codes(self, start: int, stop: int) -> Float[np.ndarray, "code dimension redundancy"]:
        """[stop - start, k, n - k] float64: codes start..stop-1; errors as `generate.random_codes`."""
        return random_codes(self.distribution, self.n, self.k, start, stop, seed=self.seed, draw=self.draw)

    def labelled(
        self, start: int, stop: int
    ) -> tuple[Float[np.ndarray, "code dimension redundancy"], Float[np.ndarray, "code redundancy"]]:
        """Codes start..stop-1 and [code, n - k] float64 log2 of their heights, inf where infinite.

        Heights of codes longer than 12 are kept in the user's cache.
        """
        P = self.codes(start, stop)
        if self.n <= CHEAP:
            return P, np.log2(float64_height_profiles(P))
        rows = KEPT if self.n <= MAX_LENGTH else KEPT_LONG
        blocks = [self._kept(block, rows) for block in range(start // rows, -(-stop // rows))]
        skipped = start // rows * rows
        return P, np.concatenate([np.empty((0, self.n - self.k)), *blocks])[start - skipped : stop - skipped]

    def _kept(self, block: int, rows: int) -> Float[np.ndarray, "code redundancy"]:
        version = VERSIONS[self.distribution]
        key = key_of(version, *(str(x) for x in (self.n, self.k, self.seed, self.draw, block, rows)))

        def compute() -> Float[np.ndarray, "code redundancy"]:
            codes = self.codes(block * rows, (block + 1) * rows)
            if self.n <= MAX_LENGTH:
                return np.log2(float64_height_profiles(codes))
            identity = np.eye(self.k)
            return np.log2([height_profile(np.hstack([identity, P]), threads=1) for P in codes])

        return cached(f"analog_codes/heights_{self.n}_{self.k}_{self.draw}_{block}", key, compute)
