"""PEtab problems (version 1) from their files.

The tables are read here, so that errors name file, line and column. Refused by name: problems of version 2, several
problems in one file, several models, extensions, preequilibration, and steady-state measurements (time 'inf').
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from probatum.errors import DataError, DataMissingError, nearest
from probatum.problems.metabolism.expressions import Expression, Name, Number
from probatum.problems.metabolism.petab_problem import (
    DISTRIBUTIONS,
    SCALES,
    Condition,
    Measurement,
    Observable,
    Parameter,
    PetabProblem,
    checked,
)
from probatum.problems.metabolism.sbml import EXTRA, read_sbml
from probatum.problems.text_table import TextTable, number, read
from probatum.problems.yaml_text import parse_yaml

_PRIORS = ("objectivePriorType", "initializationPriorType")


def read_petab(path: Path) -> PetabProblem:
    """The problem that a YAML file names.

    Raises:
        UsageError: PyYAML or libSBML is not installed.
        DataMissingError: a file is not there.
        DataError: a file is not what it should be, or asks for what is not supported.
    """
    files = _files(path)
    remarks: list[str] = []
    problem = PetabProblem(
        name=path.stem,
        model=read_sbml(files["sbml_files"][0]),
        parameters=_rows(files["parameter_file"], lambda table, row: _parameter(table, row, remarks)),
        observables=_rows(files["observable_files"], _observable),
        conditions=_rows(files["condition_files"], _condition),
        measurements=_rows(files["measurement_files"], _measurement),
        remarks=tuple(dict.fromkeys(remarks)),
    )
    return checked(problem, str(path))


def _files(path: Path) -> dict[str, list[Path]]:
    """The files of the one problem in a YAML file."""
    remedy = "name a PEtab problem's YAML file"
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path), remedy, EXTRA)
    except FileNotFoundError:
        beside = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise DataMissingError("there is no such file", where=str(path), remedy=nearest(path.name, beside)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"is no YAML: {error}", where=str(path), remedy=remedy) from None
    if not isinstance(content, Mapping) or not isinstance(content.get("problems"), list):
        raise DataError("is no PEtab problem", where=str(path), remedy="give it 'format_version' and 'problems'")
    version = str(content.get("format_version"))
    if version.split(".")[0] != "1":
        raise DataError(f"is PEtab of version {version}", where=str(path), remedy="version 1 is supported")
    if content.get("extensions"):
        raise DataError("asks for extensions of PEtab", where=str(path), remedy="no extension is supported")
    if len(content["problems"]) != 1:
        raise DataError(
            f"{len(content['problems'])} problems in one file", where=str(path), remedy="write a file for each"
        )
    named = {"parameter_file": content.get("parameter_file"), **content["problems"][0]}
    found: dict[str, list[Path]] = {}
    for key in ("parameter_file", "sbml_files", "observable_files", "condition_files", "measurement_files"):
        value = named.get(key)
        files = [value] if isinstance(value, str) else value
        if (
            not isinstance(files, list)
            or not files
            or not all(isinstance(one, str) and "\0" not in one for one in files)
        ):
            raise DataError(f"names no '{key}'", where=str(path), remedy="every PEtab problem has one")
        found[key] = [path.parent / one for one in files]
    if len(found["sbml_files"]) != 1:
        raise DataError(f"{len(found['sbml_files'])} models", where=str(path), remedy="name one SBML file")
    return found


Row = TypeVar("Row")


def _rows(files: Sequence[Path], one: Callable[[TextTable, int], Row]) -> tuple[Row, ...]:
    tables = [read(file) for file in files]
    return tuple(one(table, row) for table in tables for row in range(len(table)))


def _cell(table: TextTable, row: int, column: str, default: str | None = None) -> str:
    """A cell; the default where the column is absent or the cell empty, if there is one."""
    if default is not None and column not in table.columns:
        return default
    cell = table.column(column)[row]
    if not cell and default is None:
        raise table.error("the cell is empty", row=row, column=column, remedy="fill it in")
    return cell or (default or "")


def _number(table: TextTable, row: int, column: str, default: str | None = None) -> float:
    cell = _cell(table, row, column, default)
    value = number(cell)
    if math.isnan(value) and cell.lower() != "nan":
        raise table.error(f"'{cell}' is no number", row=row, column=column, remedy="write a number")
    return value


def _choice(table: TextTable, row: int, column: str, valid: Sequence[str]) -> str:
    cell = _cell(table, row, column, valid[0])
    if cell not in valid:
        raise table.error(f"'{cell}' is not known", row=row, column=column, remedy=nearest(cell, valid))
    return cell


def _values(table: TextTable, row: int, column: str) -> tuple[Expression, ...]:
    """Numbers or identifiers between semicolons."""
    return tuple(_value(part.strip()) for part in _cell(table, row, column, "").split(";") if part.strip())


def _value(cell: str) -> Expression:
    value = number(cell)
    return Name(cell) if math.isnan(value) else Number(value)


def _parameter(table: TextTable, row: int, remarks: list[str]) -> Parameter:
    name = _cell(table, row, "parameterId")
    remarks += [
        f"the {column} of '{name}' is not used: the likelihood alone is maximised"
        for column in _PRIORS if _cell(table, row, column, "") not in ("", "parameterScaleUniform")
    ]  # fmt: skip
    estimate = _cell(table, row, "estimate")
    if estimate not in ("0", "1"):
        raise table.error(f"'{estimate}' is neither 0 nor 1", row=row, column="estimate", remedy="write 0 or 1")
    return Parameter(
        name,
        _choice(table, row, "parameterScale", SCALES),
        _number(table, row, "lowerBound", "nan"),
        _number(table, row, "upperBound", "nan"),
        _number(table, row, "nominalValue", "nan"),
        estimate == "1",
    )


def _observable(table: TextTable, row: int) -> Observable:
    return Observable(
        _cell(table, row, "observableId"),
        _cell(table, row, "observableFormula"),
        _cell(table, row, "noiseFormula"),
        _choice(table, row, "observableTransformation", SCALES),
        _choice(table, row, "noiseDistribution", DISTRIBUTIONS),
    )


def _condition(table: TextTable, row: int) -> Condition:
    columns = [name for name in table.columns if name not in ("conditionId", "conditionName")]
    cells = {name: _cell(table, row, name, "") for name in columns}
    overrides = {name: _value(cell) for name, cell in cells.items() if cell and cell.lower() != "nan"}
    return Condition(_cell(table, row, "conditionId"), overrides)


def _measurement(table: TextTable, row: int) -> Measurement:
    if _cell(table, row, "preequilibrationConditionId", ""):
        raise table.error(
            "preequilibration is not supported",
            row=row,
            column="preequilibrationConditionId",
            remedy="start from the steady state's own values",
        )
    time, value = _number(table, row, "time"), _number(table, row, "measurement")
    if not (math.isfinite(time) and time >= 0):
        raise table.error(
            f"a time of {time:g} is not supported", row=row, column="time", remedy="give a finite one of 0 or more"
        )
    if not math.isfinite(value):
        raise table.error("is no finite number", row=row, column="measurement", remedy="correct or remove the row")
    return Measurement(
        _cell(table, row, "observableId"),
        _cell(table, row, "simulationConditionId"),
        time,
        value,
        _values(table, row, "observableParameters"),
        _values(table, row, "noiseParameters"),
    )
