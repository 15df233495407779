"""What learners see of a run: seven numbers of each m/z, or an image over time and m/z."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from probatum.problems.gas_chromatography.images import Normalisation, normalised, without_background
from probatum.problems.gas_chromatography.observed_runs import BIN, BINS, HIGHEST, LOWEST
from probatum.problems.gas_chromatography.seven_blocks import BLOCKS
from probatum.problems.problem import Dataset, Feature

LEAST_VARYING = (3, 4, 5, 9, 11, 13, 20, 21, 24, 34)
"""m/z whose mean intensity varies least from run to run in simulated runs: hardly any ion has them, and m/z 4 is the
carrier gas. An entry of the challenge left out the ten m/z of least variance among its training runs."""
WINDOW = 9
"""Bins of the running minimum that is taken for background: 4.5 minutes."""
COARSE = 4
"""Bins put together in coarse images: 2 minutes."""
SIGNAL = 20.0
"""Counts in a bin, over background, below which shares of m/z say nothing: the smallest count recorded."""
STRONGEST = 16
"""Spectra of a run that are looked at one by one: samples hold fewer compounds, but peaks may lie across two bins."""
ALL = np.arange(LOWEST, HIGHEST + 1)
MOST_VARYING = ~np.isin(ALL, LEAST_VARYING)


def seven_blocks(
    dataset: Dataset, along: int = 0, columns: Bool[np.ndarray, " mass"] | slice = slice(None)
) -> Float[np.ndarray, "run column"]:
    """[run, block x m/z], block after block.

    Args:
        dataset: of runs.
        along: 0 for differences along rows, 1 for those along time.
        columns: which m/z.
    """
    kept = np.asarray(dataset.observations["seven_blocks"])[:, along][:, :, columns]
    return kept.reshape(len(dataset), -1).astype(np.float64)


def mean_intensities(dataset: Dataset) -> Float[np.ndarray, "run mass"]:
    """[run, m/z]: log(1 + mean intensity), the first of the seven blocks."""
    kept = np.asarray(dataset.observations["seven_blocks"])[:, 0, BLOCKS.index("mean")]
    return kept.astype(np.float64)


def images(dataset: Dataset, by: Normalisation = "none", background: bool = False) -> Float[np.ndarray, "run column"]:
    """[run, m/z x bin], m/z after m/z: log(1 + counts), or, normalised, the shares themselves.

    Args:
        dataset: of runs.
        by: normalisation of each run's image.
        background: whether it is left in.
    """

    def one(counts: Float[np.ndarray, "bin mass"]) -> Float[np.ndarray, "bin mass"]:
        above = counts if background else without_background(counts, WINDOW)
        return np.log1p(above) if by == "none" else normalised(above, by)

    return _of_each(dataset, one, BINS)


def coarse_images(dataset: Dataset) -> Float[np.ndarray, "run column"]:
    """[run, m/z x coarse bin], m/z after m/z: log(1 + counts), the largest of `COARSE` neighbouring bins."""

    def one(counts: Float[np.ndarray, "bin mass"]) -> Float[np.ndarray, "coarse mass"]:
        above = without_background(counts, WINDOW)
        return np.log1p(above.reshape(BINS // COARSE, COARSE, -1).max(axis=1))

    return _of_each(dataset, one, BINS // COARSE)


def strongest_spectra(dataset: Dataset) -> Float[np.ndarray, "run column"]:
    """[run, spectrum x m/z]: log(1 + counts) of the `STRONGEST` bins with most above background, strongest first."""
    counts = np.asarray(dataset.observations["images"])
    made = np.empty((len(counts), STRONGEST, len(ALL)))
    for place, of_run in enumerate(counts):
        above = without_background(of_run.astype(np.float64), WINDOW)
        strongest = np.argsort(-above.sum(axis=1), kind="stable")[:STRONGEST]
        made[place] = np.log1p(above[strongest])
    return made.reshape(len(counts), -1)


def largest_shares(dataset: Dataset) -> Float[np.ndarray, "run mass"]:
    """[run, m/z]: the largest share that a m/z has of the largest m/z of its bin, background taken off.

    A share says what a compound's spectrum looks like, however much of it there is.
    """

    def one(counts: Float[np.ndarray, "bin mass"]) -> Float[np.ndarray, "1 mass"]:
        above = without_background(counts, WINDOW)
        largest = above.max(axis=1, keepdims=True)
        shares = np.divide(above, largest, out=np.zeros_like(above), where=largest > SIGNAL)
        return shares.max(axis=0, keepdims=True)

    return _of_each(dataset, one, 1)


def _of_each(
    dataset: Dataset,
    one: Callable[[Float[np.ndarray, "bin mass"]], Float[np.ndarray, "made mass"]],
    bins: int,
) -> Float[np.ndarray, "run column"]:
    """[run, m/z x bin] of what is made of each run's [bin, m/z]; run by run, so that its company changes nothing."""
    counts = np.asarray(dataset.observations["images"])
    made = np.empty((len(counts), len(ALL), bins))
    for place, of_run in enumerate(counts):
        made[place] = one(of_run.astype(np.float64)).T
    return made.reshape(len(counts), -1)


_IMAGE = f"of bins of {BIN:g} s, background taken off, [m/z, bin]"
FEATURES: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("seven-blocks", "seven numbers of each m/z, differences along rows, [block, m/z]", seven_blocks),
        Feature("seven-blocks-time", "the same with differences along time", partial(seven_blocks, along=1)),
        Feature(
            "seven-blocks-324",
            "the seven blocks along rows without the ten m/z that vary least",
            partial(seven_blocks, columns=MOST_VARYING),
        ),
        Feature("mean-intensities", "log of 1 + the mean intensity of each m/z, [m/z]", mean_intensities),
        Feature("largest-shares", "the largest share of each m/z in the spectrum of any bin, [m/z]", largest_shares),
        Feature(
            "strongest-spectra",
            f"log of 1 + counts of the {STRONGEST} bins of {BIN:g} s with most above background, [spectrum, m/z]",
            strongest_spectra,
        ),
        Feature("images", f"log of 1 + counts {_IMAGE}", images),
        Feature("images-with-background", "the same with the background left in", partial(images, background=True)),
        Feature("images-of-largest", f"shares of the largest count {_IMAGE}", partial(images, by="largest")),
        Feature("images-of-each-mass", f"shares of each m/z's largest {_IMAGE}", partial(images, by="each m/z")),
        Feature("images-of-sum", f"shares of the sum of all {_IMAGE}", partial(images, by="sum")),
        Feature("coarse-images", f"log of 1 + the largest of {COARSE} neighbouring counts {_IMAGE}", coarse_images),
    )
}
