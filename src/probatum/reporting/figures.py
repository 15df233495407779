"""Figures: forest plots of verdicts and effects, the map of targets and groups, the calibration. Files, no windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.campaigns.experiment import TRIVIAL
from probatum.learning.metrics import METRICS
from probatum.pictures import BLUE, GREEN, GREY, GRID, INK, SOFT, VERMILION, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = {
    "better": (BLUE, "o"), "worked": (BLUE, "o"),
    "worse": (VERMILION, "s"), "failed": (VERMILION, "s"),
    "equivalent": (GREEN, "D"),
    "undecided": (GREY, "v"), "no evidence": (GREY, "x"),
}  # fmt: skip
"""Outcome to colour, and a marker that says the same again."""
MOST_GROUPS = 60


def effects_figure(values: Mapping[str, Any], path: Path) -> None:
    """A forest plot of effects: each mutation's mean with its pairs under it.

    Args:
        values: from `records.effects_values`.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    rows: list[dict[str, Any]] = []
    for e in values["effects"]:
        pairs = e["pairs"]
        note = f"{e['outcome']}, {_count(len(pairs), 'pair')}, {_count(e['units'], 'unit')}"
        rows.append({**e, "label": e["mutation"], "value": e["mean"], "note": note})
        if len(pairs) > 1:
            rows += [
                {
                    "label": f"    {p['parent']} → {p['child']}",
                    "value": p["difference"],
                    "interval": p["interval"],
                    "note": "",
                    "pair": True,
                }
                for p in pairs
            ]
    with new_figure(10.0, 1.5 + 0.3 * len(rows)) as figure:
        axes = figure.subplots()
        _forest(axes, rows, values, "effect on the score")
        axes.set_title(f"What worked, what failed: {values['campaign']}", pad=14)
        write_figure(figure, path)


def comparison_figure(values: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], arm: str, path: Path) -> None:
    """A forest plot of verdicts, and where one arm differs: groups x targets with intervals.

    Args:
        values: from `records.results_values`, with the verdicts that are shown.
        cells: from `records.cell_values`; [] draws the forest alone.
        arm: whose cells they are.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    verdicts = [v for v in values["verdicts"] if not v["arm"].startswith(TRIVIAL)] or values["verdicts"]
    lower = METRICS[values["protocol"]["metric"]].better == "lower"
    rows = [
        {**v, "label": v["arm"], "value": v["difference"], "note": f"{v['outcome']}, {_count(v['units'], 'unit')}"}
        for v in sorted(verdicts, key=lambda v: v["score"] if lower else -v["score"])
    ]
    groups = list(dict.fromkeys((c["task"], c["group"]) for c in cells))[:MOST_GROUPS]
    heights = [1.3 + 0.32 * len(rows), *([1.4 + 0.23 * len(groups)] if groups else [])]
    with new_figure(9.5, sum(heights)) as figure:
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        axes = parts[0].subplots()
        _forest(axes, rows, values, f"difference from '{values['baseline']}'")
        axes.set_title(f"Verdicts against '{values['baseline']}': {values['campaign']}", pad=14)
        if groups:
            shown = [c for c in cells if (c["task"], c["group"]) in set(groups)]
            _map(parts[1].subplots(), shown, groups, values, arm)
        write_figure(figure, path)


def calibration_figure(values: Mapping[str, Any], path: Path) -> None:
    """External against internal scores: pairs, the best form with its prediction interval, the line beside it.

    Args:
        values: from `records.calibration_values`, with its curves.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    with new_figure(7.5, 5.2) as figure:
        axes = figure.subplots()
        curves = values["curves"]
        best, x = values["forms"][0], np.array(curves["x"])
        axes.fill_between(
            x, curves["low"], curves["high"], color="#0072B2", alpha=0.13, lw=0, label="95 % prediction interval"
        )
        axes.plot(x, curves["best"], color="#0072B2", lw=1.8, label=f"{best['form']} (best)")
        if best["form"] != "y = a + b x":
            axes.plot(x, curves["line"], color="#D55E00", lw=1.3, ls="--", label="y = a + b x")
        points = values["pairs"]
        axes.plot(
            [p["internal"] for p in points], [p["external"] for p in points],
            "o", color=INK, ms=5, label=_count(len(points), "pair"), zorder=3,
        )  # fmt: skip
        floors = sorted(values["floors"], key=lambda f: f["value"])
        for floor in floors:
            axes.axvline(floor["value"], color=SOFT, lw=1, ls=":")
        if floors:
            text = "noise floor: " + ", ".join(f"{f['name']} {f['value']:.3g}" for f in floors)
            place = (floors[-1]["value"], 0.97)
            axes.annotate(
                text, place, xytext=(6, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
                va="top", color=SOFT, fontsize=8,
            )  # fmt: skip
        if values["target"] is not None:
            axes.axhline(values["target"], color="#009E73", lw=1.2, ls="-.", label=f"target {values['target']:g}")
        axes.set_xlabel(f"internal score: {values['internal_metric']}")
        axes.set_ylabel(f"external score: {values['external_metric']}")
        axes.set_title("Internal and external scores")
        axes.grid(color=GRID, lw=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.08))
        write_figure(figure, path)


