"""The pictures of a report, section by section, as SVG for light and dark paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.campaigns.experiment import TRIVIAL
from probatum.laboratory import Laboratory, Results
from probatum.pictures import new_figure
from probatum.reporting.experiment_arrays import OutOfFold, losses_of, out_of_fold, panels_of
from probatum.reporting.figures import (
    Panel,
    are_probabilities,
    calibration_figure,
    effects_figure,
    group_map_figure,
    learning_curves_figure,
    reliability_figure,
    residuals_figure,
    scatter_figure,
    sparkline,
    trajectory_figure,
    tree_figure,
    verdicts_figure,
)
from probatum.reporting.inline_svg import inline_svg
from probatum.reporting.records import cell_values
from probatum.reporting.report_values import shown_experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from probatum.reporting.figures.learning_curves import Curves

MOST_ROWS = 40
"""Of a forest plot in a report."""
MOST_PANELS = 12
"""Groups whose predictions are drawn, the hardest ones."""
BEST_CURVES = 6
"""Experiments whose learning curves are drawn large."""


@dataclass(frozen=True)
class ReportPicture:
    """A picture as it stands in a page.

    Attributes:
        name: unique in the page.
        caption: what one sees, with units and counts.
        svg: an <svg> element; '' where it could not be drawn, and the caption says why.
    """

    name: str
    caption: str
    svg: str


def report_pictures(laboratory: Laboratory, values: Mapping[str, Any]) -> dict[str, list[ReportPicture]]:
    """Section to its pictures.

    Args:
        laboratory: of the campaign.
        values: from `report_values.report_values`.
    """
    shown = shown_experiment(values)
    found = {
        "champion": list(_of_champion(values)),
        "effects": list(_of_effects(values)),
        "groups": list(_of_groups(laboratory, values, shown)),
        "predictions": [],
        "problem": [],
        "curves": [],
        "calibration": list(_of_calibration(values)),
    }
    known = {a["name"] for a in values["arms"]}
    if shown in known:
        tasks = out_of_fold(laboratory, shown)
        found["predictions"] = list(_of_predictions(laboratory, tasks, shown))
        found["problem"] = [p for task in tasks for p in problem_pictures(laboratory, task, several=len(tasks) > 1)]
    return found


def curve_pictures(
    laboratory: Laboratory, results: Results, values: Mapping[str, Any]
) -> tuple[list[ReportPicture], dict[str, str]]:
    """The learning curves of the best experiments, and a small one of every finished experiment that has any.

    Args:
        laboratory: of the campaign.
        results: from it; an audit of these has read all that is needed.
        values: from `report_values.report_values`.
    """
    trainings = {run.name: run.trainings for run in laboratory.auditor.history(results).runs}
    arms = [a for a in values["arms"] if not a["trivial"]]
    sign = 1 if arms and arms[0]["better"] == "lower" else -1
    small: dict[str, str] = {}
    large: dict[str, Curves] = {}
    for arm in sorted(arms, key=lambda a: sign * a["score"]):
        curves = losses_of(trainings.get(arm["name"], ()))
        if svg := sparkline(curves):
            small[arm["name"]] = svg
            if len(large) < BEST_CURVES:
                large[arm["name"]] = curves
    if not large:
        return [], small
    of = f"the best {len(large)} of {len(small)} experiments" if len(large) < len(small) else "all experiments"
    caption = (
        f"Losses over epochs of {of} that keep a training history: median (line), middle half (dark band) and all "
        "(light band) of their trainings, every split and seed one; dots: the best validation epoch of each."
    )
    return [_picture("learning-curves", learning_curves_figure(large), caption)], small


def problem_pictures(laboratory: Laboratory, task: OutOfFold, *, several: bool = False) -> Iterator[ReportPicture]:
    """The problem's own pictures of one task's predictions.

    Args:
        laboratory: of the campaign.
        task: what an experiment predicted there.
        several: whether the campaign has other tasks too, so that names say which.
    """
    problem, name = laboratory.campaign.file.problem, task.dataset.task
    for i, picture in enumerate(problem.pictures(task.dataset, task.rows, task.predictions, task.curves)):
        title = f"{picture.title} ({name})" if several else picture.title
        try:
            with new_figure(picture.width, picture.height) as figure:
                picture.draw(figure)
            svg = inline_svg(figure, f"problem-{_slug(name)}-{i}", title)
            yield ReportPicture(picture.name, f"{title}. {picture.caption}", svg)
        except Exception as error:  # a plug-in's code, which may fail in any way; the report is written all the same
            why = f"{title}: could not be drawn ({type(error).__name__}: {error})."
            yield ReportPicture(picture.name, why, "")


def _of_champion(values: Mapping[str, Any]) -> Iterator[ReportPicture]:
    tried = [e for e in values["experiments"] if not e["name"].startswith(TRIVIAL)]
    if any(e["score"] is not None for e in tried):
        floors = [(f["task"], f["score"]) for f in values["floors"]]
        yield _picture(
            "trajectory",
            trajectory_figure(values, floors=floors, target=_target(values)),
            "Scores in the order of the experiments, with the standard deviation over seeds; the line is the champion "
            "after each of them, by today's verdicts and findings.",
        )
    if tried:
        yield _picture(
            "tree",
            tree_figure(values),
            "The tree: each experiment under the one that it was made from, with its score and its verdict against the "
            f"baseline '{values['baseline']}'. A ring marks the champion.",
        )
    if values["verdicts"]:
        yield _picture(
            "verdicts",
            verdicts_figure(values, MOST_ROWS),
            f"Differences from the baseline '{values['baseline']}', the best score first, with their intervals.",
        )


def _of_effects(values: Mapping[str, Any]) -> Iterator[ReportPicture]:
    if values["effects"]:
        yield _picture(
            "effects",
            effects_figure(values, MOST_ROWS),
            "Mean effect of each mutation over all pairs of experiments that differ by it alone, with its interval; "
            "under it, in grey, the pairs.",
        )


def _of_groups(laboratory: Laboratory, values: Mapping[str, Any], shown: str) -> Iterator[ReportPicture]:
    baseline = values["baseline"]
    known = {a["name"] for a in values["arms"]}
    if shown == baseline or not {shown, baseline} <= known:
        return
    cells = [cell_values(cell) for cell in laboratory.by_cell(shown, baseline)]
    if any(np.isfinite(c["difference"]) for c in cells):
        yield _picture(
            "groups",
            group_map_figure(values, cells, shown),
            f"Difference of '{shown}' from '{baseline}' in every group and target.",
        )


def _of_predictions(laboratory: Laboratory, tasks: Sequence[OutOfFold], shown: str) -> Iterator[ReportPicture]:
    quantities = [(q.name, q.unit) for q in tasks[0].dataset.quantities]
    scored = [task.scored() for task in tasks]
    truth, predicted = (np.concatenate([getattr(s, side) for s in scored]) for side in ("truth", "prediction"))
    left_out = sum(s.left_out for s in scored)
    if not len(truth):
        return
    without = f" {left_out} rows that are not finite are left out." if left_out else ""
    if are_probabilities(truth, predicted):
        yield _picture(
            "reliability",
            reliability_figure(truth, predicted, [name for name, _ in quantities], shown),
            f"Reliability of '{shown}': share of the cases that came true against the predicted probability, in ten "
            "bins, with Wilson intervals as if rows were independent; bars show how often each probability was "
            f"predicted. The error is the mean distance from the line, weighted by counts.{without}",
        )
        return
    sign = -1 if laboratory.metric.better == "lower" else 1
    panels = sorted(panels_of(laboratory, shown), key=lambda p: sign * p.score)
    finite = [p for p in panels if np.isfinite(p.truth).all() and np.isfinite(p.predictions).all()]
    if finite:
        figure = scatter_figure(finite[:MOST_PANELS], quantities, shown, laboratory.metric.name, total=len(finite))
        point = "the hardest groups first; a point is one prediction by one training"
    else:  # hold-outs that overlap predict rows unequally often
        every = Panel("all rows", truth, predicted[None], laboratory.metric.score(truth, predicted))
        figure = scatter_figure([every], quantities, shown, laboratory.metric.name)
        point = "a point is the mean over seeds and repeats"
    said = f"Predictions of '{shown}' for rows that it was not trained on, against the truth; {point}.{without}"
    yield _picture("predictions", figure, said)
    yield _picture(
        "residuals",
        residuals_figure(truth, predicted, quantities, shown),
        f"What '{shown}' predicts too high or too low: residuals of rows that it was not trained on, with the median "
        f"(line) and middle 80 % (band) of neighbouring predictions.{without}",
    )


def _of_calibration(values: Mapping[str, Any]) -> Iterator[ReportPicture]:
    if values["calibration"]:
        yield _picture(
            "calibration",
            calibration_figure(values["calibration"]),
            "External scores against the campaign's own, with the form that predicts left-out pairs best.",
        )


def _target(values: Mapping[str, Any]) -> float | None:
    """The wanted external score, where nothing says that it is of another metric than the campaign's."""
    calibration = values["calibration"]
    same = calibration is None or calibration["external_metric"] == values["protocol"]["metric"]
    return values["target"] if same else None


def _picture(name: str, figure: Figure, caption: str) -> ReportPicture:
    return ReportPicture(name, caption, inline_svg(figure, name, caption))


def _slug(text: str) -> str:
    """A task's name as part of an id: what is no letter or digit is written by its code."""
    return "".join(c if c.isascii() and c.isalnum() else f"-{ord(c):x}" for c in text)
