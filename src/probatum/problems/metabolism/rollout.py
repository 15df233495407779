"""Courses of learned metabolisms from a given start, and how long they can follow the true ones.

Two courses that start a little apart part as exp(lambda t), lambda the largest Lyapunov exponent. However well a model
is learned, a rollout is to be judged up to about 1 / lambda, the Lyapunov time, and not by what comes long after.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.kinetics_kernel import compiled, power
from probatum.problems.metabolism.learned import Learned
from probatum.problems.metabolism.simulator import Course
from probatum.problems.metabolism.structure import Network

APART, BETWEEN = 1e-7, 20
"""Distance of two courses, and frames until it is put back to that."""
RUNS_AWAY = 1e9
"""Concentration beyond which a rollout is given up."""


def rollout(network: Network, model: Learned, start: np.ndarray, frames: int, step: float) -> np.ndarray:
    """Euler's steps of a learned model, as the simulator takes them: [frame, metabolite] float64.

    Beyond the tables functions go on straight in log(1 + c); a course that runs away is no number from there on.

    Args:
        network: stoichiometry and orders.
        model: learned.
        start: [metabolite].
        frames: how many, the first included.
        step: time of a frame.
    """
    found = np.empty((frames, len(start)))
    found[0] = start
    S, n = network.stoichiometry, network.orders
    with np.errstate(over="ignore", invalid="ignore"):
        rollout_into(
            found, step, np.ascontiguousarray(10.0**model.log_constants), model.law, model.homeostasis,
            np.log1p(model.largest), model.softplus,
            n.indptr, n.indices, n.data, S.indptr, S.indices, S.data,
        )  # fmt: skip
    return found


def lyapunov_exponent(course: Course, seed: int = 0) -> float:
    """The largest one along a course, 1/time (G. Benettin et al., Meccanica 15 (1980) 9).

    A second course a little apart is followed; its distance is put back every `BETWEEN` frames, and the logarithms of
    what it had grown by are averaged. 0 where courses approach each other.
    """
    metabolism, c, h = course.metabolism, course.concentrations, course.step
    away = np.random.default_rng(seed).normal(size=c.shape[1])
    away *= APART / np.linalg.norm(away)
    grown = []
    for t in range(0, len(c) - BETWEEN, BETWEEN):
        here, beside = (_ahead(metabolism, start, course.constants, h) for start in (c[t], c[t] + away))
        away = beside - here
        size = float(np.linalg.norm(away))
        if size == 0:  # both were lifted to 0
            return 0.0
        grown.append(np.log(size / APART))
        away *= APART / size
    # The first quarter turns the distance into the direction that grows.
    settled = grown[len(grown) // 4 :]
    return max(float(np.mean(settled)) / (BETWEEN * h), 0.0) if settled else 0.0


def _ahead(metabolism: Metabolism, start: np.ndarray, constants: np.ndarray, step: float) -> np.ndarray:
    return metabolism.euler(np.maximum(start, 0.0), constants, BETWEEN + 1, step)[0][-1]


@compiled
def at(table: np.ndarray, place: float) -> float:
    """A table at a place, counted in its points; straight beyond its end."""
    last = table.shape[0] - 2
    index = min(max(int(place), 0), last)
    return table[index] + (place - index) * (table[index + 1] - table[index])


@compiled
def rollout_into(
    found: np.ndarray,
    step: float,
    constants: np.ndarray,
    law: np.ndarray,
    homeostasis: np.ndarray,
    end: float,
    softplus: bool,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
) -> None:
    """Fills [frame, metabolite] from its first row on; none negative."""
    count, f = found.shape[1], found[0].copy()
    for t in range(found.shape[0] - 1):
        now, later = found[t], found[t + 1]
        for i in range(count):
            if not now[i] <= RUNS_AWAY:  # also where it is no number
                found[t + 1 :] = np.nan
                return
            share = np.log1p(now[i]) / end
            f[i] = at(law, share * (law.shape[0] - 1))
            later[i] = now[i] + step * at(homeostasis[i], share * (homeostasis.shape[1] - 1))
        for j in range(constants.shape[0]):
            p = 1.0
            for e in range(order_starts[j], order_starts[j + 1]):
                p *= power(f[order_rows[e]], order_values[e])
            if softplus:
                p = max(p, 0.0) + np.log1p(np.exp(-abs(p)))
            for e in range(change_starts[j], change_starts[j + 1]):
                later[change_rows[e]] += change_values[e] * step * constants[j] * p
        for i in range(count):
            later[i] = max(later[i], 0.0)
