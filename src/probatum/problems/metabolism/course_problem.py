"""A problem of parameter estimation from a model in SBML and one measured time course."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.errors import DataError, nearest
from probatum.problems.metabolism.expressions import Number, names
from probatum.problems.metabolism.petab_problem import (
    Condition,
    Measurement,
    Observable,
    Parameter,
    PetabProblem,
    checked,
)
from probatum.problems.metabolism.reaction_model import ReactionModel
from probatum.problems.metabolism.time_course import TimeCourse

REACH = 1000.0
"""Parameters are sought between the model's value over this and times this, on the scale log10."""
CONDITION = "course"


def course_problem(model: ReactionModel, course: TimeCourse, estimate: Sequence[str] | None = None) -> PetabProblem:
    """The problem whose observables are the measured species, with normal errors.

    Args:
        model: whose parameters are wanted; its initial values are taken as they are.
        course: measured; its columns are species or other identifiers of the model. Where it states no noise, every
            metabolite's standard deviation is estimated.
        estimate: parameters to be estimated; by default all constants of the model above 0 that its rates use.

    Raises:
        DataError: a column is nothing in the model, nothing is measured, or a parameter cannot be estimated.
    """
    seen = course.measured
    if not seen:
        raise DataError("nothing was measured", where=course.source, remedy="give concentrations")
    for name in course.metabolites:
        if name not in model.identifiers:
            raise DataError(
                f"the model knows no metabolite '{name}'", where=course.source, remedy=nearest(name, model.species)
            )
    wanted, remarks = _parameters(model, estimate)
    unseen = [name for name in model.species if name not in seen and name in model.states]
    if unseen:
        shown = ", ".join(unseen[:12]) + (", ..." if len(unseen) > 12 else "")
        remarks.append(f"never observed, known by the model alone: {shown}")
    if course.time_unit or course.unit:
        units = " and ".join(unit for unit in (course.time_unit, course.unit) if unit)
        remarks.append(f"times and concentrations are taken as the model's, in {units}")
    columns = {name: course.values[:, i] for i, name in enumerate(course.metabolites) if name in seen}
    observables, noises = [], []
    for name, values in columns.items():
        observables.append(Observable(f"obs_{name}", name, f"{course.noise!r}" if course.noise else f"sd_{name}"))
        if not course.noise:
            size = float(np.nanmax(np.abs(values))) or 1.0
            noises.append(Parameter(f"sd_{name}", "log10", 1e-6 * size, 10 * size, 0.1 * size))
    measurements = [
        Measurement(f"obs_{name}", CONDITION, float(time), float(value))
        for name, values in columns.items()
        for time, value in zip(course.times, values, strict=True)
        if np.isfinite(value)
    ]
    problem = PetabProblem(
        name=model.name,
        model=model,
        parameters=(*wanted, *noises),
        observables=tuple(observables),
        conditions=(Condition(CONDITION, {}),),
        measurements=tuple(measurements),
        remarks=(*course.remarks, *remarks),
    )
    return checked(problem, course.source)


def _parameters(model: ReactionModel, estimate: Sequence[str] | None) -> tuple[list[Parameter], list[str]]:
    """Those to be estimated, and remarks on those that are not."""
    used = frozenset().union(*map(names, (*model.rates.values(), *model.rules.values())))
    values = {name: d.value for name in model.parameters if isinstance(d := model.definitions.get(name), Number)}
    if estimate is None:
        chosen = [name for name in model.parameters if name in used and values.get(name, 0.0) > 0]
        left = [name for name in model.parameters if name in used and name not in chosen]
        remarks = [f"'{name}' keeps its value: it is not above 0, or an initial assignment sets it" for name in left]
        if not chosen:
            raise DataError("no parameter can be estimated", where=model.name, remedy="give rate constants above 0")
    else:
        chosen, remarks = list(dict.fromkeys(estimate)), []
        for name in chosen:
            if name not in model.parameters:
                raise DataError(
                    f"the model has no parameter '{name}'", where=model.name, remedy=nearest(name, model.parameters)
                )
            if not values.get(name, 0.0) > 0:
                raise DataError(
                    f"'{name}' has no value above 0 to start its range from",
                    where=model.name,
                    remedy="give it one in the model, or write a PEtab problem with its bounds",
                )
    found = [Parameter(name, "log10", values[name] / REACH, values[name] * REACH, values[name]) for name in chosen]
    return found, remarks
