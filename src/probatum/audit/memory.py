"""What checks raised before, so that an audit looks only at what changed.

A look is named by its check, its level and the content of all that the check is shown. Data and finished experiments
do not change, so most looks of an audit are those of the audit before.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from probatum.audit.content import Contents
from probatum.audit.finding import SEVERITIES, Alarm, Check
from probatum.audit.subjects import Subject
from probatum.campaigns.manifest import source_digest

LIBRARIES = ("numpy", "scipy", "scikit-learn")
"""Distributions whose versions can change what a check raises."""

Looks = Mapping[str, tuple[Alarm, ...]]


class Memory:
    """Remembers looks.

    Args:
        looks: name of a look to what it raised.
    """

    def __init__(self, looks: Looks | None = None):
        self._before: Looks = looks or {}
        self._now: dict[str, tuple[Alarm, ...]] = {}
        self._contents = Contents()

    @classmethod
    def read(cls, file: Path) -> Memory:
        """The memory in a file; an empty one where it is missing, damaged, or of other checks or libraries."""
        try:
            head, _, body = file.read_bytes().partition(b"\n")
            if head != _seal(body):
                return cls()
            return cls({name: tuple(_alarm(*values) for values in found) for name, found in json.loads(body).items()})
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return cls()

    def look(self, check: Check, subject: Subject, level: float) -> tuple[Alarm, ...]:
        """What a check raises; it is asked only where the same look is not remembered.

        Args:
            check: that looks.
            subject: that it looks at.
            level: its share of the budget of false alarms.
        """
        contents = [self._contents.name(part) for part in subject.parts]
        if None in contents:
            return raised(check, subject, level)
        name = sha256(" ".join([check.code, repr(level), *map(str, contents)]).encode()).hexdigest()[:32]
        if name not in self._now:
            self._now[name] = self._before[name] if name in self._before else raised(check, subject, level)
        return self._now[name]

    def write(self, file: Path) -> None:
        """Keeps the looks that were asked for since this memory was made, and forgets all others.

        A file that cannot be written is left as it is: the next audit looks again.
        """
        if dict(self._before) == self._now:
            return
        body = json.dumps({name: [_values(alarm) for alarm in found] for name, found in self._now.items()}).encode()
        partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
        try:
            partial.write_bytes(sealed(body))
            os.replace(partial, file)
            self._before = dict(self._now)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()


def raised(check: Check, subject: Subject, level: float) -> tuple[Alarm, ...]:
    """What a check raises now, with figures as they are read back: a finding is the same, remembered or not.

    What is looked at may hold anything, and numbers that overflow are not finite: no reason for numpy to warn.
    """
    with np.errstate(all="ignore"):
        return tuple(_alarm(*_values(alarm)) for alarm in check.look(subject.shown, level))


def _values(alarm: Alarm) -> tuple[str, dict[str, float], str | None, str | None]:
    figures = {name: float(value) for name, value in alarm.figures.items()}
    return alarm.message, figures, alarm.subject, alarm.severity


def _alarm(message: Any, figures: Any, subject: Any, severity: Any) -> Alarm:
    if not isinstance(message, str) or not isinstance(subject, str | None) or severity not in (None, *SEVERITIES):
        raise ValueError("no alarm")
    return Alarm(message, {str(name): float(value) for name, value in figures.items()}, subject, severity)


def sealed(body: bytes) -> bytes:
    """What is written of a body, with a seal of it and of what it was found with."""
    return _seal(body) + b"\n" + body


def _seal(body: bytes) -> bytes:
    return sha256(f"{checks_version()} ".encode() + body).hexdigest().encode()


@cache
def checks_version() -> str:
    """Names the program with its checks, and the libraries that they compute with."""
    return " ".join([source_digest(), *(f"{name} {version(name)}" for name in LIBRARIES)])
