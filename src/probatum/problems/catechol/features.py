"""Model inputs for catechol: descriptors of the solvents, mixed by their fractions, and the conditions.

A mixture's descriptor is phi = (1 - b) phi_A + b phi_B, b the volume fraction of solvent B. Exchanging A and B, b and
1 - b leaves every feature but 'conditions' and 'solvents_apart' as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from probatum.errors import nearest
from probatum.problems.problem import Dataset, Feature, Ragged
from probatum.problems.text_table import TextTable, read

_KELVIN = 273.15


@dataclass(frozen=True, eq=False)
class Descriptors:
    """A table of solvent descriptors.

    Attributes:
        table: the file as read.
        rows: name of a solvent to its row.
        columns: names of the descriptors that differ between solvents of the table; constant ones carry nothing.
        values: [solvent, descriptor] float64.
    """

    table: TextTable
    rows: Mapping[str, int]
    columns: tuple[str, ...]
    values: Float[np.ndarray, "solvent descriptor"]

    def of(self, solvents: Shaped[np.ndarray, " case"]) -> Float[np.ndarray, "case descriptor"]:
        """[case, descriptor] float64 for [case] names.

        Raises:
            DataError: for a solvent that the table lacks.
        """
        names, inverse = np.unique(solvents, return_inverse=True)
        for name in names.tolist():
            if name not in self.rows:
                raise self.table.error(
                    f"solvent '{name}' is not in this table",
                    column="SOLVENT NAME",
                    remedy=f"add its descriptors; {nearest(name, self.rows)}",
                )
        return self.values[[self.rows[name] for name in names.tolist()]][inverse]


@lru_cache(maxsize=16)
def descriptors(table: TextTable) -> Descriptors:
    """The descriptors in a lookup table: one row a solvent, first column 'SOLVENT NAME', the others numbers.

    Raises:
        DataError: a solvent stands twice, a cell is no finite number, or no descriptor varies.
    """
    solvents = table.labels("SOLVENT NAME").tolist()
    rows: dict[str, int] = {}
    for row, name in enumerate(solvents):
        if rows.setdefault(name, row) != row:
            raise table.error(f"'{name}' stands twice", row=row, column="SOLVENT NAME", remedy="remove one of the rows")
    # Most bits of a fingerprint are equal for all solvents; text comparison finds them before they are parsed.
    varying = [name for name, cells in table.columns.items() if name != "SOLVENT NAME" and len(set(cells)) > 1]
    columns = {name: values for name in varying if np.ptp(values := table.numbers(name)) > 0}
    if not columns:
        raise table.error(
            "no descriptor differs between solvents", remedy="use a table with descriptors in its columns"
        )
    return Descriptors(table, rows, tuple(columns), np.stack(list(columns.values()), axis=1))


FILES = {
    "spange": "spange_descriptors_lookup.csv",
    "acs": "acs_pca_descriptors_lookup.csv",
    "drfp": "drfps_catechol_lookup.csv",
    "fragprints": "fragprints_lookup.csv",
}
"""The lookup table of each block of descriptors."""


def features(folder: Callable[[], Path]) -> dict[str, Feature]:
    """All features of the problem.

    Args:
        folder: gives the folder of the lookup tables; called when a feature is computed.
    """
    return blocks(lambda block, solvents: descriptors(read(folder() / FILES[block])).of(solvents))


def blocks(
    look_up: Callable[[str, Shaped[np.ndarray, " case"]], Float[np.ndarray, "case descriptor"]],
) -> dict[str, Feature]:
    """All features, with the solvents' descriptors looked up wherever they are known.

    Args:
        look_up: from the name of a block (a key of `FILES`) and [case] names to [case, descriptor] float64.
    """

    def of(dataset: Dataset, block: str, side: str) -> Float[np.ndarray, "case descriptor"]:
        return look_up(block, _column(dataset, f"solvent_{side}"))

    def mixed(block: str) -> Callable[[Dataset], np.ndarray]:
        def compute(dataset: Dataset) -> Float[np.ndarray, "case descriptor"]:
            b = _column(dataset, "fraction_b")[:, None]
            return (1 - b) * of(dataset, block, "a") + b * of(dataset, block, "b")

        return compute

    def interaction(block: str) -> Callable[[Dataset], np.ndarray]:
        def compute(dataset: Dataset) -> Float[np.ndarray, "case descriptor"]:
            b = _column(dataset, "fraction_b")[:, None]
            return of(dataset, block, "a") * of(dataset, block, "b") * (b * (1 - b))

        return compute

    def apart(*of_solvents: str) -> Callable[[Dataset], np.ndarray]:
        def compute(dataset: Dataset) -> Float[np.ndarray, "case column"]:
            sides = [of(dataset, block, side) for side in "ab" for block in of_solvents]
            return np.concatenate([_conditions(dataset), *sides], axis=1)

        return compute

    known = (
        Feature(
            "spange",
            "13 columns: dielectric constant, ET(30) [kcal/mol], alpha, beta, pi*, SA, SB, SP, SdP, N, n, f(n), "
            "delta [MPa^0.5]; Spange et al., Chemistry-Methods 1 (2021) 42",
            mixed("spange"),
        ),
        Feature("acs", "5 columns: principal components of the ACS GCI solvent selection tool, no unit", mixed("acs")),
        Feature(
            "drfp",
            "the 122 of 2048 bits that differ between the 24 solvents: differential reaction fingerprint of the "
            "reaction in the solvent; Probst et al., Digital Discovery 1 (2022) 91",
            mixed("drfp"),
        ),
        Feature(
            "fragprints",
            "the 144 of 2133 columns that differ between the 24 solvents: Morgan bits and fragment counts; "
            "Griffiths et al., GAUCHE (2023)",
            mixed("fragprints"),
        ),
        Feature(
            "kinetics",
            "5 columns: T [deg C], t [min], 1000/T [1/K], ln t, (1000/T) ln t: what an Arrhenius law is linear in",
            _kinetics,
        ),
        Feature("conditions", "3 columns: T [deg C], t [min], volume fraction of solvent B", _conditions),
        Feature(
            "spange_interactions",
            "13 columns: phi_A phi_B b (1 - b) of 'spange', zero in pure solvents: what mixing adds to a mean",
            interaction("spange"),
        ),
        Feature(
            "acs_interactions", "5 columns: phi_A phi_B b (1 - b) of 'acs', zero in pure solvents", interaction("acs")
        ),
        Feature(
            "solvents_apart",
            "39 columns: 'conditions', then 'spange' and 'acs' of solvent A, then of solvent B, not mixed: for "
            "learners that mix themselves (probatum.problems.catechol.learners:KineticRegressor)",
            apart("spange", "acs"),
        ),
    )
    return {feature.name: feature for feature in known}


def _kinetics(dataset: Dataset) -> Float[np.ndarray, "case 5"]:
    celsius, time = _column(dataset, "temperature"), _column(dataset, "residence_time")
    inverse, log = 1000 / (celsius + _KELVIN), np.log(time)
    return np.stack([celsius, time, inverse, log, inverse * log], axis=1)


def _conditions(dataset: Dataset) -> Float[np.ndarray, "case 3"]:
    return np.stack([_column(dataset, name) for name in ("temperature", "residence_time", "fraction_b")], axis=1)


def _column(dataset: Dataset, name: str) -> Shaped[np.ndarray, " case"]:
    observation = dataset.observations[name]
    assert not isinstance(observation, Ragged)
    return observation
