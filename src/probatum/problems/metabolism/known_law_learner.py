"""Least squares as campaign learners: rate law and homeostasis known, constants estimated.

features = ["trajectory", "homeostasis"]
model = { kind = "probatum.problems.metabolism.known_law_learner:KnownLawLearner", method = "integral" }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from probatum.errors import FitError, ProbatumError
from probatum.learning.choices import among
from probatum.problems.metabolism.cases import Measured
from probatum.problems.metabolism.estimate import Estimate, from_differences, from_integrals, from_trajectory, linear
from probatum.problems.metabolism.inverse_learner import InverseLearner
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.learned import (
    HOMEOSTASIS_POINTS,
    LAW_POINTS,
    LOWEST,
    Learned,
    reach_of,
    table_points,
)
from probatum.problems.metabolism.trajectory import Trajectory
from probatum.problems.metabolism.weak_form import weak_form


def _weak(metabolism: Metabolism, trajectory: Trajectory) -> Estimate:
    return linear(metabolism, trajectory, weak_form(trajectory.step))


METHODS: Mapping[str, Callable[[Metabolism, Trajectory], Estimate]] = MappingProxyType(
    {
        "differences": from_differences,
        "weak": _weak,
        "integral": from_integrals,
        "shooting": from_trajectory,
    }
)
"""Estimators of `estimate`, by the names that recipes use."""


class KnownLawLearner(InverseLearner):
    """Rate constants by one of `METHODS`.

    Args:
        method: 'differences', bounded least squares on forward differences; 'weak' and 'integral', on sums of rates;
            'shooting', multiple shooting.
    """

    code_modules: ClassVar[tuple[str, ...]] = tuple(
        f"probatum.problems.metabolism.{name}"
        for name in ("cases", "learned", "estimate", "regression", "box_descent", "smoothing", "multiple_shooting")
    )

    def __init__(self, method: str = "differences"):
        self.method = method

    def validate(self) -> None:
        """Refuses a method that is unknown."""
        among("method", self.method, METHODS)

    @classmethod
    def learned(cls, estimators: Sequence[Any], seen: Sequence[Measured], cores: int) -> list[Learned | Exception]:
        return [_learned(estimator.method, one) for estimator, one in zip(estimators, seen, strict=True)]


def _learned(method: str, seen: Measured) -> Learned | Exception:
    metabolism = seen.metabolism
    if metabolism is None:
        return FitError(
            "the homeostasis is not known", where="features", remedy="features = ['trajectory', 'homeostasis']"
        )
    try:
        found = METHODS[method](metabolism, seen.trajectory)
    except ProbatumError as error:
        return error
    largest = reach_of(seen.trajectory.concentrations)
    points = table_points(largest, HOMEOSTASIS_POINTS)
    return Learned(
        np.log10(np.maximum(found.constants, LOWEST)),
        largest,
        table_points(largest, LAW_POINTS),
        -metabolism.decay[:, None] * (points - metabolism.level[:, None]),
    )
