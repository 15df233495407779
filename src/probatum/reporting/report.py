"""The report of a campaign: one HTML file that needs no network and no script, written as a paper's supplement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from probatum.audit.inspection import Audit
from probatum.laboratory import Laboratory, Results
from probatum.learning.metrics import METRICS
from probatum.planning.round_file import replace_text
from probatum.reporting import numbers
from probatum.reporting.figures.marks import mutation_label
from probatum.reporting.inline_svg import theme_css
from probatum.reporting.report_pictures import ReportPicture, curve_pictures, report_pictures
from probatum.reporting.report_text import (
    MOST_SPLITS_SHOWN,
    judged_by,
    opening,
    protocol_rows,
    setting,
    shown_arms,
    shown_effects,
)
from probatum.reporting.report_values import report_values, shown_experiment
from probatum.reporting.sentences import calibration_remarks, champion_lines, effect_remarks

SECTIONS = {
    "summary": "Summary",
    "data": "Data",
    "protocol": "Protocol",
    "champion": "The champion, and why",
    "effects": "What worked, what failed",
    "groups": "Where it works: targets and groups",
    "predictions": "Predictions",
    "curves": "Learning curves",
    "findings": "Findings and remedies",
    "next": "What to try next",
    "calibration": "Internal and external scores",
    "experiments": "All experiments",
    "reproduction": "Reproduction",
}
"""Name of a section, which its template carries too, to its title."""


@dataclass
class Captions:
    """Numbers tables and figures in the order of the page."""

    counts: dict[str, int] = field(default_factory=dict)

    def __call__(self, kind: str, text: str) -> Markup:
        """'Table 3. text', escaped."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return Markup(f"<b>{kind} {self.counts[kind]}.</b> {escape(text)}")


def write_report(
    laboratory: Laboratory, results: Results, path: Path | None = None, *, audit: Audit | None = None
) -> Path:
    """Writes a campaign's report.

    Args:
        laboratory: of the campaign.
        results: from it, with at least one finished experiment.
        path: of the file; default: `report.html` in the campaign's state folder.
        audit: of the same results; default: it is made.

    Raises:
        StorageError: the file cannot be written.
    """
    path = path or laboratory.campaign.folder / "report.html"
    values = report_values(laboratory, results, audit or laboratory.audit(results))
    curves, sparklines = curve_pictures(laboratory, results, values)
    pictures = report_pictures(laboratory, values) | {"curves": curves}
    text = report_html(values, pictures, sparklines)
    replace_text(path, text)
    return path


def report_html(
    values: Mapping[str, Any], pictures: Mapping[str, Sequence[ReportPicture]], sparklines: Mapping[str, str]
) -> str:
    """The page.

    Args:
        values: from `report_values.report_values`.
        pictures: from `report_pictures.report_pictures`.
        sparklines: experiment to its small learning curve.
    """
    anchors = {e["name"]: f"experiment-{i}" for i, e in enumerate(values["experiments"], 1)}
    environment = Environment(
        loader=PackageLoader("probatum.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "figure": numbers.figure,
        "signed": numbers.signed,
        "interval": lambda bounds: numbers.interval(tuple(bounds) if bounds else None),  # type: ignore[arg-type]
        "probability": numbers.probability,
        "duration": numbers.duration,
        "setting": setting,
        "mutation": mutation_label,
        "experiment": lambda name: _linked(name, anchors),
    }
    environment.filters.update(filters)
    metric = values["protocol"]["metric"]
    sections = [name for name in SECTIONS if _is_there(name, values, pictures)]
    return environment.get_template("report.html").render(
        values=values,
        sections=[{"name": name, "title": SECTIONS[name], "number": i} for i, name in enumerate(sections, 1)],
        style=Markup(theme_css()),
        caption=Captions(),
        pictures={name: [_marked(p) for p in of_one] for name, of_one in pictures.items()},
        sparklines={name: Markup(svg) for name, svg in sparklines.items()},
        anchors=anchors,
        opening=opening(values),
        protocol_rows=protocol_rows(values),
        imported=METRICS[metric].recorded,
        shown=shown_experiment(values),
        arms=shown_arms(values),
        most_splits=MOST_SPLITS_SHOWN,
        effects=shown_effects(values),
        remarks=judged_by(values),
        effect_remarks=effect_remarks(values),
        champion_lines=champion_lines(values),
        calibration_remarks=calibration_remarks(values["calibration"]) if values["calibration"] else [],
        verdicts={v["arm"]: v for v in values["verdicts"]},
        scores={a["name"]: a for a in values["arms"]},
        found=_by_subject(values),
    )


def _is_there(section: str, values: Mapping[str, Any], pictures: Mapping[str, Sequence[ReportPicture]]) -> bool:
    match section:
        case "predictions":
            return bool(pictures["predictions"] or pictures["problem"])
        case "curves":
            return bool(pictures["curves"])
        case "calibration":
            return bool(values["calibration"] or values["submissions"])
        case _:
            return True


def _marked(picture: ReportPicture) -> dict[str, Any]:
    return {"name": picture.name, "caption": picture.caption, "svg": Markup(picture.svg)}


def _linked(name: str | None, anchors: Mapping[str, str]) -> Markup:
    """An experiment's name as a link to where it stands in the report."""
    if name is None:
        return Markup("-")
    if name not in anchors:
        return escape(name)
    return Markup('<a href="#{}">{}</a>').format(anchors[name], name)


def _by_subject(values: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Experiment to the findings about it."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in values["audit"]["findings"]:
        if finding["subject"] is not None:
            found.setdefault(finding["subject"], []).append(finding)
    return found
