"""Simulated samples of any number, in the challenge's layout or one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from probatum.errors import DataError
from probatum.problems.gas_chromatography.challenge_folder import Sample, write_run, write_tables
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.samples import SHARES, Composition, Split, composition, splits
from probatum.problems.gas_chromatography.simulator import Injection, Instrument, simulated_run
from probatum.problems.gas_chromatography.spectra import Spectrum, read_library

MINUTES = (7.0, 40.0)
"""Range of the length of runs, as in the challenge."""
DERIVATISED = 0.25
"""Share of runs with a reagent where no spectrum asks for one."""
IN_THE_CHALLENGE = {"train": "train", "validation": "val", "test": "test"}
STANDARD = Instrument()
VERSION = "gas_chromatography/1"
"""Rises whenever the same seed would give other runs."""


@dataclass(frozen=True)
class Samples:
    """A stream of simulated samples of one split: sample i depends on this and i alone.

    Attributes:
        library: path of the spectra.
        split: whose compounds are used.
        seed: of the split of compounds.
        draw: independent draws of one seed.
        laboratory: only spectra of authors whose name contains this, for the split 'test'; '' for all. Its spectra are
            then left out of the other splits.
        instrument: that records the runs.
    """

    library: Path
    split: Split
    seed: int = 0
    draw: int = 0
    laboratory: str = ""
    instrument: Instrument = STANDARD

    def injection(self, number: int) -> tuple[Injection, Bool[np.ndarray, " family"], np.random.Generator]:
        """What sample `number` is made of, its families [9] bool, and the generator that its run goes on with."""
        spectra, made = _pool(self.library, self.split, self.seed, self.laboratory)
        key = np.random.SeedSequence([self.seed, self.draw, list(SHARES).index(self.split), number])
        rng = np.random.default_rng(key)
        name = f"S{self.draw}{list(SHARES).index(self.split)}{number:06d}"
        injection, labels = drawn_injection(spectra, made, name, rng)
        return injection, labels, rng

    def run(self, number: int) -> tuple[Run, Bool[np.ndarray, " family"]]:
        """The run of sample `number`, and its families."""
        injection, labels, rng = self.injection(number)
        return simulated_run(injection, self.instrument, rng), labels


def drawn_injection(
    spectra: Mapping[str, Sequence[Spectrum]], made: Composition, name: str, rng: np.random.Generator
) -> tuple[Injection, Bool[np.ndarray, " family"]]:
    """What one sample is made of, and its families [9] bool.

    Args:
        spectra: records of each compound that samples may hold.
        made: how samples are made of them.
        name: of the sample.
        rng: of all that varies; the run goes on with it.
    """
    chosen, minerals = made.draw(rng)
    labels: Bool[np.ndarray, " family"] = np.any(made.members[chosen], axis=0)
    labels[FAMILIES.index("mineral")] |= minerals
    records = tuple(_one(spectra[str(made.compounds[i])], rng) for i in chosen)
    before = tuple(_one(spectra[str(made.compounds[i])], rng) for i in made.draw(rng)[0])
    asked = any(record.derivatisation for record in records)
    derivatised = asked or bool(rng.random() < DERIVATISED)
    minutes = float(rng.uniform(*MINUTES))
    return Injection(name, minutes, records, minerals, derivatised, before), labels


def write_folder(
    folder: Path,
    library: Path,
    counts: dict[Split, int],
    seed: int = 0,
    draw: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Sample, ...]:
    """Writes simulated runs as the challenge hands out real ones; labels of val and test are left out.

    Args:
        folder: new, or empty.
        library: path of the spectra.
        counts: samples of each split.
        seed, draw: of the samples.
        progress: told how many of how many runs are written.

    Returns:
        All samples, with their families.

    Raises:
        DataError: the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DataError("is not empty", where=str(folder), remedy="name a new folder")
    samples, total = [], sum(counts.values())
    for split, count in counts.items():
        stream = Samples(library, split, seed, draw)
        called = IN_THE_CHALLENGE[split]
        for number in range(count):
            run, labels = stream.run(number)
            path = folder / f"{called}_features" / f"{run.name}.csv"
            digest = write_run(run, path)
            derivatised = stream.injection(number)[0].derivatised
            samples.append(Sample(run.name, called, derivatised, path, digest, tuple(map(bool, labels))))
            if progress is not None:
                progress(len(samples), total)
    write_tables(folder, samples)
    return tuple(samples)


@lru_cache(maxsize=8)
def _pool(
    library: Path, split: Split, seed: int, laboratory: str
) -> tuple[dict[str, tuple[Spectrum, ...]], Composition]:
    """Spectra of each compound of a split, and how samples are made of them."""
    everything = read_library(library)
    belongs = splits(everything, seed)
    wanted = [
        spectrum
        for spectrum in everything
        if belongs[spectrum.compound] == split
        and (not laboratory or (laboratory in spectrum.laboratory) == (split == "test"))
    ]
    spectra: dict[str, list[Spectrum]] = {}
    for spectrum in wanted:
        spectra.setdefault(spectrum.compound, []).append(spectrum)
    return {compound: tuple(found) for compound, found in spectra.items()}, composition(wanted)


def _one(records: Sequence[Spectrum], rng: np.random.Generator) -> Spectrum:
    return records[int(rng.integers(len(records)))]
