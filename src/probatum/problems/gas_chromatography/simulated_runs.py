"""Simulated runs in blocks of compounds, streamed: run i depends on its stream and i alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from probatum.problems.data_files import sha256_of
from probatum.problems.gas_chromatography.compound_blocks import Apart, blocks
from probatum.problems.gas_chromatography.observed_runs import PORTION, ObservedRuns, Progress, looked_at, observed
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.simulated_folder import STANDARD, VERSION, drawn_injection
from probatum.problems.gas_chromatography.simulator import Injection, simulated_run

BLOCKED = 7
"""Sets the random numbers of these runs apart from those of `simulated_folder.Samples`."""


@dataclass(frozen=True)
class SimulatedRuns:
    """A stream of runs; run i is made of compounds of block i modulo `blocks`, and of no others.

    Attributes:
        library: path of the spectra.
        blocks: of compounds, made before any run is.
        apart: what blocks do not share.
        seed: of everything.
        draw: independent divisions of the compounds into blocks, and independent runs.
    """

    library: Path
    blocks: int
    apart: Apart = "compounds"
    seed: int = 0
    draw: int = 0

    def block(self, number: int) -> int:
        """The block that run `number` is made of, from 0."""
        return number % self.blocks

    def injection(self, number: int) -> tuple[Injection, Bool[np.ndarray, " family"], np.random.Generator]:
        """What run `number` is made of, its families [9] bool, and the generator that it goes on with."""
        spectra, made = blocks(self.library, self.blocks, self.apart, self.seed, self.draw)[self.block(number)]
        rng = np.random.default_rng([self.seed, self.draw, BLOCKED, number])
        injection, labels = drawn_injection(spectra, made, self.name(number), rng)
        return injection, labels, rng

    def name(self, number: int) -> str:
        """Of a run."""
        return f"draw{self.draw}-run{number:06d}"

    def run(self, number: int) -> tuple[Run, Bool[np.ndarray, " family"], bool]:
        """Run `number`, its families, and whether it was derivatised."""
        injection, labels, rng = self.injection(number)
        return simulated_run(injection, STANDARD, rng), labels, injection.derivatised

    def observed(self, start: int, stop: int, progress: Progress | None = None) -> ObservedRuns:
        """What is kept of runs start..stop-1, from the cache as far as it is there.

        Args:
            start, stop: numbers of runs, start below stop.
            progress: told how many of how many runs are there.
        """
        first = start // PORTION
        portions = [SimulatedPortion(self, place * PORTION) for place in range(first, -(-stop // PORTION))]
        whole = looked_at(portions, progress)
        return whole.take(slice(start - first * PORTION, stop - first * PORTION))


@dataclass(frozen=True)
class SimulatedPortion:
    """`PORTION` runs of a stream from `start` on."""

    stream: SimulatedRuns
    start: int

    @property
    def key(self) -> str:
        stream = self.stream
        made_of = (VERSION, _digest(stream.library), stream.blocks, stream.apart, stream.seed, stream.draw)
        return repr((*made_of, STANDARD, self.start, PORTION))

    def look(self) -> ObservedRuns:
        # One run after the other: a raw one has up to a hundred times the numbers that are kept of it.
        parts = []
        for number in range(self.start, self.start + PORTION):
            run, families, derivatised = self.stream.run(number)
            parts.append(observed([run], [families], [derivatised]))
        return ObservedRuns.together(parts)


@lru_cache(maxsize=8)
def _digest(library: Path) -> str:
    return sha256_of(library)
