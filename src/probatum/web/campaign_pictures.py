"""Pictures of a campaign as SVG that stands in a page; drawn when they are asked for, and kept while results stay."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probatum.errors import ProbatumError, UnknownNameError, UsageError
from probatum.web.campaign_view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from probatum.problems.picture import Picture

KEPT_BYTES = 64 * 2**20
"""Of drawn pictures."""
MOST_TITLES = 1000
"""Experiments whose pictures' titles are remembered."""


@dataclass(frozen=True)
class Drawn:
    """A picture in a page.

    Attributes:
        title, caption: for people.
        svg: the element; '' where there is nothing to draw.
        why_not: in a sentence, where there is nothing.
    """

    title: str
    caption: str
    svg: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class Sort:
    """A sort of picture.

    Attributes:
        title, caption: for people; `{0}` and `{1}` stand for the experiments.
        draw: from a view and the experiments' names.
        experiments: how many it is of.
    """

    title: str
    caption: str
    draw: Callable[..., Figure]
    experiments: int = 0


class Drawings:
    """Draws pictures and remembers them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Drawn] = OrderedDict()
        self._bytes = 0
        self._titles: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._lock = threading.Lock()

    def of_problem(self, view: View, experiment: str) -> list[tuple[str, str]]:
        """(name, title) of the pictures that the problem has of an experiment.

        Args:
            view: of the campaign.
            experiment: finished.
        """
        key = (view.state, experiment)
        if key not in self._titles:
            if len(self._titles) >= MOST_TITLES:
                self._titles.clear()
            self._titles[key] = [(name, picture.title) for name, picture in _of_problem(view, experiment).items()]
        return self._titles[key]

    def drawn(self, view: View, sort: str, experiments: tuple[str, ...]) -> Drawn:
        """One picture.

        Args:
            view: that it is of.
            sort: a name of `SORTS`, or 'problem:NAME' of one experiment.
            experiments: names.

        Raises:
            UnknownNameError: no such picture or experiment.
        """
        key = (view.state, sort, *experiments)
        with self._lock:  # matplotlib's settings are those of the process
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            found = _drawn(view, sort, experiments)
            self._kept[key] = found
            self._bytes += len(found.svg)
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.svg)
            return found


def _drawn(view: View, sort: str, experiments: tuple[str, ...]) -> Drawn:
    from probatum.reporting.inline_svg import inline_svg

    for name in experiments:
        if name not in view.arms:
            raise UnknownNameError.of("finished experiment", name, view.arms)
    of_problem, _, named = sort.partition(":")
    name = re.sub(r"[^a-z0-9]+", "-", f"{sort}-{abs(hash((view.state, *experiments))):x}".lower())
    if of_problem == "problem" and len(experiments) == 1:
        return _of_the_problem(view, named, experiments[0], name)
    known = SORTS.get(sort)
    if known is None or known.experiments != len(experiments):
        raise UnknownNameError.of("picture", sort, SORTS)
    title, caption = known.title.format(*experiments), known.caption.format(*experiments)
    try:
        return Drawn(title, caption, inline_svg(known.draw(view, *experiments), name, title))
    except UsageError as error:  # a model that keeps no losses, a campaign of one experiment
        return Drawn(title, "", why_not=f"{error.what}.")


def _of_the_problem(view: View, named: str, experiment: str, name: str) -> Drawn:
    from probatum.pictures import new_figure
    from probatum.reporting.inline_svg import inline_svg

    found = _of_problem(view, experiment)
    if named not in found:
        raise UnknownNameError.of("picture", named, found)
    picture = found[named]
    with new_figure(picture.width, picture.height) as figure:
        picture.draw(figure)
    return Drawn(picture.title, picture.caption, inline_svg(figure, name, f"{picture.title}. {picture.caption}"))


def _of_problem(view: View, experiment: str) -> Mapping[str, Picture]:
    """Name, with the task where there are several, to `problems.picture.Picture`."""
    from probatum.reporting.experiment_arrays import out_of_fold

    problem = view.laboratory.campaign.file.problem
    try:
        tasks = out_of_fold(view.laboratory, experiment)
        return {
            f"{p.name}-{i}" if i else p.name: p
            for i, one in enumerate(tasks)
            for p in problem.pictures(one.dataset, one.rows, one.predictions, one.curves)
        }
    except ProbatumError:  # a trivial arm, or one that is not finished
        return {}


# ------------------------------------------------------------------ what is drawn


def _tree(view: View) -> Figure:
    from probatum.reporting.figures import tree_figure

    return tree_figure(view.values)


def _trajectory(view: View) -> Figure:
    from probatum.reporting.figures import trajectory_figure

    floors = view.laboratory.score_floors()
    target = view.laboratory.campaign.file.audit.target
    return trajectory_figure(view.values, floors=floors, target=target)


def _verdicts(view: View) -> Figure:
    from probatum.reporting.figures import verdicts_figure

    if not view.values["verdicts"]:
        raise UsageError("no experiment was judged yet")
    return verdicts_figure(view.values)


def _effects(view: View) -> Figure:
    from probatum.reporting.figures import effects_figure

    if not view.values["effects"]:
        raise UsageError("no experiment was made from another yet")
    return effects_figure(view.values)


def _scatter(view: View, experiment: str) -> Figure:
    from probatum.reporting.experiment_arrays import panels_of
    from probatum.reporting.figures import scatter_figure

    panels = panels_of(view.laboratory, experiment)
    return scatter_figure(panels, _quantities(view), experiment, view.laboratory.metric.name)


def _residuals(view: View, experiment: str) -> Figure:
    import numpy as np

    from probatum.reporting.experiment_arrays import out_of_fold
    from probatum.reporting.figures import residuals_figure

    if view.laboratory.campaign.file.problem.recorded:
        raise UsageError("imported runs come without predictions")
    found = [one.scored() for one in out_of_fold(view.laboratory, experiment)]
    truth, predicted = (np.concatenate([getattr(s, k) for s in found]) for k in ("truth", "prediction"))
    return residuals_figure(truth, predicted, _quantities(view), experiment)


def _curves(view: View, experiment: str) -> Figure:
    from probatum.reporting.experiment_arrays import curves_of
    from probatum.reporting.figures import learning_curves_figure

    return learning_curves_figure({experiment: curves_of(view.laboratory, experiment)})


def _map(view: View, arm: str, baseline: str) -> Figure:
    from probatum.reporting.figures import group_map_figure
    from probatum.reporting.records import cell_values

    cells = [cell_values(c) for c in view.laboratory.by_cell(arm, baseline)]
    if not cells:
        raise UsageError("the cases are in no groups that could be shown")
    return group_map_figure({**view.values, "baseline": baseline}, cells, arm)


def _quantities(view: View) -> list[tuple[str, str]]:
    dataset = next(iter(view.laboratory.campaign.datasets.values()))
    return [(q.name, q.unit) for q in dataset.quantities]


SORTS: Mapping[str, Sort] = {
    "tree": Sort("The tree", "Each experiment under the one that it was made from, coloured by its verdict.", _tree),
    "trajectory": Sort(
        "Scores over the campaign", "Each experiment's score in its order, and the champion's as a line.", _trajectory
    ),
    "verdicts": Sort(
        "Verdicts", "Differences from the baseline with their intervals, the best score first.", _verdicts
    ),
    "effects": Sort("What worked, what failed", "Effects of mutations with their intervals, pair by pair.", _effects),
    "scatter": Sort(
        "Predictions of {0} against the truth", "Rows that were left out of training, a panel a group.", _scatter, 1
    ),
    "residuals": Sort("Residuals of {0}", "Predicted minus true value against the prediction.", _residuals, 1),
    "curves": Sort(
        "Learning curves of {0}", "Losses over epochs: the median over trainings, and all of them.", _curves, 1
    ),
    "map": Sort(
        "Where {0} differs from {1}", "Group by group and target by target, with intervals: exploratory.", _map, 2
    ),
}
