"""How much an agent may ask: sizes, numbers and rates, each refused with a sentence."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from probatum.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """What one server takes.

    Attributes:
        calls: of all tools, in a minute.
        proposals: in a minute.
        at_once: calls in progress.
        waiting: proposals that wait to be run.
        batch: experiments of one batch.
        seconds: that one batch may be asked to run.
        argument: characters of a call's arguments as JSON.
        edit: characters of an edit as JSON.
        depth: of tables in tables in an edit.
        name: characters of a name.
        text: characters of a hypothesis or a reason.
        whole: largest whole number of an edit: epochs, trees, seeds.
        width: largest whole number inside a list, such as the units of a layer.
        items: of a list.
        cases: of one prediction.
        answer: characters of a text that is returned.
    """

    calls: int = 240
    proposals: int = 40
    at_once: int = 16
    waiting: int = 32
    batch: int = 8
    seconds: float = 3600.0
    argument: int = 200_000
    edit: int = 8_000
    depth: int = 5
    name: int = 80
    text: int = 2_000
    whole: int = 20_000
    width: int = 2_048
    items: int = 64
    cases: int = 1_000
    answer: int = 60_000


class Pace:
    """At most so many events in a minute.

    Args:
        most: of them.
        what: they are, in the plural, as the refusal says it.
        clock: in seconds.
    """

    def __init__(self, most: int, what: str, clock: Callable[[], float] = time.monotonic):
        self._most, self._what, self._clock = most, what, clock
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def spend(self) -> None:
        """Counts one event.

        Raises:
            UsageError: there were too many in the last minute; this one is not counted.
        """
        with self._lock:
            now = self._clock()
            while self._times and now - self._times[0] >= 60:
                self._times.popleft()
            if len(self._times) >= self._most:
                wait = 60 - (now - self._times[0])
                what = f"more than {self._most} {self._what} in a minute"
                raise UsageError(what, where="this server", remedy=f"wait {wait:.0f} s")
            self._times.append(now)
