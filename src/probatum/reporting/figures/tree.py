"""The campaign's tree: every experiment under the one that it was made from, with its score and verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.campaigns.experiment import TRIVIAL
from probatum.pictures import GREEN, GREY, GRID, PAPER, SOFT, new_figure
from probatum.reporting.figures.marks import MARKS, counted, lower_is_better, outcome_of, score_unit, short
from probatum.reporting.numbers import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NODES = 80
LINE, INDENT, LETTER = 0.21, 0.24, 0.072
"""Height of a line, step of a generation and width of a letter, in inches."""
WIDTH, SCORES, OUTCOMES = 9.0, 7.1, 7.35
"""Of the figure; right end of the scores and left end of the outcomes, in inches."""


def tree_figure(values: Mapping[str, Any], most: int = MOST_NODES) -> Figure:
    """The tree, one experiment a line, oldest first; the champion is set in bold and ringed.

    Args:
        values: from `records.results_values`.
        most: experiments drawn: baseline, champion, the best, and the ancestors of all these.
    """
    experiments = [e for e in values["experiments"] if not e["name"].startswith(TRIVIAL)]
    shown = _chosen(values, experiments, most)
    nodes = list(_depth_first(shown))
    height = LINE * (len(nodes) + 1) + 0.75
    with new_figure(WIDTH, height) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(-height + 0.75, 0.75))
        axes.axis("off")
        _draw_heading(axes, values, len(nodes), len(experiments))
        place = {e["name"]: (0.2 + INDENT * depth, -LINE * i) for i, (e, depth) in enumerate(nodes)}
        for e, _ in nodes:
            if e["parent"] in place:
                (x0, y0), (x, y) = place[e["parent"]], place[e["name"]]
                axes.plot([x0, x0, x], [y0, y, y], color=GREY, lw=0.8, zorder=1, solid_capstyle="butt")
        champion = (values["champion"] or {}).get("name")
        for e, _ in nodes:
            _draw_node(axes, values, e, place[e["name"]], champion=e["name"] == champion)
    return figure


def _draw_heading(axes: Axes, values: Mapping[str, Any], shown: int, total: int) -> None:
    cut = f": {shown} of {total:,}, the best and what they were made from" if shown < total else ""
    title = f"The tree of {counted(total, 'experiment')}{cut}"
    axes.text(0.1, 0.52, title, fontsize=10, fontweight="bold", va="center")
    axes.text(SCORES, 0.24, score_unit(values), ha="right", va="center", color=SOFT, fontsize=8)
    axes.text(OUTCOMES, 0.24, f"against '{short(values['baseline'], 14)}'", va="center", color=SOFT, fontsize=8)
    axes.plot([0.1, WIDTH - 0.1], [0.13, 0.13], color=GRID, lw=1)


def _draw_node(
    axes: Axes, values: Mapping[str, Any], experiment: Mapping[str, Any], place: tuple[float, float], *, champion: bool
) -> None:
    x, y = place
    outcome = outcome_of(values, experiment["name"])
    colour, marker = MARKS[outcome]
    if champion:
        axes.plot([x], [y], "o", color=PAPER, ms=12, mec=GREEN, mew=1.6, zorder=2)
    axes.plot([x], [y], marker, color=colour, ms=6, mec=PAPER if marker != "x" else colour, mew=0.8, zorder=3)
    room = int((SCORES - 0.75 - x) / LETTER)
    weight = "bold" if champion else "normal"
    axes.text(x + 0.14, y, short(experiment["name"], max(room, 8)), va="center", fontsize=8.5, fontweight=weight)
    axes.text(SCORES, y, number(experiment["score"]), ha="right", va="center", fontsize=8.5, fontweight=weight)
    said = experiment["status"] if outcome == "not finished" else outcome
    text = f"{said}, champion" if champion else said
    axes.text(OUTCOMES, y, text, va="center", fontsize=8.5, color=colour if outcome in ("better", "worse") else SOFT,
              fontweight=weight)  # fmt: skip


def _chosen(values: Mapping[str, Any], experiments: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """All, or the most telling ones with their ancestors, in their order."""
    if len(experiments) <= most:
        return list(experiments)
    sign = 1 if lower_is_better(values) else -1
    by_name = {e["name"]: e for e in experiments}
    scored = [e for e in experiments if e["score"] is not None and np.isfinite(e["score"])]
    first = [values["baseline"], (values["champion"] or {}).get("name")]
    order = [*first, *(e["name"] for e in sorted(scored, key=lambda e: sign * e["score"]))]
    kept: set[str] = set()
    for name in order:
        if name is None or name not in by_name:
            continue
        line = set(_line(name, by_name))
        if len(kept | line) > most:
            break
        kept |= line
    return [e for e in experiments if e["name"] in kept]


def _line(name: str, by_name: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """An experiment and all its ancestors."""
    above: str | None = name
    while above is not None and above in by_name:
        yield above
        above = by_name[above]["parent"]


def _depth_first(experiments: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """(experiment, generation), children right under their parent."""
    names = {e["name"] for e in experiments}
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    for e in experiments:
        children.setdefault(e["parent"] if e["parent"] in names else None, []).append(e)
    waiting = [(e, 0) for e in reversed(children.get(None, []))]
    while waiting:
        e, depth = waiting.pop()
        yield e, depth
        waiting += [(child, depth + 1) for child in reversed(children.get(e["name"], []))]
