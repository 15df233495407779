"""Trajectory fitting: the constants and the course that together explain the measurements best, by multiple shooting.

Short windows run from heads of their own, z_w, and must meet: with F the course of a window,

    min over k, z of  sum |c(t) - F(z_w, k)(t)|^2 / sigma^2 + sum |z_{w+1} - F(z_w, k)(end)|^2 / q^2.

q is how far neighbouring windows may miss each other. It starts large, where the problem is nearly linear in every
window, and ends so small that one course of all frames is left, though a chaotic one could never be fitted from its
first frame (Bock, Springer Series in Chemical Physics 18, 102, 1981, for the method). A window's length follows how
fast errors can grow: a spike gets windows of a frame or two.

Gauss-Newton: matrices by `slopes_into` and `arrow`. Exact gradients by the adjoint cost so much less than a new matrix
that one matrix serves several steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import linalg

from probatum.errors import DataError, FitError
from probatum.problems.metabolism.arrow import ArrowFactors, factorised
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.shooting_kernel import gradient_into, shoot_into, slopes_into
from probatum.problems.metabolism.smoothing import rate_variances, smoothed
from probatum.problems.metabolism.trajectory import Trajectory

FALL = 10.0
"""Factor by which q falls."""
NEAR = 8.0
"""q falls once a step is shorter than this many standard errors: no need to converge before."""
CLOSE = 0.1
"""The fit ends with a step shorter than this, q at its last."""
GAIN = 0.5
"""A matrix serves on while each step is shorter than this part of the one before."""
HALVINGS = 8


@dataclass(frozen=True)
class Schedule:
    """How windows are cut, and how far the fit goes.

    Attributes:
        longest: frames in a window.
        travel: a window ends where the sum of h |df/dc|, the largest of all metabolites, exceeds this: errors grow that
            far.
        first_gap, last_gap: q in standard deviations of the noise.
        matrices: how many may be computed at most.
        stride: in slow windows, of twice as many frames or more, so many frames enter the matrix as the middle one,
            weighed so often; odd. Shorter windows take the next smaller odd stride.
    """

    longest: int = 30
    travel: float = 6.0
    first_gap: float = 0.1
    last_gap: float = 1e-3
    matrices: int = 25
    stride: int = 3


WHOLE = Schedule()
"""Until one course is left."""
ONE_MATRIX = Schedule(longest=40, travel=8.0, first_gap=0.03, last_gap=0.03, matrices=1, stride=5)
"""For little noise: the linear form is so near that one matrix takes it most of the way."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted trajectory.

    Attributes:
        constants: k, [reaction] float64.
        covariance: of k, [reaction, reaction] float64: the Cramer-Rao bound at the fit.
        course: the fitted concentrations, [frame, metabolite].
        residual: root mean square of measured minus fitted; the noise, if the model is right.
        miss: the largest between neighbouring windows, concentration.
        windows, matrices: how many.
        converged: whether the last step was short and q at its last; if not, neither k nor its errors can be trusted.
    """

    constants: Float[np.ndarray, " reaction"]
    covariance: Float[np.ndarray, "reaction reaction"]
    course: Float[np.ndarray, "frame metabolite"]
    residual: float
    miss: float
    windows: int
    matrices: int
    converged: bool

    @property
    def standard_errors(self) -> Float[np.ndarray, " reaction"]:
        """Of k, [reaction] float64."""
        return np.sqrt(np.diag(self.covariance))


def shoot(
    metabolism: Metabolism,
    trajectory: Trajectory,
    constants: Float[np.ndarray, " reaction"],
    schedule: Schedule = WHOLE,
) -> Fit:
    """Fits the trajectory.

    Args:
        metabolism: whose regressor has full rank (`Identifiability.reduced`).
        trajectory: measured, its noise above 0.
        constants: k to start from, [reaction], from a linear form.
        schedule: of windows and matrices.

    Raises:
        DataError: the trajectory has no noise, so that a linear form is exact and nothing is to be weighed.
        FitError: the matrix is singular, or the start runs away.
    """
    sigma = trajectory.noise
    if not sigma > 0:
        raise DataError(
            "a trajectory without noise",
            where="multiple shooting",
            remedy="state the measurement's standard deviation, or use forward differences, which are exact then",
        )
    begin = smoothed(metabolism, constants, trajectory).concentrations
    starts = window_starts(metabolism, constants, begin, trajectory.step, schedule)
    shooting = _Shooting(metabolism, trajectory, starts, schedule.stride)
    q, last = sigma * schedule.first_gap, sigma * schedule.last_gap
    run = shooting.run(begin[starts[:-1]], np.asarray(constants, dtype=np.float64), q)
    if not math.isfinite(run.merit):
        raise FitError(
            "the course runs away from the first constants",
            where="multiple shooting",
            remedy="start from a linear form of the same trajectory",
        )
    count, converged, covariance = 0, False, None
    while count < schedule.matrices and not converged:
        count += 1
        try:
            factors = shooting.factors(run, q)
        except linalg.LinAlgError:
            raise FitError(
                "the matrix is singular",
                where="multiple shooting",
                remedy="reduce the network to identifiable constants first",
            ) from None
        covariance = sigma**2 * linalg.cho_solve((factors.shared_factor, True), np.eye(len(run.constants)))
        run, length, whole = _descend(shooting, run, factors, np.sqrt(np.diag(covariance)), q, q > last)
        converged = q <= last and whole and length < CLOSE
        if whole and length < NEAR and not converged:
            q = max(q / FALL, last)
            run = shooting.run(run.heads, run.constants, q)
    assert covariance is not None
    return Fit(
        run.constants, covariance, run.course, float(np.sqrt(np.mean(run.residuals**2))),
        float(np.abs(run.misses).max(initial=0.0)), len(starts) - 1, count, converged,
    )  # fmt: skip


def window_starts(
    metabolism: Metabolism,
    constants: Float[np.ndarray, " reaction"],
    concentrations: Float[np.ndarray, "frame metabolite"],
    step: float,
    schedule: Schedule = WHOLE,
) -> Int[np.ndarray, " boundary"]:
    """Frames at which windows start, and the last frame, where the last window ends: [window + 1] int64."""
    travel = step * np.sqrt(rate_variances(metabolism, constants, concentrations[:-1]).max(axis=1))
    starts, gone = [0], 0.0
    for t, more in enumerate(travel):
        if t > starts[-1] and (gone + more > schedule.travel or t - starts[-1] >= schedule.longest):
            starts.append(t)
            gone = 0.0
        gone += more
    return np.array([*starts, len(concentrations) - 1], dtype=np.int64)


def _descend(
    shooting: _Shooting,
    run: _Run,
    factors: ArrowFactors,
    errors: Float[np.ndarray, " reaction"],
    q: float,
    on_the_way: bool,
) -> tuple[_Run, float, bool]:
    """Steps with one matrix: where they lead, the last one's length in standard errors, and whether it was whole."""
    before = math.inf
    while True:
        heads, k = factors.solve(*shooting.gradient(run, q))
        length = float(np.max(np.abs(k) / errors))
        run, part = shooting.improved(run, heads, k, q)
        whole = part > 0.4 or length < CLOSE  # at the end rounding may forbid any further improvement
        if part < 1 or length > GAIN * before or length < CLOSE or (on_the_way and length < NEAR):
            return run, length, whole
        before = length


