"""The repaired learner: rate law and homeostasis as splines, constants by variable projection.

features = ["trajectory"]
model = { kind = "probatum.problems.metabolism.spline_learner:SplineLearner" }

Nothing but the structure is known. The rate law is positive without a floor; its scale is fixed by f(1) = 1; k is
solved for, not stepped; the first rate law is drawn by the seed, c ((1 + c) / 2)^(a - 1) with a from U(.25, .75), never
the true one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from probatum.errors import ProbatumError
from probatum.learning.choices import check_number
from probatum.problems.metabolism.cases import Measured
from probatum.problems.metabolism.inverse_learner import InverseLearner
from probatum.problems.metabolism.learned import (
    HOMEOSTASIS_POINTS,
    LAW_POINTS,
    LOWEST,
    Learned,
    reach_of,
    table_points,
)
from probatum.problems.metabolism.variable_projection import Found, Settings, variable_projection

FIRST_EXPONENTS = (0.25, 0.75)


class SplineLearner(InverseLearner):
    """Rate constants, rate law and homeostasis by `variable_projection`.

    Args:
        law_knots: of the rate law's spline.
        homeostasis_knots: of the homeostasis at most; 2 are a straight line.
        groups: of metabolites with one homeostasis each; who belongs to which is found.
        random_state: draws the first rate law.
    """

    code_modules: ClassVar[tuple[str, ...]] = tuple(
        f"probatum.problems.metabolism.{name}"
        for name in (
            "cases",
            "learned",
            "natural_splines",
            "rate_law",
            "grouping",
            "variable_projection",
            "identifiability",
        )
    )

    def __init__(self, law_knots: int = 10, homeostasis_knots: int = 4, groups: int = 2, random_state: int = 0):
        self.law_knots = law_knots
        self.homeostasis_knots = homeostasis_knots
        self.groups = groups
        self.random_state = random_state

    def validate(self) -> None:
        """Refuses numbers of knots or groups that cannot be."""
        for name, least in (("law_knots", 3), ("homeostasis_knots", 2), ("groups", 1)):
            check_number(name, getattr(self, name), whole=True, least=least)

    @classmethod
    def learned(cls, estimators: Sequence[Any], seen: Sequence[Measured], cores: int) -> list[Learned | Exception]:
        return [_learned(estimator, one) for estimator, one in zip(estimators, seen, strict=True)]


def _learned(estimator: SplineLearner, seen: Measured) -> Learned | Exception:
    start = float(np.random.default_rng(estimator.random_state).uniform(*FIRST_EXPONENTS))
    settings = Settings(estimator.law_knots, estimator.homeostasis_knots, estimator.groups, start)
    try:
        found = variable_projection(seen.network, seen.trajectory, settings)
    except (ProbatumError, np.linalg.LinAlgError) as error:
        return error
    return as_tables(found, reach_of(seen.trajectory.concentrations))


def as_tables(found: Found, largest: float) -> Learned:
    """What variable projection found, as tables up to a concentration."""
    points = table_points(largest, HOMEOSTASIS_POINTS)
    everywhere = np.broadcast_to(points[:, None], (len(points), len(found.homeostasis.groups)))
    return Learned(
        np.log10(np.maximum(found.constants, LOWEST)),
        largest,
        found.law(table_points(largest, LAW_POINTS)),
        found.homeostasis(everywhere).T,
        losses=found.losses,
    )
