"""Checks of what a recipe sets, with messages that say what would be valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from numbers import Integral, Real
from typing import Any

from probatum.errors import CampaignFileError, nearest


def among(name: str, value: Any, valid: Iterable[str]) -> None:
    """Refuses a choice that is not among the valid ones.

    Raises:
        CampaignFileError: offering the nearest valid one.
    """
    valid = tuple(valid)
    if value not in valid:
        raise CampaignFileError(f"{name} = {value!r} is unknown", where=name, remedy=nearest(str(value), valid))


def check_number(
    name: str,
    value: Any,
    *,
    whole: bool = False,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> None:
    """Refuses what is not a finite number within limits.

    Args:
        name: of the parameter.
        value: to be checked.
        whole: whether it must be an integer.
        least, above, below: limits, the first one included.

    Raises:
        CampaignFileError: saying what is valid.
    """
    limits = ((least, "at least"), (above, "above"), (below, "below"))
    wanted = " and ".join(f"{word} {limit:g}" for limit, word in limits if limit is not None)
    number = not isinstance(value, bool) and isinstance(value, Integral if whole else Real)
    try:
        size = float(value) if number else math.nan
    except OverflowError:  # a whole number beyond 1.8e308
        size = math.inf
    inside = (
        math.isfinite(size)
        and (least is None or size >= least)
        and (above is None or size > above)
        and (below is None or size < below)
    )
    if not inside:
        kind = "a whole number" if whole else "a number"
        raise CampaignFileError(f"{name} = {value!r} cannot be used", where=name, remedy=f"{kind} {wanted}".strip())


def check_numbers(
    name: str, values: Any, *, whole: bool = False, least: float | None = None, one_above: float | None = None
) -> None:
    """Refuses what is not a list of finite numbers within limits.

    Args:
        name: of the parameter.
        values: to be checked.
        whole, least: as in `check_number`, for each.
        one_above: what at least one of them must exceed.

    Raises:
        CampaignFileError: saying what is valid.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise CampaignFileError(f"{name} = {values!r} cannot be used", where=name, remedy="a list of numbers")
    values = list(values)
    for place, value in enumerate(values):
        check_number(f"{name}[{place}]", value, whole=whole, least=least)
    if one_above is not None and not any(value > one_above for value in values):
        raise CampaignFileError(
            f"{name} = {values!r} cannot be used", where=name, remedy=f"one number at least above {one_above:g}"
        )


def named_choice(name: str, value: Any) -> tuple[str, dict[str, float]]:
    """A choice that may bring numbers: 'huber', or {"kind": "huber", "delta": 0.5}.

    Returns:
        The kind, and the numbers that were given.

    Raises:
        CampaignFileError: it is neither.
    """
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        raise CampaignFileError(
            f"{name} = {value!r} cannot be used", where=name, remedy='a name, or {kind = "a name", and its numbers}'
        )
    return value["kind"], {key: number for key, number in value.items() if key != "kind"}


def with_defaults(name: str, given: Mapping[str, Any], defaults: Mapping[str, float]) -> dict[str, float]:
    """Numbers by name, those that are not given from the defaults.

    Raises:
        CampaignFileError: a name without a default, or a value that is no finite number.
    """
    for key, value in given.items():
        if key not in defaults:
            raise CampaignFileError(f"unknown key '{key}' of {name}", where=name, remedy=nearest(key, tuple(defaults)))
        check_number(f"{name}.{key}", value)
    return {**defaults, **given}


def imported(path: Any) -> Callable[..., Any]:
    """The function at 'module:function'.

    Raises:
        CampaignFileError: there is none.
    """
    if not isinstance(path, str) or not all(path.partition(":")):
        raise CampaignFileError(f"{path!r} is no import path", remedy="write 'module:function'")
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, TypeError) as error:  # the latter for '.module'
        raise CampaignFileError(
            f"'{path}' cannot be imported: {error}", remedy="install it, or correct 'module:function'"
        ) from error
