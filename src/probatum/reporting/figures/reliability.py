"""Reliability: whether what is predicted with probability p happens in a share p of the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from probatum.pictures import BLUE, GRID, INK, SOFT, new_figure
from probatum.reporting.figures.marks import counted, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 10
LEVEL = 0.95
MOST_PANELS = 12


@dataclass(frozen=True)
class Bin:
    """Predictions of nearly the same probability.

    Attributes:
        predicted: their mean.
        observed: share of them that came true.
        interval: of the share, by Wilson, as if the predictions were independent.
        count: how many.
    """

    predicted: float
    observed: float
    interval: tuple[float, float]
    count: int


def are_probabilities(truth: np.ndarray, predicted: np.ndarray) -> bool:
    """Whether the truth is 0 or 1 throughout and predictions lie between.

    Args:
        truth, predicted: of any equal shape.
    """
    good = np.isfinite(truth) & np.isfinite(predicted)
    if not good.any():
        return False
    labels, shares = truth[good], predicted[good]
    return bool(np.isin(labels, (0.0, 1.0)).all() and (shares >= 0).all() and (shares <= 1).all())


def reliability_bins(truth: np.ndarray, predicted: np.ndarray) -> list[Bin]:
    """Ten bins of equal width from 0 to 1; those without predictions are left out.

    Args:
        truth: [case] 0 or 1.
        predicted: [case] probabilities.
    """
    place = np.clip((predicted * BINS).astype(int), 0, BINS - 1)
    found = []
    for i in np.unique(place):
        mine = place == i
        came, count = int(truth[mine].sum()), int(mine.sum())
        found.append(Bin(float(predicted[mine].mean()), came / count, wilson(came, count), count))
    return found


def wilson(came: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a share (Wilson, Journal of the American Statistical Association 22, 209, 1927).

    (p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)

    Args:
        came: how many of `count` came true.
        count: 1 or more.
        level: of confidence.
    """
    z = float(stats.norm.ppf(0.5 + level / 2))
    p = came / count
    middle = p + z**2 / (2 * count)
    half = z * np.sqrt(p * (1 - p) / count + z**2 / (4 * count**2))
    scale = 1 + z**2 / count
    return max(0.0, float((middle - half) / scale)), min(1.0, float((middle + half) / scale))


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """sum_b n_b |observed_b - predicted_b| / n (Naeini, Cooper and Hauskrecht, AAAI 2015)."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.observed - b.predicted) for b in bins) / total


def reliability_figure(truth: np.ndarray, predicted: np.ndarray, quantities: Sequence[str], name: str) -> Figure:
    """Share that came true against the predicted probability: all quantities together, then each alone.

    Args:
        truth: [row, quantity] 0 or 1.
        predicted: [row, quantity] probabilities, of models that did not see these rows.
        quantities: their names.
        name: of the experiment.
    """
    panels = [("all together", truth.ravel(), predicted.ravel())] if len(quantities) > 1 else []
    panels += [(q, truth[:, i], predicted[:, i]) for i, q in enumerate(quantities)]
    shown = panels[:MOST_PANELS]
    columns = min(len(shown), 4)
    lines = -(-len(shown) // columns)
    with new_figure(0.6 + 2.2 * max(columns, 2), 0.9 + 2.4 * lines) as figure:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, (title, came, share) in zip(grid, shown, strict=False):
            good = np.isfinite(came) & np.isfinite(share)
            _draw_panel(axes, title, came[good], share[good])
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        title = f"{short(name, 50)}: reliability of {counted(len(truth), 'row')} left out of training"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
        figure.supxlabel("predicted probability, mean over seeds and repeats", fontsize=9)
        figure.supylabel(f"share that came true, {100 * LEVEL:g} % interval", fontsize=9)
    return figure


def _draw_panel(axes: Axes, title: str, truth: np.ndarray, predicted: np.ndarray) -> None:
    axes.plot([0, 1], [0, 1], color=INK, lw=0.8)
    bins = reliability_bins(truth, predicted)
    if bins:
        largest = max(b.count for b in bins)
        places = (np.arange(BINS) + 0.5) / BINS
        counts = np.bincount(np.clip((predicted * BINS).astype(int), 0, BINS - 1), minlength=BINS)
        axes.bar(places, 0.25 * counts / largest, width=0.9 / BINS, color=SOFT, alpha=0.3, lw=0, zorder=1)
        x = [b.predicted for b in bins]
        for b in bins:
            axes.plot([b.predicted] * 2, b.interval, color=BLUE, lw=1.2, zorder=2)
        axes.plot(x, [b.observed for b in bins], "o", color=BLUE, ms=4, zorder=3)
        error = f"\nerror {expected_calibration_error(bins):.3f}, {int(truth.sum()):,} of {len(truth):,} came true"
    else:
        error = "\nno predictions"
    axes.set_title(f"{short(title, 28)}{error}", fontsize=7)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.tick_params(labelsize=7)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
