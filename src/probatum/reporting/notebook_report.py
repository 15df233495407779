"""The report as a notebook: its text, and cells that compute the same from the campaign, to go on from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from probatum.reporting.markdown_report import markdown_report

CELLS = {
    "The champion, and why": """\
from probatum.reporting.figures import tree_figure, trajectory_figure

trajectory_figure(values, floors=laboratory.score_floors())""",
    "What worked, what failed": """\
from probatum.reporting.figures import effects_figure

effects_figure(values) if values["effects"] else "no effects: no finished experiment has a finished parent\"""",
    "Where it works: targets and groups": """\
from probatum.reporting.figures import scatter_figure
from probatum.reporting.experiment_arrays import panels_of

shown = values["champion"]["name"] if values["champion"] else values["best"] or values["baseline"]
dataset = next(iter(laboratory.campaign.datasets.values()))
quantities = [(q.name, q.unit) for q in dataset.quantities]
scatter_figure(panels_of(laboratory, shown), quantities, shown, laboratory.metric.name)""",
    "All experiments": """\
import pandas as pd

pd.DataFrame(values["arms"]).set_index("name")[["score", "seed_spread", "seeds", "folds", "rows"]]""",
}
"""Title of a section to the code that follows it."""


def notebook_report(values: Mapping[str, Any], campaign: str) -> str:
    """The report in Jupyter's format 4.5.

    Args:
        values: from `report_values.report_values`.
        campaign: path of the campaign file, from the folder that the notebook lies in.
    """
    opening = (
        "from probatum.laboratory import Laboratory\n"
        "from probatum.reporting.records import results_values\n\n"
        f"laboratory = Laboratory.open({campaign!r})\n"
        "results = laboratory.results()\n"
        "values = results_values(laboratory, results, groups=False)"
    )
    head, *sections = re.split(r"^(?=## )", markdown_report(values), flags=re.MULTILINE)
    cells = [_cell("markdown", head), _cell("code", opening)]
    for section in sections:
        cells.append(_cell("markdown", section))
        title = section.partition("\n")[0].partition(". ")[2]
        if title in CELLS:
            cells.append(_cell("code", CELLS[title]))
    content = {
        "cells": [{**cell, "id": _id(i, cell["source"])} for i, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text.strip("\n").splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _id(place: int, source: list[str]) -> str:
    return hashlib.sha256(f"{place}{''.join(source)}".encode()).hexdigest()[:12]
