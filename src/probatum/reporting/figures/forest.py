"""Forest plots: the effects of mutations with their pairs, and verdicts against the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.campaigns.experiment import TRIVIAL
from probatum.pictures import GREY, GRID, INK, SOFT, new_figure
from probatum.reporting.figures.marks import MARKS, counted, lower_is_better, mutation_label, score_unit, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL = 46
"""Characters of a row's name."""
MOST_ROWS = 60
MOST_PAIRS = 8
"""Of one mutation; the largest and smallest differences are kept."""


def effects_figure(values: Mapping[str, Any], most: int = MOST_ROWS) -> Figure:
    """A forest plot of effects: each mutation's mean with its pairs under it.

    Args:
        values: from `records.effects_values` or `records.results_values`.
        most: mutations drawn, those decided first, then the largest.
    """
    effects = sorted(values["effects"], key=lambda e: (e["outcome"] not in ("worked", "failed"), -abs(e["mean"])))
    chosen = [e for e in values["effects"] if any(e is c for c in effects[:most])]
    rows: list[dict[str, Any]] = []
    for e in chosen:
        pairs = e["pairs"]
        note = f"{e['outcome']}, {counted(len(pairs), 'pair')}, {counted(e['units'], 'unit')}"
        rows.append({**e, "label": mutation_label(e), "value": e["mean"], "note": note})
        rows += [_pair_row(p) for p in _extremes(pairs)] if len(pairs) > 1 else []
        if len(pairs) > MOST_PAIRS:
            rows[-1]["note"] = f"{MOST_PAIRS} of {len(pairs)} pairs"
    with new_figure(10.0, 1.5 + 0.3 * len(rows)) as figure:
        axes = figure.subplots()
        forest(axes, rows, values, "effect on the score")
        axes.set_title(f"What worked, what failed: {short(values['campaign'], 60)}", pad=14)
        if len(chosen) < len(effects):
            _remark(axes, f"{len(chosen)} of {counted(len(effects), 'mutation')}: those decided, then the largest")
    return figure


def verdicts_figure(values: Mapping[str, Any], most: int = MOST_ROWS) -> Figure:
    """A forest plot of verdicts against the baseline, the best score first.

    Args:
        values: from `records.results_values`, with the verdicts that are shown.
        most: experiments drawn, the best ones.
    """
    rows = verdict_rows(values)
    with new_figure(9.5, 1.3 + 0.3 * min(len(rows), most)) as figure:
        axes = figure.subplots()
        draw_verdicts(axes, values, rows[:most])
        if len(rows) > most:
            _remark(axes, f"the best {most} of {counted(len(rows), 'experiment')}")
    return figure


def verdict_rows(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a forest, the best score first; trivial arms only where there are no others."""
    verdicts = [v for v in values["verdicts"] if not v["arm"].startswith(TRIVIAL)] or values["verdicts"]
    sign = 1 if lower_is_better(values) else -1
    return [
        {**v, "label": v["arm"], "value": v["difference"], "note": f"{v['outcome']}, {counted(v['units'], 'unit')}"}
        for v in sorted(verdicts, key=lambda v: sign * v["score"] if np.isfinite(v["score"]) else np.inf)
    ]


def draw_verdicts(axes: Axes, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Verdicts on given axes; see `verdicts_figure`."""
    baseline = short(values["baseline"], 40)
    forest(axes, rows, values, f"difference from '{baseline}'")
    axes.set_title(f"Verdicts against '{baseline}': {short(values['campaign'], 40)}", pad=14)


def forest(axes: Axes, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any], what: str) -> None:
    """Estimates with intervals, one a line, the count and outcome at the right.

    Args:
        axes: empty.
        rows: label, value, interval, note, outcome; those with 'pair' are drawn small.
        values: with protocol and units.
        what: the values are.
    """
    positions = -np.arange(len(rows), dtype=np.float64)
    axes.axvline(0, color=INK, lw=1)
    margin = values["protocol"]["margin"]
    if margin:
        axes.axvspan(-margin, margin, color=GRID, lw=0, zorder=0)
    for y, row in zip(positions, rows, strict=True):
        part = row.get("pair", False)
        colour, marker = (GREY, ".") if part else MARKS[row["outcome"]]
        if row["interval"]:
            axes.plot(row["interval"], [y, y], color=colour, lw=1.0 if part else 2.0, solid_capstyle="round")
        if row["value"] is not None and np.isfinite(row["value"]):
            axes.plot([row["value"]], [y], marker, color=colour, ms=5 if part else 7)
        axes.annotate(row["note"], (1.01, y), xycoords=("axes fraction", "data"), va="center", color=SOFT, fontsize=8)
    _cut(axes, rows)
    axes.set_yticks(positions, [short(r["label"].strip(), LABEL) for r in rows])
    for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
        if row.get("pair"):
            tick.set_color(SOFT)
            tick.set_fontsize(8)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.grid(axis="x", color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    level = f"{100 * (1 - values['protocol']['alpha']):g} %"
    shaded = f"; shaded: within the margin {margin:g}" if margin else ""
    better = "lower" if lower_is_better(values) else "higher"
    axes.set_xlabel(f"{what}, {score_unit(values)}, with {level} interval ({better} is better{shaded})")


def _cut(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Ends the axis where one wide row would press all others together; an arrow says where it goes on."""
    ends = [[r["value"], r["value"]] if not r["interval"] else r["interval"] for r in rows if r["value"] is not None]
    table = np.array([e for e in ends if np.isfinite(e).all()], dtype=np.float64)
    if len(table) < 4:
        return
    reach = np.abs(table).max(axis=1)
    limit = 4 * float(np.quantile(reach, 0.75))
    if not limit or reach.max() <= limit:
        return
    inside = table[reach <= limit]
    low, high = float(min(inside.min(), 0)), float(max(inside.max(), 0))
    margin = 0.06 * (high - low)
    low, high = low - margin, high + margin
    axes.set_xlim(low, high)
    for y, row in zip(-np.arange(len(rows)), rows, strict=True):
        start, end = row["interval"] or (row["value"], row["value"])
        colour = GREY if row.get("pair") else MARKS[row["outcome"]][0]
        if end is not None and end > high:
            axes.plot([high], [y], ">", color=colour, ms=6, clip_on=False)
        if start is not None and start < low:
            axes.plot([low], [y], "<", color=colour, ms=6, clip_on=False)


def _pair_row(pair: Mapping[str, Any]) -> dict[str, Any]:
    label = f"    {pair['parent']} → {pair['child']}"
    return {"label": label, "value": pair["difference"], "interval": pair["interval"], "note": "", "pair": True}


def _extremes(pairs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if len(pairs) <= MOST_PAIRS:
        return list(pairs)
    order = sorted(range(len(pairs)), key=lambda i: pairs[i]["difference"])
    half = MOST_PAIRS // 2
    return [pairs[i] for i in sorted([*order[:half], *order[-half:]])]


def _remark(axes: Axes, text: str) -> None:
    axes.annotate(text, (0, 1), xytext=(0, 2), xycoords="axes fraction", textcoords="offset points", va="bottom",
                  color=SOFT, fontsize=8)  # fmt: skip
