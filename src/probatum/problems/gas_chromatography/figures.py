"""Pictures: a chromatogram with the peaks that speak for each family, and how labels go together in two splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, GREY, GRID, INK, SOFT, VERMILION, new_figure, write_figure
from probatum.problems.gas_chromatography.background import Traces
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.label_correlations import CorrelationComparison
from probatum.problems.gas_chromatography.peaks import Peak, total_ion_chromatogram
from probatum.problems.gas_chromatography.prediction import Prediction
from probatum.problems.gas_chromatography.samples import PREVALENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MINUTE = 60.0
MOST_LABELS = 14
LEAST_SAID = 0.2
"""Change of log-odds below which a peak is not drawn as speaking for or against a family."""
FAMILY_NAMES = tuple(family.replace("_bearing_compound", "-bearing").replace("_", " ") for family in FAMILIES)


def prediction_figure(prediction: Prediction, path: Path) -> None:
    """Draws the chromatogram of a run, and below it, family by family, what speaks for it.

    Args:
        prediction: of the run.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    notes = [line for remark in prediction.remarks for line in wrap(remark, 150)]
    with new_figure(11.0, 6.6 + 0.15 * len(notes)) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1))
        chromatogram_panel(above, prediction.traces, prediction.peaks)
        _families(below, prediction)
        above.tick_params(labelbottom=False)
        figure.suptitle(prediction.name, x=0.01, ha="left", fontsize=11, fontweight="bold")
        if notes:
            figure.supxlabel("\n".join(notes), x=0.01, ha="left", fontsize=7.5, color=SOFT)
        write_figure(figure, path)


def chromatogram_figure(name: str, found: Traces, peaks: Sequence[Peak], path: Path) -> None:
    """Draws the chromatogram of a run, its largest peaks labelled.

    Args:
        name: of the run.
        found: its chromatograms.
        peaks: of it.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    with new_figure(11.0, 4.0) as figure:
        axes = figure.subplots()
        chromatogram_panel(axes, found, peaks)
        axes.set_xlabel("time, min")
        axes.set_xlim(0, float(found.times[-1]) / MINUTE)
        figure.suptitle(name, x=0.01, ha="left", fontsize=11, fontweight="bold")
        write_figure(figure, path)


def correlations_figure(compared: CorrelationComparison, names: tuple[str, str], path: Path) -> None:
    """Draws the label correlations of two splits, and the absolute difference between them.

    Args:
        compared: the two.
        names: of the splits.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    titles = (f"{name}, {runs} runs" for name, runs in zip(names, compared.runs, strict=True))
    with new_figure(13.0, 4.9) as figure:
        correlation_panels(figure, dict(zip(titles, (compared.training, compared.validation), strict=True)))
        low, _, high = compared.by_chance
        figure.supxlabel(
            f"mean difference off the diagonal {compared.difference:.4f}; if both splits were dealt at random: "
            f"{low:.4f} to {high:.4f} in nine of ten deals, p = {compared.p_value:.3f}",
            fontsize=8.5,
            color=INK,
        )
        write_figure(figure, path)


def correlation_panels(figure: Figure, grids: Mapping[str, np.ndarray]) -> None:
    """Draws two grids of labels and their absolute difference, all on one scale.

    Args:
        figure: empty.
        grids: title to [family, family].
    """
    off = ~np.eye(len(FAMILIES), dtype=bool)
    one, other = grids.values()
    largest = max(0.05, float(np.abs(np.stack([one[off], other[off]])).max()))
    axes = figure.subplots(1, 3)
    for place, (name, grid) in enumerate(grids.items()):
        shown = axes[place].imshow(grid, cmap="RdBu", vmin=-largest, vmax=largest)
        axes[place].set_title(name)
        _grid_labels(axes[place], grid, largest, place == 0)
        figure.colorbar(shown, ax=axes[place], shrink=0.62, label="correlation of labels, with noise")
    apart = np.abs(one - other)
    shown = axes[2].imshow(apart, cmap="Greys", vmin=0.0, vmax=largest)
    axes[2].set_title("absolute difference")
    _grid_labels(axes[2], apart, largest, False)
    figure.colorbar(shown, ax=axes[2], shrink=0.62, label="difference, same scale")


