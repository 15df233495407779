"""Which compounds a sample is made of: families as common as in the challenge, no structure in two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.optimize import brentq, root

from probatum.errors import DataError
from probatum.problems.gas_chromatography.families import FAMILIES, families_of
from probatum.problems.gas_chromatography.spectra import Spectrum

PREVALENCE = dict(zip(FAMILIES, np.array([79, 265, 115, 96, 18, 31, 26, 21, 117]) / 809, strict=True))
"""Share of the challenge's 809 training samples that belong to each family (DrivenData, Mars Spectrometry 2)."""
BLANK = 303 / 809
"""Share of them that belong to none."""
Split = Literal["train", "validation", "test"]
SHARES: dict[Split, float] = {"train": 0.6, "validation": 0.15, "test": 0.25}
"""Of compounds."""


def splits(spectra: Sequence[Spectrum], seed: int = 0) -> dict[str, Split]:
    """Which split each compound belongs to.

    Compounds that belong to the same families are shared out by `SHARES`, at least one to each split where there are
    three or more: otherwise a small split may have no hydrocarbon that is not aromatic, say. Of one or two, the first
    is trained on.

    Args:
        spectra: of all compounds.
        seed: of the order in which they are shared out.
    """
    alike: dict[bytes, list[str]] = {}
    for compound, smiles in {spectrum.compound: spectrum.smiles for spectrum in spectra}.items():
        alike.setdefault(families_of(smiles).tobytes(), []).append(compound)
    found: dict[str, Split] = {}
    for group in alike.values():
        group.sort(key=lambda compound: hashlib.sha256(f"{seed}/{compound}".encode()).digest())
        share = np.cumsum(list(SHARES.values()))
        ends = np.rint(share * len(group)).astype(int)
        if len(group) >= len(SHARES):
            for position in range(len(SHARES)):
                ends[position] = max(ends[position], position + 1)
            for position in reversed(range(len(SHARES) - 1)):
                ends[position] = min(ends[position], ends[position + 1] - 1)
        for place, compound in enumerate(group):
            found[compound] = list(SHARES)[int(np.searchsorted(ends, place, side="right"))]
    return found


@dataclass(frozen=True, eq=False)
class Composition:
    """How samples are made.

    Attributes:
        compounds: [compound] str.
        members: [compound, family] bool.
        rates: [compound] float64, the mean number of times that each compound is in a sample that is not empty.
        mineral_rate: the same for minerals.
        empty: share of samples that nothing is put into.
    """

    compounds: Shaped[np.ndarray, " compound"]
    members: Bool[np.ndarray, "compound family"]
    rates: Float[np.ndarray, " compound"]
    mineral_rate: float
    empty: float

    @property
    def prevalence(self) -> Float[np.ndarray, " family"]:
        """[family] float64: the share of samples that belong to each family."""
        rates = self.rates @ self.members
        rates[FAMILIES.index("mineral")] = self.mineral_rate
        return (1 - self.empty) * (1 - np.exp(-rates))

    @property
    def blank(self) -> float:
        """The share of samples that belong to no family; compounds of no family are not drawn."""
        return self.empty + (1 - self.empty) * float(np.exp(-self.rates.sum() - self.mineral_rate))

    def draw(self, rng: np.random.Generator) -> tuple[Int[np.ndarray, " chosen"], bool]:
        """One sample: positions of its compounds, ascending, and whether minerals are in it."""
        if rng.random() < self.empty:
            return np.zeros(0, dtype=np.int64), False
        chosen = np.flatnonzero(rng.random(len(self.rates)) < 1 - np.exp(-self.rates))
        return chosen, bool(rng.random() < 1 - np.exp(-self.mineral_rate))


def composition(spectra: Sequence[Spectrum]) -> Composition:
    """Rates with which compounds make families as common as in the challenge.

    Compounds are drawn independently of one another. Of all rates with these prevalences those are taken that are
    nearest to equal ones (largest entropy): log rate = sum of a number for each family that a compound belongs to,
    found by solving for the prevalences. The share of empty samples makes up for the blanks.

    Args:
        spectra: of the compounds to draw from; each compound counts once.

    Raises:
        DataError: a family, minerals apart, has no compound, or no rates have these prevalences.
    """
    first = {spectrum.compound: spectrum for spectrum in spectra}
    members = np.array([families_of(spectrum.smiles) for spectrum in first.values()]).reshape(-1, len(FAMILIES))
    used = members.any(axis=1)
    compounds, members = np.array(list(first))[used], members[used].astype(np.float64)
    chemical = [i for i, name in enumerate(FAMILIES) if name != "mineral"]
    missing = [FAMILIES[i] for i in chemical if not members[:, i].any()]
    if missing:
        raise DataError(f"no compound belongs to {', '.join(missing)}", remedy="give spectra of more compounds")
    wanted = np.array(list(PREVALENCE.values()))

    def rates_for(empty: float) -> Float[np.ndarray, " source"]:
        """[compound] and, last, minerals."""
        targets = -np.log1p(-wanted / (1 - empty))

        def excess(weights: Float[np.ndarray, " family"]) -> Float[np.ndarray, " family"]:
            return np.log(np.exp(members[:, chemical] @ weights) @ members[:, chemical]) - np.log(targets[chemical])

        start = np.log(targets[chemical] / members[:, chemical].sum(axis=0))
        solved = root(excess, start / 2, method="lm")
        if not np.abs(solved.fun).max() < 1e-6:
            raise DataError(
                "no rates of these compounds make families as common as in the challenge",
                remedy="give spectra of more compounds of each family",
            )
        return np.append(np.exp(members[:, chemical] @ solved.x), targets[FAMILIES.index("mineral")])

    def surplus(empty: float) -> float:
        return empty + (1 - empty) * float(np.exp(-rates_for(empty).sum())) - BLANK

    # Were samples never empty, compounds that are drawn independently would leave fewer or more blanks than asked for.
    empty = float(brentq(surplus, 0.0, BLANK)) if surplus(0.0) < 0 else 0.0  # pyright: ignore[reportArgumentType]
    rates = rates_for(empty)
    return Composition(compounds, members.astype(bool), rates[:-1], float(rates[-1]), empty)
