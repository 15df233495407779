"""Solvents that somebody asks about: by name from the published tables, or by SMILES, and what models need of them.

By SMILES alone two blocks of descriptors can be computed, 'drfp' (drfp library) and 'fragprints' (Morgan bits of radius
3 and counts of RDKit's fragments); 'spange' and 'acs' rest on measurements, so nothing but a table knows them (what can
be guessed of them from structure: `probatum.problems.catechol.imputation`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.problems.catechol.features import FILES, Descriptors, blocks, descriptors
from probatum.problems.problem import Dataset, Origin, Truth
from probatum.problems.text_table import read

REACTION = "C=CCOC1=C(OCC=C)C=CC=C1.{}>>OC1=C(O)C(CC=C)=CC=C1CC=C.OC1=C(O)C(CC=C)=C(CC=C)C=C1"
"""The reaction as SMILES, as the published fingerprints were computed; {} stands for the solvent."""
SMILES_FILE = "smiles_lookup.csv"
EXTRA = "pip install probatum[catechol]"
ALIASES: Mapping[str, str] = {
    "2-Me-THF": "2-Methyltetrahydrofuran [2-MeTHF]",
    "2-Butanone": "Butanone [MEK]",
    "AcOH": "Acetic Acid",
    "Cy": "Cyclohexane",
    "1-Decanol": "Decanol",
    "DMAc": "DMA [N,N-Dimethylacetamide]",
    "DMC": "Dimethyl Carbonate",
    "EG": "Ethylene Glycol [1,2-Ethanediol]",
    "Et2O": "Diethyl Ether [Ether]",
    "EtOAc": "Ethyl Acetate",
    "EtOH": "Ethanol",
    "H2O": "Water",
    "HFIP": "1,1,1,3,3,3-Hexafluoropropan-2-ol",
    "iPrOH": "IPA [Propan-2-ol]",
    "Isopropanol": "IPA [Propan-2-ol]",
    "2-Propanol": "IPA [Propan-2-ol]",
    "MeCN": "Acetonitrile",
    "MeOH": "Methanol",
    "t-BuOH": "tert-Butanol [2-Methylpropan-2-ol]",
    "tBuOH": "tert-Butanol [2-Methylpropan-2-ol]",
    "TFE": "2,2,2-Trifluoroethanol",
}
"""What chemists write for tabulated solvents."""
MIXTURES: Mapping[str, tuple[tuple[str, float], tuple[str, float]]] = {
    "Water.Acetonitrile": (("Water", 0.6), ("Acetonitrile", 0.4)),
    "Acetonitrile.Acetic Acid": (("Acetonitrile", 0.5), ("Acetic Acid", 0.5)),
    "Water.2,2,2-Trifluoroethanol": (("Water", 0.6), ("2,2,2-Trifluoroethanol", 0.4)),
}
"""Tabulated 'solvents' that are mixtures, with their parts. Their descriptors are the parts' weighted means."""
_LINEAR = ("spange", "acs")
"""Blocks in which that holds."""


@dataclass(frozen=True, eq=False)
class Solvent:
    """A solvent and the descriptors that are known of it.

    Attributes:
        name: as the tables know it, else its SMILES.
        smiles: of the solvent, components of a mixture parted by '.'.
        descriptors: name of a block to [descriptor] float64, in the order of the block's columns.
        unseen: name of a block to how many of its columns differ from all tabulated solvents', though these agree in
            them; no model trained on the tables can use such a column.
    """

    name: str
    smiles: str
    descriptors: Mapping[str, Float[np.ndarray, " _"]]
    unseen: Mapping[str, int]

    def block(self, name: str) -> Float[np.ndarray, " descriptor"]:
        """[descriptor] float64 of a block.

        Raises:
            DataError: the block is not known of this solvent.
        """
        if name not in self.descriptors:
            if name in _COMPUTED:
                raise DataError(f"no table has '{name}' of {self.name}", remedy=f"give its SMILES, '{self.smiles}'")
            raise DataError(
                f"'{name}' is not known of {self.name}: measured descriptors cannot be computed from a SMILES",
                remedy=f"use {' or '.join(self.descriptors) or 'conditions alone'}, or name a tabulated solvent",
            )
        return self.descriptors[name]


