"""The champion's way: every score in the order of the experiments, and who was champion when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.campaigns.experiment import TRIVIAL
from probatum.pictures import GREEN, GRID, INK, PURPLE, SOFT, new_figure
from probatum.reporting.figures.marks import MARKS, counted, logarithmic, lower_is_better, outcome_of, score_unit, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 10.0
"""Scores whose largest is this many times the smallest are drawn on a logarithmic axis."""
APART = 0.13
"""Least distance between two names, as a share of the axis."""


def trajectory_figure(
    values: Mapping[str, Any],
    *,
    floors: Sequence[tuple[str, float]] = (),
    target: float | None = None,
) -> Figure:
    """Scores by the number of the experiment, the champion's as a line, with noise floor and target.

    The champion after n experiments is, where rounds were judged, the one of the first n that they chose last; else the
    best of the first n that today's verdict holds for better than the baseline and that no error stands against. Before
    there is one it is the baseline.

    Args:
        values: from `records.results_values`.
        floors: (task, least score) that repeated measurements allow.
        target: the score that is wanted, in the protocol's metric; None where there is none.
    """
    tried = [
        e
        for e in values["experiments"]
        if e["score"] is not None and np.isfinite(e["score"]) and not e["name"].startswith(TRIVIAL)
    ]
    spreads = {a["name"]: a["seed_spread"] or 0.0 for a in values["arms"]}
    with new_figure(8.5, 4.2) as figure:
        axes = figure.subplots()
        for outcome, (colour, marker) in MARKS.items():
            ours = [(i, e) for i, e in enumerate(tried, 1) if outcome_of(values, e["name"]) == outcome]
            if not ours:
                continue
            x, y = [i for i, _ in ours], [e["score"] for _, e in ours]
            axes.errorbar(
                x, y, [spreads.get(e["name"], 0.0) for _, e in ours], fmt=marker, color=colour, ms=5, lw=0.9,
                label=outcome, zorder=3,
            )  # fmt: skip
        _draw_champions(axes, values, tried)
        _draw_limits(axes, floors, target)
        scores = [e["score"] for e in tried]
        axes.margins(y=0.1)
        if scores and min(scores) > 0 and max(scores) / min(scores) > WIDE:
            logarithmic(axes)
        axes.set_xlim(0.3, len(tried) + 0.7)
        if len(tried) <= 20:
            axes.set_xticks(range(1, len(tried) + 1))
        better = "lower" if lower_is_better(values) else "higher"
        axes.set_xlabel("experiment, in the order of the campaign")
        axes.set_ylabel(f"{score_unit(values)}, {better} is better")
        axes.set_title(f"The champion over {counted(len(tried), 'experiment')}")
        axes.grid(color=GRID, lw=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), labelcolor=INK)
    return figure


def _rank_of_champions(values: Mapping[str, Any]) -> dict[str, float]:
    """Who can be champion, to its rank: the one of the highest rank so far is it."""
    sign = 1 if lower_is_better(values) else -1
    if values["champions_of_rounds"]:
        rank = {name: float(i) for i, name in enumerate(values["champions_of_rounds"])}
    else:
        better = [e for e in values["experiments"] if outcome_of(values, e["name"]) == "better"]
        rank = {e["name"]: -sign * e["score"] for e in better if e["score"] is not None}
    rank = {name: value for name, value in rank.items() if name not in values["blocked"]}
    return {values["baseline"]: -np.inf} | rank


def _draw_champions(axes: Axes, values: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]) -> None:
    sign, rank = 1 if lower_is_better(values) else -1, _rank_of_champions(values)
    champion, line, changes = None, [], []
    for i, e in enumerate(tried, 1):
        if e["name"] in rank and (champion is None or rank[e["name"]] > rank[champion["name"]]):
            champion = e
            changes.append((i, e))
        line.append(np.nan if champion is None else champion["score"])
    places = np.arange(1, len(tried) + 1)
    if len(line) > 1:
        axes.step(places, line, where="post", color=PURPLE, lw=2, label="champion so far", zorder=2)
    last = np.inf
    for i, e in reversed(changes):  # the last champion's name goes before the others'
        if last - i < APART * max(len(tried), 1) and last != np.inf:
            continue
        last = i
        right = i > 0.75 * len(tried)
        axes.annotate(
            short(e["name"], 26), (i, e["score"]), xytext=(-4 if right else 4, -12 if sign > 0 else 8),
            textcoords="offset points", color=PURPLE, fontsize=8, ha="right" if right else "left", zorder=4,
        )  # fmt: skip


def _draw_limits(axes: Axes, floors: Sequence[tuple[str, float]], target: float | None) -> None:
    for task, value in floors:
        axes.axhline(value, color=SOFT, lw=1.2, ls=":", label=f"noise floor: {short(task, 20)}, {value:.3g}")
    if target is not None:
        axes.axhline(target, color=GREEN, lw=1.2, ls="-.", label=f"target: {target:g}")
