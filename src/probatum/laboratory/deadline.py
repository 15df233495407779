"""A deadline: a listener that ends a run when the time is over. What is recorded by then is kept."""

from __future__ import annotations

import time

from probatum.campaigns.events import Event, Listener


class OutOfTime(Exception):
    """The budget is spent while something runs; what is recorded is kept."""


def until(deadline: float, tell: Listener) -> Listener:
    """A listener that passes events on, and ends the run after the deadline.

    Args:
        deadline: on the monotonic clock, in seconds.
        tell: who is passed every event.
    """

    def listen(event: Event) -> None:
        tell(event)
        if time.monotonic() > deadline:
            raise OutOfTime

    return listen