def by_name(name: str, folder: Path) -> Solvent:
    """A tabulated solvent by its name or the part of it in or before brackets, in letters of any case.

    Args:
        name: 'THF [Tetrahydrofuran]', 'thf' or 'tetrahydrofuran'; or what chemists write for short (`ALIASES`).
        folder: of the lookup tables.

    Raises:
        UnknownNameError: nobody tabulated it; the message offers the nearest.
    """
    smiles = tabulated(folder)
    called: dict[str, str] = {}
    for full in smiles:
        for part in (full, *re.split(r"[\[\]()]", full)):
            called.setdefault(part.strip().casefold(), full)
    called |= {alias.casefold(): full for alias, full in ALIASES.items() if full in smiles}
    called.pop("", None)
    wanted = name.strip().casefold()
    if wanted not in called:
        raise UnknownNameError.of("solvent", wanted, called)
    full = called[wanted]
    tables = {block: _table(folder, block) for block in FILES}
    known = {block: table.of(np.array([full]))[0] for block, table in tables.items() if full in table.rows}
    for block in _LINEAR:
        if block not in known and (values := _from_mixtures(full, tables[block])) is not None:
            known[block] = values
    return Solvent(full, smiles[full], known, dict.fromkeys(known, 0))


def by_smiles(smiles: str, folder: Path) -> Solvent:
    """A solvent by its SMILES: the tabulated one where there is one, else with what can be computed.

    Args:
        smiles: of the solvent, components of a mixture parted by '.'.
        folder: of the lookup tables; what they have of a solvent is taken as it stands there.

    Raises:
        UsageError: rdkit or drfp is not installed.
        DataError: RDKit cannot read the SMILES.
    """
    canonical = _canonical(smiles)
    same = next((name for name, known in tabulated(folder).items() if _canonical(known) == canonical), None)
    found = by_name(same, folder) if same is not None else Solvent(smiles, smiles, {}, {})
    computed, unseen = dict(found.descriptors), dict(found.unseen)
    for block, compute in _COMPUTED.items():
        if block in computed:
            continue
        table, values = _table(folder, block), compute(smiles)
        varying = [int(column) for column in table.columns]
        first = np.array([float(cells[0]) for name, cells in table.table.columns.items() if name != "SOLVENT NAME"])
        computed[block] = values[varying]
        unseen[block] = int((values != first).sum() - (values != first)[varying].sum())
    return Solvent(found.name, smiles, computed, unseen)


def inputs(
    names: Sequence[str],
    solvent_a: Solvent,
    solvent_b: Solvent,
    fraction_b: Real[np.ndarray, " case"],
    celsius: Real[np.ndarray, " case"],
    minutes: Real[np.ndarray, " case"],
) -> Float[np.ndarray, "case column"]:
    """The columns that a recipe's features have in a solvent or a mixture of two, [case, column] float64.

    Args:
        names: the recipe's features, in its order.
        solvent_a, solvent_b: the solvents, the same one twice where it is pure.
        fraction_b: [case] float64, volume fraction of solvent B, 0 to 1.
        celsius: [case] float64, temperatures in deg C.
        minutes: [case] float64, residence times, above 0.

    Raises:
        UnknownNameError: a feature that nobody knows.
        DataError: a feature needs a block that is not known of a solvent, or conditions are impossible.
    """
    b, celsius, minutes = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (fraction_b, celsius, minutes)))
    for values, possible, what in (
        (b, (b >= 0) & (b <= 1), "a fraction of solvent B from 0 to 1"),
        (celsius, celsius > -273.15, "a temperature in deg C above -273.15"),
        (minutes, minutes > 0, "a residence time in minutes above 0"),
    ):
        if not (possible & np.isfinite(values)).all():
            raise DataError(f"{values[~(possible & np.isfinite(values))][0]:g} is impossible", remedy=f"give {what}")
    # Not the solvents' own names: two that were given by one SMILES may be called alike.
    sides = {"A": solvent_a, "B": solvent_b}
    columns = blocks(lambda block, labels: np.stack([sides[label].block(block) for label in labels.tolist()]))
    for name in names:
        if name not in columns:
            raise UnknownNameError.of("feature", name, columns)
    query = Dataset(
        problem="catechol",
        task="query",
        cases=np.array([f"query-{row}" for row in range(len(b))]),
        observations={"solvent_a": np.full(len(b), "A"), "solvent_b": np.full(len(b), "B")}
        | {"fraction_b": b, "temperature": celsius, "residence_time": minutes},
        units={},
        quantities=(),
        truth=Truth(np.empty((len(b), 0))),
        groups={},
        origin=Origin(),
    )
    return np.concatenate([columns[name].compute(query) for name in names], axis=1)


