"""Rate constants of a user's own mass-action network from a user's own time course."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, nearest
from probatum.problems.metabolism.estimate import Estimate, from_differences, from_integrals, from_trajectory
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.structure import Network, network
from probatum.problems.metabolism.time_course import TimeCourse
from probatum.problems.metabolism.trajectory import Trajectory
from probatum.problems.text_table import read

METHODS = ("auto", "differences", "integrals", "shooting")
MOST_SHOT = 512
"""Reactions beyond which 'auto' leaves the fit of whole trajectories, which takes minutes."""
SCATTER = 1e-3
"""Scatter of neighbouring frames, relative to concentrations, beyond which data that were called clean are not."""


@dataclass(frozen=True, eq=False)
class MeasuredRates:
    """Estimated rate constants of measured data.

    Attributes:
        trajectory: as measured.
        estimate: of the constants.
        remarks: for people.
    """

    trajectory: Trajectory
    estimate: Estimate
    remarks: tuple[str, ...]


def read_network(structure: Path, orders: Path | None = None) -> Network:
    """The network in a table of stoichiometry.

    Args:
        structure: a first column 'metabolite' and a column for each reaction: what the reaction changes.
        orders: the same rows and columns with the orders of the rates; by default mass action.

    Raises:
        DataError: a table is no such table, or the two do not fit.
    """
    metabolites, reactions, S = _matrix(structure)
    if orders is None:
        return network(S, None, metabolites, reactions)
    rows, columns, n = _matrix(orders)
    for kind, own, others in (("metabolite", metabolites, rows), ("reaction", reactions, columns)):
        for name in others:
            if name not in own:
                raise DataError(
                    f"no {kind} '{name}' in the stoichiometry", where=str(orders), remedy=nearest(name, own)
                )
        for name in own:
            if name not in others:
                raise DataError(
                    f"the {kind} '{name}' is missing", where=str(orders), remedy="give all of the stoichiometry"
                )
    n = n[np.ix_([rows.index(name) for name in metabolites], [columns.index(name) for name in reactions])]
    return network(S, n, metabolites, reactions)


def read_homeostasis(network: Network, path: Path | None) -> Metabolism:
    """The network with the homeostasis of a table: columns metabolite, decay, level; none for those that it leaves out.

    Raises:
        DataError: the table names what the network does not have, or a metabolite twice.
    """
    decay, level = np.zeros(len(network.metabolites)), np.zeros(len(network.metabolites))
    if path is None:
        return Metabolism(network, decay, level)
    table = read(path)
    names = table.labels("metabolite").tolist()
    for column, values in (("decay", decay), ("level", level)):
        numbers = table.numbers(column)
        for row, name in enumerate(names):
            if name not in network.metabolites or names.index(name) != row:
                what = "stands there twice" if name in network.metabolites else "is not in the network"
                raise table.error(
                    f"'{name}' {what}", row=row, column="metabolite", remedy=nearest(name, network.metabolites)
                )
            values[network.metabolites.index(name)] = numbers[row]
    return Metabolism(network, decay, level)


def measured_rates(metabolism: Metabolism, course: TimeCourse, method: str = "auto") -> MeasuredRates:
    """The constants behind a course.

    Args:
        metabolism: whose constants are wanted.
        course: all its metabolites at even times.
        method: of `METHODS`; 'auto' takes differences for clean data, else the fit of whole trajectories, or integrals
            for networks beyond `MOST_SHOT`.

    Raises:
        DataError: the course does not fit the network, or the method needs noise and there is none.
        FitError: the constants cannot be determined.
    """
    trajectory = course.trajectory(metabolism.network)
    remarks = list(course.remarks)
    if method == "auto":
        small = len(metabolism.network.reactions) <= MOST_SHOT
        method = "differences" if trajectory.noise == 0 else "shooting" if small else "integrals"
    if method != "differences" and trajectory.noise == 0:
        raise DataError(
            f"'{method}' weighs by the noise of the measurement, which is 0", where=course.source, remedy="state it"
        )
    scatter = _scatter(trajectory.concentrations)
    if trajectory.noise == 0 and scatter > SCATTER * float(np.median(np.abs(trajectory.concentrations))):
        remarks.append(f"taken as clean, but neighbouring frames scatter by about {scatter:.2g}: state the noise")
    if method == "differences":
        estimate = from_differences(metabolism, trajectory, errors=True)
    elif method == "integrals":
        estimate = from_integrals(metabolism, trajectory, errors=True)
    else:
        estimate = from_trajectory(metabolism, trajectory)
    if not estimate.converged:
        remarks.append("the fit did not converge: take neither constants nor errors for true")
    remarks.append("concentrations change by Euler's steps from frame to frame: frames must be close together")
    return MeasuredRates(trajectory, estimate, tuple(remarks))


def _scatter(concentrations: Float[np.ndarray, "frame metabolite"]) -> float:
    """Standard deviation of white noise from third differences, which smooth courses hardly have.

    The median over all, over .6745 and over sqrt(1 + 9 + 9 + 1).
    """
    third = np.abs(np.diff(concentrations, n=3, axis=0))
    return float(np.median(third) / 0.6745 / np.sqrt(20))


def _matrix(path: Path) -> tuple[list[str], list[str], Float[np.ndarray, "metabolite reaction"]]:
    table = read(path)
    names = table.labels("metabolite").tolist()
    for row, name in enumerate(names):
        if names.index(name) != row:
            raise table.error(
                f"'{name}' stands there twice", row=row, column="metabolite", remedy="give every metabolite one row"
            )
    reactions = [column for column in table.columns if column != "metabolite"]
    if not reactions:
        raise DataError("no reaction", where=str(path), remedy="give a column for each reaction")
    return names, reactions, np.column_stack([table.numbers(column) for column in reactions])
