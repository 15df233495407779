"""Runs with the families that were predicted and those that are in them, and how labels go together in both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, GRID, INK, VERMILION
from probatum.problems.gas_chromatography.background import traces
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.figures import (
    FAMILY_NAMES,
    MINUTE,
    chromatogram_panel,
    correlation_panels,
)
from probatum.problems.gas_chromatography.peaks import peak_list
from probatum.problems.gas_chromatography.prediction import AIR
from probatum.problems.picture import Picture, Scored, best_median_worst, scored
from probatum.problems.problem import Dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from probatum.problems.gas_chromatography.problem import GasChromatography
    from probatum.problems.gas_chromatography.run import Run

SHOWN = ("median", "worst")
"""The best run has nothing to tell."""
LEAST = 1e-7
"""Probabilities nearer to 0 or 1 count as this near in the loss that orders runs."""


def family_pictures(
    problem: GasChromatography, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray
) -> tuple[Picture, ...]:
    """The pictures of `Problem.pictures`; runs are simulated, or read, when a picture is drawn."""
    found = scored(dataset, rows, predictions)
    if not len(found):
        return ()
    probabilities = np.clip(found.prediction, 0.0, 1.0)
    safe = np.clip(probabilities, LEAST, 1 - LEAST)
    losses = -(found.truth * np.log(safe) + (1 - found.truth) * np.log(1 - safe)).mean(axis=1)
    pictures = []
    for name, place in best_median_worst(losses).items():
        if name not in SHOWN:
            continue
        case = str(dataset.cases[found.rows[place]])
        pictures.append(
            Picture(
                f"chromatogram-{name}",
                f"The run of the {name} loss, with its families",
                f"Total-ion chromatogram of {case}, whose mean log loss over nine families, {losses[place]:.2f}, is "
                f"the {name} one of {len(found)} runs; its largest peaks with their time in minutes and largest m/z. "
                "Beside it the predicted probability of each family (bar) and whether it is in the sample (mark).",
                _run_drawing(
                    lambda case=case: problem.run_of(case, dataset.draw), probabilities[place], found.truth[place]
                ),
                width=11.0,
                height=4.2,
            )
        )
    if len(found) > 1:
        pictures.append(_correlations(found, probabilities))
    return tuple(pictures)


def _run_drawing(
    run_of: Callable[[], Run], probabilities: np.ndarray, families: np.ndarray
) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        run = run_of()
        found = traces(run)
        left, right = figure.subplots(1, 2, width_ratios=(3.4, 1))
        chromatogram_panel(left, found, peak_list(run, ignored=AIR, fits=False))
        left.set_xlabel("time, min")
        left.set_xlim(0, float(found.times[-1]) / MINUTE)
        _families(right, probabilities, families)

    return draw


def _families(axes: Axes, probabilities: np.ndarray, families: np.ndarray) -> None:
    places = np.arange(len(FAMILIES))
    inside = families > 0.5
    right = inside == (probabilities > 0.5)
    for chosen, colour, label in (
        (right, BLUE, "predicted, right"),
        (~right, VERMILION, "predicted, wrong side of 0.5"),
    ):
        axes.barh(places[chosen], probabilities[chosen], height=0.6, color=colour, alpha=0.6, label=label)
    for chosen, place, size, face, label in (
        (inside, 1.0, 5, INK, "in the sample"), (~inside, 0.0, 4, "none", "not in it")
    ):  # fmt: skip
        # Nothing, drawn without clipping, has no place, which the layout cannot bear.
        axes.plot(
            np.full(int(chosen.sum()), place), places[chosen], "D", color=INK, ms=size, mfc=face, label=label,
            clip_on=not chosen.any(),
        )  # fmt: skip
    axes.axvline(0.5, color=GRID, lw=0.8, zorder=0)
    axes.set_yticks(places, FAMILY_NAMES, fontsize=8)
    axes.set_ylim(len(FAMILIES) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability")
    axes.set_title("Families")
    axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.4, -0.13), ncols=2)


def _correlations(found: Scored, probabilities: np.ndarray) -> Picture:
    caption = (
        f"How families go together in {len(found)} runs: the grid of label-correlation losses for the labels and for "
        "the predicted probabilities, and the absolute difference of both. A correlation here has noise of variance "
        "1/4 added to each label, which makes it smaller than a plain one."
    )

    def draw(figure: Figure) -> None:
        correlation_panels(
            figure,
            {f"labels, {len(found)} runs": _grid(found.truth), "predicted probabilities": _grid(probabilities)},
        )

    return Picture(
        "label-correlations", "Label correlations, true and predicted", caption, draw, width=13.0, height=4.9
    )


def _grid(labels: np.ndarray) -> np.ndarray:
    """[family, family] float64 of [run, family]."""
    import jax.numpy as jnp

    from probatum.learning.label_correlation import label_correlation

    share = jnp.full(len(labels), 1.0 / len(labels), dtype=jnp.float32)
    return np.asarray(label_correlation(jnp.asarray(labels, dtype=jnp.float32), share), dtype=np.float64)
