"""Numbers as people read them: enough digits, a unit, an interval, a count."""

from __future__ import annotations

import math


def figure(value: float | None, digits: int = 4) -> str:
    """A number with `digits` significant digits and no needless zeros; '-' for none.

    >>> figure(0.0093214), figure(1234567.0), figure(None), figure(12.0)
    ('0.009321', '1.235e+06', '-', '12')
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    return f"{value:.{digits}g}"


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign."""
    return f"{value:+.{digits}g}"


def interval(bounds: tuple[float, float] | None) -> str:
    """'-0.12 to +0.03'."""
    return "-" if bounds is None else f"{signed(bounds[0])} to {signed(bounds[1])}"


def probability(value: float | None) -> str:
    """A p-value or probability; small ones as a bound."""
    if value is None:
        return "-"
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """'47 s', '3 min 20 s', '2 h 05 min'."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
