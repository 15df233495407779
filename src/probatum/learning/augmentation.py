"""Changes to the training rows of a fold, made after the split: copies of edges or hard rows, images under symmetries.

Noise on inputs is made inside the training, anew at every step; see `probatum.learning.program`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int, Real
from scipy.spatial import KDTree

from probatum.errors import CampaignFileError

Symmetry = Callable[[np.ndarray], "list[np.ndarray]"]
"""From inputs [row, column] to their images, each [row, column]; the targets of an image are those of its row."""


def edge_rows(targets: Real[np.ndarray, "row quantity"], share: float) -> Bool[np.ndarray, " row"]:
    """Rows at the edge of what was seen: with any target in the lowest or highest `share` / 2 of its values.

    Args:
        targets: [row, quantity] of training rows.
        share: between 0 and 1.

    Returns:
        [row] bool.
    """
    low, high = np.quantile(targets, [share / 2, 1 - share / 2], axis=0)
    return ((targets <= low) | (targets >= high)).any(axis=1)


def with_edge_copies(
    rows: Int[np.ndarray, " row"], targets: Real[np.ndarray, "row quantity"], share: float, copies: int
) -> Int[np.ndarray, " copied"]:
    """Training rows [row], those at the edge standing `copies` more times.

    Args:
        rows: [row] indices of training rows.
        targets: [row, quantity] of these rows.
        share: see `edge_rows`.
        copies: from 0.
    """
    return np.concatenate([rows, *[rows[edge_rows(targets, share)]] * copies]) if copies else rows


def hard_rows(
    targets: Real[np.ndarray, "row quantity"],
    validation_targets: Real[np.ndarray, "validation quantity"],
    errors: Real[np.ndarray, " validation"],
    share: float,
    neighbours: int = 5,
) -> Bool[np.ndarray, " row"]:
    """Training rows whose targets are like those of the validation rows that a first training predicted worst.

    Args:
        targets: [row, quantity] of training rows.
        validation_targets: [validation row, quantity].
        errors: [validation row] of the first training, in any unit.
        share: of the training rows, between 0 and 1; at least one row.
        neighbours: nearest validation rows, by targets in units of their spread, whose mean error a training row gets.

    Returns:
        [row] bool.
    """
    spread = targets.std(axis=0)
    unit = np.where(spread > 0, spread, 1.0)
    near = KDTree(validation_targets / unit).query(targets / unit, min(neighbours, len(errors)))[1]
    expected = errors[near].reshape(len(targets), -1).mean(axis=1)
    hard = np.zeros(len(targets), dtype=bool)
    hard[np.argsort(-expected, kind="stable")[: max(1, round(share * len(targets)))]] = True
    return hard


def images(inputs: np.ndarray, symmetry: Symmetry) -> np.ndarray:
    """The inputs and those of their images that differ from them, [image, row, column]; the inputs stand first.

    An image that is the inputs themselves would only show every row twice.

    Args:
        inputs: [row, column].
        symmetry: see above.

    Raises:
        CampaignFileError: an image is not shaped as the inputs.
    """
    found = [np.asarray(image, dtype=np.float64) for image in symmetry(inputs)]
    for place, image in enumerate(found):
        if image.shape != inputs.shape:
            raise CampaignFileError(
                f"image {place} under the symmetry has shape {image.shape}, the inputs have {inputs.shape}",
                remedy="return a list of arrays shaped as the inputs",
            )
    return np.stack([inputs, *(image for image in found if not np.array_equal(image, inputs))])


def mean_over_images(
    prediction: Real[np.ndarray, "image row quantity"], spread: Real[np.ndarray, "image row quantity"] | None
) -> tuple[Real[np.ndarray, "row quantity"], Real[np.ndarray, "row quantity"] | None]:
    """The mean and standard deviation of an even mixture of what is predicted for the images of a row.

    Args:
        prediction: [image, row, quantity].
        spread: the same of standard deviations, or None.

    Returns:
        [row, quantity] each.
    """
    mean = prediction.mean(axis=0)
    if spread is None:
        return mean, None
    return mean, np.sqrt((spread**2 + (prediction - mean) ** 2).mean(axis=0))
