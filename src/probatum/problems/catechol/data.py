"""The measured rows of the catechol benchmark: where they are published, how they are read and what is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int, Shaped

from probatum.problems.data_files import DataSource, RemoteFile
from probatum.problems.text_table import TextTable

SINGLE = "catechol_single_solvent_yields.csv"
FULL = "catechol_full_data_yields.csv"
YIELDS = ("SM", "Product 2", "Product 3")

_PUBLISHED = {
    SINGLE: ("single_solvent", "8e1831b469541c3bce59a19a0842e7861c35aab8f58f5e524b973372dcdcedf2"),
    FULL: ("full_data", "62d2e25e6ef3de018210c0a2115988ebbbd2969ab6e2072ad610706b29c8f392"),
    "claisen_data_clean.csv": ("full_data", "ffbb7c280f5a150331223587debe02aa26460047c28ec6c82d4711e318fe0660"),
    "spange_descriptors_lookup.csv": (
        "featurization_look_ups",
        "fb3399f6b1483c4152ee2f74dd07125631b672ec47745b57879a940362591a1a",
    ),
    "acs_pca_descriptors_lookup.csv": (
        "featurization_look_ups",
        "38d14e62433dfb9b0342874e2e2e1a26b7a147a91374d545943f2ef1445f89ef",
    ),
    "drfps_catechol_lookup.csv": (
        "featurization_look_ups",
        "f4be06514493684a75a5343a4adc9bcb438ef9903d9ba7ac1b9afc2304471891",
    ),
    "drfps_claisen_lookup.csv": (
        "featurization_look_ups",
        "b438491f516617cd5885452cd826323b3a7107b75821a543064fc1faba76aef5",
    ),
    "fragprints_lookup.csv": (
        "featurization_look_ups",
        "35aeae708bc1bd741d4d81336b06bc43ed5a7f49c7b26d1637a75bf5bcda76bf",
    ),
    "green_lookup.csv": (
        "featurization_look_ups",
        "d991dd4c3fa6d3f3028a7e5b33300412483183e0cca8d874f90232394e3383a2",
    ),
    "smiles_lookup.csv": (
        "featurization_look_ups",
        "7967ddf3fee5e560b162ef95719fe74c942ca692836d765a37a985efbc4c67ed",
    ),
}

SOURCE = DataSource(
    problem="catechol",
    url="https://raw.githubusercontent.com/jpfolch/catechol_solvent_selection/0d8e3f41/data",
    url_variable="PROBATUM_CATECHOL_URL",
    licence="MIT",
    # A mirror may well hold all files in one folder.
    files=tuple(RemoteFile(name, sha256, (f"{folder}/{name}", name)) for name, (folder, sha256) in _PUBLISHED.items()),
)


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measured rows, in file order. A single solvent stands as a mixture of itself with itself at fraction 0.

    Attributes:
        solvent_a, solvent_b: [row] str, names as the descriptor tables know them.
        fraction_b: [row] float64, volume fraction of solvent B, 0 to 1.
        temperature: [row] float64, deg C.
        residence_time: [row] float64, min.
        yields: [row, 3] float64, fractions of SM, Product 2, Product 3.
        run: [row] str, RAMP NUM: one ramp as run on one day; None for single solvents.
    """

    solvent_a: Shaped[np.ndarray, " row"]
    solvent_b: Shaped[np.ndarray, " row"]
    fraction_b: Float[np.ndarray, " row"]
    temperature: Float[np.ndarray, " row"]
    residence_time: Float[np.ndarray, " row"]
    yields: Float[np.ndarray, "row 3"]
    run: Shaped[np.ndarray, " row"] | None = None

    @property
    def pair(self) -> Shaped[np.ndarray, " row"]:
        """[row] str: the unordered pair of solvents, 'A | B' in the order of their names."""
        return np.array([" | ".join(sorted(pair)) for pair in zip(self.solvent_a, self.solvent_b, strict=True)])


@lru_cache(maxsize=8)
def single_measurements(table: TextTable) -> Measurements:
    """The rows of the single-solvent file.

    Raises:
        DataError: a column is missing, a cell is no finite number, a yield is in percent, a time is not positive.
    """
    solvent = table.labels("SOLVENT NAME")
    return Measurements(solvent, solvent, np.zeros(len(table)), *_conditions(table), _yields(table))


@lru_cache(maxsize=8)
def full_measurements(table: TextTable) -> Measurements:
    """The rows of the full file, single solvents and mixtures.

    Raises:
        DataError: as for single solvents, and for a fraction of solvent B outside 0 to 1.
    """
    fraction = table.numbers("SolventB%")
    for row in np.flatnonzero((fraction < 0) | (fraction > 1)):
        percent = 1 < fraction.max() <= 100 and fraction.min() >= 0
        raise table.error(
            f"{fraction[row]:g} is no fraction from 0 to 1",
            row=int(row),
            column="SolventB%",
            remedy="it looks like percent; divide by 100" if percent else "correct the cell",
        )
    runs = table.labels("RAMP NUM")
    width = max(map(len, runs.tolist()))
    return Measurements(
        table.labels("SOLVENT A NAME"),
        table.labels("SOLVENT B NAME"),
        fraction,
        *_conditions(table),
        _yields(table),
        np.array([run.zfill(width) for run in runs.tolist()]),
    )


def replicates(rows: Measurements) -> Int[np.ndarray, " row"]:
    """[row] int64, equal where one sample was measured again: same ramp, fraction and temperature, time within 0.1 min.

    The residence time scatters by 0.05 min around its set value, so it is rounded to one decimal, as the paper does.
    Pure solvents that two ramps share count once for each ramp, for the two were run months apart.
    """
    times = np.round(rows.residence_time, 1)
    columns = (rows.solvent_a, rows.solvent_b, rows.fraction_b, rows.temperature, times)
    keys = list(zip(*(column.tolist() for column in columns), strict=True))
    numbers = {key: position for position, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.int64)


def clusters(solvents: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Solvents that ramps connect, directly or through others.

    All single-solvent rows recur in the full file, and two solvents sit in two ramps each; so folds of both tasks that
    touch one cluster share measurements, and only clusters are independent of each other.

    Args:
        solvents: names of all solvents.
        pairs: the two solvents of every ramp.

    Returns:
        Each solvent's cluster, named by the cluster's first solvent in the order of names.
    """
    root = {name: name for name in solvents}

    def top(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for one, other in pairs:
        first, last = sorted((top(one), top(other)))
        root[last] = first
    return {name: top(name) for name in root}


def _conditions(table: TextTable) -> tuple[Float[np.ndarray, " row"], Float[np.ndarray, " row"]]:
    temperature, time = table.numbers("Temperature"), table.numbers("Residence Time")
    for values, limit, column, unit in (
        (temperature, -273.15, "Temperature", "deg C above -273.15"),
        (time, 0.0, "Residence Time", "minutes above 0"),
    ):
        for row in np.flatnonzero(values <= limit):
            raise table.error(
                f"{values[row]:g} is impossible", row=int(row), column=column, remedy=f"give it in {unit}"
            )
    return temperature, time


def _yields(table: TextTable) -> Float[np.ndarray, "row 3"]:
    # Noise carries measured fractions to 1.08; percent begins far above.
    columns = [table.numbers(name) for name in YIELDS]
    for name, values in zip(YIELDS, columns, strict=True):
        for row in np.flatnonzero(values > 1.5):
            raise table.error(
                f"a yield of {values[row]:g} looks like percent", row=int(row), column=name, remedy="divide by 100"
            )
    return np.stack(columns, axis=1)
