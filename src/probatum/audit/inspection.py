"""An audit: every check looks at what it is for, and what may be ignored is marked with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from probatum.audit.catalogue import BUILT_IN, CHECKS
from probatum.audit.finding import FALSE_ALARMS, SEVERITIES, Alarm, Finding, Scope
from probatum.audit.history import History
from probatum.audit.memory import Memory, raised
from probatum.audit.subjects import subjects_of
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.notebook_tables import table


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        name: of what was audited.
        findings: the worst first, then in the order of their codes.
        checked: codes of the checks that looked.
    """

    name: str
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that stand against believing a result."""
        return tuple(f for f in self.findings if f.blocks)

    def against(self, subject: str) -> tuple[Finding, ...]:
        """Errors about an experiment, or about all."""
        return tuple(f for f in self.errors if f.subject in (subject, None))

    def _repr_html_(self) -> str:
        """As a notebook shows it: the findings, the worst first."""
        rows = [(f.code, f.severity, f.subject or "all", f.message, f.ignored or "") for f in self.findings]
        headings = ("code", "severity", "about", "found", *(("ignored because",) if any(r[-1] for r in rows) else ()))
        said = f"{len(self.checked)} checks looked" + ("" if rows else "; nothing was found") + "."
        return table(f"Audit of {self.name}", headings, [row[: len(headings)] for row in rows], [said])


def inspect(
    history: History,
    *,
    only: Sequence[str] | None = None,
    codes: Sequence[str] | None = None,
    ignore: Mapping[str, str] | None = None,
    memory: Memory | None = None,
) -> Audit:
    """Audits a history.

    Args:
        history: of a campaign, a table of runs or a pair of arrays.
        only: runs to look at; default: all. Checks of the whole history always look at all of it, and the level of a
            look does not depend on which others are taken.
        codes: checks to be made; default: all.
        ignore: code, or 'CODE subject', to the reason why it is ignored.
        memory: of earlier audits: looks that it holds are not taken again, and it holds those of this one afterwards.

    Raises:
        UnknownNameError: a code or run that does not exist.
        CampaignFileError: something is ignored without a reason.
    """
    ignore = dict(ignore or {})
    check_ignored(ignore)
    for code in codes or ():
        if code not in CHECKS:
            raise UnknownNameError.of("check", code, CHECKS)
    names = {run.name for run in history.runs}
    for name in only or ():
        if name not in names:
            raise UnknownNameError.of("experiment", name, names)
    made = [c for code, c in CHECKS.items() if codes is None or code in codes]
    budget = FALSE_ALARMS / max(sum(c.statistical for c in CHECKS.values()), 1)
    subjects = {scope: subjects_of(scope, history) for scope in get_args(Scope)}
    findings = []
    for one in made:
        # The memory knows when the program's own checks change, and not when those of plug-ins do.
        look = memory.look if memory is not None and one.code in BUILT_IN else raised
        looked_at = [s for s in subjects[one.scope] if one.scope != "run" or only is None or s.name in only]
        alarms = [
            (alarm.subject or subject.name, alarm)
            for subject in looked_at
            for alarm in look(one, subject, budget * subject.share if one.statistical else 0.0)
        ]
        if one.scope == "partition":
            alarms = _worst(alarms, len(looked_at))
        for about, alarm in alarms:
            reason = ignore.get(f"{one.code} {about}", ignore.get(one.code))
            severity = alarm.severity or one.severity
            findings.append(Finding(one.code, severity, about, alarm.message, alarm.figures, reason))
    findings.sort(key=lambda f: (f.ignored is not None, SEVERITIES.index(f.severity), f.code))
    return Audit(history.name, tuple(findings), tuple(c.code for c in made))


def check_ignored(ignore: Mapping[str, object], *, where: str | None = None) -> None:
    """Refuses codes that do not exist, and reasons that are none.

    Raises:
        UnknownNameError, CampaignFileError.
    """
    for key, reason in ignore.items():
        code = key.partition(" ")[0]
        if code not in CHECKS:
            raise UnknownNameError.of("check", code, CHECKS, where=where)
        if not isinstance(reason, str) or not reason.strip():
            raise CampaignFileError(
                f"{code} is ignored without a reason", where=where, remedy=f"write {code} = 'why it does not matter'"
            )


def _worst(alarms: list[tuple[str | None, Alarm]], splits: int) -> list[tuple[str | None, Alarm]]:
    """One alarm of each kind for all the splits that share it: that of the largest first figure."""
    kinds: dict[tuple[Any, ...], list[tuple[str | None, Alarm]]] = {}
    for name, alarm in alarms:
        kinds.setdefault((alarm.severity, *alarm.figures), []).append((name, alarm))
    found = []
    for alike in kinds.values():
        name, worst = max(alike, key=lambda one: next(iter(one[1].figures.values()), 0.0))
        count = len({about for about, _ in alike})
        message = f"{worst.message}; in {count} of {splits} splits, most in this one" if count > 1 else worst.message
        found.append((name, replace(worst, message=message)))
    return found
