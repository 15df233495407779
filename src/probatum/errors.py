"""Everything that Probatum raises on purpose.

```
ProbatumError
├── UsageError                    what the person asking can put right; the shell sees exit code 2
│   ├── CampaignFileError           a campaign file, recipe or protocol that cannot be used      (ValueError)
│   ├── UnknownNameError            a problem, task, feature, model or experiment nobody knows   (KeyError)
│   ├── DataError                   a data file or table that cannot be used                     (ValueError)
│   │   └── DataMissingError          data that is neither here nor can be fetched               (FileNotFoundError)
│   ├── HiddenTruthError            the truth of an inverse problem asked for outside scoring    (PermissionError)
│   ├── IncomparableError           arms that must not be compared                               (ValueError)
│   ├── ProtocolFrozenError         a protocol changed after its first run                       (ValueError)
│   ├── FinishedExperimentError     a finished experiment changed                                (ValueError)
│   ├── CampaignLockedError         another live process works on the campaign                   (RuntimeError)
│   ├── LedgerError                 a ledger that is corrupt, foreign or newer than the program  (RuntimeError)
│   ├── StorageError                a folder that cannot be written, a full disk                 (OSError)
│   └── ClusterError                a cluster that cannot be reached, trusted or used            (ConnectionError)
└── FitError                      a training that failed; recorded, and the campaign goes on     (RuntimeError)
```
A message says what is wrong, where, and what to do, in one line.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ProbatumError(Exception):
    """Base of all errors raised on purpose.

    Args:
        what: what is wrong.
        where: the file, line, key or column it is wrong in.
        remedy: what to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None):
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"

    def __reduce__(self):
        return (_rebuild, (type(self), self.what, self.where, self.remedy))


def _rebuild(kind: type[ProbatumError], what: str, where: str | None, remedy: str | None) -> ProbatumError:
    return kind(what, where=where, remedy=remedy)


class UsageError(ProbatumError):
    """What the person asking can put right."""


class CampaignFileError(UsageError, ValueError):
    """A campaign file, recipe or protocol that cannot be used."""


class UnknownNameError(UsageError, KeyError):
    """A name that nobody knows; the message offers the nearest valid one."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str], *, where: str | None = None) -> UnknownNameError:
        """The error for `name`, which is not among the `known` names of a `kind` ('feature', 'model', ...)."""
        return cls(f"unknown {kind} '{name}'", where=where, remedy=nearest(name, known))


class DataError(UsageError, ValueError):
    """A data file or table that cannot be used."""


class DataMissingError(DataError, FileNotFoundError):
    """Data that is neither here nor can be fetched."""


class HiddenTruthError(UsageError, PermissionError):
    """The truth of an inverse problem was asked for outside scoring."""


class IncomparableError(UsageError, ValueError):
    """Arms that must not be compared; the message names the difference."""


class ProtocolFrozenError(UsageError, ValueError):
    """A protocol that changed after its first run."""


class FinishedExperimentError(UsageError, ValueError):
    """A finished experiment that somebody tried to change."""


class CampaignLockedError(UsageError, RuntimeError):
    """Another live process works on the campaign."""


class LedgerError(UsageError, RuntimeError):
    """A ledger that is corrupt, foreign or newer than the program."""


class StorageError(UsageError, OSError):
    """A folder that cannot be written or a full disk."""


class ClusterError(UsageError, ConnectionError):
    """A cluster that cannot be reached, trusted or used."""


class FitError(ProbatumError, RuntimeError):
    """A training that failed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for a misspelt name: the nearest known ones, or all of them where none is near."""
    known = sorted(known)
    close = get_close_matches(name, known, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    if not known:
        return "there is none here"
    shown = ", ".join(known[:24]) + (", ..." if len(known) > 24 else "")
    return f"valid: {shown}"