def chromatogram_panel(axes: Axes, found: Traces, peaks: Sequence[Peak]) -> None:
    """Draws the total-ion chromatogram, with the largest peaks labelled."""
    minutes = found.times / MINUTE
    total = np.maximum(total_ion_chromatogram(found), 0.0)
    axes.fill_between(minutes, np.sqrt(total), color=BLUE, alpha=0.25, lw=0)
    axes.plot(minutes, np.sqrt(total), color=BLUE, lw=0.7)
    under = found.background.sum(axis=1)
    axes.plot(minutes, np.sqrt(np.maximum(under, 0.0)), color=GREY, lw=1.0, ls="--", label="background taken off")
    _labels(axes, peaks, float(minutes[-1]))
    top = float(np.sqrt(total.max())) if total.max() > 0 else 1.0
    axes.set_ylim(0, 1.42 * top)
    ticks = np.array([tick for tick in axes.get_yticks() if 0 <= tick <= 1.42 * top])
    axes.set_yticks(ticks, [f"{tick**2:.2g}" for tick in ticks])
    axes.set_ylabel("total-ion intensity, square-root scale")
    counted = "1 peak" if len(peaks) == 1 else f"{len(peaks)} peaks"
    axes.set_title(f"Chromatogram: {counted}; the largest with their time and largest m/z")
    axes.grid(color=GRID, lw=0.6, axis="x")
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _labels(axes: Axes, peaks: Sequence[Peak], end: float) -> None:
    """Times and largest m/z of the largest peaks, none so near to a larger one that they would overlap."""
    shown: list[Peak] = []
    for peak in sorted(peaks, key=lambda peak: -peak.height):
        room = 0.022 * end * MINUTE
        if len(shown) < MOST_LABELS and all(abs(peak.apex - other.apex) > room for other in shown):
            shown.append(peak)
    for peak in shown:
        axes.annotate(
            f"{peak.apex / MINUTE:.2f}  m/z {peak.base_mass}",
            (peak.apex / MINUTE, float(np.sqrt(peak.height))),
            xytext=(0, 4),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=6.5,
            color=INK,
            annotation_clip=True,
        ).set_in_layout(False)


def _families(axes: Axes, prediction: Prediction) -> None:
    """One row a family: upward triangles where a peak speaks for it, downward ones where it speaks against it."""
    rows = list(range(len(FAMILIES)))
    for row in rows:
        axes.axhline(row, color=GRID, lw=0.8, zorder=0)
        for band, said in zip(prediction.bands, prediction.bands_say[:, row], strict=True):
            if abs(said) >= LEAST_SAID:
                axes.plot(
                    [band.start / MINUTE, band.end / MINUTE],
                    [row, row],
                    color=BLUE if said > 0 else VERMILION,
                    lw=float(np.clip(2 + 3 * abs(said), 2, 9)),
                    alpha=0.3,
                    solid_capstyle="butt",
                    zorder=1,
                )
    said = np.nan_to_num(prediction.peaks_say)
    minutes = np.array([peak.apex for peak in prediction.peaks]) / MINUTE
    for sign, marker, colour in ((1, "^", BLUE), (-1, "v", VERMILION)):
        place, row = np.nonzero(sign * said >= LEAST_SAID)
        sizes = 12 + 40 * np.minimum(np.abs(said[place, row]), 4.0)
        axes.scatter(
            minutes[place], row, sizes, marker=marker, color=colour, alpha=0.8, linewidths=0.4, edgecolors="white"
        )
    axes.set_yticks(
        rows,
        [f"{name}  {p:.2f}" for name, p in zip(FAMILY_NAMES, prediction.probabilities, strict=True)],
    )
    for label, p, usual in zip(axes.get_yticklabels(), prediction.probabilities, PREVALENCE.values(), strict=True):
        label.set_fontweight("bold" if p > max(0.5, usual) else "normal")
    axes.set_ylim(len(FAMILIES) - 0.5, -0.5)
    axes.set_xlim(0, float(prediction.traces.times[-1]) / MINUTE)
    axes.set_xlabel("time, min")
    axes.set_title("Probability of each family, and what speaks for it")
    for marker, colour, text in (("^", BLUE, "raises the log-odds"), ("v", VERMILION, "lowers them")):
        axes.scatter([], [], 40, marker=marker, color=colour, label=text)
    axes.plot([], [], color=GREY, lw=5, alpha=0.4, label="slow signal")
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 0.995), ncols=3)


def _grid_labels(axes: Axes, grid: np.ndarray, largest: float, named: bool) -> None:
    places = list(range(len(FAMILIES)))
    axes.set_xticks(places, FAMILY_NAMES, rotation=90, fontsize=7.5)
    axes.set_yticks(places, FAMILY_NAMES if named else [""] * len(FAMILIES), fontsize=7.5)
    axes.tick_params(length=0)
    for row in places:
        for column in places:
            value = round(float(grid[row, column]), 2) + 0.0  # no minus sign before a zero
            dark = abs(value) > 0.6 * largest
            axes.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=5.8, color="white" if dark else INK
            )
