"""Mathematical expressions as trees: read by `mathml` and `formulas`, evaluated on JAX arrays.

A tree is walked once, while JAX traces the function around it; nothing is ever passed to `eval`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

from probatum.errors import DataError, UnknownNameError

TIME = "time()"
"""Name of the model's time, which no identifier can have."""
DEEPEST = 200
"""Levels of nesting beyond which an expression is refused."""


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """The value of an identifier."""

    id: str


@dataclass(frozen=True)
class Call:
    """An operator or function of `OPERATORS`, applied to its arguments."""

    operator: str
    arguments: tuple[Expression, ...]


Expression = Number | Name | Call


def evaluated(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value of an expression.

    Args:
        expression: what is evaluated.
        values: identifier to number or array; shapes broadcast.

    Raises:
        UnknownNameError: an identifier has no value.
    """
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        if expression.id not in values:
            raise UnknownNameError.of("identifier", expression.id, values)
        return values[expression.id]
    found = [evaluated(argument, values) for argument in expression.arguments]
    if expression.operator == "power" and isinstance(expression.arguments[1], Number):
        exponent = expression.arguments[1].value
        # A whole exponent is a product: its derivative at 0 and at negative bases is a number.
        return found[0] ** (int(exponent) if exponent.is_integer() and abs(exponent) < 64 else exponent)
    return OPERATORS[expression.operator](*found)


def names(expression: Expression) -> frozenset[str]:
    """All identifiers in an expression."""
    if isinstance(expression, Name):
        return frozenset({expression.id})
    if isinstance(expression, Number):
        return frozenset()
    return frozenset().union(*(names(argument) for argument in expression.arguments))


def substituted(expression: Expression, given: Mapping[str, Expression]) -> Expression:
    """The expression with identifiers replaced by expressions, all at once."""
    if isinstance(expression, Name):
        return given.get(expression.id, expression)
    if isinstance(expression, Number):
        return expression
    return Call(expression.operator, tuple(substituted(argument, given) for argument in expression.arguments))


def ordered(definitions: Mapping[str, Expression], where: str) -> tuple[str, ...]:
    """Names of definitions so that each stands after all that it uses.

    Args:
        definitions: name to expression; what they use and do not define stands for itself.
        where: of an error.

    Raises:
        DataError: definitions use each other in a circle, named.
    """
    uses = {name: names(expression) & definitions.keys() for name, expression in definitions.items()}
    found: dict[str, None] = {}
    while len(found) < len(uses):
        ready = [name for name in uses if name not in found and uses[name] <= found.keys()]
        if not ready:
            circle = ", ".join(f"'{name}'" for name in sorted(uses.keys() - found.keys())[:6])
            raise DataError(
                f"{circle} are defined by each other in a circle", where=where, remedy="define one of them by a number"
            )
        found |= dict.fromkeys(ready)
    return tuple(found)


def called(operator: str, arguments: Sequence[Expression], where: str) -> Call:
    """A checked call.

    Raises:
        DataError: the number of arguments does not fit.
    """
    least, most = _ARGUMENTS.get(operator, (1, 1))
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} or more" if most == math.inf else f"{least} to {most:g}"
        raise DataError(f"'{operator}' of {len(arguments)} arguments", where=where, remedy=f"give it {wanted} of them")
    return Call(operator, tuple(arguments))


def _piecewise(*parts: Any) -> Any:
    """Value, condition, value, condition, ..., and the value elsewhere; not a number where there is none."""
    jnp = _jnp()
    found = parts[-1] if len(parts) % 2 else math.nan
    for value, condition in reversed(list(zip(parts[0::2], parts[1::2], strict=False))):
        found = jnp.where(_truth(condition), value, found)
    return found


def _jnp() -> Any:
    # Expressions are read, checked and substituted without JAX, which takes a second to import.
    import jax.numpy as jnp

    return jnp


def _truth(value: Any) -> Any:
    return _jnp().asarray(value) != 0


def _of_jax(name: str) -> Callable[..., Any]:
    return lambda *arguments: getattr(_jnp(), name)(*(_jnp().asarray(x) for x in arguments))


def _reciprocal(name: str, *, inverse: bool) -> Callable[..., Any]:
    """sec and its kind, 1 / cos x; with `inverse`, arcsec and its kind, arccos(1 / x)."""
    of = _of_jax(name)
    return (lambda x: of(1.0 / _jnp().asarray(x))) if inverse else (lambda x: 1.0 / of(x))


def _gamma_of_next(x: Any) -> Any:
    from jax.scipy.special import gamma

    return gamma(_jnp().asarray(x) + 1.0)


def _folded(of: Callable[[Any, Any], Any], first: Any) -> Callable[..., Any]:
    return lambda *arguments: reduce(of, arguments) if arguments else first


def _chain(name: str) -> Callable[..., Any]:
    """A comparison of neighbours, as MathML has it: a < b < c."""
    of = _of_jax(name)
    return lambda *x: reduce(_of_jax("logical_and"), [of(a, b) for a, b in pairwise(x)])


_DIRECT = {
    "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan",
    "arcsinh": "arcsinh", "arccosh": "arccosh", "arctanh": "arctanh",
    "exp": "exp", "ln": "log", "log2": "log2", "log10": "log10", "sqrt": "sqrt", "abs": "abs", "sign": "sign",
    "floor": "floor", "ceiling": "ceil", "power": "power", "rem": "fmod",
}  # fmt: skip
_RECIPROCAL = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}
_COMPARISONS = {
    "eq": "equal", "neq": "not_equal", "lt": "less", "leq": "less_equal", "gt": "greater", "geq": "greater_equal",
}  # fmt: skip
OPERATORS: Mapping[str, Callable[..., Any]] = {
    "plus": _folded(lambda a, b: a + b, 0.0),
    "times": _folded(lambda a, b: a * b, 1.0),
    "minus": lambda *x: -x[0] if len(x) == 1 else x[0] - x[1],
    "divide": lambda a, b: _jnp().asarray(a) / b,
    "root": lambda degree, x: _jnp().asarray(x) ** (1.0 / degree),
    "log": lambda base, x: _jnp().log(x) / _jnp().log(base),
    "factorial": _gamma_of_next,
    "quotient": lambda a, b: _jnp().trunc(_jnp().asarray(a) / b),
    "min": _folded(_of_jax("minimum"), math.inf),
    "max": _folded(_of_jax("maximum"), -math.inf),
    "and": _folded(lambda a, b: _truth(a) & _truth(b), True),
    "or": _folded(lambda a, b: _truth(a) | _truth(b), False),
    "xor": _folded(lambda a, b: _truth(a) ^ _truth(b), False),
    "not": lambda x: ~_truth(x),
    "implies": lambda a, b: ~_truth(a) | _truth(b),
    "piecewise": _piecewise,
    **{name: _of_jax(own) for name, own in _DIRECT.items()},
    **{name: _reciprocal(own, inverse=False) for name, own in _RECIPROCAL.items()},
    **{f"arc{name}": _reciprocal(f"arc{own}", inverse=True) for name, own in _RECIPROCAL.items()},
    **{name: _chain(own) for name, own in _COMPARISONS.items()},
}
_ARGUMENTS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("plus", "times", "and", "or", "xor"), (0, math.inf)),
    **dict.fromkeys(("min", "max", "piecewise"), (1, math.inf)),
    **dict.fromkeys(_COMPARISONS, (2, math.inf)),
    **dict.fromkeys(("divide", "root", "log", "quotient", "implies", "power", "rem"), (2, 2)),
    "minus": (1, 2),
}
