"""Where the user's own modules are imported from: behind the standard library, and before everything else.

A file 'statistics.py' or 'http.py' beside a campaign would otherwise stand in for the standard library's, and whatever
needs that would fail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

_LIBRARY = Path(os.__file__).parent
_STANDARD = {str(_LIBRARY), str(_LIBRARY / "lib-dynload")}


def import_own_modules_from(folders: Iterable[str]) -> None:
    """Lets modules be imported from folders, in the driver and in its workers alike.

    Args:
        folders: absolute; those that stand in `sys.path` already are moved.
    """
    standard = [p for p in sys.path if p in _STANDARD]
    own = [p for p in dict.fromkeys(folders) if p not in standard]
    sys.path[:] = [*standard, *own, *(p for p in sys.path if p not in standard and p not in own)]
