"""What a running campaign tells whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RoundStarted:
    """A round begins: `experiments` are worked on, `fits` are to be trained, `known` were found in the ledger."""

    round: int
    experiments: tuple[str, ...]
    fits: int
    known: int


@dataclass(frozen=True)
class JobStarted:
    """Fits were handed to a worker."""

    job: str
    model: str
    fits: int


@dataclass(frozen=True)
class JobFinished:
    """Fits were recorded: `keys` of those that succeeded."""

    job: str
    keys: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class FitsFound:
    """Another driver of the campaign has finished these fits, which this one has waited for."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class FitRetried:
    """A fit failed, or its machine was lost, and it is tried again."""

    key: str
    reason: str


@dataclass(frozen=True)
class FitFailed:
    """A fit failed for good; the campaign goes on."""

    key: str
    status: str
    error: str


@dataclass(frozen=True)
class ExperimentKept:
    """A finished experiment was run with other code or libraries than those of now; its results stay as they are."""

    name: str


@dataclass(frozen=True)
class ExperimentFinished:
    """All fits of an experiment are recorded."""

    name: str


Event = (
    RoundStarted | JobStarted | JobFinished | FitsFound | FitRetried | FitFailed | ExperimentKept | ExperimentFinished
)
Listener = Callable[[Event], None]
