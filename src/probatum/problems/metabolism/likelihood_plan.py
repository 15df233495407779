"""A PEtab problem arranged for evaluation: measurements grouped by formula, their scales, and what moves the states."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from probatum.problems.metabolism.expressions import Expression, Name, names, substituted
from probatum.problems.metabolism.formulas import formula
from probatum.problems.metabolism.petab_problem import Condition, PetabProblem, placeholders


@dataclass(frozen=True, eq=False)
class Plan:
    """A problem, arranged for evaluation.

    Attributes:
        free, scales: identifiers and scales of free parameters.
        fixed: identifier to value of the others.
        conditions: those that are measured.
        times: [time] float64, measured in any condition.
        groups: of measurements.
        order: [measurement] int, from the groups' order to the table's.
        compared: T(m), [measurement] float64.
        offsets: what -log L adds for each measurement besides log s and the residual.
        laplace, transformations: [measurement], of their observables.
        dynamic: [some] int, positions of the free parameters that move the states.
        alone: position of a noise parameter to the measurements whose noise it is, where it is nothing else.
    """

    free: tuple[str, ...]
    scales: tuple[str, ...]
    fixed: Mapping[str, float]
    conditions: tuple[Condition, ...]
    times: Float[np.ndarray, " time"]
    groups: tuple[Group, ...]
    order: Int[np.ndarray, " measurement"]
    compared: Float[np.ndarray, " measurement"]
    offsets: Float[np.ndarray, " measurement"]
    laplace: Bool[np.ndarray, " measurement"]
    transformations: Shaped[np.ndarray, " measurement"]
    dynamic: Int[np.ndarray, " dynamic"]
    alone: Mapping[int, Int[np.ndarray, " _"]]


@dataclass(frozen=True, eq=False)
class Group:
    """Measurements of one observable in one condition under the same formulas.

    Attributes:
        observable, transformation: of the observable.
        condition: its position.
        rows, times: positions of the measurements and of their times, both [measurement] int.
        formula, noise: with the measurements' own parameters in place.
    """

    observable: str
    transformation: str
    condition: int
    rows: Int[np.ndarray, " measurement"]
    times: Int[np.ndarray, " measurement"]
    formula: Expression
    noise: Expression


def plan(problem: PetabProblem) -> Plan:
    """How a problem is evaluated."""
    rows = problem.measurements
    observables = {one.id: one for one in problem.observables}
    measured = {row.condition for row in rows}
    conditions = tuple(one for one in problem.conditions if one.id in measured)
    places = {one.id: i for i, one in enumerate(conditions)}
    times = np.unique([row.time for row in rows])
    together: dict[Any, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        together[row.observable, row.condition, row.observable_parameters, row.noise_parameters].append(i)
    groups = []
    for (name, condition, own, noise), members in together.items():
        given = placeholders("observable", name, own) | placeholders("noise", name, noise)
        groups.append(
            Group(
                name,
                observables[name].transformation,
                places[condition],
                np.array(members),
                np.searchsorted(times, [rows[i].time for i in members]),
                substituted(formula(observables[name].formula, name), given),
                substituted(formula(observables[name].noise, name), given),
            )
        )
    values = np.array([row.value for row in rows])
    transformations = np.array([observables[row.observable].transformation for row in rows])
    laplace = np.array([observables[row.observable].distribution == "laplace" for row in rows])
    compared, jacobian = values.copy(), np.zeros(len(rows))
    for scale, T, unit in (("log", np.log, 1.0), ("log10", np.log10, math.log(10))):
        at = transformations == scale
        compared[at], jacobian[at] = T(values[at]), np.log(values[at] * unit)
    free = tuple(one.id for one in problem.estimated)
    moving = _moving(problem, conditions)
    return Plan(
        free=free,
        scales=tuple(one.scale for one in problem.estimated),
        fixed={one.id: one.nominal for one in problem.parameters if not one.estimated},
        conditions=conditions,
        times=times,
        groups=tuple(groups),
        order=np.argsort(np.concatenate([group.rows for group in groups])),
        compared=compared,
        offsets=jacobian + np.where(laplace, math.log(2), math.log(2 * math.pi) / 2),
        laplace=laplace,
        transformations=transformations,
        dynamic=np.array([i for i, name in enumerate(free) if name in moving], dtype=np.int64),
        alone=_alone(free, groups, moving, laplace),
    )


def _moving(problem: PetabProblem, conditions: tuple[Condition, ...]) -> frozenset[str]:
    """Identifiers that the states or the model's constants are made of."""
    model = problem.model
    used = [*model.rates.values(), *model.rules.values(), *model.definitions.values()]
    set_ = [given for condition in conditions for given in condition.overrides.values()]
    return frozenset().union(*map(names, used), *map(names, set_))


def _alone(
    free: tuple[str, ...], groups: list[Group], moving: frozenset[str], laplace: Bool[np.ndarray, " measurement"]
) -> dict[int, Int[np.ndarray, " _"]]:
    found = {}
    for i, name in enumerate(free):
        own = [group for group in groups if group.noise == Name(name)]
        elsewhere = any(
            name in names(group.formula) or (name in names(group.noise) and group.noise != Name(name))
            for group in groups
        )
        if own and not elsewhere and name not in moving:
            rows = np.concatenate([group.rows for group in own])
            if len(set(laplace[rows].tolist())) == 1:
                found[i] = rows
    return found
