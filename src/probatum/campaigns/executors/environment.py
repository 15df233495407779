"""What must be the same on a driver and its workers, so that they get the same bits."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from probatum.campaigns.manifest import LIBRARIES, libraries, source_digest
from probatum.errors import ClusterError
from probatum.version import __version__

OPTIONAL = ("tinygp", "xgboost", "xgboost-cpu")
"""Libraries that a worker may lack where no job needs them; where it has them, their versions count."""


def environment() -> dict[str, str]:
    """The program, Python, the kind of processor, and libraries that decide bits: name to version."""
    return {
        "probatum": f"{__version__} ({source_digest()[:12]})",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "machine": platform.machine(),
        **{name: found for name, found in libraries((*LIBRARIES, *OPTIONAL)).items() if found is not None},
    }


def require_same(address: str, theirs: Mapping[str, str]) -> None:
    """Holds a worker's environment against that of this process.

    Args:
        address: of the worker.
        theirs: its environment.

    Raises:
        ClusterError: they differ.
    """
    different = [
        f"{name} {theirs.get(name, 'missing')} there, {version} here"
        for name, version in environment().items()
        if theirs.get(name) != version and not (name in OPTIONAL and name not in theirs)
    ]
    if different:
        raise ClusterError(
            f"versions differ, and so may results: {'; '.join(different)}",
            where=address,
            remedy="install the same versions on the workers as here",
        )
