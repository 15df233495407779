"""Formulas as text, as PEtab's tables hold them: '(100 * pApB + scale) / (a + b^2)'.

Grammar and precedence are those of PEtab's math expressions (PEtab 1, 'Math expressions syntax'): `^` binds strongest
and to the right, then unary signs, `* /`, `+ -`, comparisons, `!`, `&&`, `||`. `log(x)` is natural, `log(x, b)` to the
base b.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from probatum.errors import DataError, nearest
from probatum.problems.metabolism.expressions import OPERATORS, TIME, Call, Expression, Name, Number, called

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||[<>=!]=|[-+*/^<>!(),]))",
    re.ASCII,
)
_CONSTANTS = {"inf": math.inf, "nan": math.nan, "true": 1.0, "false": 0.0}
_COMPARISONS = {"==": "eq", "!=": "neq", "<": "lt", "<=": "leq", ">": "gt", ">=": "geq"}
_FUNCTIONS = {"pow": "power"}
_OURS = {"plus", "times", "minus", "divide", "root", "and", "or", "xor", "not", "implies", *_COMPARISONS.values()}
DEEPEST = 50
"""Levels of brackets and signs beyond which a formula is refused."""
FUNCTIONS = frozenset({*OPERATORS, *_FUNCTIONS} - _OURS - {"power"})
"""Names that a formula may call."""


def formula(text: str, where: str) -> Expression:
    """What a formula says.

    Args:
        text: the formula.
        where: it stands, for errors.

    Raises:
        DataError: it is no formula; the message names the place and what was expected.
    """
    return _Reader(str(text), where).whole()


def _times(factors: list[Expression]) -> Expression:
    return factors[0] if len(factors) == 1 else Call("times", tuple(factors))


class _Reader:
    """Reads a formula from left to right, one method for each level of precedence."""

    def __init__(self, text: str, where: str):
        self.text, self.where, self.depth = text, where, 0
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                at = place + len(text[place:]) - len(text[place:].lstrip())
                raise self.error(f"'{text[at]}' means nothing", at)
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind], match.start(kind)))
            place = match.end()
        self.next = 0

    def whole(self) -> Expression:
        found = self.alternatives()
        if self.next < len(self.tokens):
            raise self.error(f"'{self.tokens[self.next][1]}' was not expected")
        return found

    def alternatives(self) -> Expression:
        return self.several("or", "||", self.conjunction)

    def conjunction(self) -> Expression:
        return self.several("and", "&&", self.negation)

    def several(self, operator: str, sign: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self.take(sign):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Call(operator, tuple(parts))

    def negation(self) -> Expression:
        return Call("not", (self.deeper(self.negation),)) if self.take("!") else self.comparison()

    def comparison(self) -> Expression:
        found = self.sum()
        while sign := self.take(*_COMPARISONS):
            found = Call(_COMPARISONS[sign], (found, self.sum()))
        return found

    def sum(self) -> Expression:
        # One call of many terms: a long sum is no deep tree.
        terms = [self.product()]
        while sign := self.take("+", "-"):
            term = self.product()
            terms.append(term if sign == "+" else Call("minus", (term,)))
        return terms[0] if len(terms) == 1 else Call("plus", tuple(terms))

    def product(self) -> Expression:
        above, below = [self.signed()], []
        while sign := self.take("*", "/"):
            (above if sign == "*" else below).append(self.signed())
        return Call("divide", (_times(above), _times(below))) if below else _times(above)

    def signed(self) -> Expression:
        if sign := self.take("+", "-"):
            found = self.deeper(self.signed)
            return found if sign == "+" else Call("minus", (found,))
        return self.power()

    def power(self) -> Expression:
        base = self.atom()
        return Call("power", (base, self.deeper(self.signed))) if self.take("^") else base

    def atom(self) -> Expression:
        if self.next == len(self.tokens):
            raise self.error("the formula ends too soon" if self.tokens else "the formula is empty", len(self.text))
        kind, token, _ = self.tokens[self.next]
        self.next += 1
        if kind == "number":
            return Number(float(token))
        if token == "(":
            found = self.deeper(self.alternatives)
            self.expect(")")
            return found
        if kind != "name":
            self.next -= 1
            raise self.error(f"'{token}' was not expected")
        if self.take("("):
            return self.call(token)
        if token in _CONSTANTS:
            return Number(_CONSTANTS[token])
        return Name(TIME if token == "time" else token)

    def call(self, function: str) -> Expression:
        if function not in FUNCTIONS:
            raise DataError(f"no function '{function}'", where=self.where, remedy=nearest(function, FUNCTIONS))
        arguments = [self.deeper(self.alternatives)]
        while self.take(","):
            arguments.append(self.deeper(self.alternatives))
        self.expect(")")
        if function == "log" and len(arguments) == 1:
            return Call("ln", tuple(arguments))
        if function == "log":
            arguments.reverse()  # ours takes the base first, as MathML does
        return called(_FUNCTIONS.get(function, function), arguments, self.where)

    def take(self, *signs: str) -> str | None:
        if self.next < len(self.tokens) and self.tokens[self.next][1] in signs:
            self.next += 1
            return self.tokens[self.next - 1][1]
        return None

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.error(f"'{sign}' is missing")

    def deeper(self, read: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"nested more than {DEEPEST} levels deep")
        found = read()
        self.depth -= 1
        return found

    def error(self, what: str, at: int | None = None) -> DataError:
        if at is None:
            at = self.tokens[self.next][2] if self.next < len(self.tokens) else len(self.text)
        shown = self.text if len(self.text) <= 80 else f"{self.text[:77]}..."
        return DataError(
            f"{what} at character {at + 1} of '{shown}'", where=self.where, remedy="write it as in 'a * (b + c)^2'"
        )
