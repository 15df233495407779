"""PB203-PB205: over-fitted and unfinished trainings, and validation that is too good, seen in the loss curves.

Three to six points of a single curve rarely bring a significance that the budget of false alarms lets pass for a
warning. What is significant at 1 % is then a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, signature
from typing import Any

import numpy as np

from probatum.audit.finding import Alarm, Severity, check
from probatum.audit.history import History, Run
from probatum.audit.learning_curves import (
    LEAST_FITS,
    MOST_BLOCKS,
    curves_of,
    fall_of_many,
    fall_of_one,
    gap_of_many,
    gap_of_one,
    rise_of_many,
    rise_of_one,
)
from probatum.learning.learner import learner_kind

NOTED = 0.01
"""Probability of a false note a run. Notes stand outside the budget of false alarms."""

EXPLAINS = (
    "dropout",
    "input_noise",
    "noise",
    "augmentation",
    "mixup",
    "symmetry",
    "edge_copies",
    "hard_copies",
    "penalties",
    "weights",
    "class_weights",
    "sample_weights",
    "target_weights",
    "order",
    "average",
)
"""Settings that make a training loss larger than the loss of the same network on the same rows without them."""
NOTHING = (None, False, 0, 0.0, "", "none", "random", [], {}, ())


@check(
    "PB203",
    "over-fitting",
    "warning",
    "run",
    remedy="keep the weights of the best epoch (validation_fraction with restore_best), stop earlier, or regularise: "
    "fewer parameters, dropout, weight decay, more data",
    detects="with 10 fits a rise of five times its spread between fits, with 25 fits of three times, power .9; of "
    "a single curve of 60 epochs whose noise is 5 % a rise by a factor of 2.7, power .9; of five points, as a note, "
    "two that lie a quarter above a trend whose noise is 5 %, power .9",
    statistical=True,
)
def over_fitting(subject: tuple[Run, History], level: float) -> Iterator[Alarm]:
    """After its best epoch the validation loss rises, while the training loss goes on falling.

    For every fit the best epoch is taken from the mean curve of the other fits, so that the noise of its own does not
    choose it; the rise from there to the end, averaged over fits, is held against its spread between fits (one-sided
    t). Of a single curve every other epoch chooses the best one and the rest tell the rise. One of fewer than 24 points
    is a note at most: its distance to the training loss after the best epoch is held against that before it. Where the
    weights of the best epoch are kept, nothing is lost and the finding is a note. Rises below 5 % are passed over.
    """
    run, history = subject
    curves = curves_of(run)
    if curves is None:
        return
    found = rise_of_many(curves) if curves.fits >= LEAST_FITS else rise_of_one(curves)
    if found is None or found.p > max(level, NOTED):
        return
    kept = setting(run, history, "restore_best") is True
    short = curves.fits < LEAST_FITS and len(curves.epochs) < 2 * MOST_BLOCKS
    remark = "; the weights of the best epoch are kept" if kept else ""
    yield Alarm(
        f"the validation loss rises by {np.expm1(found.rise):.0%} after epoch {curves.epochs[found.best]:g} of "
        f"{curves.epochs[-1]:g} while training goes on falling, in {_fits(curves.fits)} (p = {found.p:.2g}){remark}",
        {
            "rise": float(np.expm1(found.rise)),
            "best": float(curves.epochs[found.best]),
            "p": found.p,
            "fits": float(curves.fits),
        },
        severity="note" if kept or short else _severity(found.p, level),
    )


@check(
    "PB204",
    "stopped too early",
    "warning",
    "run",
    remedy="train longer, or until the validation loss has not improved for some epochs (patience); give all arms the "
    "same chance before they are compared",
    detects="with 10 fits a fall over the last quarter of three times its spread between fits, power .9; of a single "
    "curve, as a note, five points that fall by a sixth each with noise of 5 %, power .9",
    statistical=True,
)
def stopped_too_early(subject: tuple[Run, History], level: float) -> Iterator[Alarm]:
    """The last epoch is the best one and the validation loss is still falling, so that more epochs would change it.

    The fall over the last quarter of the epochs, by a straight line through each fit's curve, is held against its
    spread between fits (one-sided t); a single curve's slope against the residuals about its line. A fall of less than
    5 % is passed over, and so are trainings that their own patience ended.
    """
    run, _ = subject
    curves = curves_of(run)
    if curves is None or curves.ended.mean() < 0.5:
        return
    found = fall_of_many(curves) if curves.fits >= LEAST_FITS else fall_of_one(curves)
    if found is None or found[1] > max(level, NOTED):
        return
    fall, p = found
    yield Alarm(
        f"the last epoch is the best and the validation loss fell by {-np.expm1(-fall):.0%} over the last quarter of "
        f"{curves.epochs[-1]:g} epochs, in {_fits(curves.fits)} (p = {p:.2g})",
        {"fall": float(-np.expm1(-fall)), "p": p, "fits": float(curves.fits)},
        severity=_severity(p, level),
    )


@check(
    "PB205",
    "validation better than training beyond chance",
    "warning",
    "run",
    remedy="look for copies of training rows among the validation rows, for validation rows that are easier than the "
    "others (not shuffled, another source), and for losses that are computed differently",
    detects="with 10 fits a gap (logarithm) of three times its spread between fits, power .9; of a single curve whose "
    "numbers of rows are known (scored_on.training_rows and scored_on.validation_rows) a gap of 5 standard errors, "
    "power .9",
    statistical=True,
)
def too_good_validation(subject: tuple[Run, History], level: float) -> Iterator[Alarm]:
    """The validation loss lies below the training loss, and neither chance nor the recipe explains it.

    A training loss is the mean over an epoch during which the network still learns, so the losses of two epochs are
    averaged. The gap over the second half of the epochs is held against its spread between fits: one-sided t of the
    mean logarithm of the ratio plus half its variance, since the logarithm of a noisy mean is low on average (Cox's
    method for the mean of a lognormal; Zhou and Gao, Statistics in Medicine 16, 783, 1997). A single curve's last gap
    is held against the standard error of mean squared errors of so many rows, sqrt(2 / n). Dropout, augmentation,
    noise, weights, penalties, batch normalisation and averaged weights explain a gap; runs with them are passed over,
    and so are gaps below 5 %.
    """
    run, history = subject
    curves = curves_of(run)
    if curves is None or any(setting(run, history, name) not in NOTHING for name in EXPLAINS):
        return
    if setting(run, history, "norm") == "batch":
        return
    found = gap_of_many(curves) if curves.fits >= LEAST_FITS else gap_of_one(curves, run.scored_on)
    if found is None or found[1] > max(level, NOTED):
        return
    gap, p = found
    yield Alarm(
        f"the validation loss is {-np.expm1(gap):.0%} below the training loss in {_fits(curves.fits)} (p = {p:.2g}), "
        "and nothing in the recipe explains it",
        {"gap": float(-np.expm1(gap)), "p": p, "fits": float(curves.fits)},
        severity=_severity(p, level),
    )


def setting(run: Run, history: History, name: str) -> Any:
    """What a run was made with, by the last part of a key; the learner's default where its recipe does not say.

    Args:
        run, history: of it.
        name: 'dropout' finds 'model.dropout', 'training.dropout' and 'dropout'.
    """
    for key, value in run.recipe.items():
        if name in key.split("."):
            return value
    kind = run.recipe.get("model.kind")
    if history.source != "campaign" or not isinstance(kind, str):
        return None
    try:
        own = learner_kind(kind).estimator_class()
        taken = signature(own.__init__).parameters.get(name)
        default = None if taken is None or taken.default is Parameter.empty else taken.default
        return getattr(own, name, default)
    except Exception:  # a module of the user's own may be gone, or fail in any way
        return None


def _severity(p: float, level: float) -> Severity | None:
    """A warning where the share of the budget allows one, else a note."""
    return None if p <= level else "note"


def _fits(count: int) -> str:
    return "one curve" if count == 1 else f"{count} fits"


CHECKS = (over_fitting, stopped_too_early, too_good_validation)
