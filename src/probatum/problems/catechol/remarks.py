"""What makes an answer weaker than it looks, in words: solvents or conditions unlike the measured ones, and more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from probatum.problems.catechol.calibration import Situation
from probatum.problems.catechol.imputation import BLOCKS
from probatum.problems.catechol.solvents import Solvent, read_molecule, tabulated, training_range
from probatum.problems.catechol.yield_model import LEVEL, Published, YieldModel

EXTRAPOLATION = "PB604"
"""The audit's code of queries outside the training range."""
FAR_OUTSIDE = 0.1
"""Ranges beyond the measured solvents' descriptors from which a solvent is called far, as in the audit."""
TESTED_K, TESTED_MIN = 15.0, 3.0
"""Intervals count as tested where left-out rows lie within this."""
_KINDS = {
    "it is aromatic": "a",
    "it has a multiple bond between carbons": "C=,#C",
    "it is an amine": "[NX3;!$(N-C=[O,S])]",
    "it has charged atoms": "[+,-]",
    "it is an aldehyde": "[CX3H1](=O)[#6]",
}
"""Groups as SMARTS."""


@dataclass(frozen=True)
class Remark:
    """Something that the reader of an answer has to know.

    Attributes:
        code: 'PB604' (outside of what was measured), 'unit', 'smiles', 'mixture', 'interval' or 'conditions'.
        text: a sentence.
    """

    code: str
    text: str


def measured_range(data: Published) -> tuple[tuple[float, float], tuple[float, float]]:
    """Least and greatest measured temperature [deg C] and residence time [min], to a tenth."""
    ranges = [
        (round(float(v.min()), 1), round(float(v.max()), 1)) for v in (data.rows.temperature, data.rows.residence_time)
    ]
    return ranges[0], ranges[1]


def unit_remarks(celsius: float, minutes: float) -> list[Remark]:
    """On conditions that would be in range in another unit."""
    remarks = []
    if 400 <= celsius <= 520:
        kelvin = f"{celsius:g} deg C looks like kelvin: {celsius:g} K is {celsius - 273.15:.0f} deg C"
        remarks.append(Remark("unit", f"{kelvin}; --temperature is in deg C"))
    if 100 <= minutes <= 1000:
        seconds = f"{minutes:g} min looks like seconds: {minutes:g} s is {minutes / 60:.1f} min"
        remarks.append(Remark("unit", f"{seconds}; --time is in minutes"))
    return remarks


def range_remarks(data: Published, celsius: float, minutes: float) -> list[Remark]:
    """On conditions outside the measured range."""
    hot, long = measured_range(data)
    given = (("temperature", celsius, *hot, "deg C"), ("residence time", minutes, *long, "min"))
    return [
        Remark(
            EXTRAPOLATION,
            f"extrapolation: a {what} of {value:g} {unit} is outside the measured {low:g} to {high:g} {unit}, where "
            "neither yields nor intervals were tested",
        )
        for what, value, low, high, unit in given
        if not low <= value <= high
    ]


def solvent_remarks(
    model: YieldModel, data: Published, solvents: Iterable[Solvent], guessed: Sequence[str]
) -> list[Remark]:
    """On solvents that are unlike all that were measured."""
    remarks = []
    for solvent in {s.name: s for s in solvents}.values():
        if solvent.name in model.known.solvents:
            continue
        measured = tuple(model.known.solvents)
        unlike = (
            _unlike_structure(solvent, measured, data)
            if solvent.name in guessed
            else _unlike_descriptors(solvent, measured, data)
        )
        if unlike:
            remarks.append(
                Remark(EXTRAPOLATION, f"extrapolation: {solvent.name} is unlike all measured solvents: {unlike}")
            )
    return remarks


def interval_remarks(model: YieldModel, situation: Situation, conditions: tuple[float, float] | None) -> list[Remark]:
    """On intervals that rest on little, or on measurements elsewhere; no conditions: that has been said."""
    found = model.left_out.get(situation)
    if found is None:
        return [Remark("interval", f"no measured row tests predictions for a solvent {situation.value}")]
    remarks = []
    promised = found.promised(LEVEL)
    if promised < LEVEL:
        remarks.append(
            Remark("interval", f"only {found.groups} left-out cases calibrate it: {100 * promised:.0f} % is promised")
        )
    if conditions is None:
        return remarks
    celsius, minutes = conditions
    away = np.maximum(np.abs(found.celsius - celsius) / TESTED_K, np.abs(found.minutes - minutes) / TESTED_MIN)
    nearest = int(np.argmin(away))
    if away[nearest] > 1:
        place = f"{found.celsius[nearest]:.0f} deg C and {found.minutes[nearest]:.1f} min"
        remarks.append(
            Remark(
                "interval",
                f"the interval is not tested near these conditions: of the rows left out to calibrate it, the nearest "
                f"was measured at {place}",
            )
        )
    return remarks


def _unlike_descriptors(solvent: Solvent, measured: Sequence[str], data: Published) -> str:
    """Descriptors that lie far beyond those of the measured solvents, in words; '' where none does."""
    beyond = []
    for block in BLOCKS:
        columns, low, high = training_range(block, measured, data.folder)
        span = np.where(high > low, high - low, 1.0)
        away = np.maximum(low - solvent.block(block), solvent.block(block) - high) / span
        beyond += [
            f"{name} {value:.3g} (they: {least:.3g} to {most:.3g})"
            for name, value, least, most, far in zip(columns, solvent.block(block), low, high, away, strict=True)
            if far > FAR_OUTSIDE
        ]
    return ", ".join(beyond)


def _unlike_structure(solvent: Solvent, measured: Sequence[str], data: Published) -> str:
    """Elements and kinds of groups that no measured solvent has, in words; '' where there are none."""
    smiles = tabulated(data.folder)
    known = set().union(*(_parts(smiles[name]) for name in measured))
    return ", ".join(sorted(_parts(solvent.smiles) - known))


def _parts(smiles: str) -> set[str]:
    """What a molecule consists of: its elements, and groups that set solvents apart."""
    molecule = read_molecule(smiles)
    from rdkit.Chem import MolFromSmarts  # pyright: ignore[reportMissingImports]

    kinds = {said for said, pattern in _KINDS.items() if molecule.HasSubstructMatch(MolFromSmarts(pattern))}
    return kinds | {f"it contains {atom.GetSymbol()}" for atom in molecule.GetAtoms()}