def _forest(axes: Axes, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any], what: str) -> None:
    """Estimates with intervals, one a line, the count and outcome at the right."""
    positions = -np.arange(len(rows), dtype=np.float64)
    axes.axvline(0, color=INK, lw=1)
    margin = values["protocol"]["margin"]
    if margin:
        axes.axvspan(-margin, margin, color=GRID, lw=0, zorder=0)
    for y, row in zip(positions, rows, strict=True):
        part = row.get("pair", False)
        colour, marker = ("#9aa1ab", ".") if part else MARKS[row["outcome"]]
        if row["interval"]:
            axes.plot(row["interval"], [y, y], color=colour, lw=1.0 if part else 2.0, solid_capstyle="round")
        if row["value"] is not None and np.isfinite(row["value"]):
            axes.plot([row["value"]], [y], marker, color=colour, ms=5 if part else 7)
        axes.annotate(row["note"], (1.01, y), xycoords=("axes fraction", "data"), va="center", color=SOFT, fontsize=8)
    axes.set_yticks(positions, [shorten(r["label"].strip(), 46, placeholder="...") for r in rows])
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
    better = METRICS[values["protocol"]["metric"]].better
    axes.set_xlabel(f"{what}, {_unit(values)}, with {level} interval ({better} is better{shaded})")


def _map(
    axes: Axes,
    cells: Sequence[Mapping[str, Any]],
    groups: Sequence[tuple[str, str]],
    values: Mapping[str, Any],
    arm: str,
) -> None:
    """Groups x targets as colour, each with its number and half of its interval."""
    from matplotlib.colors import TwoSlopeNorm

    quantities = list(dict.fromkeys(c["quantity"] for c in cells))
    table = np.full((len(groups), len(quantities)), np.nan)
    for c in cells:
        table[groups.index((c["task"], c["group"])), quantities.index(c["quantity"])] = c["difference"]
    seen = np.abs(table[np.isfinite(table)])
    largest = float(np.quantile(seen, 0.95)) or float(seen.max()) or 1.0  # one odd group must not pale all others
    lower = METRICS[values["protocol"]["metric"]].better == "lower"
    image = axes.imshow(
        table, cmap="RdBu_r" if lower else "RdBu", norm=TwoSlopeNorm(0, -largest, largest), aspect="auto"
    )
    for c in cells:
        y, x = groups.index((c["task"], c["group"])), quantities.index(c["quantity"])
        half = f" ± {(c['interval'][1] - c['interval'][0]) / 2:.2g}" if c["interval"] else ""
        dark = abs(c["difference"]) > 0.6 * largest
        away = c["interval"] and not c["interval"][0] <= 0 <= c["interval"][1]
        axes.text(
            x, y, f"{c['difference']:+.2g}{half}", ha="center", va="center", fontsize=7.5,
            color="white" if dark else INK, fontweight="bold" if away else "normal",
        )  # fmt: skip
    counts = {(c["task"], c["group"]): c["rows"] for c in cells}
    several = len({task for task, _ in groups}) > 1
    names = [
        f"{f'{t}: ' if several else ''}{shorten(g, 44, placeholder='...')} (n = {counts[t, g]})" for t, g in groups
    ]
    axes.set_yticks(range(len(groups)), names, fontsize=7.5)
    axes.set_xticks(range(len(quantities)), quantities)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"Where '{arm}' differs from '{values['baseline']}'", pad=10)
    note = "number ± half of the interval over the group's rows, bold where it leaves out 0: exploratory"
    axes.set_xlabel(note, color=SOFT, fontsize=8, labelpad=8)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.5, aspect=30, pad=0.02, extend="both")
    bar.set_label(f"difference, {_unit(values)}")
    bar.outline.set_visible(False)  # type: ignore[operator]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _unit(values: Mapping[str, Any]) -> str:
    """'mse (fraction²)'."""
    name = values["protocol"]["metric"]
    units = {u for u in values["units"] if u != "1"}
    power = METRICS[name].unit_power
    if not units or not power:
        return name
    unit = units.pop() if len(units) == 1 else "unit of the target"
    return f"{name} ({unit}{'²' if power == 2 else ''})"
