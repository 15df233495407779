"""Built-in problems and those of plug-ins: entry points of the group 'probatum.problems'."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter, ValidationError

from probatum import plug_ins
from probatum.errors import CampaignFileError, UnknownNameError, UsageError, nearest
from probatum.problems.problem import Problem

BUILT_IN = {
    "analog_codes": "probatum.problems.analog_codes.problem:AnalogCodes",
    "catechol": "probatum.problems.catechol.problem:Catechol",
    "gas_chromatography": "probatum.problems.gas_chromatography.problem:GasChromatography",
    "metabolism": "probatum.problems.metabolism.problem:MetabolismProblem",
    "rocking_curve": "probatum.problems.rocking_curve.problem:RockingCurve",
    "table": "probatum.problems.table:Table",
}

RECORDED = {"imported": "probatum.problems.imported:Imported"}
"""What campaign files of imported runs name; nobody starts from it, so that it is not listed."""


def names() -> tuple[str, ...]:
    """Names of all problems that can be opened here."""
    return tuple(sorted({*BUILT_IN, *plug_ins.installed(plug_ins.PROBLEMS, BUILT_IN)}))


def problem_class(kind: str) -> type[Problem]:
    """The class registered under a name.

    Raises:
        UnknownNameError: nobody registered the name.
        CampaignFileError: a plug-in that cannot be imported or is no Problem.
    """
    if path := {**BUILT_IN, **RECORDED}.get(kind):
        module, _, attribute = path.partition(":")
        return getattr(import_module(module), attribute)
    plug_in = plug_ins.installed(plug_ins.PROBLEMS, BUILT_IN).get(kind)
    if plug_in is not None:
        return plug_in.load(
            lambda found: isinstance(found, type) and issubclass(found, Problem), "is no subclass of Problem"
        )
    raise UnknownNameError.of("problem", kind, names())


def build(kind: str, options: Mapping[str, Any], *, where: str = "problem") -> Problem:
    """A problem with its options, checked.

    Args:
        kind: registered name.
        options: the problem's own options, as a campaign file gives them.
        where: what an error message names as the place.

    Raises:
        UnknownNameError: for the problem.
        CampaignFileError: for an unknown option or one of the wrong type.
    """
    kind_class = problem_class(kind)
    known = set(getattr(kind_class, "__dataclass_fields__", {}))
    for key in options:
        if key not in known:
            raise CampaignFileError(f"unknown key '{key}' of problem '{kind}'", where=where, remedy=nearest(key, known))
    try:
        return TypeAdapter(kind_class).validate_python(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        own = first.get("ctx", {}).get("error")  # what the problem itself says of its options
        if isinstance(own, UsageError):
            raise type(own)(own.what, where=own.where or where, remedy=own.remedy) from None
        key = ".".join(map(str, first["loc"])) or kind
        raise CampaignFileError(
            f"{key}: {own or first['msg']}", where=where, remedy=f"see 'probatum problems {kind}'"
        ) from None
