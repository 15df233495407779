"""External against internal scores: a campaign's cross-validation beside a leaderboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.pictures import BLUE, GREEN, GRID, INK, SOFT, VERMILION, new_figure
from probatum.reporting.figures.marks import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def calibration_figure(values: Mapping[str, Any]) -> Figure:
    """The pairs, the best form with its prediction interval, the line beside it, noise floors and the target.

    Args:
        values: from `records.calibration_values`, with its curves.
    """
    with new_figure(7.5, 5.2) as figure:
        axes = figure.subplots()
        curves = values["curves"]
        best, x = values["forms"][0], np.array(curves["x"])
        axes.fill_between(
            x, curves["low"], curves["high"], color=BLUE, alpha=0.13, lw=0, label="95 % prediction interval"
        )
        axes.plot(x, curves["best"], color=BLUE, lw=1.8, label=f"{best['form']} (best)")
        if best["form"] != "y = a + b x":
            axes.plot(x, curves["line"], color=VERMILION, lw=1.3, ls="--", label="y = a + b x")
        points = values["pairs"]
        axes.plot(
            [p["internal"] for p in points], [p["external"] for p in points],
            "o", color=INK, ms=5, label=counted(len(points), "pair"), zorder=3,
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
            axes.axhline(values["target"], color=GREEN, lw=1.2, ls="-.", label=f"target {values['target']:g}")
        axes.set_xlabel(f"internal score: {values['internal_metric']}")
        axes.set_ylabel(f"external score: {values['external_metric']}")
        axes.set_title("Internal and external scores")
        axes.grid(color=GRID, lw=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.08))
    return figure
