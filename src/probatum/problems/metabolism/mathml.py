"""From libSBML's trees of mathematics to `expressions`, with the model's own functions written out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from probatum.errors import DataError
from probatum.problems.metabolism.expressions import (
    DEEPEST,
    TIME,
    Call,
    Expression,
    Name,
    Number,
    called,
    substituted,
)

LARGEST = 20_000
"""Nodes of an expression beyond which it is refused; functions of functions grow fast when they are written out."""
_OPERATORS = {
    "AST_PLUS": "plus", "AST_MINUS": "minus", "AST_TIMES": "times", "AST_DIVIDE": "divide", "AST_POWER": "power",
    "AST_FUNCTION_POWER": "power", "AST_FUNCTION_ABS": "abs", "AST_FUNCTION_ARCCOS": "arccos",
    "AST_FUNCTION_ARCCOSH": "arccosh", "AST_FUNCTION_ARCCOT": "arccot", "AST_FUNCTION_ARCCOTH": "arccoth",
    "AST_FUNCTION_ARCCSC": "arccsc", "AST_FUNCTION_ARCCSCH": "arccsch", "AST_FUNCTION_ARCSEC": "arcsec",
    "AST_FUNCTION_ARCSECH": "arcsech", "AST_FUNCTION_ARCSIN": "arcsin", "AST_FUNCTION_ARCSINH": "arcsinh",
    "AST_FUNCTION_ARCTAN": "arctan", "AST_FUNCTION_ARCTANH": "arctanh", "AST_FUNCTION_CEILING": "ceiling",
    "AST_FUNCTION_COS": "cos", "AST_FUNCTION_COSH": "cosh", "AST_FUNCTION_COT": "cot", "AST_FUNCTION_COTH": "coth",
    "AST_FUNCTION_CSC": "csc", "AST_FUNCTION_CSCH": "csch", "AST_FUNCTION_EXP": "exp",
    "AST_FUNCTION_FACTORIAL": "factorial", "AST_FUNCTION_FLOOR": "floor", "AST_FUNCTION_LN": "ln",
    "AST_FUNCTION_LOG": "log", "AST_FUNCTION_MAX": "max", "AST_FUNCTION_MIN": "min",
    "AST_FUNCTION_PIECEWISE": "piecewise", "AST_FUNCTION_QUOTIENT": "quotient", "AST_FUNCTION_REM": "rem",
    "AST_FUNCTION_ROOT": "root", "AST_FUNCTION_SEC": "sec", "AST_FUNCTION_SECH": "sech", "AST_FUNCTION_SIN": "sin",
    "AST_FUNCTION_SINH": "sinh", "AST_FUNCTION_TAN": "tan", "AST_FUNCTION_TANH": "tanh", "AST_LOGICAL_AND": "and",
    "AST_LOGICAL_IMPLIES": "implies", "AST_LOGICAL_NOT": "not", "AST_LOGICAL_OR": "or", "AST_LOGICAL_XOR": "xor",
    "AST_RELATIONAL_EQ": "eq", "AST_RELATIONAL_GEQ": "geq", "AST_RELATIONAL_GT": "gt", "AST_RELATIONAL_LEQ": "leq",
    "AST_RELATIONAL_LT": "lt", "AST_RELATIONAL_NEQ": "neq",
}  # fmt: skip
_CONSTANTS = {
    "AST_CONSTANT_E": math.e, "AST_CONSTANT_PI": math.pi, "AST_CONSTANT_TRUE": 1.0, "AST_CONSTANT_FALSE": 0.0,
    "AST_NAME_AVOGADRO": 6.02214179e23,
}  # fmt: skip
_REFUSED = {"AST_FUNCTION_DELAY": "a delay", "AST_FUNCTION_RATE_OF": "the rate of a variable ('rateOf')"}
_NUMBERS = ("AST_INTEGER", "AST_REAL", "AST_REAL_E", "AST_RATIONAL")


class Translator:
    """Translates the mathematics of one model.

    Args:
        model: libSBML's.
        where: it stands, for errors.
    """

    def __init__(self, model: Any, where: str):
        import libsbml

        self.where = where
        self.kinds = {getattr(libsbml, name): name for name in (*_OPERATORS, *_CONSTANTS, *_REFUSED, *_NUMBERS)}
        self.variable, self.time, self.function = libsbml.AST_NAME, libsbml.AST_NAME_TIME, libsbml.AST_FUNCTION
        self.definitions = {one.getId(): one for one in model.getListOfFunctionDefinitions()}
        self.functions: dict[str, tuple[tuple[str, ...], Expression]] = {}
        self.open: list[str] = []

    def expression(self, node: Any, owner: str) -> Expression:
        """The expression of a tree.

        Args:
            node: libSBML's; None where the element has no mathematics.
            owner: what it belongs to, for errors: "the kinetic law of 'v1'".

        Raises:
            DataError: there is none, it is too large, or it says what is not supported.
        """
        if node is None:
            raise DataError(f"{owner} has no mathematics", where=self.where, remedy="give it some, or remove it")
        return self._translated(node, owner, 0)

    def _translated(self, node: Any, owner: str, depth: int) -> Expression:
        if depth > DEEPEST:
            raise self._too_large(owner)
        kind = node.getType()
        if kind == self.variable:
            return Name(node.getName())
        if kind == self.time:
            return Name(TIME)
        name = self.kinds.get(kind, "")
        if name in _NUMBERS:
            return Number(float(node.getValue()))
        if name in _CONSTANTS:
            return Number(_CONSTANTS[name])
        if name in _REFUSED:
            raise DataError(
                f"{owner} uses {_REFUSED[name]}, which is not supported", where=self.where, remedy="write it without"
            )
        arguments = [self._translated(node.getChild(i), owner, depth + 1) for i in range(node.getNumChildren())]
        if kind == self.function:
            return self._written_out(node.getName(), arguments, owner)
        if name not in _OPERATORS:
            raise DataError(
                f"{owner} uses '{node.getName() or node.getOperatorName() or 'a construct'}', which is not supported",
                where=self.where,
                remedy="write it without",
            )
        operator = _OPERATORS[name]
        if operator == "root" and len(arguments) == 1:
            operator = "sqrt"
        if operator == "log" and len(arguments) == 1:
            operator = "log10"
        return called(operator, arguments, f"{self.where}: {owner}")

    def _written_out(self, function: str, arguments: Sequence[Expression], owner: str) -> Expression:
        """A call of one of the model's functions: its body with the arguments in place."""
        if function not in self.definitions:
            raise DataError(
                f"{owner} calls '{function}', which the model does not define", where=self.where, remedy="define it"
            )
        if function in self.open:
            raise DataError(f"the function '{function}' calls itself", where=self.where, remedy="write it out")
        if function not in self.functions:
            definition = self.definitions[function]
            self.open.append(function)
            body = self.expression(definition.getBody(), f"the function '{function}'")
            self.open.pop()
            parameters = tuple(definition.getArgument(i).getName() for i in range(definition.getNumArguments()))
            self.functions[function] = parameters, body
        parameters, body = self.functions[function]
        if len(parameters) != len(arguments):
            raise DataError(
                f"{owner} calls '{function}' with {len(arguments)} arguments for {len(parameters)}",
                where=self.where,
                remedy="give it as many as it has",
            )
        given = dict(zip(parameters, arguments, strict=True))
        sizes = {name: _size(argument)[0] for name, argument in given.items()}
        if _size(body, sizes)[0] > LARGEST:
            raise self._too_large(owner)
        found = substituted(body, given)
        if _size(found)[1] > DEEPEST:
            raise self._too_large(owner)
        return found

    def _too_large(self, owner: str) -> DataError:
        return DataError(
            f"{owner} is nested or written out beyond {DEEPEST} levels or {LARGEST} terms",
            where=self.where,
            remedy="split it by assignment rules",
        )


def _size(expression: Expression, of_names: dict[str, int] | None = None) -> tuple[int, int]:
    """Nodes, a name counting as `of_names` says, and levels."""
    if isinstance(expression, Call):
        parts = [_size(argument, of_names) for argument in expression.arguments]
        return 1 + sum(size for size, _ in parts), 1 + max((depth for _, depth in parts), default=0)
    return (of_names or {}).get(expression.id, 1) if isinstance(expression, Name) else 1, 1
