"""Problems of parameter estimation as PEtab (version 1) has them: parameters, observables, conditions, measurements.

PEtab is described in Schmiester et al., PLOS Computational Biology 17, e1008646 (2021), and at petab.readthedocs.io.
`petab_reading`, `petab_writing` and `course_problem` go from and to files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import DataError, nearest
from probatum.problems.metabolism.expressions import TIME, Expression, names
from probatum.problems.metabolism.formulas import formula
from probatum.problems.metabolism.reaction_model import ReactionModel

SCALES = ("lin", "log", "log10")
DISTRIBUTIONS = ("normal", "laplace")


@dataclass(frozen=True)
class Parameter:
    """A row of the table of parameters.

    Attributes:
        id: of the model, or of formulas alone.
        scale: 'lin', 'log' or 'log10': of the search; bounds and nominal value are linear.
        lower, upper: bounds; not a number where a fixed parameter has none.
        nominal: a value known beforehand; not a number where there is none.
        estimated: whether it is free.
    """

    id: str
    scale: str
    lower: float
    upper: float
    nominal: float
    estimated: bool = True


@dataclass(frozen=True)
class Observable:
    """A row of the table of observables.

    Attributes:
        id: of the observable.
        formula, noise: as text; noise is the standard deviation, or Laplace's scale, on the transformed scale.
        transformation: 'lin', 'log' or 'log10': of measurement and simulation before they are compared.
        distribution: 'normal' or 'laplace'.
    """

    id: str
    formula: str
    noise: str
    transformation: str = "lin"
    distribution: str = "normal"


@dataclass(frozen=True)
class Condition:
    """A row of the table of conditions: `overrides` sets identifiers of the model, to numbers or to parameters."""

    id: str
    overrides: Mapping[str, Expression]


@dataclass(frozen=True)
class Measurement:
    """A row of the table of measurements; the last two are what stands for observableParameter1_ID, ..."""

    observable: str
    condition: str
    time: float
    value: float
    observable_parameters: tuple[Expression, ...] = ()
    noise_parameters: tuple[Expression, ...] = ()


@dataclass(frozen=True, eq=False)
class PetabProblem:
    """A problem of parameter estimation. Built by `read_petab` and `course_problem`; `checked` looks at names.

    Attributes:
        name: of the problem.
        model: its reactions.
        parameters, observables, conditions, measurements: rows of the tables.
        remarks: what was found and is not used, for people.
    """

    name: str
    model: ReactionModel
    parameters: tuple[Parameter, ...]
    observables: tuple[Observable, ...]
    conditions: tuple[Condition, ...]
    measurements: tuple[Measurement, ...]
    remarks: tuple[str, ...] = ()

    @property
    def estimated(self) -> tuple[Parameter, ...]:
        """Those that are free, in the order of the table."""
        return tuple(parameter for parameter in self.parameters if parameter.estimated)

    @property
    def nominal(self) -> Float[np.ndarray, " parameter"]:
        """Nominal values of the free parameters on their scales, [parameter] float64."""
        return np.array([scaled(one.nominal, one.scale) for one in self.estimated])

    @property
    def bounds(self) -> tuple[Float[np.ndarray, " parameter"], Float[np.ndarray, " parameter"]]:
        """Of the free parameters on their scales, both [parameter] float64."""
        rows = [(scaled(one.lower, one.scale), scaled(one.upper, one.scale)) for one in self.estimated]
        low, high = np.array(rows).T
        return low, high

    def with_nominal(self, values: Sequence[float] | Real[np.ndarray, " parameter"]) -> PetabProblem:
        """The problem with these nominal values of the free parameters, linear, [parameter]."""
        own = dict(zip((one.id for one in self.estimated), map(float, values), strict=True))
        return replace(self, parameters=tuple(replace(p, nominal=own.get(p.id, p.nominal)) for p in self.parameters))


def scaled(value: float, scale: str) -> float:
    """A linear value on a scale."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float({"lin": np.positive, "log": np.log, "log10": np.log10}[scale](np.float64(value)))


def linear(value: float, scale: str) -> float:
    """A scaled value, linear again."""
    return float({"lin": np.positive, "log": np.exp, "log10": lambda x: 10.0**x}[scale](np.float64(value)))


