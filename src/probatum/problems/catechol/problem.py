"""The problem: yields of a rearrangement in solvents, and pairs of solvents, never seen in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from probatum.problems.catechol import features as feature_blocks
from probatum.problems.catechol.data import (
    FULL,
    SINGLE,
    SOURCE,
    YIELDS,
    Measurements,
    clusters,
    full_measurements,
    replicates,
    single_measurements,
)
from probatum.problems.data_files import DataSource, locate, sha256_of
from probatum.problems.problem import (
    STANDARD_SCORINGS,
    Constraint,
    Dataset,
    Feature,
    Origin,
    Problem,
    Quantity,
    Scoring,
    Truth,
)
from probatum.problems.text_table import TextTable, read

if TYPE_CHECKING:
    from probatum.problems.picture import Picture
    from probatum.problems.problem import Curves

_PAPER = "Boyne et al., arXiv:2506.07619: repeated measurements averaged, unweighted mean over folds"
_UNITS = {"solvent_a": "name", "solvent_b": "name", "fraction_b": "fraction", "temperature": "deg C"} | {
    "residence_time": "min"
}


@dataclass(frozen=True)
class Catechol(Problem):
    """Reaction yields from solvent, temperature and residence time (see README.md beside this file).

    Attributes:
        folder: a folder with files of the published names and columns, in place of the published data.
    """

    folder: str | None = None

    name: ClassVar[str] = "catechol"
    question: ClassVar[str] = (
        "How much starting material and how much of two products does a rearrangement in flow give, at a temperature "
        "and residence time, in a solvent or mixture of two that nobody has measured?"
    )
    needs_data: ClassVar[bool] = True
    data_source: ClassVar[DataSource | None] = SOURCE

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("single", "full")

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        self._check_fixed(draw)
        folder = self._folder()
        # Ramps tell which solvents depend on each other; a folder of the user's own may hold single solvents alone.
        alone = task == "single" and self.folder is not None and not (folder / FULL).is_file()
        full = None if alone else read(folder / FULL)
        lookups = tuple((p.name, sha256_of(p)) for p in sorted(folder.glob("*_lookup.csv")))
        return (
            _single(read(folder / SINGLE), full, lookups) if task == "single" else _full(read(folder / FULL), lookups)
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return feature_blocks.features(self._folder)

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("spange", "drfp", "kinetics")

    @property
    def plain_features(self) -> tuple[str, ...]:
        return ("conditions",)

    @property
    def constraints(self) -> Mapping[str, Constraint]:
        return {"the yields sum to at most 1": lambda yields: np.maximum(yields.sum(axis=1) - 1, 0.0)}

    @property
    def scorings(self) -> Mapping[str, Scoring]:
        return {
            **STANDARD_SCORINGS,
            "paper": Scoring("macro", average_replicates=True, source=_PAPER),
            "paper-without-acetonitrile": Scoring(
                "macro", average_replicates=True, leave_out="Acetonitrile", source=f"{_PAPER}; as its tables are"
            ),
        }

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        from probatum.problems.catechol.pictures import yield_pictures

        return yield_pictures(dataset, rows, predictions)

    def _folder(self) -> Path:
        return locate(SOURCE, self.folder)


Checksums = tuple[tuple[str, str], ...]


@lru_cache(maxsize=8)
def _single(table: TextTable, full: TextTable | None, lookups: Checksums) -> Dataset:
    rows = single_measurements(table)
    tables = [table] if full is None else [table, full]
    return _dataset("single", rows, {"solvent": rows.solvent_a}, tables, full, lookups)


@lru_cache(maxsize=8)
def _full(table: TextTable, lookups: Checksums) -> Dataset:
    rows = full_measurements(table)
    groups = {"ramp": rows.pair}
    if rows.run is not None:
        groups["run"] = rows.run
    return _dataset("full", rows, groups, [table], table, lookups)


def _dataset(
    task: str,
    rows: Measurements,
    groups: dict[str, np.ndarray],
    tables: list[TextTable],
    ramps: TextTable | None,
    lookups: Checksums,
) -> Dataset:
    """Rows as cases; `ramps` is the file that tells which solvents are connected.

    Descriptor tables are inputs too, so their checksums (`lookups`) belong to the origin and so to the digest.
    """
    connected = full_measurements(ramps) if ramps is not None else rows
    pairs = set(zip(connected.solvent_a.tolist(), connected.solvent_b.tolist(), strict=True))
    names = {*rows.solvent_a.tolist(), *rows.solvent_b.tolist(), *(name for pair in pairs for name in pair)}
    cluster = clusters(names, pairs)
    width = len(str(len(rows.yields) - 1))
    return Dataset(
        problem=Catechol.name,
        task=task,
        cases=np.array([f"{task}-{row:0{width}d}" for row in range(len(rows.yields))]),
        observations={name: getattr(rows, name) for name in _UNITS},
        units=_UNITS,
        quantities=tuple(Quantity(name, "fraction", 0.0, 1.0) for name in YIELDS),
        truth=Truth(rows.yields),
        groups=groups,
        replicates=replicates(rows),
        dependence=np.array([cluster[name] for name in rows.solvent_a.tolist()]),
        origin=Origin(files={t.path.name: t.sha256 for t in tables} | dict(lookups), licence=SOURCE.licence),
    )
