"""Curves of training and validation loss: whether they rise, still fall, or cross, and how certain that is.

They are compared as natural logarithms, so that a change is a share of the loss. A campaign's fits are each other's
repeats (`..._of_many`); a single curve, as tables of runs have it, has only its own noise (`..._of_one`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from probatum.audit.history import Run
from probatum.learning.probes import TRAINING, VALIDATION

MATTERS = np.log(1.05)
"""Changes of less than 5 % of the loss are not spoken of, however certain they are."""
LEAST_POINTS, LEAST_FITS = 5, 3
MOST_BLOCKS = 12
"""Neighbouring epochs are alike: a single long curve is cut into this many means before its noise is taken from it."""
CV_OF_SQUARED_ERROR = np.sqrt(2.0)
"""Standard deviation of a squared Gaussian error over its mean."""


@dataclass(frozen=True, eq=False)
class Curves:
    """The losses of fits.

    Attributes:
        training, validation: [fit, epoch] natural logarithms, NaN where there is no value.
        epochs: [epoch] their numbers.
        ended: [fit] bool: whether the last epoch was reached.
    """

    training: np.ndarray
    validation: np.ndarray
    epochs: np.ndarray
    ended: np.ndarray

    @property
    def fits(self) -> int:
        return len(self.validation)

    def tail(self, share: float, least: int = 1) -> int:
        """How many epochs the last share of them is."""
        return max(least, round(share * self.validation.shape[1]))


def curves_of(run: Run) -> Curves | None:
    """The losses of a run's fits; None where none has both, long enough and above 0.

    A curve 'epoch' numbers the epochs of a table that holds only some of them.
    """
    pairs = []
    for fit in run.trainings:
        train, validation = (np.asarray(fit.curves.get(n, ()), dtype=np.float64) for n in (TRAINING, VALIDATION))
        seen, trained = validation[np.isfinite(validation)], train[np.isfinite(train)]
        enough = len(train) == len(validation) and len(seen) >= LEAST_POINTS and len(trained) > 0
        if enough and seen.min() > 0 and trained.min() > 0:
            pairs.append((train, validation))
    if not pairs:
        return None
    epochs = max(len(validation) for _, validation in pairs)
    table = np.full((2, len(pairs), epochs), np.nan)
    for fit, pair in enumerate(pairs):
        table[:, fit, : len(pair[1])] = np.log(np.where(np.isfinite(pair), pair, np.nan))
    numbers = run.trainings[0].curves.get("epoch", ())
    return Curves(
        table[0],
        table[1],
        np.asarray(numbers, dtype=np.float64) if len(numbers) == epochs else np.arange(1.0, epochs + 1),
        np.isfinite(table[1][:, -1]),
    )


# ---------------------------------------------------------------------- many fits, then one


@dataclass(frozen=True)
class Rise:
    """A rise of the validation loss (natural logarithm) after the best of its epochs, and its significance."""

    rise: float
    best: int
    p: float


def rise_of_many(curves: Curves) -> Rise | None:
    """The mean rise of several fits, each from the epoch that is best for the others.

    None where they do not rise while the training loss falls.
    """
    width = curves.tail(0.1)
    smooth = _smoothed(curves.validation, width)
    rises, falls = np.zeros(curves.fits), np.zeros(curves.fits)
    for fit in range(curves.fits):
        best = _best_epoch(np.delete(smooth, fit, axis=0))
        last = int(np.flatnonzero(np.isfinite(curves.validation[fit]))[-1])
        if best + width > last - width:
            continue  # the end is the best epoch, or so near that the windows overlap
        for of, loss in ((rises, curves.validation[fit]), (falls, curves.training[fit])):
            at_best = loss[max(0, best - width // 2) : best + width // 2 + 1]
            of[fit] = np.nan_to_num(_average(loss[last - width + 1 : last + 1]) - _average(at_best))
    if rises.mean() < MATTERS or falls.mean() >= 0:
        return None
    # Fits choose epochs for each other, which makes them a little alike: up to twice as many false alarms as p says.
    return Rise(float(rises.mean()), _best_epoch(smooth), min(1.0, 2 * _of_mean(rises)))


def rise_of_one(curves: Curves) -> Rise | None:
    """The rise of one curve; of a short one, the significance is that of its growing distance to the training loss."""
    train, validation = _mean(curves.training), _mean(curves.validation)
    seen = np.flatnonzero(np.isfinite(validation))
    look = _rise_of_long if len(seen) >= 2 * MOST_BLOCKS else _rise_of_short
    found = look(train[seen], validation[seen])
    return None if found is None else replace(found, best=int(seen[found.best]))


def _rise_of_short(train: np.ndarray, validation: np.ndarray) -> Rise | None:
    best = int(np.argmin(validation))
    gap = validation - train
    before, after = gap[:best][np.isfinite(gap[:best])], gap[best + 1 :][np.isfinite(gap[best + 1 :])]
    if len(before) < 3 or len(after) < 2:
        return None
    rise = _average(validation[best + 1 :]) - float(validation[best])
    fall = _average(train[best + 1 :]) - _average(train[: best + 1])
    return None if rise < MATTERS or fall >= 0 else Rise(rise, best, _above(after, before))


def _rise_of_long(train: np.ndarray, validation: np.ndarray) -> Rise | None:
    """Every other epoch chooses the best one, the rest tell the rise from there: so noise cannot choose its own."""
    width = max(3, len(validation) // MOST_BLOCKS)
    chooses = np.where(np.arange(len(validation)) % 2 == 0, validation, np.nan)
    best = int(np.nanargmin(_smoothed(chooses[None], 2 * width)[0]))
    tells = np.where(np.arange(len(validation)) % 2 == 1, validation, np.nan)
    near, after = (
        w[np.isfinite(w)] for w in (tells[max(0, best - width) : best + width + 1], tells[best + width + 1 :])
    )
    if len(near) < 3 or len(after) < 3:
        return None
    end = after[-max(3, len(after) // 2) :]
    rise = float(end.mean() - near.mean())
    fall = _average(train[-width:]) - _average(train[max(0, best - width) : best + width + 1])
    return None if rise < MATTERS or not fall < 0 else Rise(rise, best, _above(end, near))


def fall_of_many(curves: Curves) -> tuple[float, float] | None:
    """How far the validation loss still falls over the last quarter of the epochs, mean over fits, and its p.

    None where it does not.
    """
    tail = curves.validation[:, -curves.tail(0.25, 4) :]
    smooth = _smoothed(curves.validation, curves.tail(0.1))
    if _best_epoch(smooth) < smooth.shape[1] - curves.tail(0.1) - 1:
        return None
    falls = np.array([-_slope(row) * (tail.shape[1] - 1) for row in tail if np.isfinite(row).sum() >= 3])
    if len(falls) < LEAST_FITS or falls.mean() < MATTERS:
        return None
    return float(falls.mean()), _of_mean(falls)


def fall_of_one(curves: Curves) -> tuple[float, float] | None:
    """How far one curve's validation loss still falls at its end, and its p; None where it does not."""
    validation = _mean(curves.validation)
    seen = validation[np.isfinite(validation)]
    if int(np.argmin(seen)) != len(seen) - 1:
        return None
    half = _blocks(seen[-max(LEAST_POINTS, len(seen) // 2) :])
    fall = float(half[-2] - half[-1]) if len(seen) < 2 * MOST_BLOCKS else float(half[len(half) // 2] - half[-1])
    if fall < MATTERS:
        return None
    places = np.arange(len(half)) - (len(half) - 1) / 2
    slope = float(places @ half / (places @ places))
    degrees = len(half) - 2
    error = np.sqrt(((half - half.mean() - slope * places) ** 2).sum() / degrees / (places @ places))
    return fall, _one_sided(-slope, error, degrees)


def gap_of_many(curves: Curves) -> tuple[float, float] | None:
    """How far the validation loss lies below the training loss late in training, mean over fits, and its p.

    The distance is negative; None where it does not lie below.
    """
    gaps = np.array([g.mean() for g in map(_late_gaps, curves.training, curves.validation) if len(g)])
    if len(gaps) < LEAST_FITS or gaps.mean() > -MATTERS:
        return None
    variance, count = float(gaps.var(ddof=1)), len(gaps)
    error = np.sqrt(variance / count + variance**2 / (2 * (count - 1)))  # Cox's, of the logarithm of a mean
    p = _one_sided(-float(gaps.mean()) - variance / 2, error, count - 1)
    return float(gaps.mean()), p


def gap_of_one(curves: Curves, scored_on: Mapping[str, Any]) -> tuple[float, float] | None:
    """The same for one curve; None too where `scored_on` does not say how many rows both losses were taken on."""
    rows = [scored_on.get(key) for key in ("training_rows", "validation_rows")]
    if not all(isinstance(n, int | float) and n > 0 for n in rows):
        return None
    train, validation = _mean(curves.training), _mean(curves.validation)
    both = np.flatnonzero(np.isfinite(train) & np.isfinite(validation))
    if not len(both):
        return None
    gap = float(validation[both[-1]] - train[both[-1]])
    if gap > -MATTERS:
        return None
    error = CV_OF_SQUARED_ERROR * np.sqrt(sum(1 / n for n in rows if n))
    return gap, float(stats.norm.cdf(gap / error))


# ---------------------------------------------------------------------- what they are made of


def _late_gaps(train: np.ndarray, validation: np.ndarray) -> np.ndarray:
    """Validation minus training at the ends of the epochs of the second half."""
    at_ends = (train + np.append(train[1:], train[-1])) / 2
    gaps = (validation - np.where(np.isfinite(at_ends), at_ends, train))[np.isfinite(validation)]
    late = gaps[len(gaps) // 2 :]
    return late[np.isfinite(late)]


def _mean(table: np.ndarray) -> np.ndarray:
    """[epoch]: mean over the fits that have the epoch; NaN where none has."""
    seen = np.isfinite(table)
    count = seen.sum(axis=0)
    total = np.where(seen, table, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _average(values: np.ndarray) -> float:
    """The mean of what there is; NaN where nothing is."""
    return float(_mean(values[:, None])[0])


def _best_epoch(smooth: np.ndarray) -> int:
    """The lowest epoch of the mean curve, among those that at least half of the fits have."""
    mean = np.where(np.isfinite(smooth).mean(axis=0) >= 0.5, _mean(smooth), np.inf)
    return int(np.argmin(mean))


def _smoothed(table: np.ndarray, width: int) -> np.ndarray:
    """[fit, epoch]: the mean over `width` epochs around each; NaN where the epoch itself has none."""
    out = np.full_like(table, np.nan)
    for epoch in range(table.shape[1]):
        window = table[:, max(0, epoch - width // 2) : epoch + width // 2 + 1]
        out[:, epoch] = np.where(np.isfinite(table[:, epoch]), _mean(window.T), np.nan)
    return out


def _blocks(curve: np.ndarray) -> np.ndarray:
    """The curve itself, or the means of `MOST_BLOCKS` parts of a long one."""
    if len(curve) < 2 * MOST_BLOCKS:
        return curve
    return np.array([_average(part) for part in np.array_split(curve, MOST_BLOCKS)])


def _slope(values: np.ndarray) -> float:
    seen = np.flatnonzero(np.isfinite(values))
    return float(np.polyfit(seen, values[seen], 1)[0])


def _above(these: np.ndarray, those: np.ndarray) -> float:
    """p that the first mean is above the second, equal variances."""
    degrees = len(these) + len(those) - 2
    squares = ((these - these.mean()) ** 2).sum() + ((those - those.mean()) ** 2).sum()
    error = np.sqrt(squares / degrees * (1 / len(these) + 1 / len(those)))
    return _one_sided(float(these.mean() - those.mean()), error, degrees)


def _of_mean(values: np.ndarray) -> float:
    """p that the mean is above 0."""
    return _one_sided(float(values.mean()), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)


def _one_sided(estimate: float, error: float, degrees: int) -> float:
    """p of Student's t, that what is estimated is above 0."""
    if error == 0:
        return 0.0 if estimate > 0 else 1.0
    return float(stats.t.sf(estimate / error, degrees))
