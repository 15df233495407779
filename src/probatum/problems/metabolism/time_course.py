"""Measured time courses from CSV or Parquet, in wide or long form, with units.

Wide: a column `time` and one for each metabolite, empty cells where it was not measured.

    time [min], glucose [mM], pyruvate [uM]
    0,          5.0,          120

Long: columns `time`, `metabolite`, `value`, and if wanted `unit`; other columns are ignored, and named.

    time, metabolite, value, unit
    0,    glucose,    5.0,   mM

Molar units are converted into the first one that is named; other units have to agree. Times may be uneven and rows
need not be sorted; a repeated time is a repeated measurement. What cannot be is refused with its place: text, infinite
numbers, negative times, concentrations further below 0 than the noise explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, nearest
from probatum.problems.metabolism.structure import Network
from probatum.problems.metabolism.trajectory import STRAY, Trajectory, observed
from probatum.problems.text_table import TextTable, number, read

MOLAR: Mapping[str, float] = {
    "M": 1.0, "mM": 1e-3, "uM": 1e-6, "µM": 1e-6, "μM": 1e-6, "nM": 1e-9, "pM": 1e-12,
    "mol/L": 1.0, "mol/l": 1.0, "mmol/L": 1e-3, "mmol/l": 1e-3, "umol/L": 1e-6, "umol/l": 1e-6, "nmol/L": 1e-9,
}  # fmt: skip
"""Units that are converted into one another; all others have to agree."""
_LONG = ("metabolite", "value")


@dataclass(frozen=True, eq=False)
class TimeCourse:
    """Measurements, sorted by time. Built by `read_time_course`, which checks them.

    Attributes:
        source: the file, for errors.
        times: [row] float64.
        metabolites: names, in the order of the file.
        values: [row, metabolite] float64; not a number where a metabolite was not measured.
        time_unit, unit: as named by the file, '' where it names none; `unit` is that of molar metabolites.
        noise: standard deviation as stated; 0 where it was not.
        remarks: what was converted or ignored, for people.
    """

    source: str
    times: Float[np.ndarray, " row"]
    metabolites: tuple[str, ...]
    values: Float[np.ndarray, "row metabolite"]
    time_unit: str
    unit: str
    noise: float
    remarks: tuple[str, ...]

    @property
    def measured(self) -> tuple[str, ...]:
        """Metabolites with at least one measurement."""
        return tuple(name for i, name in enumerate(self.metabolites) if np.isfinite(self.values[:, i]).any())

    def trajectory(self, network: Network) -> Trajectory:
        """As estimators of rate constants take it: all metabolites of the network at even times.

        Raises:
            DataError: names do not match, a metabolite is not measured at every time, times are uneven or repeat.
        """
        return observed(network, self.times, self.values, self.metabolites, self.noise)


def read_time_course(path: Path, noise: float = 0.0) -> TimeCourse:
    """The measurements in a file.

    Args:
        path: CSV or Parquet.
        noise: standard deviation of a measurement in the course's unit, if it is known: values down to -7 of it are
            taken.

    Raises:
        DataMissingError: there is no such file.
        DataError: it is no time course, or holds what cannot be; with line and column.
    """
    table = read(path)
    headings = {column: _heading(column) for column in table.columns}
    plain = {name.lower(): column for column, (name, _) in headings.items()}
    if "time" not in plain:
        raise DataError("no column 'time'", where=str(path), remedy=nearest("time", plain))
    times = _times(table, plain["time"])
    time_unit = headings[plain["time"]][1]
    long = all(name in plain for name in _LONG)
    if long:
        metabolites, values, unit, remarks = _long(table, plain, headings[plain["value"]][1], noise)
    else:
        metabolites, values, unit, remarks = _wide(table, plain["time"], headings, noise)
    order = np.argsort(times, kind="stable")
    if (np.diff(times) < 0).any() and not long:
        remarks.append("rows were not sorted by time, and are now")
    times, values = times[order], values[order]
    if long:
        times, values = _merged(times, values)
    repeated = len(times) - len(np.unique(times))
    if repeated:
        remarks.append(f"{repeated} rows repeat a time: they count as repeated measurements")
    return TimeCourse(str(path), times, metabolites, values, time_unit, unit, noise, tuple(remarks))


def _heading(column: str) -> tuple[str, str]:
    """'glucose [mM]' is glucose in mM."""
    text = column.rstrip()
    before = (
        max(text.rfind("]", 0, -1), text.rfind(")", 0, -1)) + 1
    )  # not by a pattern: brackets would cost their square
    opened = [at for at in (text.find("[", before, -1), text.find("(", before, -1)) if at >= 0]
    if not opened or not text.endswith(("]", ")")):
        return column, ""
    name, unit = text[: min(opened)].strip(), text[min(opened) + 1 : -1].strip()
    return (name, unit) if name else (column, "")


def _times(table: TextTable, column: str) -> Float[np.ndarray, " row"]:
    times = table.numbers(column, "give every row its time")
    low = np.flatnonzero(times < 0)
    if len(low):
        raise table.error(
            f"the time {times[low[0]]:g}", row=int(low[0]), column=column, remedy="count time from the start, at 0"
        )
    return times


def _wide(
    table: TextTable, time: str, headings: Mapping[str, tuple[str, str]], noise: float
) -> tuple[tuple[str, ...], Float[np.ndarray, "row metabolite"], str, list[str]]:
    columns = [column for column in table.columns if column != time]
    if not columns:
        raise DataError(
            "no metabolite besides the column of time",
            where=str(table.path),
            remedy="give a column for each metabolite",
        )
    names = tuple(headings[column][0] for column in columns)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"two columns are of '{twice[0]}'", where=str(table.path), remedy="give every metabolite one column"
        )
    units = [headings[column][1] for column in columns]
    unit = next((one for one in units if one in MOLAR), next((one for one in units if one), ""))
    found, remarks = np.full((len(table), len(columns)), np.nan), []
    for i, column in enumerate(columns):
        factor = _factor(units[i], unit, f"{table.path}, column '{column}'")
        if factor != 1:
            remarks.append(f"'{names[i]}' was converted from {units[i]} to {unit}")
        for row, cell in enumerate(table.columns[column]):
            if cell:
                found[row, i] = _concentration(table, row, column, factor, noise)
    return names, found, unit, remarks


def _long(
    table: TextTable, plain: Mapping[str, str], unit: str, noise: float
) -> tuple[tuple[str, ...], Float[np.ndarray, "row metabolite"], str, list[str]]:
    labels, cells = table.labels(plain["metabolite"]), table.columns[plain["value"]]
    units: Sequence[str] = table.columns[plain["unit"]] if "unit" in plain else [unit] * len(table)
    names = tuple(dict.fromkeys(labels.tolist()))
    wanted = next((one for one in units if one in MOLAR), next((one for one in units if one), ""))
    found, remarks = np.full((len(table), len(names)), np.nan), []
    converted: set[str] = set()
    for row, (label, cell) in enumerate(zip(labels.tolist(), cells, strict=True)):
        if cell:
            factor = _factor(units[row], wanted, f"{table.path}, {table.places[row]}")
            found[row, names.index(label)] = _concentration(table, row, plain["value"], factor, noise)
            converted |= {units[row]} if factor != 1 else set()
    remarks += [f"values in {one} were converted to {wanted}" for one in sorted(converted)]
    ignored = [column for name, column in plain.items() if name not in ("time", "metabolite", "value", "unit")]
    if ignored:
        remarks.append(f"columns that are not used: {', '.join(ignored)}")
    return names, found, wanted, remarks


def _factor(unit: str, wanted: str, where: str) -> float:
    if unit == wanted or not unit or not wanted:
        return 1.0
    if unit in MOLAR and wanted in MOLAR:
        return MOLAR[unit] / MOLAR[wanted]
    raise DataError(
        f"the unit '{unit}' cannot be converted to '{wanted}'", where=where, remedy="give all values in one unit"
    )


def _concentration(table: TextTable, row: int, column: str, factor: float, noise: float) -> float:
    """A cell times the factor of its unit; the noise is in the unit that comes out."""
    cell = table.columns[column][row]
    value = factor * number(cell)
    if not np.isfinite(value):
        if cell.lower() in ("nan", "na"):
            return float("nan")
        raise table.error(
            f"'{cell}' is no concentration", row=row, column=column, remedy="correct the cell, or leave it empty"
        )
    if value < -STRAY * noise:
        raise table.error(
            f"the concentration {cell} is negative",
            row=row,
            column=column,
            remedy=f"correct it, or state the noise: down to -{STRAY:g} standard deviations is noise",
        )
    return value


def _merged(
    times: Float[np.ndarray, " row"], values: Float[np.ndarray, "row metabolite"]
) -> tuple[Float[np.ndarray, " merged"], Float[np.ndarray, "merged metabolite"]]:
    """Rows of the long form, one measurement each, put together into as few as hold them all."""
    rows: list[tuple[float, Float[np.ndarray, " metabolite"]]] = []
    open_from = 0
    for time, row in zip(times, values, strict=True):
        if rows and rows[-1][0] != time:
            open_from = len(rows)
        measured = np.isfinite(row)
        if not measured.any():
            continue
        for _, there in rows[open_from:]:
            if not (np.isfinite(there) & measured).any():
                there[measured] = row[measured]
                break
        else:
            rows.append((float(time), row.copy()))
    if not rows:
        return np.zeros(0), np.zeros((0, values.shape[1]))
    return np.array([time for time, _ in rows]), np.stack([row for _, row in rows])
