"""A model of reactions with any rate laws, as ordinary differential equations that JAX can differentiate.

    dx_s/dt = sum_j S_sj v_j(x, p, t) / V_s   (not divided where a species stands for its amount),

besides assignment rules, which hold at all times, and initial assignments, which hold at time 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from probatum.errors import DataError
from probatum.problems.metabolism.expressions import TIME, Expression, evaluated, names, ordered


@dataclass(frozen=True, eq=False)
class ReactionModel:
    """A model. Built by `sbml.read_sbml`, which checks it.

    Attributes:
        name: of the model.
        text: its SBML, for writing.
        species: all, in the order of the file; their values are concentrations or, if the model says so, amounts.
        parameters: global ones that keep one value through the course; the model's own free constants.
        compartments: their sizes are values like parameters.
        states: what changes by reactions or rate rules.
        definitions: identifier to its value at time 0; those without one are missing.
        rules: identifier or reaction to what it is at all times, in an order that can be evaluated.
        rates: state to its derivative.
    """

    name: str
    text: str
    species: tuple[str, ...]
    parameters: tuple[str, ...]
    compartments: tuple[str, ...]
    states: tuple[str, ...]
    definitions: Mapping[str, Expression]
    rules: Mapping[str, Expression]
    rates: Mapping[str, Expression]

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """All that has a value."""
        return frozenset({*self.species, *self.parameters, *self.compartments, *self.states, *self.rules})

    def start(self, overrides: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Constants and the state at time 0.

        Args:
            overrides: identifier to value, instead of the model's own; not of what a rule determines.

        Returns:
            constants: identifier to value, of all that is neither state nor rule.
            state: value of each state.

        Raises:
            DataError: an identifier is determined by a rule, or has no value.
        """
        for name in overrides:
            if name in self.rules:
                raise DataError(
                    f"'{name}' is determined by a rule", where=self.name, remedy="set what the rule is made of"
                )
        own = {name: d for name, d in self.definitions.items() if name not in overrides} | dict(self.rules)
        values: dict[str, Any] = {TIME: 0.0, **overrides}
        for name in ordered(own, self.name):
            absent = names(own[name]) - values.keys()
            if absent:
                raise _valueless(min(absent), self.name)
            values[name] = evaluated(own[name], values)
        missing = [name for name in (*self.states, *self.parameters, *self.compartments) if name not in values]
        if missing:
            raise _valueless(missing[0], self.name)
        constants = {
            name: value for name, value in values.items() if name not in self.rules and name not in self.states
        }
        return constants, [values[name] for name in self.states]

    def everything(self, time: Any, state: Sequence[Any], constants: Mapping[str, Any]) -> dict[str, Any]:
        """Identifier to value at a time, rules and rates of reactions included; shapes broadcast."""
        values = {**constants, **dict(zip(self.states, state, strict=True)), TIME: time}
        for name, rule in self.rules.items():
            values[name] = evaluated(rule, values)
        return values

    def slope(self, time: Any, state: Sequence[Any], constants: Mapping[str, Any]) -> list[Any]:
        """dx/dt of each state."""
        values = self.everything(time, state, constants)
        return [evaluated(self.rates[name], values) for name in self.states]


def _valueless(name: str, model: str) -> DataError:
    return DataError(
        f"'{name}' has no value", where=model, remedy="give it one in the model, or in the table of parameters"
    )
