"""A submission to the challenge: trained on the labelled samples of its folder, for the samples it asks about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import DataError
from probatum.problems.gas_chromatography.challenge_folder import (
    METADATA,
    SUBMISSION,
    Sample,
    read_folder,
    submission_names,
)
from probatum.problems.gas_chromatography.challenge_runs import observed_samples
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.family_model import trained
from probatum.problems.gas_chromatography.observed_runs import ObservedRuns
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography
from probatum.problems.problem import Dataset

FEWEST_LABELLED = 20
"""Samples; with fewer, inner folds have hardly any sample of a family."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many of how many runs or parts are done."""


@dataclass(frozen=True, eq=False)
class Submission:
    """What is submitted, and what may be expected of it.

    Attributes:
        names: of the samples, in the order asked for.
        probabilities: [sample, family] float64.
        trained_on: number of labelled samples.
        folds: parts that the labelled samples were divided into for the losses; 0 where they were not.
        losses: [family] float64, mean log loss of each labelled sample, predicted by a model trained on the other
            parts; nan where there are no folds.
        prior_losses: [family] float64, the same for the shares of the families among the other parts.
    """

    names: tuple[str, ...]
    probabilities: Float[np.ndarray, "sample family"]
    trained_on: int
    folds: int
    losses: Float[np.ndarray, " family"]
    prior_losses: Float[np.ndarray, " family"]


def submission(folder: Path, folds: int = 0, progress: Progress | None = None, cores: int = 2) -> Submission:
    """Trains on all labelled samples and predicts those that the form of a submission names.

    Args:
        folder: of the challenge.
        folds: parts for an estimate of the loss, each predicted by a model trained on the others; 0 for none.
        progress: told before and while something is done.
        cores: threads to use.

    Raises:
        DataMissingError, DataError: a folder, table or run that cannot be used (see `challenge_folder`), a form that
            names samples without a run, or too few labelled samples.
        FitError: a training failed.
    """
    samples = {sample.name: sample for sample in read_folder(folder)}
    names = submission_names(folder)
    where = str(folder / SUBMISSION)
    unknown = [name for name in names if name not in samples]
    if unknown or not names:
        what = f"sample {unknown[0]} is not in {METADATA}" if unknown else "names no samples"
        raise DataError(what, where=where, remedy="copy the whole folder again")
    labelled = [sample for sample in samples.values() if sample.families is not None]
    if len(labelled) < FEWEST_LABELLED:
        raise DataError(
            f"has {len(labelled)} labelled samples",
            where=str(folder),
            remedy=f"training needs {FEWEST_LABELLED} or more; put train_labels.csv there",
        )
    if folds and not 2 <= folds <= len(labelled):
        raise DataError(f"{folds} folds", remedy=f"choose 0, or 2 to {len(labelled)}")
    told = progress or _untold
    # The labelled ones alone and in their order, as the data set asks for them: they are read once.
    _read(labelled, told)
    runs = _read([samples[name] for name in names], told)
    dataset = GasChromatography(challenge=str(folder)).dataset(TASK)
    losses, prior_losses = _expected(dataset, folds, told, cores)
    told("training", 0, 1)
    model = trained(dataset, cores)
    told("training", 1, 1)
    return Submission(
        names,
        model.predict_observed(runs),
        len(labelled),
        folds,
        losses,
        prior_losses,
    )


def log_losses(
    labels: Real[np.ndarray, "sample family"], probabilities: Float[np.ndarray, "sample family"]
) -> Float[np.ndarray, " family"]:
    """[family]: the mean over samples of -log p of what is so; both [sample, family]."""
    right = np.where(labels > 0.5, probabilities, 1 - probabilities)
    return -np.log(np.clip(right, 1e-15, None)).mean(axis=0)


def _read(samples: Sequence[Sample], told: Progress) -> ObservedRuns:
    """Looks at all runs, checked against their md5; those looked at before come from the cache."""
    return observed_samples(samples, lambda done, total: told("reading runs", min(done, len(samples)), len(samples)))


def _expected(
    dataset: Dataset, folds: int, told: Progress, cores: int
) -> tuple[Float[np.ndarray, " family"], Float[np.ndarray, " family"]]:
    """Losses of a model, and of the shares of families, on samples that were not trained on."""
    if not folds:
        nothing = np.full(len(FAMILIES), np.nan)
        return nothing, nothing
    labels = dataset.targets()
    fold_of = np.random.default_rng(0).permutation(len(dataset)) % folds
    predicted, prior = np.zeros_like(labels), np.zeros_like(labels)
    for fold in range(folds):
        told("estimating the loss", fold, folds)
        out = fold_of == fold
        model = trained(dataset.take(np.flatnonzero(~out)), cores)
        predicted[out] = model.predict_observed(_without_families(dataset.take(np.flatnonzero(out))))
        prior[out] = (labels[~out].sum(axis=0) + 0.5) / (np.count_nonzero(~out) + 1)
    told("estimating the loss", folds, folds)
    return log_losses(labels, predicted), log_losses(labels, prior)


def _without_families(dataset: Dataset) -> ObservedRuns:
    seen = {name: np.asarray(values) for name, values in dataset.observations.items()}
    nothing = np.zeros((len(dataset), len(FAMILIES)), dtype=bool)
    return ObservedRuns(seen["seven_blocks"], seen["images"], nothing, seen["derivatised"] > 0)


def _untold(what: str, done: int, total: int) -> None:
    """Of nobody who wants to know."""
