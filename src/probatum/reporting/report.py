"""The report of a campaign: one HTML file that needs no network and no script."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from probatum.audit.inspection import Audit
from probatum.campaigns.artifacts import storage_errors
from probatum.laboratory import Laboratory, Results
from probatum.reporting import numbers
from probatum.reporting.findings import audit_values, findings_summary
from probatum.reporting.records import results_values, submitted_values
from probatum.reporting.tables import calibration_remarks, champion_lines, effect_remarks, remarks
from probatum.version import __version__


def write_report(
    laboratory: Laboratory, results: Results, path: Path | None = None, *, audit: Audit | None = None
) -> Path:
    """Writes a campaign's report.

    Args:
        laboratory: of the campaign.
        results: from it.
        path: of the file; default: `report.html` in the campaign's state folder.
        audit: of the same results; default: it is made.

    Raises:
        StorageError: the file cannot be written.
    """
    path = path or laboratory.campaign.folder / "report.html"
    environment = Environment(
        loader=PackageLoader("probatum.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "figure": numbers.figure,
        "signed": numbers.signed,
        "interval": lambda bounds: numbers.interval(tuple(bounds) if bounds else None),  # type: ignore[arg-type]
        "probability": numbers.probability,
        "duration": numbers.duration,
    }
    values = results_values(laboratory, results)
    audit = audit or laboratory.audit(results)
    datasets = laboratory.campaign.datasets
    calibration = submitted_values(laboratory)
    text = environment.get_template("report.html").render(
        values=values,
        remarks=remarks(values),
        effect_remarks=effect_remarks(values),
        champion_lines=champion_lines(values["champion"], values["protocol"]["metric"], values["baseline"]),
        blocked=_blocked(laboratory, results),
        audit=audit_values(audit),
        audit_summary=findings_summary(audit)[0],
        calibration=calibration,
        calibration_remarks=calibration_remarks(calibration) if calibration else [],
        submissions=len(laboratory.campaign.ledger.submissions()),
        verdicts={v["arm"]: v for v in values["verdicts"]},
        datasets=datasets.values(),
        split_counts={task: sum(s.task == task for s in laboratory.campaign.splits) for task in datasets},
        looks=laboratory.campaign.ledger.held_out_accesses(),
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        version=__version__,
    )
    with storage_errors(path.parent):
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    return path


def _blocked(laboratory: Laboratory, results: Results) -> dict[str, list[str]]:
    """Codes of errors to the experiments, better than the baseline, that they keep from being champion."""
    by_codes: dict[str, list[str]] = {}
    for name, errors in laboratory.blocked(results).items():
        by_codes.setdefault(", ".join(sorted({f.code for f in errors})), []).append(name)
    return by_codes
