"""A measured curve with its fit and residuals, and beside it the strain profile with its band."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, GREEN, GREY, GRID, INK, SOFT, VERMILION, new_figure, write_figure
from probatum.problems.picture_panels import plain_decades
from probatum.problems.rocking_curve.curve_fit import FittedCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def fit_figure(found: FittedCurve, name: str, path: Path) -> None:
    """Draws one fit.

    Args:
        found: what is drawn.
        name: of the curve, for the title.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    notes = [line for remark in found.remarks for line in wrap(remark, 170)]
    with new_figure(10.5, 4.8 + 0.15 * len(notes)) as figure:
        axes = figure.subplot_mosaic(
            [["curve", "profile"], ["residuals", "profile"]], width_ratios=(1.4, 1), height_ratios=(3, 1)
        )
        _curve(axes["curve"], found)
        _residuals(axes["residuals"], found)
        axes["residuals"].sharex(axes["curve"])
        axes["curve"].tick_params(labelbottom=False)
        _profile(axes["profile"], found)
        figure.suptitle(name, x=0.01, ha="left", fontsize=11, fontweight="bold")
        if notes:
            figure.supxlabel("\n".join(notes), x=0.01, ha="left", fontsize=7.5, color=SOFT)
        write_figure(figure, path)


def _curve(axes: Axes, found: FittedCurve) -> None:
    positive = found.measured > 0
    axes.semilogy(found.seconds[positive], found.measured[positive], ".", color=GREY, ms=3, label="measured")
    axes.semilogy(found.seconds, found.signal, color=VERMILION, lw=1.2, label="fitted")
    plain_decades(axes.yaxis)
    axes.set_ylabel("intensity")
    axes.set_title(f"Curve and fit, mean error {found.error:.3f} decades")
    axes.legend(frameon=False, fontsize=8)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)


def _residuals(axes: Axes, found: FittedCurve) -> None:
    least = max(float(found.measured[found.measured > 0].min()) / 2, 1e-300)
    decades = np.log10(np.maximum(found.signal, least) / np.maximum(found.measured, least))
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.plot(found.seconds, decades, color=BLUE, lw=0.8)
    axes.set_xlabel("theta_B - theta, arc-seconds")
    axes.set_ylabel("log10\nfitted / measured")
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)


def _profile(axes: Axes, found: FittedCurve) -> None:
    axes.fill_between(
        found.depths, 100 * found.low, 100 * found.high, color=BLUE, alpha=0.2, lw=0, label="strain, 90 % band"
    )
    axes.plot(found.depths, 100 * found.strain, color=BLUE, lw=1.8, label="strain")
    axes.set_xlabel("depth, Å")
    axes.set_ylabel("strain, %")
    axes.set_xlim(0, float(found.depths[-1]))
    axes.set_title("Strain profile: " + ("two parts" if found.kind == "two-part" else "splines"))
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    if found.debye_waller is not None:
        beside = axes.twinx()
        beside.plot(found.depths, found.debye_waller, color=GREEN, lw=1.2, ls="--", label="Debye-Waller factor (right)")
        beside.set_ylim(0, 1.05)
        beside.spines["right"].set_visible(True)
        axes.plot([], [], color=GREEN, lw=1.2, ls="--", label="Debye-Waller factor (right)")
    axes.legend(frameon=False, fontsize=8)