def checked(problem: PetabProblem, where: str) -> PetabProblem:
    """The problem, if all its names are known and its numbers make sense.

    Raises:
        DataError: naming what is wrong.
    """
    model, parameters = problem.model, {one.id: one for one in problem.parameters}
    for kind, rows in (
        ("parameter", problem.parameters), ("observable", problem.observables), ("condition", problem.conditions)
    ):  # fmt: skip
        ids = [one.id for one in rows]
        for name in ids:
            if ids.count(name) > 1:
                raise DataError(f"the {kind} '{name}' stands there twice", where=where, remedy="remove one of them")
    if not problem.estimated:
        raise DataError("no parameter is estimated", where=where, remedy="set 'estimate' to 1 for some")
    for one in problem.parameters:
        _check_parameter(one, model, where)
    for condition in problem.conditions:
        for target, value in condition.overrides.items():
            at = f"{where}: condition '{condition.id}'"
            if target not in model.identifiers or target in model.rules:
                known = model.identifiers - model.rules.keys()
                raise DataError(
                    f"'{target}' is nothing in the model that can be set", where=at, remedy=nearest(target, known)
                )
            _check_names(names(value), parameters.keys() | set(model.parameters), at)
    observables = {one.id: one for one in problem.observables}
    conditions = {one.id for one in problem.conditions}
    formulas = {one.id: _formulas(one, where) for one in problem.observables}
    for i, row in enumerate(problem.measurements):
        at = f"{where}: measurement {i + 1}"
        for kind, name, known in (
            ("observable", row.observable, observables), ("condition", row.condition, conditions)
        ):  # fmt: skip
            if name not in known:
                raise DataError(f"there is no {kind} '{name}'", where=at, remedy=nearest(name, known))
        own = observables[row.observable]
        if own.transformation != "lin" and not row.value > 0:
            raise DataError(
                f"{row.value:g} has no logarithm, but '{own.id}' is compared on the scale '{own.transformation}'",
                where=at,
                remedy="remove the measurement, or compare on the scale 'lin'",
            )
        given = {
            *placeholders("observable", row.observable, row.observable_parameters),
            *placeholders("noise", row.observable, row.noise_parameters),
        }
        for value in (*row.observable_parameters, *row.noise_parameters):
            _check_names(names(value), parameters.keys() | set(model.parameters), at)
        known = {*model.identifiers, *parameters, TIME, row.observable, *given}
        for expression in formulas[row.observable]:
            _check_names(names(expression), known, f"{at}, observable '{row.observable}'")
    if not problem.measurements:
        raise DataError("there are no measurements", where=where, remedy="give some")
    return problem


def placeholders(kind: str, observable: str, values: Sequence[Expression]) -> dict[str, Expression]:
    """Identifiers that formulas have for a measurement's own parameters, such as noiseParameter1_OBSERVABLE."""
    return {f"{kind}Parameter{i + 1}_{observable}": value for i, value in enumerate(values)}


def _check_parameter(one: Parameter, model: ReactionModel, where: str) -> None:
    at = f"{where}: parameter '{one.id}'"
    if one.id in model.rules or one.id in model.states:
        raise DataError("is determined by the model itself", where=at, remedy="remove it from the table of parameters")
    if not one.estimated:
        if not math.isfinite(one.nominal):
            raise DataError("is fixed, and has no nominal value", where=at, remedy="give it one, or estimate it")
        return
    if not (math.isfinite(one.lower) and math.isfinite(one.upper) and one.lower < one.upper):
        raise DataError(
            f"bounds of {one.lower:g} and {one.upper:g}",
            where=at,
            remedy="give a finite lower bound below the upper one",
        )
    if one.scale != "lin" and one.lower <= 0:
        raise DataError(
            f"a lower bound of {one.lower:g} on the scale '{one.scale}'", where=at, remedy="give one above 0"
        )


def _check_names(used: Iterable[str], known: Iterable[str], where: str) -> None:
    unknown = set(used) - set(known)
    if unknown:
        name = min(unknown)
        raise DataError(f"there is no '{name}'", where=where, remedy=nearest(name, set(known) - {TIME}))


def _formulas(one: Observable, where: str) -> tuple[Expression, Expression]:
    at = f"{where}: observable '{one.id}'"
    return formula(one.formula, at), formula(one.noise, f"{at}, noise")
