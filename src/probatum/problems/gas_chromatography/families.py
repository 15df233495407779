"""Which of the nine families a compound belongs to, by rules on its structure.

The challenge labelled its samples by what was put into them; which rules it used is not public. These are ours, and
part of what a simulated data set stands for. Minerals have no structure here: their label is given by the sample.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool

from probatum.errors import DataError, UsageError
from probatum.problems.gas_chromatography.run import EXTRA

FAMILIES = (
    "aromatic",
    "hydrocarbon",
    "carboxylic_acid",
    "nitrogen_bearing_compound",
    "chlorine_bearing_compound",
    "sulfur_bearing_compound",
    "alcohol",
    "other_oxygen_bearing_compound",
    "mineral",
)
"""In the order of the challenge's labels."""
CARBOXYLIC_ACID = "[CX3](=O)[OX2H1,OX1-]"
ALCOHOL = "[OX2H][CX4]"
"""A hydroxyl group on a saturated carbon; phenols count among the other compounds of oxygen."""


def families_of(smiles: str) -> Bool[np.ndarray, " family"]:
    """The families of one compound.

    Args:
        smiles: its structure.

    Returns:
        [family] bool, in the order of `FAMILIES`; 'mineral' is always False.

    Raises:
        UsageError: RDKit is not installed.
        DataError: the text is no SMILES.
    """
    chem, patterns = _patterns()
    molecule = chem.MolFromSmiles(smiles) if smiles else None
    if molecule is None:
        raise DataError(f"'{smiles}' is no SMILES", remedy="give the structure of one compound")
    acid, alcohol = (molecule.HasSubstructMatch(patterns[name]) for name in ("carboxylic_acid", "alcohol"))
    elements = {atom.GetSymbol() for atom in molecule.GetAtoms()}
    return np.array(
        [
            any(atom.GetIsAromatic() for atom in molecule.GetAtoms()),
            elements <= {"C", "H"},
            acid,
            "N" in elements,
            "Cl" in elements,
            "S" in elements,
            alcohol,
            "O" in elements and not (acid or alcohol),
            False,
        ]
    )


@lru_cache(maxsize=1)
def _patterns() -> tuple[Any, dict[str, Any]]:
    try:
        from rdkit import Chem, RDLogger
    except ImportError:
        raise UsageError("families of structures need the package rdkit", remedy=EXTRA) from None
    RDLogger.DisableLog("rdApp.*")  # pyright: ignore[reportAttributeAccessIssue]
    texts = {"carboxylic_acid": CARBOXYLIC_ACID, "alcohol": ALCOHOL}
    return Chem, {name: Chem.MolFromSmarts(text) for name, text in texts.items()}
