"""Measured descriptors of a solvent that nobody tabulated, guessed from its structure.

'spange' and 'acs' rest on measurements. From the 23 tabulated solvents that are one compound a Gaussian process with a
squared exponential kernel learns them from eight properties that follow from a SMILES: kriging with an unknown mean, in
closed form (C. Rasmussen, C. Williams, Gaussian Processes for Machine Learning (2006), sections 2.2 and 2.7). Length
and noise, the same for all descriptors, are those with the least squared error when each solvent is left out. So few
solvents teach little: leaving each out once more around that choice, R2 is 0.75 to 0.89 for ET(30), alpha, SA and PC3,
0.40 on average, and next to nothing for beta, SB, SdP, PC4 and PC5. What such guesses do to predicted yields is
measured, not hoped for: `probatum.problems.catechol.calibration` leaves solvents out with their descriptors guessed.
The eight properties were chosen by someone who had seen such errors of several sets of properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError
from probatum.problems.catechol.features import FILES, descriptors
from probatum.problems.catechol.solvents import MIXTURES, Solvent, by_name, read_molecule, tabulated
from probatum.problems.text_table import read

BLOCKS = ("spange", "acs")
"""Blocks that are guessed, in the order in which they stand side by side here."""
PROPERTIES = (
    "MolMR",
    "MolLogP",
    "TPSA",
    "NumHDonors",
    "NumHAcceptors",
    "NumRotatableBonds",
    "RingCount",
    "fr_halogen",
)
"""RDKit's names of the properties: molar refractivity and log P by S. Wildman, G. Crippen (J. Chem. Inf. Comput. Sci.
39 (1999) 868), polar surface by P. Ertl et al. (J. Med. Chem. 43 (2000) 3714), and counts."""
LENGTHS = (1.0, 2.0, 4.0)
"""Length scales to choose from, in root mean square standard deviations of a property."""
NOISES = (0.03, 0.1, 0.3, 1.0)
"""Noise variances to choose from, in units of the kernel's own variance."""


@dataclass(frozen=True, eq=False)
class Structures:
    """Tabulated solvents whose structure and descriptors are known.

    Attributes:
        names: [solvent] of them, in the order of the table.
        properties: [solvent, property] float64, as `PROPERTIES` names them.
        descriptors: [solvent, descriptor] float64, the columns of `BLOCKS` side by side.
        columns: name of a block to the names of its columns.
    """

    names: tuple[str, ...]
    properties: Float[np.ndarray, "solvent property"]
    descriptors: Float[np.ndarray, "solvent descriptor"]
    columns: Mapping[str, tuple[str, ...]]

    def without(self, names: set[str]) -> Structures:
        """The same without some solvents."""
        kept = [name not in names for name in self.names]
        others = tuple(name for name in self.names if name not in names)
        return Structures(others, self.properties[kept], self.descriptors[kept], self.columns)

    def guessed(self, properties: Float[np.ndarray, "row property"]) -> Float[np.ndarray, "row descriptor"]:
        """[row, descriptor] of molecules with the given [row, property], learned from all of these solvents."""
        center, scale = self.properties.mean(axis=0), self.properties.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        known, asked = (self.properties - center) / scale, (properties - center) / scale
        spread = self.descriptors.std(axis=0)
        standard = self.descriptors / np.where(spread > 0, spread, 1.0)
        length, noise = min(
            product(LENGTHS, NOISES), key=lambda one: float((_left_out_errors(known, standard, *one) ** 2).mean())
        )
        inverse = _inverse(known, length, noise)
        mean = inverse.sum(axis=0) @ self.descriptors / inverse.sum()
        return mean + _kernel(asked, known, length) @ inverse @ (self.descriptors - mean)

    def left_out(self) -> Float[np.ndarray, "solvent descriptor"]:
        """[solvent, descriptor] guesses for each solvent from all others, length and noise chosen without it."""
        named = zip(self.names, self.properties, strict=True)
        return np.concatenate([self.without({name}).guessed(own[None]) for name, own in named])

    def explained(self) -> dict[str, float]:
        """Of every descriptor the share of its variance that `left_out` explains (R2, against the others' mean)."""
        others = (self.descriptors.sum(axis=0) - self.descriptors) / (len(self.names) - 1)
        left = ((self.left_out() - self.descriptors) ** 2).sum(axis=0)
        share = 1 - left / ((others - self.descriptors) ** 2).sum(axis=0)
        names = [f"{block}: {column}" for block, columns in self.columns.items() for column in columns]
        return dict(zip(names, share.tolist(), strict=True))


