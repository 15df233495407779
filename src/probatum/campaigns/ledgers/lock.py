"""One process at a time works on a campaign. The system frees the lock when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from probatum.campaigns.artifacts import storage_errors
from probatum.errors import CampaignLockedError

HOLDER = "lock.holder"


class CampaignLock:
    """The lock of a campaign's state folder.

    Args:
        folder: the state folder, which exists.
    """

    def __init__(self, folder: Path):
        self._lock = FileLock(folder / "lock", timeout=0)
        self._holder = folder / HOLDER

    def __enter__(self) -> CampaignLock:
        with storage_errors(self._holder.parent):
            try:
                self._lock.acquire()
            except Timeout:
                raise CampaignLockedError(
                    f"another process works on this campaign ({self._who()})",
                    where=str(self._holder.parent),
                    remedy="wait for it or stop it",
                ) from None
            started = datetime.now().astimezone().isoformat(timespec="seconds")
            self._holder.write_text(f"pid {os.getpid()} on {socket.gethostname()} since {started}", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    def _who(self) -> str:
        with contextlib.suppress(OSError):
            return self._holder.read_text(encoding="utf-8", errors="replace")
        return "unknown"


def holder_of(folder: Path) -> str | None:
    """Who works on a campaign, as its lock says; None where nobody does, or who did was killed.

    Looks only: the lock is not taken, so that a run may begin meanwhile.

    Args:
        folder: the campaign's state folder.
    """
    try:
        said = (folder / HOLDER).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.match(r"pid (\d{1,9}) on (\S+) since", said)
    # Windows has no signal 0: there it would be Ctrl-C.
    if found and found[2] == socket.gethostname() and os.name == "posix":
        try:
            os.kill(int(found[1]), 0)
        except ProcessLookupError:
            return None
        except OSError:
            pass  # somebody else's process, and so alive
    return said
