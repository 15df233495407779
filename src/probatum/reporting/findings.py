"""Findings for people, programs, code scanners and the annotations of GitHub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from rich.markup import escape
from rich.table import Table

from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import SEVERITIES, Check, Finding
from probatum.audit.inspection import Audit
from probatum.version import __version__

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Place:
    """Where scanners and annotations show findings.

    Attributes:
        file: that was audited, relative to the repository, with '/'.
        lines: name of an experiment to the line that it stands in; others are shown at line 1.
    """

    file: str
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, finding: Finding) -> int:
        return self.lines.get(finding.subject or "", 1)


def audit_values(audit: Audit) -> dict[str, Any]:
    """An audit as plain values."""
    return {
        "audited": audit.name,
        "checked": list(audit.checked),
        "counts": {severity: count(audit, severity) for severity in SEVERITIES},
        "findings": [finding_values(f) for f in audit.findings],
    }


def finding_values(finding: Finding) -> dict[str, Any]:
    """A finding as plain values."""
    return {
        "code": finding.code,
        "title": CHECKS[finding.code].title,
        "severity": finding.severity,
        "subject": finding.subject,
        "message": finding.message,
        "figures": {name: float(value) for name, value in finding.figures.items()},
        "remedy": CHECKS[finding.code].remedy,
        "ignored": finding.ignored,
    }


def check_values(check: Check) -> dict[str, str]:
    """What is known of a check, for `probatum explain PB101`."""
    return {
        "finds": check.title,
        "severity": check.severity,
        "explanation": " ".join(check.explanation.split()),
        "remedy": check.remedy,
        "detects": check.detects,
    }


def count(audit: Audit, severity: str) -> int:
    """How many findings of a severity are not ignored."""
    return sum(f.severity == severity and f.ignored is None for f in audit.findings)


def findings_table(audit: Audit) -> Table:
    """One line a finding, the worst first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("code", "severity", "of", "finding"):
        table.add_column(heading, no_wrap=heading in ("code", "severity"), overflow="fold")
    for f in audit.findings:
        colour = COLOURS[f.severity] if f.ignored is None else "dim"
        what = escape(f.message) + (f" [dim](ignored: {escape(f.ignored)})[/]" if f.ignored else "")
        table.add_row(f.code, f"[{colour}]{f.severity}[/]", escape(f.subject or "all"), what)
    return table


def findings_summary(audit: Audit) -> list[str]:
    """What stands under the table: how many of each, what to do about each code."""
    numbers = [f"{n} {s}{'s' if n != 1 else ''}" for s in SEVERITIES if (n := count(audit, s))]
    ignored = sum(f.ignored is not None for f in audit.findings)
    numbers += [f"{ignored} ignored"] if ignored else []
    lines = [f"{audit.name}: {len(audit.checked)} checks, {', '.join(numbers) or 'nothing found'}"]
    codes = Counter(f.code for f in audit.findings if f.ignored is None)
    return [*lines, *(f"{code}: {CHECKS[code].remedy}" for code in sorted(codes))]


def github_annotations(audit: Audit, place: Place | None = None) -> list[str]:
    """Workflow commands that GitHub shows at a file: '::error title=PB101::...'; ignored findings are left out."""
    levels = {"error": "error", "warning": "warning", "note": "notice"}
    return [
        f"::{levels[f.severity]} {_at(place, f)}title={_property(f'{f.code} {CHECKS[f.code].title}')}"
        f"::{_data(f'{f.subject}: {f.message}' if f.subject else f.message)}"
        for f in audit.findings
        if f.ignored is None
    ]


def sarif(audit: Audit, place: Place | None = None) -> Mapping[str, Any]:
    """The audit as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for code scanners."""
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CHECKS[code].title},
            "fullDescription": {"text": " ".join(CHECKS[code].explanation.split())},
            "help": {"text": CHECKS[code].remedy},
            "defaultConfiguration": {"level": CHECKS[code].severity},
        }
        for code in sorted({f.code for f in audit.findings})
    ]
    driver = {"name": "probatum", "semanticVersion": __version__, "rules": rules}
    results = [_result(f, place) for f in audit.findings]
    return {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Finding, place: Place | None) -> dict[str, Any]:
    about = finding.subject or "all"
    location: dict[str, Any] = {"logicalLocations": [{"name": about, "kind": "experiment"}]}
    if place is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(place.file)},
            "region": {"startLine": place.line(finding)},
        }
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [location],
        # one alert goes on while its figures change
        "partialFingerprints": {"primaryLocationLineHash": sha256(f"{finding.code} {about}".encode()).hexdigest()},
        "properties": {name: float(value) for name, value in finding.figures.items()},
    }
    if finding.ignored:
        result["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return result


def _at(place: Place | None, finding: Finding) -> str:
    return f"file={_property(place.file)},line={place.line(finding)}," if place is not None else ""


def _data(text: str) -> str:
    """A workflow command's message, escaped as GitHub asks."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