def structures(folder: Path) -> Structures:
    """The tabulated solvents that are one compound and whose descriptors are known.

    Args:
        folder: of the lookup tables.

    Raises:
        UsageError: rdkit is not installed.
    """
    found: dict[str, np.ndarray] = {}
    smiles = tabulated(folder)
    for name in smiles:
        known = by_name(name, folder).descriptors
        if name not in MIXTURES and all(block in known for block in BLOCKS):
            found[name] = np.concatenate([known[block] for block in BLOCKS])
    of_structure = np.stack([properties(smiles[name]) for name in found])
    columns = {block: descriptors(read(folder / FILES[block])).columns for block in BLOCKS}
    return Structures(tuple(found), of_structure, np.stack(list(found.values())), columns)


def with_guesses(solvent: Solvent, known: Structures) -> Solvent:
    """The solvent with the blocks that nobody tabulated of it guessed from its structure.

    Raises:
        UsageError: rdkit is not installed.
        DataError: its SMILES has more than one molecule, whose shares nobody knows.
    """
    missing = [block for block in BLOCKS if block not in solvent.descriptors]
    if not missing:
        return solvent
    if "." in solvent.smiles:
        raise DataError(
            f"'{solvent.smiles}' is more than one molecule, in shares that nobody knows",
            remedy="give one as the solvent and one as the second solvent, with its percent",
        )
    values = known.guessed(properties(solvent.smiles)[None])[0]
    ends = np.cumsum([len(columns) for columns in known.columns.values()])
    by_block = dict(zip(known.columns, np.split(values, ends[:-1]), strict=True))
    return replace(solvent, descriptors={**solvent.descriptors, **{block: by_block[block] for block in missing}})


def properties(smiles: str) -> Float[np.ndarray, " property"]:
    """[property] float64 of a molecule, as `PROPERTIES` names them.

    Raises:
        UsageError: rdkit is not installed.
        DataError: RDKit cannot read the SMILES.
    """
    molecule = read_molecule(smiles)
    from rdkit.Chem import Descriptors as functions  # pyright: ignore[reportMissingImports]

    known = dict(functions.descList)
    return np.array([float(known[name](molecule)) for name in PROPERTIES])


def _kernel(
    one: Float[np.ndarray, "one property"], other: Float[np.ndarray, "other property"], length: float
) -> Float[np.ndarray, "one other"]:
    return np.exp(-((one[:, None] - other[None]) ** 2).mean(axis=2) / (2 * length**2))


def _inverse(
    known: Float[np.ndarray, "solvent property"], length: float, noise: float
) -> Float[np.ndarray, "solvent solvent"]:
    return np.linalg.inv(_kernel(known, known, length) + noise * np.eye(len(known)))


def _left_out_errors(
    known: Float[np.ndarray, "solvent property"],
    descriptors: Float[np.ndarray, "solvent descriptor"],
    length: float,
    noise: float,
) -> Float[np.ndarray, "solvent descriptor"]:
    """[solvent, descriptor] true minus predicted of each solvent left out, the mean learned without it as well.

    O. Dubrule, Mathematical Geology 15 (1983) 687: with P the inverse less what the mean takes, P y / diag P.
    """
    inverse = _inverse(known, length, noise)
    part = inverse.sum(axis=1)
    projected = inverse - np.outer(part, part) / part.sum()
    return projected @ descriptors / np.diag(projected)[:, None]
