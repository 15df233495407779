"""`audit`: what is wrong with a campaign, with a table of somebody's runs, or with a split of one's own."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from rich.markup import escape

from probatum.audit.catalogue import CHECKS
from probatum.audit.importers import read_runs
from probatum.audit.inspection import Audit, inspect
from probatum.audit.partitions import split_of_tables
from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.laboratory import Laboratory
from probatum.problems.text_table import delimiter_of
from probatum.reporting.findings import (
    Place,
    audit_values,
    findings_summary,
    findings_table,
    github_annotations,
    sarif,
)

if TYPE_CHECKING:
    import pandas as pd

FOUND = 3
"""Exit code where an error stands against believing a result."""
LEAST_ROWS = 2
"""On each side of a split of tables: one row says nothing of where rows lie."""
CORRECT = "correct the cells that are no numbers"


@dataclass(frozen=True)
class Tables:
    """Two tables to be audited as a split.

    Attributes:
        train, test: files, CSV or Parquet.
        target, group: columns.
        source: column that says which data set a row was taken from.
    """

    train: Path
    test: Path
    target: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    source: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that are no inputs."""
        return (*self.target, *self.group, *((self.source,) if self.source else ()))


def audit_campaign(
    experiments: Sequence[str],
    campaign: Path | None,
    *,
    retrain: bool,
    target: float | None,
    codes: Sequence[str],
    form: str,
) -> int:
    """Audits a campaign, or some of its experiments; returns the exit code."""
    _check(codes, target)
    for name in experiments:
        if name.endswith(".toml"):
            remedy = f"name the campaign by -C: probatum audit -C {name}"
            raise UsageError(f"'{name}' is no experiment", where="probatum audit", remedy=remedy)
    path = campaign_path(campaign)
    laboratory = Laboratory.open(path)
    audit = laboratory.audit(
        laboratory.results(), only=experiments or None, codes=codes or None, target=target, retrain=retrain
    )
    return show(audit, form, Place(_from_here(path), _experiment_lines(path)))


def audit_runs(
    runs: Path, *, better: Literal["lower", "higher"], target: float | None, codes: Sequence[str], form: str
) -> int:
    """Audits a table of runs; returns the exit code."""
    _check(codes, target)
    audit = inspect(read_runs(runs, better=better, target=target), codes=codes or None)
    return show(audit, form, Place(_from_here(runs)))


def audit_tables(tables: Tables, *, form: str, codes: Sequence[str] = ()) -> int:
    """Audits a split of two tables; returns the exit code."""
    _check(codes, None)
    train, test = (_table(path, tables) for path in (tables.train, tables.test))
    _check_inputs(train, test, tables)
    audit = split_of_tables(
        train,
        test,
        target=tables.target,
        group=tables.group,
        source=tables.source,
        name=f"{tables.train.name} / {tables.test.name}",
    )
    if codes:  # a check's share of the budget of false alarms does not depend on which others are asked for
        audit = replace(audit, findings=tuple(f for f in audit.findings if f.code in codes), checked=tuple(codes))
    code = show(audit, form, Place(_from_here(tables.train)))
    text = [str(c) for c in train.columns if c not in (*numeric(train), *tables.named)]
    if form == "table" and text:
        console().print(f"left out, for they hold no numbers: {escape(', '.join(text))}", style="dim")
    return code


def show(audit: Audit, form: str, place: Place) -> int:
    """Prints an audit; returns the exit code."""
    match form:
        case "json":
            print_json(audit_values(audit))
        case "sarif":
            print_json(sarif(audit, place))
        case "github":
            for line in github_annotations(audit, place):
                print(line)
        case _:
            out = console()
            if audit.findings:
                out.print(findings_table(audit))
            for line in findings_summary(audit):
                out.print(escape(line), style="dim" if line.startswith("PB") else "")
    return FOUND if audit.errors else 0


