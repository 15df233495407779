"""A reaction as a case: how its observations become one row of numbers, and how rows become a measured network again.

A row of the feature 'trajectory' is

    place, metabolites, reactions, frames, step, noise | used [reaction] | made [reaction] | A, B [frame] | rest

with the whole structure (rows of A and B of every reaction A + B -> 2 B; -1 where it is empty), the courses of the two
metabolites of its own reaction, and as the rest those of metabolites that are in no reaction at all. So no row stands
for itself: all that are given, training and predicted alike, make up the trajectory that a learner of rate constants
sees. A row of the feature 'homeostasis' is lambda, then c0, of every metabolite: known where a recipe names it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real

from probatum.errors import FitError
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.structure import Network, autocatalytic
from probatum.problems.metabolism.trajectory import Trajectory
from probatum.problems.problem import Dataset, Feature

HEAD = 6
"""Numbers before the structure."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What the rows of one trajectory tell.

    Attributes:
        network: the structure.
        trajectory: of all metabolites.
        places: [row] int, the reaction that each row asks for.
        metabolism: the network with its homeostasis, where rows tell it; else None.
    """

    network: Network
    trajectory: Trajectory
    places: Int[np.ndarray, " row"]
    metabolism: Metabolism | None = None


def trajectory_rows(dataset: Dataset) -> Float[np.ndarray, "case column"]:
    """The feature 'trajectory': [case, column] float64."""
    seen = dataset.observations
    setting, structure, courses = (np.asarray(seen[name]) for name in ("setting", "structure", "concentrations"))
    count = len(dataset)
    places = np.asarray(seen["reaction"], dtype=np.float64)[:, None]
    parts = [structure, courses, np.asarray(seen["others"])]
    return np.concatenate(
        [places, setting, *(part.reshape(count, math.prod(part.shape[1:])) for part in parts)], axis=1
    )


def homeostasis_rows(dataset: Dataset) -> Float[np.ndarray, "case column"]:
    """The feature 'homeostasis': [case, 2 x metabolite] float64."""
    known = np.asarray(dataset.observations["homeostasis"], dtype=np.float64)
    return known.reshape(len(known), -1)


FEATURES = {
    "trajectory": Feature(
        "trajectory",
        "the reaction's place, the structure, and the concentrations of its two metabolites over frames",
        trajectory_rows,
    ),
    "homeostasis": Feature("homeostasis", "rate and level of every metabolite's homeostasis, known", homeostasis_rows),
}


def measured(rows: Real[np.ndarray, " ..."]) -> Measured:
    """The network and its trajectory, from the rows of some of its reactions.

    Args:
        rows: [row, column] float64 of the feature 'trajectory', or of that and then 'homeostasis'.

    Raises:
        FitError: the columns are not those, rows are of different trajectories, or a metabolite is in none of them.
    """
    rows = np.asarray(rows, dtype=np.float64)
    count, reactions, frames = _sizes(rows)
    step, noise = float(rows[0, 4]), float(rows[0, 5])
    structure = rows[:, HEAD : HEAD + 2 * reactions]
    places = rows[:, 0].astype(np.int64)
    if (rows[:, 1:HEAD] != rows[0, 1:HEAD]).any() or (structure != structure[0]).any():
        raise FitError("rows of different trajectories", where="features", remedy="train on one draw at a time")
    used, made = structure[0].astype(np.int64).reshape(2, -1)
    alone = np.setdiff1d(np.arange(count), structure[0])
    known = rows.shape[1] - (HEAD + 2 * reactions + (2 + len(alone)) * frames)
    if known not in (0, 2 * count):
        raise _other_columns(rows)
    courses = rows[:, HEAD + 2 * reactions :][:, : (2 + len(alone)) * frames].reshape(len(rows), -1, frames)
    concentrations = np.full((frames, count), np.nan)
    concentrations[:, alone] = courses[0, 2:].T
    for side, ends in enumerate((used, made)):
        full = ends[places] >= 0
        concentrations[:, ends[places[full]]] = courses[full, side].T
    missing = np.flatnonzero(np.isnan(concentrations[0]))
    if len(missing):
        raise FitError(
            f"metabolite {missing[0] + 1} of {count} is in none of the {len(rows)} reactions that are seen",
            where="the cases",
            remedy="let training and predicted cases together be all of a draw, as splits without held-out cases do",
        )
    network = autocatalytic(used, made, count)
    trajectory = Trajectory(step, concentrations, noise)
    metabolism = None
    if known:
        decay, level = rows[0, -2 * count :].reshape(2, count)
        metabolism = Metabolism(network, decay, level)
    return Measured(network, trajectory, places, metabolism)


def ends_of(network: Network) -> Int[np.ndarray, "2 reaction"]:
    """[2, reaction] int: rows of A and of B of reactions A + B -> 2 B; -1 where a reaction is empty."""
    S = network.stoichiometry
    found = np.full((2, len(network.reactions)), -1)
    for j in np.flatnonzero(~network.empty):
        entries = slice(S.indptr[j], S.indptr[j + 1])
        for i, change in zip(S.indices[entries], S.data[entries], strict=True):
            found[int(change > 0), j] = i
    return found


def _sizes(rows: Float[np.ndarray, " ..."]) -> tuple[int, int, int]:
    """Metabolites, reactions and frames."""
    if rows.ndim != 2 or not len(rows) or rows.shape[1] <= HEAD:
        raise _other_columns(rows)
    count, reactions, frames = map(int, rows[0, 1:4])
    if min(count, reactions, frames) < 1 or rows.shape[1] < HEAD + 2 * (reactions + frames):
        raise _other_columns(rows)
    return count, reactions, frames


def _other_columns(rows: Float[np.ndarray, " ..."]) -> FitError:
    return FitError(
        f"rows of shape {rows.shape} are not those of the feature 'trajectory'",
        where="features",
        remedy="features = ['trajectory'], or ['trajectory', 'homeostasis']",
    )