def training_range(
    block: str, names: Sequence[str], folder: Path
) -> tuple[tuple[str, ...], Float[np.ndarray, " descriptor"], Float[np.ndarray, " descriptor"]]:
    """Names of a block's columns, and the [descriptor] least and greatest value among the named training solvents.

    Raises:
        DataError: a name that the table lacks.
    """
    table = _table(folder, block)
    values = table.of(np.array(names))
    return table.columns, values.min(axis=0), values.max(axis=0)


def _from_mixtures(name: str, table: Descriptors) -> Float[np.ndarray, " descriptor"] | None:
    """[descriptor] of a solvent that a table lacks, from a mixture of it and the mixture's other part, where known.

    phi_mixture = w phi + (1 - w) phi_other gives phi. In the published tables water follows from two mixtures alike.
    """
    for mixture, ((one, weight), (other, other_weight)) in MIXTURES.items():
        for part, share, rest, rest_share in ((one, weight, other, other_weight), (other, other_weight, one, weight)):
            if part == name and mixture in table.rows and rest in table.rows:
                of_mixture, of_rest = table.of(np.array([mixture, rest]))
                return (of_mixture - rest_share * of_rest) / share
    return None


def tabulated(folder: Path) -> dict[str, str]:
    """Names of all tabulated solvents to their SMILES, in the order of the table."""
    table = read(folder / SMILES_FILE)
    return dict(zip(table.labels("SOLVENT NAME").tolist(), table.labels("solvent smiles").tolist(), strict=True))


def _table(folder: Path, block: str) -> Descriptors:
    return descriptors(read(folder / FILES[block]))


def read_molecule(smiles: str) -> Any:
    """RDKit's molecule of a SMILES.

    Raises:
        UsageError: rdkit is not installed.
        DataError: RDKit cannot read the SMILES.
    """
    try:
        from rdkit import Chem, rdBase  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError("solvents by SMILES need rdkit, which is not installed", remedy=EXTRA) from None
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    # RDKit gives None where it cannot read, which its annotations leave out.
    if molecule is None or not molecule.GetNumAtoms():  # pyright: ignore[reportUnnecessaryComparison]
        raise DataError(f"'{smiles}' is no SMILES that RDKit can read", remedy="correct it; ethanol is 'CCO'")
    return molecule


def _canonical(smiles: str) -> str:
    molecule = read_molecule(smiles)
    from rdkit import Chem  # pyright: ignore[reportMissingImports]

    return Chem.MolToSmiles(molecule)


def drfp(smiles: str) -> Float[np.ndarray, " 2048"]:
    """[2048] float64 bits: the differential reaction fingerprint of the reaction in a solvent.

    Source: D. Probst et al., Digital Discovery 1 (2022) 91, by the authors' library with its default settings.

    Raises:
        UsageError: drfp is not installed.
        DataError: RDKit cannot read the SMILES.
    """
    read_molecule(smiles)
    try:
        from drfp import DrfpEncoder  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError("solvents by SMILES need drfp, which is not installed", remedy=EXTRA) from None
    return np.asarray(DrfpEncoder.encode(REACTION.format(smiles))[0], dtype=np.float64)


def fragprints(smiles: str) -> Float[np.ndarray, " 2133"]:
    """[2133] float64: 2048 Morgan bits of radius 3, then 85 counts of fragments.

    Source: R.-R. Griffiths et al., GAUCHE (2023); fragments by RDKit.

    Raises:
        UsageError: rdkit is not installed.
        DataError: RDKit cannot read the SMILES.
    """
    molecule = read_molecule(smiles)
    from rdkit.Chem import Descriptors as functions  # pyright: ignore[reportMissingImports]
    from rdkit.Chem import rdFingerprintGenerator  # pyright: ignore[reportMissingImports]

    bits = rdFingerprintGenerator.GetMorganGenerator(radius=3, fpSize=2048).GetFingerprintAsNumPy(molecule)
    counts = [count(molecule) for name, count in functions.descList if name.startswith("fr_")]
    return np.concatenate([bits, counts]).astype(np.float64)


_COMPUTED: Mapping[str, Callable[[str], Float[np.ndarray, " column"]]] = {"drfp": drfp, "fragprints": fragprints}
