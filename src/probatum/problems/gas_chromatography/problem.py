"""Which families of compounds are in a sample, from its run: of simulated runs, or of those of a challenge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from probatum.errors import DataError, UnknownNameError
from probatum.problems.data_files import DataSource, sha256_of
from probatum.problems.gas_chromatography.challenge_folder import METADATA, Sample, read_folder
from probatum.problems.gas_chromatography.challenge_runs import observed_samples
from probatum.problems.gas_chromatography.compound_blocks import Apart
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.features import FEATURES
from probatum.problems.gas_chromatography.library import SOURCE, library_path
from probatum.problems.gas_chromatography.observed_runs import ObservedRuns
from probatum.problems.gas_chromatography.simulated_folder import VERSION
from probatum.problems.gas_chromatography.simulated_runs import SimulatedRuns
from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Truth

if TYPE_CHECKING:
    from probatum.problems.gas_chromatography.run import Run
    from probatum.problems.picture import Picture
    from probatum.problems.problem import Curves

TASK = "families"
QUANTITIES = tuple(Quantity(family, "probability", 0.0, 1.0) for family in FAMILIES)
UNITS = {"seven_blocks": "1", "images": "counts", "derivatised": "1"}
MOST_RUNS, MOST_BLOCKS = 100_000, 100


@dataclass(frozen=True)
class GasChromatography(Problem):
    """Nine families of compounds, from a run of a gas chromatograph with a mass spectrometer; a case is one run.

    Attributes:
        runs: simulated; run i does not depend on how many there are.
        blocks: of compounds, made before any run is: a run holds compounds of one block.
        apart: what blocks do not share, 'compounds', or also 'laboratories' that contributed spectra (2 or 3 blocks).
        seed: of the generator.
        challenge: a folder of the challenge, whose labelled runs then take the place of simulated ones.
        folder: with the library of spectra, in place of the published one.
    """

    name: ClassVar[str] = "gas_chromatography"
    question: ClassVar[str] = (
        "Which of nine families of compounds are in a sample, from its run through a gas chromatograph with a mass "
        "spectrometer?"
    )
    needs_data: ClassVar[bool] = True
    data_source: ClassVar[DataSource | None] = SOURCE
    default_metric: ClassVar[str] = "log_loss"

    runs: int = 1100
    blocks: int = 5
    apart: Apart = "compounds"
    seed: int = 0
    challenge: str | None = None
    folder: str | None = None

    def __post_init__(self) -> None:
        for key, least, most in (("runs", 1, MOST_RUNS), ("blocks", 2, MOST_BLOCKS), ("seed", 0, None)):
            value = getattr(self, key)
            if value < least or (most is not None and value > most):
                valid = f"choose {least} or more" if most is None else f"choose {least} to {most}"
                raise DataError(f"{key} is {value}", where=f"problem {self.name}", remedy=valid)

    @property
    def tasks(self) -> tuple[str, ...]:
        return (TASK,)

    @property
    def features(self) -> Mapping[str, Feature]:
        return FEATURES

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("seven-blocks",)

    @property
    def plain_features(self) -> tuple[str, ...]:
        return ("mean-intensities",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        if self.challenge is not None:
            self._check_fixed(draw)
            return _of_challenge(Path(self.challenge).expanduser())
        return _simulated(self.stream(draw), 0, self.runs)

    def shards(self, task: str, count: int, rows: int, draw: int = 0) -> Iterator[Dataset]:
        """Streams `count` simulated runs, the first of them those of `dataset(task, draw)`.

        Raises:
            UnknownNameError: for the task.
            DataError: for a negative count or draw, rows below 1, or a folder of the challenge.
        """
        self._check_task(task)
        if self.challenge is not None:
            return super().shards(task, count, rows, draw)
        if count < 0 or rows < 1:
            raise DataError(f"{count} runs in shards of {rows}", remedy="choose count >= 0 and rows >= 1")
        stream = self.stream(draw)
        return (_simulated(stream, first, min(first + rows, count)) for first in range(0, count, rows))

    def run_of(self, case: str, draw: int = 0) -> Run:
        """The raw run of a case, simulated or read again.

        Raises:
            UnknownNameError: there is no such case.
            DataMissingError, DataError: its file is missing or cannot be read.
        """
        if self.challenge is not None:
            from probatum.problems.gas_chromatography.readers import read_run

            samples = {sample.name: sample for sample in read_folder(Path(self.challenge).expanduser())}
            if case not in samples:
                raise UnknownNameError.of("run", case, samples)
            return read_run(samples[case].path)
        stream = self.stream(draw)
        number = case.rpartition("run")[2]
        if not (number.isdecimal() and case == stream.name(int(number))):
            raise UnknownNameError.of("run", case, [stream.name(number) for number in range(self.runs)])
        return stream.run(int(number))[0]

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        from probatum.problems.gas_chromatography.pictures import family_pictures

        return family_pictures(self, dataset, rows, predictions)

    def stream(self, draw: int = 0) -> SimulatedRuns:
        """The simulated runs of a draw, of any number.

        Raises:
            DataError: for a negative draw.
            DataMissingError: the library of spectra is nowhere.
        """
        if draw < 0:
            raise DataError(f"there is no draw {draw}", remedy="draws count from 0")
        return SimulatedRuns(library_path(self.folder), self.blocks, self.apart, self.seed, draw)


@lru_cache(maxsize=8)
def _simulated(stream: SimulatedRuns, start: int, stop: int) -> Dataset:
    names = np.array([stream.name(number) for number in range(start, stop)], dtype=str)
    block = np.array([f"block {stream.block(number) + 1}" for number in range(start, stop)], dtype=str)
    origin = Origin(generator=VERSION, seed=stream.seed, count=stop - start, licence=SOURCE.licence)
    return dataset_of(stream.observed(start, stop), names, {stream.apart: block}, origin, stream.draw)


def _of_challenge(folder: Path) -> Dataset:
    samples = tuple(sample for sample in read_folder(folder) if sample.families is not None)
    return _of_samples(samples, sha256_of(folder / METADATA))


@lru_cache(maxsize=2)
def _of_samples(samples: tuple[Sample, ...], digest: str) -> Dataset:
    names = np.array([sample.name for sample in samples], dtype=str)
    origin = Origin(files={METADATA: digest}, licence="of the challenge: not to be passed on")
    return dataset_of(observed_samples(samples), names, {}, origin)


def dataset_of(
    runs: ObservedRuns, names: np.ndarray, blocks: Mapping[str, np.ndarray], origin: Origin, draw: int = 0
) -> Dataset:
    """A data set of runs that were looked at.

    Args:
        runs: their families all 0 where nobody knows them.
        names: [run] str, all different.
        blocks: name of a grouping to [run] str: what splits keep apart; {} where runs stand by themselves.
        origin: of the runs.
        draw: of simulated ones.
    """
    return Dataset(
        problem=GasChromatography.name,
        task=TASK,
        cases=names,
        observations={
            "seven_blocks": runs.seven_blocks,
            "images": runs.images,
            "derivatised": runs.derivatised.astype(np.float64),
        },
        units=UNITS,
        quantities=QUANTITIES,
        truth=Truth(runs.families.astype(np.float64)),
        groups={
            **blocks,
            "run": names,
            "derivatised": np.where(runs.derivatised, "derivatised", "as it is"),
        },
        origin=origin,
        draw=draw,
    )
