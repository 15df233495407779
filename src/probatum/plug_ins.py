"""Plug-ins: what packages of others bring, by entry points, one group for each kind of thing.

    [project.entry-points."probatum.learners"]
    lime_forest = "lime_kiln.forest:LimeForest"

A plug-in is imported when its name is asked for, and not before, so one that is broken harms nobody else. A name that
the program has of its own stays the program's. Every error names the package that the plug-in comes from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from probatum.errors import CampaignFileError

PROBLEMS, LEARNERS, LOSSES = "probatum.problems", "probatum.learners", "probatum.losses"
PROPOSERS, CHECKS = "probatum.proposers", "probatum.checks"
KINDS = {PROBLEMS: "problem", LEARNERS: "model", LOSSES: "loss", PROPOSERS: "proposer", CHECKS: "check"}
"""Groups of entry points, and what error messages call a member."""


@dataclass(frozen=True)
class PlugIn:
    """What a package says that it brings.

    Attributes:
        group: of the entry point.
        name: that campaign files and options use.
        value: 'module:object'.
        package: name and version of the distribution.
        rival: another distribution that claims the name; None where there is none.
    """

    group: str
    name: str
    value: str
    package: str
    rival: str | None = None

    @property
    def distribution(self) -> str:
        """The distribution's name alone."""
        return self.package.partition(" ")[0]

    def load(self, fits: Callable[[Any], bool], wanted: str) -> Any:
        """The object itself.

        Args:
            fits: whether it is what the group asks for.
            wanted: the end of 'problem "kiln" ...' where it is not: 'is no subclass of Problem'.

        Raises:
            CampaignFileError: it cannot be imported, is something else, or two packages claim its name.
        """
        what, where = f"{KINDS[self.group]} '{self.name}'", f"{self.package}, {self.value}"
        if self.rival is not None:
            said = f"{what} is brought by {self.package} and by {self.rival}"
            raise CampaignFileError(said, where=self.group, remedy="uninstall one of them")
        try:
            found = EntryPoint(self.name, self.value, self.group).load()
        except (Exception, SystemExit) as error:  # somebody else's module, which may end in any way
            raise CampaignFileError(
                f"{what} cannot be loaded: {type(error).__name__}: {error}",
                where=where,
                remedy="repair or uninstall the package that provides it",
            ) from error
        if not fits(found):
            raise CampaignFileError(f"{what} {wanted}", where=where, remedy="correct the package's entry point")
        return found


def installed(group: str, built_in: Collection[str] = ()) -> dict[str, PlugIn]:
    """Name to plug-in of a group, in the order of their names.

    Args:
        group: of entry points.
        built_in: names that the program has of its own, which no plug-in can take.
    """
    return {name: found for name, found in _declared(group, tuple(sys.path)).items() if name not in built_in}


def shadowed(group: str, built_in: Collection[str]) -> tuple[PlugIn, ...]:
    """Plug-ins that nobody can reach, because the program has their names of its own."""
    return tuple(found for name, found in _declared(group, tuple(sys.path)).items() if name in built_in)


@lru_cache(maxsize=32)
def _declared(group: str, _: tuple[str, ...]) -> dict[str, PlugIn]:
    """What is declared on a search path. Reading it takes a file for each installed package, so it is kept."""
    found: dict[str, PlugIn] = {}
    for entry in sorted(entry_points(group=group), key=lambda e: (e.name, e.value)):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unnamed package"
        before = found.get(entry.name)
        if before is None:
            found[entry.name] = PlugIn(group, entry.name, entry.value, package)
        elif before.rival is None:
            found[entry.name] = PlugIn(group, entry.name, before.value, before.package, package)
    return found
