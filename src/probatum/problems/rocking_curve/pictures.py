"""Predicted strain profiles beside the true ones, and how far off they are at each depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, INK
from probatum.problems.picture import Picture, Scored, best_median_worst, scored
from probatum.problems.picture_panels import dressed
from probatum.problems.problem import Dataset
from probatum.problems.rocking_curve.profile import HIGH, LOW, strain_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = np.linspace(0.0, 8000.0, 401)
"""Angstrom; the strained region of every profile of the prior ends above."""
MOST_CASES = 2000
BAND = (5.0, 95.0)
"""Percentiles over cases, of the band."""


def profile_pictures(dataset: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[Picture, ...]:
    """The one picture of `Problem.pictures`; of more than `MOST_CASES` curves an even choice is looked at."""
    found = scored(dataset, rows, predictions)
    if not len(found):
        return ()
    chosen = np.linspace(0, len(found) - 1, min(len(found), MOST_CASES)).astype(np.intp)
    caption = (
        "Strain in % over depth in Å: the true profile and the predicted one of the curve with the smallest, the "
        "median and the largest root mean square error over depth. The true profile lies in the band where the error "
        f"at that depth is one of the middle 90 % of all curves. Below, those errors themselves; {len(chosen)} curves"
        + (f" of {len(found)}" if len(chosen) < len(found) else "")
        + "."
    )
    return (
        Picture(
            "strain-profiles",
            "Strain profiles, predicted and true",
            caption,
            lambda figure: _draw(figure, dataset, found, chosen),
            width=10.0,
            height=6.2,
        ),
    )


def _draw(figure: Figure, dataset: Dataset, found: Scored, chosen: np.ndarray) -> None:
    true = _profiles(found.truth[chosen])
    predicted = _profiles(found.prediction[chosen])
    errors = predicted - true
    low, middle, high = np.percentile(errors, [BAND[0], 50.0, BAND[1]], axis=0)
    size = np.sqrt((errors**2).mean(axis=1))
    shown = best_median_worst(size)
    axes = figure.subplot_mosaic([list(shown), ["errors"] * len(shown)], height_ratios=(1.5, 1))
    ends = np.flatnonzero((true > 0.02).any(axis=0) | (predicted > 0.02).any(axis=0))  # %, twice the end of the region
    end = DEPTHS[min(int(ends[-1]) + 10, len(DEPTHS) - 1)] if len(ends) else DEPTHS[-1]
    top = 1.05 * max(float(np.max([true[list(shown.values())], predicted[list(shown.values())]])), 0.1)
    for name, place in shown.items():
        panel = axes[name]
        panel.fill_between(
            DEPTHS, np.maximum(predicted[place] - high, 0.0), np.maximum(predicted[place] - low, 0.0),
            color=BLUE, alpha=0.2, lw=0, label="less the middle 90 % of errors",
        )  # fmt: skip
        panel.plot(DEPTHS, true[place], color=INK, lw=1.3, ls="--", label="true")
        panel.plot(DEPTHS, predicted[place], color=BLUE, lw=1.6, label="predicted")
        case = dataset.cases[found.rows[chosen[place]]]
        dressed(panel, f"{name}: {case}\noff by {size[place]:.3f} %", "depth, Å", "")
        panel.set_xlim(0, end)
        panel.set_ylim(0, top)
    first = axes[next(iter(shown))]
    first.set_ylabel("strain, %")
    first.legend(frameon=False, fontsize=8)
    below = axes["errors"]
    below.axhline(0.0, color=INK, lw=0.8)
    below.fill_between(DEPTHS, low, high, color=BLUE, alpha=0.2, lw=0, label="middle 90 %")
    below.plot(DEPTHS, middle, color=BLUE, lw=1.4, label="median")
    below.set_xlim(0, end)
    below.legend(frameon=False, fontsize=8, ncols=2)
    dressed(below, f"Error of {len(chosen)} profiles at each depth", "depth, Å", "predicted - true\nstrain, %")


def _profiles(shares: np.ndarray) -> np.ndarray:
    """Strain in %, [case, depth], from shares of the parameters' ranges; what lies outside is taken to their ends."""
    return 100 * strain_at(DEPTHS, LOW + np.clip(shares, 0.0, 1.0) * (HIGH - LOW))