def _check(codes: Sequence[str], target: float | None) -> None:
    for code in codes:
        if code not in CHECKS:
            raise UnknownNameError.of("check", code, CHECKS, where="probatum audit --code")
    if target is not None and not math.isfinite(target):
        raise UsageError(f"{target} is no score", where="probatum audit --wanted", remedy="give a finite number")


def _from_here(path: Path) -> str:
    """A file as scanners want it: with '/', relative to this folder where it lies below it."""
    absolute, here = path.resolve(), Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


def _experiment_lines(path: Path) -> dict[str, int]:
    """Name of each experiment to the line of the campaign file that names it."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    named = ((re.match(r"""\s*name\s*=\s*(["'])(.*?)\1\s*(#.*)?$""", line), number) for number, line in lines)
    return {found[2]: number for found, number in named if found}


# ---------------------------------------------------------------------- tables


def _table(path: Path, tables: Tables) -> pd.DataFrame:
    """A table with at least two rows, the columns that were named, and targets that are numbers."""
    table = _read(path)
    for column in tables.named:
        if column not in table.columns:
            raise UnknownNameError.of("column", column, map(str, table.columns), where=str(path))
    if len(table) < LEAST_ROWS:
        what = "holds no rows" if table.empty else "holds one row"
        raise DataError(what, where=str(path), remedy=f"a split needs at least {LEAST_ROWS} on each side")
    for column in tables.target:
        if column not in numeric(table):
            raise DataError("is a target and holds text", where=f"{path}, column '{column}'", remedy=CORRECT)
    return table


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    remedy = "give a CSV or Parquet file"
    if path.is_dir():
        raise DataError("is a folder", where=str(path), remedy=remedy)
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            between = _delimiter(path)
            return pd.read_csv(path, sep=between, index_col=False, low_memory=False)  # in one piece: one kind a column
    except pd.errors.ParserWarning:
        raise DataError("lines have more fields than the header", where=str(path), remedy="name every column") from None
    except FileNotFoundError:
        raise DataError("no such table", where=str(path), remedy=remedy) from None
    except pd.errors.EmptyDataError:
        raise DataError("is empty", where=str(path), remedy=remedy) from None
    except UnicodeDecodeError:
        raise DataError("is no text in UTF-8", where=str(path), remedy="save the file as CSV in UTF-8") from None
    except (OSError, ValueError) as error:  # pandas and pyarrow raise ValueErrors of many names
        said = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(f"cannot be read: {said}", where=str(path), remedy=remedy) from None


def _delimiter(path: Path) -> str:
    """What stands between the cells; of a packed file, which pandas unpacks, a comma."""
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return ","
    with path.open(encoding="utf-8-sig") as file:
        return delimiter_of(file.readline())


def _check_inputs(train: pd.DataFrame, test: pd.DataFrame, tables: Tables) -> None:
    """Refuses inputs that stand on one side only, or are numbers on one side and not on the other, or not finite.

    Raises:
        DataError: naming file, column and what to do.
    """
    sides = ((train, tables.train, test, tables.test), (test, tables.test, train, tables.train))
    for table, path, other, elsewhere in sides:
        for column in (c for c in table.columns if c not in tables.named):
            where = f"{path}, column '{column}'"
            if column not in other.columns:
                raise DataError(f"is not in {elsewhere}", where=where, remedy="give both tables the same columns")
            if column not in numeric(other):
                continue
            if column not in numeric(table):
                raise DataError(f"holds text, and numbers in {elsewhere}", where=where, remedy=CORRECT)
            bad = np.flatnonzero(~np.isfinite(table[column].to_numpy(dtype=np.float64)))
            if len(bad):
                what = f"{len(bad)} of {len(table)} values are missing or infinite, the first in row {bad[0] + 1}"
                raise DataError(what, where=where, remedy="fill them in, or leave out the rows or the column")


def numeric(table: pd.DataFrame) -> list[str]:
    """The columns that hold numbers; `split_of_tables` leaves the others out."""
    return [c for c in table.columns if table[c].dtype.kind in "iufb"]
