"""Calibration: internal scores against an external leaderboard, by the form that predicts left-out pairs best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Real
from scipy import stats

from probatum.errors import DataError

Number = TypeVar("Number", float, np.ndarray)
LARGEST = 1e100
"""Scores beyond cannot be fitted: their squares overflow."""
LEAST = 3
"""Different internal scores that a fit needs: with two, every form of two parameters fits exactly."""

NEARLY = 1.1
"""A form of another unit whose left-out error is within this factor of the best is named beside it."""

ROOT = "your CV looks like an MSE and this leaderboard like an RMSE"
SQUARE = "your CV looks like an RMSE and this leaderboard like an MSE"


@dataclass(frozen=True)
class Form:
    """A way in which external scores y may follow internal ones x.

    Attributes:
        name: 'y = a + b sqrt(x)'.
        transform, inverse: of x; the form is linear in transform(x).
        intercept: whether there is an a.
        remark: what it says about units, None for a line.
    """

    name: str
    transform: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[float], float]
    intercept: bool
    remark: str | None = None

    @property
    def parameters(self) -> int:
        return 1 + self.intercept

    def design(self, x: Real[np.ndarray, " point"]) -> Float[np.ndarray, "point parameter"]:
        """[point, parameter]."""
        columns = [self.transform(x)]
        return np.stack([np.ones_like(x), *columns] if self.intercept else columns, axis=1)


def _same(x: Number) -> Number:
    return x


FORMS = (
    Form("y = a + b x", _same, _same, True),
    Form("y = b x", _same, _same, False),
    Form("y = b sqrt(x)", np.sqrt, lambda t: t**2, False, ROOT),
    Form("y = a + b sqrt(x)", np.sqrt, lambda t: t**2, True, ROOT),
    Form("y = b x^2", np.square, math.sqrt, False, SQUARE),
    Form("y = a + b x^2", np.square, math.sqrt, True, SQUARE),
)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A form, fitted by least squares.

    Attributes:
        form: which.
        a, b: its parameters; a is 0 where the form has none.
        left_out_error: root mean square of the errors on pairs left out, all pairs of one internal score at a time.
        spread: residual standard deviation.
        degrees: of freedom of the residuals.
        inverse_gram: [parameter, parameter] (X'X)^-1.
    """

    form: Form
    a: float
    b: float
    left_out_error: float
    spread: float
    degrees: int
    inverse_gram: Float[np.ndarray, "parameter parameter"]

    def predict(self, x: Real[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """[point]: the external score expected at internal scores x."""
        return self.a + self.b * self.form.transform(np.asarray(x, dtype=np.float64))

    def interval(
        self, x: Real[np.ndarray, " point"], level: float = 0.95
    ) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
        """([point], [point]): where one new external score lies, y +- t s sqrt(1 + x'(X'X)^-1 x)."""
        x = np.asarray(x, dtype=np.float64)
        design = self.form.design(x)
        leverage = np.einsum("pi,ij,pj->p", design, self.inverse_gram, design)
        half = stats.t.ppf(0.5 + level / 2, self.degrees) * self.spread * np.sqrt(1 + leverage)
        return self.predict(x) - half, self.predict(x) + half

    def needed(self, target: float, *, negative: bool = False) -> float | None:
        """The internal score at which the form expects the target; None where none gives it.

        Args:
            target: external score.
            negative: whether internal scores may be less than 0.
        """
        if self.b == 0:
            return None
        transformed = (target - self.a) / self.b
        return float(self.form.inverse(transformed)) if transformed >= 0 or negative else None


@dataclass(frozen=True, eq=False)
class Calibration:
    """Internal scores against external ones.

    Attributes:
        x, y: [pair] internal and external scores.
        fits: every form that can be fitted, the one with the least left-out error first.
        line: 'y = a + b x' among them.
    """

    x: Float[np.ndarray, " pair"]
    y: Float[np.ndarray, " pair"]
    fits: tuple[Fitted, ...]

    @property
    def best(self) -> Fitted:
        return self.fits[0]

    @property
    def line(self) -> Fitted:
        return next(f for f in self.fits if f.form is FORMS[0])

    @property
    def unit_remark(self) -> str | None:
        """What the best form says about units; None where a line through or beside the origin is best."""
        best, line = self.best, self.line
        if best.form.remark is None:
            return None
        errors = f"{best.left_out_error:.3g} against {line.left_out_error:.3g}"
        says = f"{best.form.remark}: {best.form.name} predicts left-out pairs better than the line ({errors})"
        others = (f for f in self.fits if f.form.remark not in (best.form.remark, None))
        rival = next((f for f in others if f.left_out_error < NEARLY * best.left_out_error), None)
        return f"{says}; {rival.form.name} does nearly as well ({rival.left_out_error:.3g})" if rival else says


@dataclass(frozen=True)
class Reach:
    """Whether a wanted external score can be had, by one form.

    Attributes:
        fitted: the form.
        target: the wanted score.
        needed: the internal score that it asks for, None where no internal score gives it.
        under_floor: name and value of a noise floor that `needed` lies under, None where it lies under none.
        says: in words.
    """

    fitted: Fitted
    target: float
    needed: float | None
    under_floor: tuple[str, float] | None
    says: str


def calibrate(internal: Sequence[float] | np.ndarray, external: Sequence[float] | np.ndarray) -> Calibration:
    """Fits every form to pairs of scores and orders them by their error on left-out pairs.

    The error of leave-one-out cross-validation is that of Stone (Journal of the Royal Statistical Society B 36, 111,
    1974). Pairs of equal internal score are left out together: one experiment submitted twice predicts itself.

    Args:
        internal: [pair] x, as the campaign scores.
        external: [pair] y, as somebody else does.

    Raises:
        DataError: scores that are not finite, or too few different ones to fit anything.
    """
    x, y = np.asarray(internal, dtype=np.float64), np.asarray(external, dtype=np.float64)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("a score is not finite", remedy="leave the pair out")
    if max(np.abs(x).max(initial=0), np.abs(y).max(initial=0)) > LARGEST:
        raise DataError(f"a score is above {LARGEST:g} in size: squares overflow", remedy="leave the pair out")
    count = len(np.unique(x))
    if count < LEAST:
        given = f"{len(x)} pair{'s' if len(x) != 1 else ''} with {count} different internal score"
        raise DataError(
            f"{given}{'s' if count != 1 else ''}: nothing can be fitted", remedy=f"it needs {LEAST} or more"
        )
    forms = [f for f in FORMS if f.remark is None or x.min() >= 0]  # no unit of an error makes a score negative
    fits = [fitted for form in forms if (fitted := _fitted(form, x, y)) is not None]
    return Calibration(x, y, tuple(sorted(fits, key=lambda f: f.left_out_error)))


def reach(fitted: Fitted, target: float, floors: Sequence[tuple[str, float]] = (), *, lowest: float) -> Reach:
    """Whether a target can be reached by a form, where lower scores are better.

    Args:
        fitted: the form.
        target: the wanted external score.
        floors: (name, value) of noise floors, in the unit of the internal score.
        lowest: the least internal score seen, below which the form is extrapolated; scores that are errors are not
            negative.
    """
    name = fitted.form.name
    needed = fitted.needed(target, negative=bool(lowest < 0))
    if needed is None:
        least = f"the least that it reaches is a = {fitted.a:.4g} at x = 0" if fitted.b > 0 else "b is not positive"
        return Reach(fitted, target, None, None, f"{target:g} cannot be reached on {name}: {least}")
    under = max(((n, v) for n, v in floors if needed < v), key=lambda f: f[1], default=None)
    says = f"{target:g} asks for x = {needed:.4g} on {name}"
    if under:
        at_floor = np.array([under[1]])
        low, high = fitted.interval(at_floor)
        says += (
            f", which lies under the noise floor of {under[0]} ({under[1]:.4g}); at that floor y is "
            f"{float(fitted.predict(at_floor)[0]):.4g} ({low[0]:.4g} to {high[0]:.4g})"
        )
    elif needed < lowest:
        says += f", below every internal score seen (least {lowest:.4g}): an extrapolation"
    return Reach(fitted, target, needed, under, says)


def _fitted(form: Form, x: Float[np.ndarray, " pair"], y: Float[np.ndarray, " pair"]) -> Fitted | None:
    design = form.design(x)
    degrees = len(x) - form.parameters
    parameters = _solve(design, y)
    if parameters is None:
        return None
    errors = np.empty_like(y)
    for value in np.unique(x):
        out = x == value
        without = _solve(design[~out], y[~out])
        if without is None:
            return None
        errors[out] = y[out] - design[out] @ without
    residual = y - design @ parameters
    return Fitted(
        form,
        float(parameters[0]) if form.intercept else 0.0,
        float(parameters[-1]),
        float(np.sqrt(np.mean(errors**2))),
        float(np.sqrt(residual @ residual / degrees)),
        degrees,
        np.linalg.inv(design.T @ design),
    )


def _solve(design: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Least squares; None where the columns cannot be told apart."""
    solution, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    return solution if rank == design.shape[1] else None
