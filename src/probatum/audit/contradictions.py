"""PB302, PB303: what two metrics of one run say about each other, reported or computed from its predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from probatum.audit.finding import Alarm, check
from probatum.audit.history import History, Run
from probatum.audit.metric_names import (
    is_correlation,
    is_mean_error,
    is_median_error,
    is_r2,
    is_squared,
    is_trimmed_r2,
    named_figures,
    partner,
    words,
)

TRIMMING = 4.0
"""Trimming the largest third of Gaussian errors leaves a quarter of their squares; a smaller rest has another cause."""
KEPT = 0.95
"""Share of the rows that trimming of our own keeps."""
LEAST_ROWS = 20
ORDERED, OFF = 0.5, 0.3
"""A squared correlation of at least the first, with R2 below it by more than the second: right in order, wrong in
size."""
ROUNDING = 0.005
"""Figures of two decimals are equal up to this."""
SAME = 5e-4
"""Figures of three decimals are equal up to this."""
TELLS = 0.02
"""How much an R2 must exceed what slope and correlation allow to be called impossible."""
FAR = 1e6
"""Errors of so many standard deviations of the truth are of a model that ran away (PB201)."""
TAILS = 4.0
"""Mean over median of absolute errors: 1.2 for Gaussian ones, 1.4 for double exponential ones."""


@check(
    "PB302",
    "metrics of one run contradict each other",
    "warning",
    "run",
    remedy="look at the rows with the largest errors and say what becomes of them; report the metric that was chosen "
    "before, on all rows",
    detects="(1 - R2) / (1 - trimmed R2) above 4, a squared correlation .3 above R2, an R2 above the squared "
    "correlation, a mean absolute error of four medians: always",
)
def contradicting(subject: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """One run is excellent by one of its metrics and poor by another, so that the choice between them is the result.

    R2 against trimmed R2: of Gaussian errors a third must be left out before a quarter of the squares is left.
    Correlation against R2: R2 = 1 - SSE/SST is never above r^2, the best that any line through the predictions could
    reach, and .3 below it when scale or offset are wrong. Mean against median: of Gaussian errors the mean is 1.2
    medians. Where predictions are kept, the first two are computed, with the largest twentieth of the errors left out.
    """
    run, _history = subject
    if run.trivial:
        return
    yield from _reported(named_figures(run))
    truth, prediction = predictions_of(run)
    for quantity in range(truth.shape[1]):
        yield from _computed(truth[:, quantity], prediction[:, quantity])


def _reported(metrics: Mapping[str, float]) -> Iterator[Alarm]:
    for name, value in metrics.items():
        if is_trimmed_r2(name):
            yield from _of_trimmed(name, value, metrics)
        elif is_r2(name):
            other = partner(name, metrics, is_r2, is_correlation)
            if other is not None and abs(metrics[other]) <= 1:
                yield from _of_correlation(name, value, other, metrics[other])
        elif is_mean_error(name):
            other = partner(name, metrics, is_mean_error, is_median_error)
            limit = TAILS ** (2 if is_squared(name) else 1)
            if other is not None and metrics[other] > 0 and value > limit * metrics[other]:
                yield Alarm(
                    f"{name} = {value:.4g} is {value / metrics[other]:.2g} times {other} = {metrics[other]:.4g}: a few "
                    "rows carry the error",
                    {"mean": value, "median": metrics[other]},
                )


def _of_trimmed(name: str, trimmed: float, metrics: Mapping[str, float]) -> Iterator[Alarm]:
    usable = [other for other in metrics if not is_r2(other) or metrics[other] > -1]  # the others diverged
    other = partner(name, usable, is_trimmed_r2, is_r2)
    if other is not None and trimmed < 1 and 1 - metrics[other] > TRIMMING * (1 - trimmed):
        yield Alarm(
            f"{other} = {metrics[other]:.4g}, {name} = {trimmed:.4g}: a few rows make all the difference",
            {"r2": metrics[other], "trimmed": trimmed},
        )


def _of_correlation(name: str, r2: float, other: str, correlation: float) -> Iterator[Alarm]:
    figures = {"r2": r2, "pearson": correlation}
    if r2 > correlation**2 + 2 * ROUNDING:
        yield Alarm(
            f"{name} = {r2:.4g} is above {other}^2 = {correlation**2:.4g}, which no R2 of the same rows can be", figures
        )
    elif correlation**2 >= ORDERED and correlation > 0 and correlation**2 - r2 > OFF and r2 > -1:
        yield Alarm(
            f"{other} = {correlation:.4g}, {name} = {r2:.4g}: right in order, wrong in scale or offset", figures
        )


def _computed(truth: np.ndarray, prediction: np.ndarray) -> Iterator[Alarm]:
    if len(truth) < LEAST_ROWS or np.abs(prediction - truth).max() > FAR * truth.std():
        return  # too few, or another matter: it diverged
    if truth.std() == 0 or prediction.std() <= 1e-9 * truth.std():
        return
    squares = (prediction - truth) ** 2
    r2 = 1 - squares.mean() / truth.var()
    if r2 <= -1:
        return
    correlation = float(np.corrcoef(truth, prediction)[0, 1])
    kept = np.argsort(squares, kind="stable")[: int(KEPT * len(squares))]
    left = squares[kept].sum() / squares.sum()
    if squares.sum() > 0 and left * TRIMMING < 1:
        yield Alarm(
            f"{len(squares) - len(kept)} of {len(squares)} rows carry {1 - left:.0%} of the squared error (R2 {r2:.3g}"
            " with them)",
            {"r2": r2, "share": 1 - left},
        )
    if correlation > 0 and correlation**2 >= ORDERED and correlation**2 - r2 > OFF:
        yield Alarm(
            f"correlation {correlation:.3g}, R2 {r2:.3g} of the predictions: right in order, wrong in scale or offset",
            {"r2": r2, "pearson": correlation},
        )


@check(
    "PB303",
    "a squared correlation called R2",
    "error",
    "run",
    remedy="report R2 = 1 - SSE/SST of predictions against truth, and the correlation under its own name",
    detects="where predictions are kept: r^2 and R2 that differ by .01, always; from figures: R2 more than .02 above "
    "what slope and correlation allow, always; R2 equal to r^2 in three decimals, as a note",
)
def squared_correlation(subject: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """An R2 is reported that is the square of a correlation, which forgives every scale and offset.

    R2 = 1 - sum (t - p)^2 / sum (t - mean t)^2 of truth t and prediction p, and r^2 are computed where predictions are
    kept, and the reported figure is that of the two which it equals. From figures alone: with r and the slope b of
    predictions over truth, R2 <= 2 b - b^2 / r^2; with that of truth over predictions, R2 <= r^2 (2 / b - 1 / b^2). A
    figure above both is no R2. Equal to r^2 in three decimals alone is a note: R2 of training rows of a straight line
    is that too.
    """
    run, history = subject
    # A campaign computes its own score, and may average it over folds: then it can be near a pooled r^2 by chance.
    figures = run.metrics if history.source == "campaign" else named_figures(run)
    reported = {name: value for name, value in figures.items() if is_r2(name)}
    truth, prediction = predictions_of(run)
    for name, value in reported.items():
        if len(truth) > 2:
            yield from _against_predictions(name, value, truth, prediction)
            continue
        other = partner(name, figures, is_r2, is_correlation)
        if other is not None and 0 < abs(figures[other]) < 1 - SAME:
            slope = next((v for n, v in figures.items() if "slope" in words(n) and v > 0), None)
            yield from _against_correlation(name, value, other, figures[other] ** 2, slope)


def _against_correlation(name: str, value: float, other: str, r2: float, slope: float | None) -> Iterator[Alarm]:
    """What an R2 of all rows can be at most, given a squared correlation and a slope of either direction."""
    figures = {"reported": value, "squared correlation": r2}
    most = r2 if slope is None else max(2 * slope - slope**2 / r2, r2 * (2 / slope - slope**-2))
    if most + TELLS < value <= r2 + 2 * ROUNDING:  # above r^2 itself it is of other rows (PB302)
        yield Alarm(
            f"{name} = {value:.4g} is the squared correlation ({other}^2 = {r2:.4g}): with slope {slope:.4g} an R2 is "
            f"at most {most:.4g}",
            {**figures, "most": most},
        )
    elif abs(value - r2) < SAME:
        yield Alarm(f"{name} = {value:.4g} is {other}^2 = {r2:.4g}", figures, severity="note")


def _against_predictions(name: str, value: float, truth: np.ndarray, prediction: np.ndarray) -> Iterator[Alarm]:
    scatter = truth.std(axis=0)
    near = np.abs(prediction - truth).max(axis=0) <= FAR * scatter
    varies = (scatter > 0) & near
    varies[varies] = prediction[:, varies].std(axis=0) > 0
    if not varies.any():
        return
    t, p = truth[:, varies], prediction[:, varies]
    identity = float((1 - ((p - t) ** 2).mean(axis=0) / t.var(axis=0)).mean())
    squared = float(np.mean([np.corrcoef(t[:, q], p[:, q])[0, 1] ** 2 for q in range(t.shape[1])]))
    if abs(value - squared) <= ROUNDING < (squared - identity) / 2 and abs(value - identity) > ROUNDING:
        yield Alarm(
            f"{name} = {value:.4g} is the squared correlation {squared:.4g} of the predictions; their R2 is "
            f"{identity:.4g}",
            {"reported": value, "squared correlation": squared, "r2": identity},
        )


def predictions_of(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """[row, quantity] truth and prediction of all fits together; no rows where they were not kept or are not finite."""
    pairs = [(f.truth, f.prediction) for f in run.trainings if f.truth is not None and f.prediction is not None]
    if not pairs:
        return np.zeros((0, 0)), np.zeros((0, 0))
    truth, prediction = (np.concatenate(side) for side in zip(*pairs, strict=True))
    finite = np.isfinite(truth).all(axis=1) & np.isfinite(prediction).all(axis=1)
    return truth[finite], prediction[finite]


CHECKS = (contradicting, squared_correlation)
