"""Numbers of about 106 bits as pairs (high, low) of float64, high + low with |low| at most half a unit of high.

T. J. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18 (1971).
Inside numba programs; importing this module imports numba.
"""

from __future__ import annotations

from probatum.problems.analog_codes.lanes import compiled

SPLIT = 134217729.0
"""2^27 + 1: multiplying by it splits 53 bits into two halves whose products are exact."""


@compiled
def two_sum(a: float, b: float) -> tuple[float, float]:
    """a + b exactly, for any a and b."""
    high = a + b
    back = high - a
    return high, (a - (high - back)) + (b - back)


@compiled
def two_product(a: float, b: float) -> tuple[float, float]:
    """a b exactly, for |a|, |b| below 1e150 and a product above 1e-290 or 0."""
    high = a * b
    part = SPLIT * a
    a_high = part - (part - a)
    a_low = a - a_high
    part = SPLIT * b
    b_high = part - (part - b)
    b_low = b - b_high
    return high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low


@compiled
def add(a_high: float, a_low: float, b_high: float, b_low: float) -> tuple[float, float]:
    """a + b; relative error a few 2^-104 of |a| + |b|."""
    high, low = two_sum(a_high, b_high)
    more, rest = two_sum(a_low, b_low)
    high, low = _carried(high, low + more)
    return _carried(high, low + rest)


@compiled
def multiply(a_high: float, a_low: float, b_high: float, b_low: float) -> tuple[float, float]:
    """a b; relative error a few 2^-104."""
    high, low = two_product(a_high, b_high)
    return _carried(high, low + (a_high * b_low + a_low * b_high))


@compiled
def _carried(high: float, low: float) -> tuple[float, float]:
    total = high + low
    return total, low - (total - high)
