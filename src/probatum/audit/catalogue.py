"""Every check by its code: the program's own, and those of plug-ins."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from probatum import plug_ins
from probatum.audit import configuration, data, physics, scores, selection, training
from probatum.audit.finding import Alarm, Check
from probatum.errors import CampaignFileError
from probatum.plug_ins import PlugIn

BUILT_IN: dict[str, Check] = {
    check.code: check
    for family in (data, training, scores, configuration, selection, physics)
    for check in family.CHECKS
}
CODE = re.compile(r"(?!PB)[A-Z]{2,8}\d{3}")
"""Of a check of a plug-in: letters and three digits, as 'LK101'. Codes that begin with PB are the program's own."""


def check_of_plug_in(plug_in: PlugIn) -> Check:
    """The check that an entry point leads to.

    Args:
        plug_in: of the group 'probatum.checks', its name the check's code.

    Raises:
        CampaignFileError: it cannot be loaded, or is no check of that code.
    """
    check = plug_in.load(lambda found: isinstance(found, Check), "is not made with probatum.audit.finding.check")
    if check.code != plug_in.name or not CODE.fullmatch(plug_in.name):
        said = f"check '{plug_in.name}' calls itself '{check.code}'"
        remedy = "give check and entry point one code of letters and three digits, as LK101; PB is the program's own"
        raise CampaignFileError(said, where=f"{plug_in.package}, {plug_in.value}", remedy=remedy)
    return replace(check, look=_guarded(check, plug_in))


def _guarded(check: Check, plug_in: PlugIn) -> Callable[[Any, float], list[Alarm]]:
    """A look that cannot end the audit: what fails in it becomes a finding, which stands against no result."""
    severity = "warning" if check.severity == "error" else None

    def looked(shown: Any, level: float) -> list[Alarm]:
        try:
            return list(check.look(shown, level))
        except Exception as error:  # somebody else's code, which may fail in any way
            said = f"the check of {plug_in.package} failed: {type(error).__name__}: {error}"
            return [Alarm(said, severity=severity)]

    return looked


def _stand_in(plug_in: PlugIn, error: CampaignFileError) -> Check:
    """What stands for a check that cannot be loaded: a finding that says so, so that the other checks are made."""
    remedy = error.remedy or "repair the package"
    said = f"{error.where}: {error.what}"
    return Check(
        plug_in.name,
        "a check that cannot be made",
        "warning",
        "history",
        f"The package {plug_in.package} brings this check, and it cannot be loaded.",
        remedy,
        "nothing, until the package is repaired",
        False,
        lambda _, __: [Alarm(said)],
    )


def _of_plug_ins() -> dict[str, Check]:
    found = {}
    for code, plug_in in plug_ins.installed(plug_ins.CHECKS, BUILT_IN).items():
        try:
            found[code] = check_of_plug_in(plug_in)
        except CampaignFileError as error:
            found[code] = _stand_in(plug_in, error)
    return found


CHECKS: dict[str, Check] = BUILT_IN | _of_plug_ins()
