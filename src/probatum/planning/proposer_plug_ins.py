"""Proposers of plug-ins: entry points of the group 'probatum.proposers'."""

from __future__ import annotations

from typing import Any

from probatum.errors import CampaignFileError
from probatum.planning.proposal import Proposer
from probatum.plug_ins import PlugIn


def proposer_of_plug_in(plug_in: PlugIn) -> Proposer:
    """The proposer that an entry point leads to; a class is called without arguments.

    Args:
        plug_in: of the group 'probatum.proposers'.

    Raises:
        CampaignFileError: it cannot be loaded or built, or is no proposer.
    """
    found = plug_in.load(_proposes, "has no propose(history, k)")
    try:
        made = found() if isinstance(found, type) else found
    except Exception as error:  # somebody else's code, which may fail in any way
        raise CampaignFileError(
            f"proposer '{plug_in.name}' cannot be built: {type(error).__name__}: {error}",
            where=f"{plug_in.package}, {plug_in.value}",
            remedy="repair or uninstall the package that provides it",
        ) from error
    if not isinstance(made, Proposer):
        said = f"proposer '{plug_in.name}' has no name"
        raise CampaignFileError(said, where=f"{plug_in.package}, {plug_in.value}", remedy="give it one")
    return made


def _proposes(found: Any) -> bool:
    return callable(getattr(found, "propose", None))
