"""The forms that a report can be written in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum.audit.inspection import Audit
from probatum.errors import UnknownNameError
from probatum.laboratory import Laboratory, Results
from probatum.planning.round_file import replace_text
from probatum.reporting.latex_table import latex_table
from probatum.reporting.markdown_report import markdown_report
from probatum.reporting.notebook_report import notebook_report
from probatum.reporting.report import write_report
from probatum.reporting.report_values import report_values

SUFFIXES = {"html": "html", "md": "md", "json": "json", "ipynb": "ipynb", "latex-table": "tex"}
"""Form to the suffix of its file."""


def write_form(
    laboratory: Laboratory, results: Results, form: str, path: Path | None = None, *, audit: Audit | None = None
) -> Path:
    """Writes a campaign's report.

    Args:
        laboratory: of the campaign.
        results: from it, with at least one finished experiment.
        form: one of `SUFFIXES`.
        path: of the file; default: 'report' with the form's suffix in the campaign's state folder.
        audit: of the same results; default: it is made.

    Raises:
        UnknownNameError: no such form.
        StorageError: the file cannot be written.
    """
    if form not in SUFFIXES:
        raise UnknownNameError.of("format", form, SUFFIXES, where="report")
    path = path or laboratory.campaign.folder / f"report.{SUFFIXES[form]}"
    if form == "html":
        return write_report(laboratory, results, path, audit=audit)
    values = report_values(laboratory, results, audit or laboratory.audit(results))
    match form:
        case "md":
            text = markdown_report(values)
        case "ipynb":
            text = notebook_report(values, os.path.relpath(laboratory.campaign.file.path, path.parent))
        case "latex-table":
            text = latex_table(values)
        case _:
            text = json.dumps(strict(values), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    replace_text(path, text)
    return path


def strict(value: Any) -> Any:
    """Plain values that JSON has forms for: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(k): strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict(v) for v in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
