"""What an audit finds, and the checks that find it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from probatum.notebook_tables import number, table

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Error: the result cannot be believed. Warning: look before you believe. Note: good to know."""

Scope = Literal["partition", "run", "history"]
"""What a check looks at: one partition into training and test rows, one run, or all runs together."""

FALSE_ALARMS = 0.01
"""Probability that a clean campaign gets an error or a warning from any of the checks, all of them together."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or may be.

    Attributes:
        code: of the check, 'PB101'.
        severity: the check's, or less where the case is milder.
        subject: name of the experiment or partition; None where all are meant.
        message: one line with the figure.
        figures: the numbers of the message, by name.
        ignored: the reason given for ignoring it; None where it is not ignored.
    """

    code: str
    severity: Severity
    subject: str | None
    message: str
    figures: Mapping[str, float] = field(default_factory=dict)
    ignored: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether it stands against believing the result."""
        return self.severity == "error" and self.ignored is None

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        figures = [(name, number(value)) for name, value in self.figures.items()]
        rows = [("about", self.subject or "all experiments"), ("found", self.message), *figures]
        rows += [("ignored because", self.ignored)] if self.ignored else []
        return table(f"{self.code} {self.severity}", (), rows, [f"What it means: probatum explain {self.code}"])


@dataclass(frozen=True)
class Alarm:
    """What a check raises; the audit makes a finding of it.

    Attributes:
        message: one line with the figure.
        figures: its numbers, by name.
        subject: another than what was looked at.
        severity: milder than the check's.
    """

    message: str
    figures: Mapping[str, float] = field(default_factory=dict)
    subject: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True)
class Check:
    """A check with a stable code.

    Attributes:
        code: 'PB101'.
        title: what it finds, in a few words.
        severity: of its findings.
        scope: what it looks at; `probatum.audit.subjects` says what it sees of it.
        explanation: what is wrong with it and how it is found.
        remedy: what to do.
        detects: the smallest effect that it finds, and with which power.
        statistical: whether chance can raise it; such checks share the budget of false alarms.
        look: (what is looked at, level) to alarms; level is its share of the budget, 0 for checks that chance cannot
            raise. A check that cannot see what it needs raises nothing. What it raises depends on these two alone, so
            that it can be remembered.
    """

    code: str
    title: str
    severity: Severity
    scope: Scope
    explanation: str
    remedy: str
    detects: str
    statistical: bool
    look: Callable[[Any, float], Iterable[Alarm]]


def check(
    code: str,
    title: str,
    severity: Severity,
    scope: Scope,
    *,
    remedy: str,
    detects: str,
    statistical: bool = False,
) -> Callable[[Callable[[Any, float], Iterable[Alarm]]], Check]:
    """Makes a check of a function, whose docstring is its explanation; see `Check`."""

    def made(look: Callable[[Any, float], Iterable[Alarm]]) -> Check:
        explanation = inspect.getdoc(look) or ""
        return Check(code, title, severity, scope, explanation, remedy, detects, statistical, look)

    return made
