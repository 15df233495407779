"""What a chemist means: solvents by name, abbreviation or SMILES, shares of what was measured, and products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from probatum.errors import DataError, UnknownNameError, UsageError, nearest
from probatum.problems.catechol.calibration import PURE
from probatum.problems.catechol.data import YIELDS
from probatum.problems.catechol.imputation import BLOCKS, with_guesses
from probatum.problems.catechol.remarks import Remark
from probatum.problems.catechol.solvents import EXTRA, MIXTURES, Solvent, by_name, by_smiles
from probatum.problems.catechol.yield_model import Published

NEARBY_K, SHARE = 3.0, 0.05
"""Measured rows within this of a temperature, and of a share, are near it."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A solvent or a mixture of two as somebody asked for it.

    Attributes:
        a, b: with descriptors; the same one twice where it is pure.
        fraction_b: volume fraction of b, 0 to 1.
        guessed: names of those whose descriptors are guessed from structure.
        remarks: on how they were understood.
    """

    a: Solvent
    b: Solvent
    fraction_b: float
    guessed: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def name(self) -> str:
        if self.a.name == self.b.name:
            return self.a.name
        return f"{self.a.name} + {100 * self.fraction_b:g} % {self.b.name}"


def understood(
    data: Published, solvent: str, solvent_b: str | None = None, percent_b: float | None = None, *, smiles: bool = False
) -> Asked:
    """The solvents that were meant.

    Args:
        data: published.
        solvent, solvent_b: names, what chemists write for short, or SMILES.
        percent_b: volume percent of the second solvent, 0 to 100.
        smiles: `solvent` is a SMILES and no name.

    Raises:
        UnknownNameError: neither a tabulated name nor a SMILES.
        UsageError: a percent without a second solvent, or the reverse, or outside 0 to 100; rdkit is not installed.
        DataError: a SMILES that cannot be read, or of more than one molecule.
    """
    if (solvent_b is None) != (percent_b is None):
        missing = "--percent-b" if percent_b is None else "--solvent-b"
        raise UsageError(f"a mixture needs {missing} too", remedy="give the second solvent and its percent together")
    percent = 0.0 if percent_b is None else percent_b
    if not 0 <= percent <= 100:
        raise UsageError(f"{percent:g} % of the second solvent is impossible", remedy="give 0 to 100")
    remarks: list[Remark] = []
    if 0 < percent <= 1:
        remarks.append(
            Remark("unit", f"{percent:g} % is next to nothing; if a fraction was meant, give {100 * percent:g}")
        )
    guessed: list[str] = []
    a = _solvent(data, solvent, smiles, remarks, guessed)
    b = a if solvent_b is None else _solvent(data, solvent_b, False, remarks, guessed)
    if a.name == b.name or percent == 0:
        b, percent = a, 0.0
    elif percent == 100:
        a, percent = b, 0.0
    a, b, fraction = _as_measured(data, a, b, percent / 100, remarks)
    used = tuple(name for name in dict.fromkeys(guessed) if name in (a.name, b.name))
    return Asked(a, b, fraction, used, tuple(remarks))


def product_called(name: str) -> str:
    """The yield of that name, in letters of any case, with or without the space; 'P2' will do.

    Raises:
        UnknownNameError: there is none.
    """
    called = {one.casefold().replace(" ", ""): one for one in YIELDS}
    called |= {f"p{one[-1]}": one for one in YIELDS if one.startswith("Product")}
    wanted = name.casefold().replace(" ", "")
    if wanted not in called:
        raise UnknownNameError(f"unknown product '{name}'", remedy=nearest(name, YIELDS))
    return called[wanted]


def check_conditions(celsius: float, minutes: float) -> None:
    """Refuses what cannot be.

    Raises:
        UsageError: naming it.
    """
    if not (np.isfinite(celsius) and celsius > -273.15):
        raise UsageError(f"a temperature of {celsius:g} deg C is impossible", remedy="give deg C, such as 190")
    if not (np.isfinite(minutes) and minutes > 0):
        raise UsageError(f"a residence time of {minutes:g} min is impossible", remedy="give minutes above 0")


def own_rows(data: Published, asked: Asked) -> Bool[np.ndarray, " row"]:
    """[row] bool: measured rows of the solvent, or of mixtures of the two in any shares."""
    rows, b = data.rows, data.rows.fraction_b
    if asked.a.name == asked.b.name:
        return ((rows.solvent_a == asked.a.name) & (b <= 1 - PURE)) | ((rows.solvent_b == asked.a.name) & (b >= PURE))
    return (rows.pair == " | ".join(sorted((asked.a.name, asked.b.name)))) & (b > 1 - PURE) & (b < PURE)


def measured_rows(data: Published, asked: Asked, celsius: float | None = None) -> Bool[np.ndarray, " row"]:
    """[row] bool: the same within `SHARE` of the share, and within `NEARBY_K` of a temperature where one is given."""
    rows = data.rows
    near = own_rows(data, asked)
    if asked.a.name != asked.b.name:
        share = np.where(rows.solvent_b == asked.b.name, rows.fraction_b, 1 - rows.fraction_b)
        near &= np.abs(share - asked.fraction_b) <= SHARE
    return near if celsius is None else near & (np.abs(rows.temperature - celsius) <= NEARBY_K)


def _solvent(data: Published, text: str, smiles: bool, remarks: list[Remark], guessed: list[str]) -> Solvent:
    """The solvent of a name or SMILES, its missing descriptors guessed."""
    try:
        found = by_smiles(text, data.folder) if smiles else by_name(text, data.folder)
    except UnknownNameError as error:
        near = (error.remedy or "").startswith("did you mean")
        names = error.remedy if near else "'probatum catechol rank' lists the names."
        try:
            found = by_smiles(text, data.folder)
        except DataError:  # no SMILES either
            raise UnknownNameError(
                f"unknown solvent '{text}'", remedy=f"{names} Any other one is given by its SMILES"
            ) from None
        except UsageError:  # rdkit is not installed, so nobody can tell
            raise UnknownNameError(f"unknown solvent '{text}'", remedy=f"{names} For a SMILES: {EXTRA}") from None
        remarks.append(Remark("smiles", f"no solvent is called '{text}', so it is read as a SMILES"))
    if all(block in found.descriptors for block in BLOCKS):
        return found
    if data.structures is None:
        raise UsageError(f"descriptors of {found.name} have to be guessed from structure", remedy=EXTRA)
    guessed.append(found.name)
    return with_guesses(found, data.structures)


def _as_measured(
    data: Published, a: Solvent, b: Solvent, fraction_b: float, remarks: list[Remark]
) -> tuple[Solvent, Solvent, float]:
    """The same liquid in solvents that were measured, where one of them is a mixture of the two that were given.

    Water and acetonitrile were measured as ramps from acetonitrile to a mixture with 60 % water; so 30 % water is half
    of that ramp.
    """
    shares = {a.name: 1 - fraction_b, b.name: fraction_b}
    measured = {*data.rows.solvent_a.tolist(), *data.rows.solvent_b.tolist()}
    for mixture, parts in MIXTURES.items():
        of_mixture = dict(parts)
        if a.name == b.name or set(shares) != set(of_mixture) or mixture not in measured:
            continue
        for pure, added in ((a, b), (b, a)):
            fraction = shares[added.name] / of_mixture[added.name]
            if pure.name in measured and fraction <= 1 + 1e-9:
                fraction = min(fraction, 1.0)
                known = by_name(mixture, data.folder)
                same = f"{100 * of_mixture[added.name]:g} % {added.name} in {pure.name}"
                remarks.append(
                    Remark("mixture", f"taken as {100 * fraction:.3g} % of '{mixture}' ({same}), which was measured")
                )
                return (known, known, 0.0) if fraction == 1 else (pure, known, fraction)
    return a, b, fraction_b
