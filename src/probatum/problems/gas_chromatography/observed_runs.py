"""What is kept of runs for learning: seven blocks and an image of each, computed once, then read from the user's cache.

A run of a million points is read or simulated, looked at and let go. What is kept is named by the content that it came
from and by the code that made it. Runs are looked at in portions of `PORTION`, in several processes where many are not
in the cache yet.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.images import image
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.seven_blocks import BLOCKS, seven_blocks
from probatum.problems.model_file import cached, key_of, path_of

LOWEST, HIGHEST = 2, 335
"""m/z: 334, of which the entry that introduced the seven blocks left out the ten that vary least."""
BIN, BINS = 30.0, 80
"""Seconds of a bin of the images, and how many: 40 minutes, the longest run of the challenge. Bins of a longer run are
wider, so that all of it is seen."""
PORTION = 20
"""Runs looked at and kept together."""
LEAST_PORTIONS = 10
"""Portions to be looked at for which starting processes takes less time than it saves."""
CODE = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in (
        "observed_runs", "seven_blocks", "images", "simulator", "simulated_folder", "samples", "families", "spectra",
        "compound_blocks", "simulated_runs", "challenge_csv", "csv_kernel", "run",
    )
)  # fmt: skip
Progress = Callable[[int, int], None]
"""Called with how many of how many runs are there."""


@dataclass(frozen=True, eq=False)
class ObservedRuns:
    """What is kept of runs, in columns.

    Attributes:
        seven_blocks: [run, differences, block, m/z] float32; differences along 'rows', then along 'time'.
        images: [run, bin, m/z] float32, mean counts of a scan in each bin of time.
        families: [run, family] bool; all False where they are not known.
        derivatised: [run] bool.
    """

    seven_blocks: Float[np.ndarray, "run differences block mass"]
    images: Float[np.ndarray, "run bin mass"]
    families: Bool[np.ndarray, "run family"]
    derivatised: Bool[np.ndarray, " run"]

    def __len__(self) -> int:
        return len(self.families)

    def take(self, runs: slice) -> ObservedRuns:
        """Some of the runs."""
        return ObservedRuns(*(getattr(self, field.name)[runs] for field in fields(self)))

    @classmethod
    def together(cls, parts: Sequence[ObservedRuns]) -> ObservedRuns:
        """All runs of all parts, in order."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@runtime_checkable
class Portion(Protocol):
    """Some runs that can be looked at anywhere: picklable, and named by all that they depend on."""

    @property
    def key(self) -> str:
        """Of the content."""
        ...

    def look(self) -> ObservedRuns:
        """Reads or simulates the runs."""
        ...


def observed(
    runs: Sequence[Run],
    families: Sequence[Bool[np.ndarray, " family"]] | None = None,
    derivatised: Sequence[bool] | None = None,
) -> ObservedRuns:
    """What is kept of runs.

    Args:
        runs: any.
        families: [run][family] bool; None where they are not known.
        derivatised: whether a silylating reagent was used; None where that is not known.
    """
    return ObservedRuns(
        np.array([both_blocks(run) for run in runs], dtype=np.float32).reshape(
            len(runs), 2, len(BLOCKS), HIGHEST - LOWEST + 1
        ),
        np.array([binned(run) for run in runs], dtype=np.float32).reshape(len(runs), BINS, HIGHEST - LOWEST + 1),
        np.zeros((len(runs), len(FAMILIES)), dtype=bool) if families is None else np.array(families, dtype=bool),
        np.zeros(len(runs), dtype=bool) if derivatised is None else np.array(derivatised, dtype=bool),
    )


def both_blocks(run: Run) -> Float[np.ndarray, "2 block mass"]:
    """[differences, block, m/z]: the seven blocks, with differences along rows and along time."""
    return np.stack([seven_blocks(run, LOWEST, HIGHEST, "rows"), seven_blocks(run, LOWEST, HIGHEST, "time")])


def binned(run: Run) -> Float[np.ndarray, "bin mass"]:
    """[bin, m/z]: its image."""
    width = max(BIN, np.nextafter(float(run.times[-1]), np.inf) / BINS)
    return image(run, width * np.arange(BINS + 1), LOWEST, HIGHEST)


def looked_at(portions: Sequence[Portion], progress: Progress | None = None) -> ObservedRuns:
    """All portions together, each from the cache where it is there.

    Args:
        portions: of runs.
        progress: told after each portion.
    """
    missing = [portion for portion in portions if not path_of(*_name(portion)).is_file()]
    cores = min(os.cpu_count() or 1, len(missing))
    # A worker that was started as a daemon may not start others.
    if cores > 1 and len(missing) >= LEAST_PORTIONS and not multiprocessing.current_process().daemon:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(cores, mp_context=context) as pool:
            for done, _ in enumerate(pool.map(_kept_for_later, missing), start=1):
                if progress is not None:
                    progress(done * PORTION, len(missing) * PORTION)
    return ObservedRuns.together([_kept(portion) for portion in portions])


def _kept(portion: Portion) -> ObservedRuns:
    return cached(*_name(portion), portion.look)


def _kept_for_later(portion: Portion) -> None:
    """As `_kept`, without sending the arrays to another process."""
    _kept(portion)


def _name(portion: Portion) -> tuple[str, str]:
    return "gas_chromatography/runs", key_of(portion.key, code=CODE)
