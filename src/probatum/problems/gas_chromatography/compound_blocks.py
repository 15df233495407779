"""Blocks of compounds: a run is made of the compounds of one block, so blocks can be trained on and scored apart.

Blocks are made before any run is. A compound, which is all stereoisomers and all derivatives of a structure, is in one
block only; so are, by 'laboratory', all spectra that a laboratory contributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from probatum.errors import DataError
from probatum.problems.gas_chromatography.families import families_of
from probatum.problems.gas_chromatography.samples import Composition, composition
from probatum.problems.gas_chromatography.spectra import Spectrum, read_library

Apart = Literal["compounds", "laboratories"]
MOST_TRIES = 400
"""Divisions of laboratories that are looked at for one whose blocks all have every family."""

Block = tuple[dict[str, tuple[Spectrum, ...]], Composition]
"""Spectra of each compound of a block, and how samples are made of them."""


@lru_cache(maxsize=32)
def blocks(library: Path, count: int, apart: Apart, seed: int, draw: int) -> tuple[Block, ...]:
    """All blocks.

    Args:
        library: path of the spectra.
        count: of blocks.
        apart: what blocks do not share: 'compounds', or also 'laboratories'.
        seed, draw: of the division.

    Raises:
        DataError: no division into so many blocks gives all of them every family.
    """
    spectra = read_library(library)
    generator = np.random.default_rng([seed, draw, count])
    if apart == "compounds":
        return _made(spectra, divided_compounds(spectra, count, generator), count)
    for _ in range(MOST_TRIES):
        kept, division = _by_laboratory(spectra, count, generator)
        try:
            return _made(kept, division, count)
        except DataError:
            continue
    raise DataError(
        f"no division of the laboratories into {count} blocks gives each block every family",
        remedy="use fewer blocks, or apart = 'compounds'",
    )


def divided_compounds(spectra: Sequence[Spectrum], count: int, generator: np.random.Generator) -> dict[str, int]:
    """The block of each compound; those of the same families are dealt evenly, so that rare ones are in all blocks.

    Args:
        spectra: of all compounds.
        count: of blocks.
        generator: of the order in which compounds are dealt.
    """
    alike: dict[bytes, list[str]] = {}
    for compound, smiles in {spectrum.compound: spectrum.smiles for spectrum in spectra}.items():
        alike.setdefault(families_of(smiles).tobytes(), []).append(compound)
    filled = np.zeros(count, dtype=np.int64)
    found = {}
    for group in sorted(alike.values(), key=len):
        # The emptiest block is served first, ties in random order; then every block once before any a second time.
        order = np.lexsort((generator.permutation(count), filled))
        for place, member in enumerate(generator.permutation(len(group))):
            block = int(order[place % count])
            found[group[member]] = block
            filled[block] += 1
    return found


def _by_laboratory(
    spectra: Sequence[Spectrum], count: int, generator: np.random.Generator
) -> tuple[list[Spectrum], dict[str, int]]:
    """The spectra that are kept, and the block of each of their compounds.

    Laboratories are dealt to blocks; a compound that several blocks have spectra of goes to one of them, at random, and
    its spectra from laboratories of other blocks are left out.
    """
    laboratories = sorted({spectrum.laboratory for spectrum in spectra})
    of_laboratory = dict(zip(laboratories, generator.permutation(len(laboratories)) % count, strict=True))
    offered: dict[str, list[int]] = {}
    for spectrum in spectra:
        offered.setdefault(spectrum.compound, []).append(int(of_laboratory[spectrum.laboratory]))
    division = {compound: int(generator.choice(sorted(set(found)))) for compound, found in offered.items()}
    return [s for s in spectra if of_laboratory[s.laboratory] == division[s.compound]], division


def _made(spectra: Sequence[Spectrum], division: dict[str, int], count: int) -> tuple[Block, ...]:
    found = []
    for block in range(count):
        of_block = [spectrum for spectrum in spectra if division[spectrum.compound] == block]
        by_compound: dict[str, list[Spectrum]] = {}
        for spectrum in of_block:
            by_compound.setdefault(spectrum.compound, []).append(spectrum)
        try:
            made = composition(of_block)
        except DataError as error:
            what = f"block {block + 1} of {count} cannot be made: {error.what}"
            raise DataError(what, where=error.where, remedy="use fewer blocks") from None
        found.append(({compound: tuple(records) for compound, records in by_compound.items()}, made))
    return tuple(found)
