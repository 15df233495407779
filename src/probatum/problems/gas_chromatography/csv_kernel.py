"""Numbers out of the bytes of a text table, compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

COLUMNS = 3
FINE, NOT_A_NUMBER, TOO_FEW, TOO_MANY, EMPTY = range(5)
POWERS = np.array([10.0**i for i in range(309)])
MOST_DIGITS = 19  # that 64 bits hold, whatever they are
NEWLINE, _RETURN, _COMMA, _SPACE = (np.uint8(ord(c)) for c in "\n\r, ")
_MINUS, _PLUS, _POINT = (np.uint8(ord(c)) for c in "-+.")
_ZERO, _TEN = np.uint64(ord("0")), np.uint64(10)
_EIGHT = np.uint64(8)
_HIGH, _SIXES, _THREES, _ZEROS = (np.uint64(0x0101010101010101 * byte) for byte in (0xF0, 0x06, 0x33, 0x30))
_OUTER = np.uint64(0x000000FF000000FF)
_LOW_WEIGHTS = np.uint64(100 + (1_000_000 << 32))
_HIGH_WEIGHTS = np.uint64(1 + (10_000 << 32))
_E, _e = np.uint8(ord("E")), np.uint8(ord("e"))


@njit(cache=True, nogil=True)
def parse_rows(text: np.ndarray, start: int, stop: int | np.uint64, values: np.ndarray) -> tuple[int, np.int64, int]:
    """Rows of three numbers, as many as there are or fit.

    Numbers are within two units in the last place.

    Args:
        text: [byte] uint8.
        start: position to begin at, the first byte of a line.
        stop: the byte after the last newline; the bytes before it hold whole lines.
        values: [row, 3] float64, filled.

    Returns:
        rows: filled.
        position: the first byte that was not used.
        status: `FINE`, or what is wrong with the line that begins there.
    """
    rows, position = 0, np.uint64(start)
    stop = np.uint64(stop)
    while rows < len(values) and position < stop:
        at, status = position, FINE
        for column in range(COLUMNS):
            begin = at
            value, at, valid = _number(text, at)
            if not valid:
                ends = text[begin] == NEWLINE or text[begin] == _RETURN
                status = NOT_A_NUMBER if not ends else EMPTY if column == 0 else TOO_FEW
                break
            values[rows, column] = value
            if column < COLUMNS - 1:
                if text[at] != _COMMA:
                    status = TOO_FEW if text[at] == NEWLINE or text[at] == _RETURN else NOT_A_NUMBER
                    break
                at += np.uint64(1)
        if status == FINE:
            if text[at] == _RETURN:
                at += np.uint64(1)
            if text[at] != NEWLINE:
                status = TOO_MANY if text[at] == _COMMA else NOT_A_NUMBER
        if status != FINE:
            return rows, np.int64(position), status
        rows += 1
        position = at + np.uint64(1)
    return rows, np.int64(position), FINE


@njit(cache=True, nogil=True, inline="always")
def _number(text: np.ndarray, at: np.uint64) -> tuple[float, np.uint64, bool]:
    """The number that begins at a byte, the byte after it, and whether there is one; a newline ends every search.

    Positions are unsigned: a signed index costs a comparison with 0 at every byte.
    """
    one = np.uint64(1)
    negative = False
    if text[at] == _MINUS or text[at] == _PLUS:
        negative = text[at] == _MINUS
        at += one
    begin = at
    mantissa = np.uint64(0)
    at, mantissa = _digits(text, at, mantissa)
    digits, exponent = np.int64(at - begin), 0
    if text[at] == _POINT:
        at += one
        point = at
        at, mantissa = _digits(text, at, mantissa)
        exponent = -np.int64(at - point)
        digits -= exponent
    if digits == 0:
        return 0.0, at, False
    if digits > MOST_DIGITS:
        mantissa, exponent = _long_mantissa(text, begin)
    if text[at] == _e or text[at] == _E:
        at += one
        back = text[at] == _MINUS
        if back or text[at] == _PLUS:
            at += one
        first, power = at, 0
        while np.uint64(text[at]) - _ZERO < _TEN:
            power = min(10 * power + np.int64(np.uint64(text[at]) - _ZERO), 100_000)
            at += one
        if at == first:
            return 0.0, at, False
        exponent += -power if back else power
    value = np.float64(mantissa)
    if exponent < 0:
        # In two steps where one has no power in float64.
        down = -exponent
        value = value / POWERS[down] if down <= 308 else value / POWERS[300] / POWERS[min(down - 300, 308)]
    elif exponent > 0 and mantissa:
        value = value * POWERS[exponent] if exponent <= 308 else np.inf
    return -value if negative else value, at, True


@njit(cache=True, nogil=True, inline="always")
def _digits(text: np.ndarray, at: np.uint64, mantissa: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Appends the digits from a byte on to a mantissa, eight at once where there are eight.

    The sum of the digits' values in one word by three multiplications: D. Lemire, Number parsing at a gigabyte per
    second, Software: Practice and Experience 51, 1700 (2021).
    """
    end = np.uint64(len(text))
    while at + _EIGHT <= end:
        word = _eight_bytes(text, at)  # pyright: ignore[reportCallIssue]
        if ((word & _HIGH) | (((word + _SIXES) & _HIGH) >> np.uint64(4))) != _THREES:
            break
        word -= _ZEROS
        word = _TEN * word + (word >> _EIGHT)
        low = (word & _OUTER) * _LOW_WEIGHTS
        high = ((word >> np.uint64(16)) & _OUTER) * _HIGH_WEIGHTS
        mantissa = np.uint64(100_000_000) * mantissa + ((low + high) >> np.uint64(32))
        at += _EIGHT
    digit = np.uint64(text[at]) - _ZERO  # unsigned: what comes before "0" becomes large
    while digit < _TEN:
        mantissa = _TEN * mantissa + digit
        at += np.uint64(1)
        digit = np.uint64(text[at]) - _ZERO
    return at, mantissa


@intrinsic
def _eight_bytes(typing_context: Any, text: types.Type, at: types.Type) -> tuple[Any, Callable[..., Any]]:
    """The eight bytes from a position on as one number, the first the least significant."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[Any]) -> ir.Instruction:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(text, at), generate


@njit(cache=True, nogil=True)
def _long_mantissa(text: np.ndarray, at: np.uint64) -> tuple[np.uint64, int]:
    """The leading digits that fit into 64 bits, and the power of ten that they stand in."""
    mantissa, exponent, digits, after = np.uint64(0), 0, 0, False
    while True:
        if text[at] == _POINT and not after:
            after = True
        elif np.uint64(text[at]) - _ZERO < _TEN:
            if digits < MOST_DIGITS:
                mantissa = _TEN * mantissa + (np.uint64(text[at]) - _ZERO)
                digits += mantissa > 0
                exponent -= after
            else:
                exponent += not after
        else:
            return mantissa, exponent
        at += np.uint64(1)
