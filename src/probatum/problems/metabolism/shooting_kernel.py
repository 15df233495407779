"""The compiled loops behind `multiple_shooting`. Importing this module imports numba.

In all of them window w runs over the frames starts[w] ... starts[w + 1]; the frame where it ends is the next one's
first, and its data belong to the next one, but for the last window. Where the clamp lifts a concentration to 0 it stays
0 whatever came before, so slopes there are 0.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.metabolism.kinetics_kernel import compiled, power


@compiled
def propensity_slope(
    now: np.ndarray, order_starts: np.ndarray, order_rows: np.ndarray, order_values: np.ndarray, j: int, e: int
) -> float:
    """Derivative of p_j by the concentration of its e-th entry."""
    slope = 1.0
    for f in range(order_starts[j], order_starts[j + 1]):
        c, order = now[order_rows[f]], order_values[f]
        if f == e:
            if order != 1.0:
                slope *= order * c ** (order - 1.0)
        else:
            slope *= power(c, order)
    return slope


@compiled
def rate_slopes_into(
    found: np.ndarray,
    concentrations: np.ndarray,
    constants: np.ndarray,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
    decay: np.ndarray,
    level: np.ndarray,
) -> None:
    """Writes sum_j S_ij^2 k_j^2 sum_a (dp_j / dc_a)^2, [frame, metabolite]."""
    for t in range(concentrations.shape[0]):
        for i in range(found.shape[1]):
            found[t, i] = 0.0
        for j in range(constants.shape[0]):
            squares = 0.0
            for e in range(order_starts[j], order_starts[j + 1]):
                slope = constants[j] * propensity_slope(concentrations[t], order_starts, order_rows, order_values, j, e)
                squares += slope * slope
            for e in range(change_starts[j], change_starts[j + 1]):
                found[t, change_rows[e]] += change_values[e] * change_values[e] * squares


@compiled
def step_into(
    later: np.ndarray,
    now: np.ndarray,
    constants: np.ndarray,
    step: float,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
    decay: np.ndarray,
    level: np.ndarray,
) -> None:
    """Euler's step with the clamp."""
    for i in range(now.shape[0]):
        later[i] = now[i] - step * decay[i] * (now[i] - level[i])
    for j in range(constants.shape[0]):
        p = 1.0
        for e in range(order_starts[j], order_starts[j + 1]):
            p *= power(now[order_rows[e]], order_values[e])
        change = step * constants[j] * p
        for e in range(change_starts[j], change_starts[j + 1]):
            later[change_rows[e]] += change_values[e] * change
    for i in range(now.shape[0]):
        later[i] = max(later[i], 0.0)


@compiled
def shoot_into(
    course: np.ndarray,
    ends: np.ndarray,
    heads: np.ndarray,
    starts: np.ndarray,
    constants: np.ndarray,
    step: float,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
    decay: np.ndarray,
    level: np.ndarray,
) -> None:
    """Runs all windows from their heads: [frame, metabolite], and [window, metabolite] where each of them ends."""
    for w in range(heads.shape[0]):
        course[starts[w]] = heads[w]
        for t in range(starts[w], starts[w + 1]):
            later = course[t + 1] if t + 1 < starts[w + 1] or w == heads.shape[0] - 1 else ends[w]
            step_into(
                later, course[t], constants, step,
                order_starts, order_rows, order_values, change_starts, change_rows, change_values, decay, level,
            )  # fmt: skip
        if w == heads.shape[0] - 1:
            ends[w] = course[starts[w + 1]]


@compiled
def gradient_into(
    of_heads: np.ndarray,
    of_constants: np.ndarray,
    course: np.ndarray,
    ends: np.ndarray,
    residuals: np.ndarray,
    pulls: np.ndarray,
    starts: np.ndarray,
    constants: np.ndarray,
    step: float,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
    decay: np.ndarray,
    level: np.ndarray,
) -> None:
    """The adjoint of `shoot_into`: its derivatives times residuals [frame, .] and pulls [window, .] at ends."""
    m = course.shape[1]
    later, now = np.empty(m), np.empty(m)
    for w in range(of_heads.shape[0]):
        last = w == of_heads.shape[0] - 1
        for i in range(m):
            later[i] = residuals[starts[w + 1], i] if last else pulls[w, i]
        for t in range(starts[w + 1] - 1, starts[w] - 1, -1):
            reached = ends[w] if t + 1 == starts[w + 1] else course[t + 1]
            for i in range(m):
                if reached[i] <= 0.0:
                    later[i] = 0.0
                now[i] = (1.0 - step * decay[i]) * later[i] + residuals[t, i]
            for j in range(constants.shape[0]):
                pull = 0.0
                for e in range(change_starts[j], change_starts[j + 1]):
                    pull += change_values[e] * later[change_rows[e]]
                p = 1.0
                for e in range(order_starts[j], order_starts[j + 1]):
                    p *= power(course[t, order_rows[e]], order_values[e])
                    slope = propensity_slope(course[t], order_starts, order_rows, order_values, j, e)
                    now[order_rows[e]] += step * constants[j] * slope * pull
                of_constants[j] += step * p * pull
            later[:] = now
        of_heads[w] = later


@compiled
def slopes_into(
    slopes: np.ndarray,
    course: np.ndarray,
    end: np.ndarray,
    constants: np.ndarray,
    step: float,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
    decay: np.ndarray,
    level: np.ndarray,
) -> None:
    """Derivatives of one window's states by its head and constants: [frame + 1, metabolite, metabolite + reaction].

    `course` holds the window's states, `end` the one after the last of them.
    """
    m, width = course.shape[1], slopes.shape[2]
    row = np.empty(width)
    slopes[0] = 0.0
    for i in range(m):
        slopes[0, i, i] = 1.0
    for t in range(course.shape[0]):
        now, later = slopes[t], slopes[t + 1]
        for i in range(m):
            factor = 1.0 - step * decay[i]
            for q in range(width):
                later[i, q] = factor * now[i, q]
        for j in range(constants.shape[0]):
            p = 1.0
            first = True
            for e in range(order_starts[j], order_starts[j + 1]):
                a = order_rows[e]
                p *= power(course[t, a], order_values[e])
                slope = step * constants[j] * propensity_slope(course[t], order_starts, order_rows, order_values, j, e)
                if first:
                    for q in range(width):
                        row[q] = slope * now[a, q]
                    first = False
                else:
                    for q in range(width):
                        row[q] += slope * now[a, q]
            if first:
                row[:] = 0.0
            row[m + j] += step * p
            for e in range(change_starts[j], change_starts[j + 1]):
                i, value = change_rows[e], change_values[e]
                for q in range(width):
                    later[i, q] += value * row[q]
        reached = end if t + 1 == course.shape[0] else course[t + 1]
        for i in range(m):
            if reached[i] <= 0.0:
                later[i] = 0.0
