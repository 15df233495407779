"""A picture of what was predicted, as a problem draws it: into a figure that somebody else makes and writes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.errors import DataError
from probatum.pictures import PAPER, missing_glyphs_allowed, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from probatum.problems.problem import Dataset

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Picture:
    """One picture, drawn when it is asked for.

    Attributes:
        name: short and unique among a problem's pictures, for files and anchors: 'strain-profiles'.
        title: what is shown, in a few words.
        caption: what one sees, with units and counts; plain text.
        draw: draws it into an empty figure of this size (see `probatum.pictures.new_figure`); may be called again.
        width, height: of the figure, in inches.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Figure], None]
    width: float = 7.0
    height: float = 4.5

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.name):
            raise ValueError(f"a picture's name is lower case words joined by '-', not '{self.name}'")

    def _repr_svg_(self) -> str:
        """As a notebook shows it."""
        document = io.StringIO()
        with new_figure(self.width, self.height) as figure, missing_glyphs_allowed():
            self.draw(figure)
            figure.savefig(document, format="svg", facecolor=PAPER, metadata={"Date": None})
        return document.getvalue()


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions beside the truth, by ascending row.

    Attributes:
        rows: [scored row] int positions in the dataset.
        truth, prediction: [scored row, quantity] float64.
        left_out: rows that are not here, because their truth or their prediction is not finite.
    """

    rows: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    left_out: int

    def __len__(self) -> int:
        return len(self.rows)


def scored(dataset: Dataset, rows: np.ndarray, predictions: np.ndarray) -> Scored:
    """What a picture may show: opens the truth of rows that were predicted.

    Args:
        dataset, rows, predictions: as `Problem.pictures` gets them.

    Raises:
        DataError: predictions that are not one a row and quantity, or rows that the dataset does not have.
    """
    rows, predictions = np.asarray(rows, dtype=np.intp), np.asarray(predictions, dtype=np.float64)
    if predictions.shape != (len(rows), len(dataset.quantities)):
        shape = " x ".join(map(str, predictions.shape))
        raise DataError(f"{shape} predictions for {len(rows)} rows of {len(dataset.quantities)} quantities")
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(dataset):
        raise DataError(f"rows {rows.min()} to {rows.max()} of a dataset of {len(dataset)}")
    order = np.argsort(rows, kind="stable")
    rows, predictions = rows[order], predictions[order]
    truth = dataset.truth.open_for_scoring()[rows]
    good = np.isfinite(truth).all(axis=1) & np.isfinite(predictions).all(axis=1)
    return Scored(rows[good], truth[good], predictions[good], int((~good).sum()))


def best_median_worst(errors: np.ndarray) -> dict[str, int]:
    """What a picture of a few of many shows: 'best', 'median' and 'worst' to their positions.

    Args:
        errors: [place] float64, of cases or groups; fewer than three places give fewer names, none twice the same.
    """
    order = np.argsort(errors, kind="stable")
    places = {"best": 0, "median": (len(order) - 1) // 2, "worst": len(order) - 1}
    names = ("best", "median", "worst") if len(order) > 2 else ("best", "worst") if len(order) == 2 else ("worst",)
    return {name: int(order[places[name]]) for name in names if len(order)}