@dataclass(frozen=True, eq=False)
class _Run:
    """Heads and constants, run.

    Attributes:
        heads: z, [window, metabolite].
        constants: k, [reaction].
        course: [frame, metabolite].
        ends: where windows end, [window, metabolite].
        residuals: measured minus course.
        misses: heads minus the ends before them, [window - 1, metabolite].
        merit: what is minimised, times sigma^2; infinite where the course ran away.
    """

    heads: Float[np.ndarray, "window metabolite"]
    constants: Float[np.ndarray, " reaction"]
    course: Float[np.ndarray, "frame metabolite"]
    ends: Float[np.ndarray, "window metabolite"]
    residuals: Float[np.ndarray, "frame metabolite"]
    misses: Float[np.ndarray, "window-1 metabolite"]
    merit: float


class _Shooting:
    """The windows of one trajectory."""

    def __init__(
        self, metabolism: Metabolism, trajectory: Trajectory, starts: Int[np.ndarray, " boundary"], stride: int
    ):
        self.packed, self.trajectory, self.starts, self.stride = metabolism.packed, trajectory, starts, stride
        metabolites = len(metabolism.network.metabolites)
        width = metabolites + len(metabolism.network.reactions)
        self.slopes = np.empty((int(np.diff(starts).max()) + 1, metabolites, width))
        self.weighed = np.empty_like(self.slopes)  # allocated once: fresh memory costs as much as the product

    def run(
        self, heads: Float[np.ndarray, "window metabolite"], constants: Float[np.ndarray, " reaction"], q: float
    ) -> _Run:
        course, ends = np.empty_like(self.trajectory.concentrations), np.empty_like(heads)
        shoot_into(course, ends, heads, self.starts, constants, self.trajectory.step, *self.packed)
        residuals, misses = self.trajectory.concentrations - course, heads[1:] - ends[:-1]
        with np.errstate(over="ignore", invalid="ignore"):
            merit = float(np.sum(residuals**2) + (self.trajectory.noise / q) ** 2 * np.sum(misses**2))
        return _Run(heads, constants, course, ends, residuals, misses, merit if math.isfinite(merit) else math.inf)

    def gradient(
        self, run: _Run, q: float
    ) -> tuple[Float[np.ndarray, "window metabolite"], Float[np.ndarray, " reaction"]]:
        """Half the descent direction of the merit: [window, metabolite] for heads and [reaction]."""
        weight = (self.trajectory.noise / q) ** 2
        of_heads, of_constants = np.zeros_like(run.heads), np.zeros_like(run.constants)
        pulls = np.zeros_like(run.heads)
        pulls[:-1] = weight * run.misses
        gradient_into(
            of_heads, of_constants, run.course, run.ends, run.residuals, pulls, self.starts, run.constants,
            self.trajectory.step, *self.packed,
        )  # fmt: skip
        of_heads[1:] -= weight * run.misses
        return of_heads, of_constants

    def factors(self, run: _Run, q: float) -> ArrowFactors:
        """Of the Gauss-Newton matrix, times sigma^2."""
        windows, states = run.heads.shape
        return factorised(self.blocks(run), windows, states, len(run.constants), (self.trajectory.noise / q) ** 2)

    def blocks(
        self, run: _Run
    ) -> Iterator[tuple[Float[np.ndarray, "unknown unknown"], Float[np.ndarray, "metabolite unknown"]]]:
        """For each window J^T J of its data and the derivatives of its end."""
        final = len(self.starts) - 2
        for w, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            slopes = self.slopes[: end - start + 1]
            slopes_into(slopes, run.course[start:end], run.ends[w], run.constants, self.trajectory.step, *self.packed)
            J = _weighed_into(self.weighed, slopes[: end - start + (w == final)], self.stride)
            yield J.T @ J, slopes[-1].copy()

    def improved(
        self, run: _Run, heads: Float[np.ndarray, "window metabolite"], k: Float[np.ndarray, " reaction"], q: float
    ) -> tuple[_Run, float]:
        """The run after the step, halved until the merit falls, and the part of it that was taken; 0 for none."""
        part = 1.0
        for _ in range(HALVINGS):
            new = self.run(np.maximum(run.heads + part * heads, 0.0), run.constants + part * k, q)
            if new.merit < run.merit:
                return new, part
            part /= 2
        return run, 0.0


def _weighed_into(
    weighed: Float[np.ndarray, "longest metabolite unknown"],
    slopes: Float[np.ndarray, "frame metabolite unknown"],
    stride: int,
) -> Float[np.ndarray, "entering unknown"]:
    """Slopes of the frames that enter the matrix, times the roots of their weights: [frame and metabolite, unknown]."""
    count = len(slopes)
    stride = max(1, min(stride, count // 2 - 1 + count // 2 % 2))
    thinned = count - count % stride
    middles, rest = slopes[stride // 2 : thinned : stride], slopes[thinned:]
    np.multiply(middles, math.sqrt(stride), out=weighed[: len(middles)])
    weighed[len(middles) : len(middles) + len(rest)] = rest
    return weighed[: len(middles) + len(rest)].reshape(-1, slopes.shape[2])
