"""What a chemist asks of the model: the yields at given conditions, and which of the measured solvents to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.catechol.calibration import NEAR, Situation
from probatum.problems.catechol.data import YIELDS
from probatum.problems.catechol.queries import Asked, check_conditions, measured_rows, own_rows, product_called
from probatum.problems.catechol.remarks import (
    Remark,
    interval_remarks,
    measured_range,
    range_remarks,
    solvent_remarks,
    unit_remarks,
)
from probatum.problems.catechol.solvents import by_name
from probatum.problems.catechol.yield_model import Estimate, Published, YieldModel

NEARBY_MIN = 0.6
"""Measured rows within this of a residence time, and near the temperature, are shown beside an answer."""
STEP_K, STEP_MIN = 2.5, 0.5
"""Of the grid on which the best conditions are looked for."""
_STANDING: Mapping[Situation, str] = {
    Situation.MEASURED: "measured: {rows} rows",
    Situation.MEASURED_MIXTURE: "measured: {rows} rows of mixtures of the two",
    Situation.OTHER_TEMPERATURE: f"measured, but more than {NEAR:g} K away from this temperature: {{rows}} rows",
    Situation.NEW_PAIR: "both solvents were measured, but no mixture of them",
    Situation.NEW_SOLVENT: "never measured; its descriptors are tabulated",
    Situation.NEW_IN_MIXTURE: "one of the solvents was never measured; its descriptors are tabulated",
    Situation.TWO_NEW: "neither solvent was measured; their descriptors are tabulated",
    Situation.NEW_SOLVENT_GUESSED: "never measured; its descriptors are guessed from its structure",
    Situation.NEW_IN_MIXTURE_GUESSED: "one of the solvents was never measured; its descriptors are guessed",
    Situation.TWO_NEW_GUESSED: "neither solvent was measured; descriptors are guessed from structure",
}


@dataclass(frozen=True)
class Yield:
    """One yield, a fraction, with the interval that holds a measured one."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Nearby:
    """Rows that were measured near the conditions of a question: their number and mean yields [3]."""

    rows: int
    yields: Float[np.ndarray, " 3"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer to one question.

    Attributes:
        asked: the solvent.
        celsius, minutes: the conditions.
        situation: what is known of the solvent.
        measured: how many rows measured this solvent or mixture of two, at any conditions and shares.
        yields: SM, Product 2, Product 3.
        nearby: measured rows near the conditions; None where there are none.
        remarks: what makes the answer weaker than it looks.
    """

    asked: Asked
    celsius: float
    minutes: float
    situation: Situation
    measured: int
    yields: tuple[Yield, ...]
    nearby: Nearby | None
    remarks: tuple[Remark, ...]

    @property
    def standing(self) -> str:
        """What is known of the solvent, in words."""
        return _STANDING[self.situation].format(rows=self.measured)


@dataclass(frozen=True)
class Ranked:
    """A solvent in a ranking.

    Attributes:
        solvent: its name.
        celsius, minutes: at which the yields are given.
        yields: SM, Product 2, Product 3.
        wanted: the one that is ranked by.
        situation: what is known of the solvent there.
        level_with_first: its interval reaches that of the first.
    """

    solvent: str
    celsius: float
    minutes: float
    yields: tuple[Yield, ...]
    wanted: Yield
    situation: Situation
    level_with_first: bool


def predict(model: YieldModel, data: Published, asked: Asked, celsius: float, minutes: float) -> Prediction:
    """Yields of a solvent at given conditions, with intervals and remarks.

    Raises:
        UsageError: impossible conditions.
    """
    check_conditions(celsius, minutes)
    answer = estimate(model, asked, np.array([celsius]), np.array([minutes]))
    situation = answer.situation[0]
    outside = range_remarks(data, celsius, minutes)
    remarks = (
        *asked.remarks,
        *unit_remarks(celsius, minutes),
        *outside,
        *solvent_remarks(model, data, (asked.a, asked.b), asked.guessed),
        *interval_remarks(model, situation, None if outside else (celsius, minutes)),
    )
    return Prediction(
        asked, celsius, minutes, situation, int(own_rows(data, asked).sum()), yields_of(answer, 0),
        _nearby(data, asked, celsius, minutes), remarks,
    )  # fmt: skip


def rank(
    model: YieldModel,
    data: Published,
    product: str,
    *,
    celsius: float | None = None,
    minutes: float | None = None,
    least: bool = False,
) -> tuple[list[Ranked], tuple[Remark, ...]]:
    """The measured solvents, the best one first.

    Args:
        model, data: trained and published.
        product: one of `YIELDS`.
        celsius, minutes: conditions; what is None is chosen for each solvent, the best within the measured range.
        least: the least yield is the best one.

    Returns:
        The solvents in their order, and remarks.

    Raises:
        UnknownNameError: for the product.
        UsageError: impossible conditions.
    """
    column = YIELDS.index(product_called(product))
    check_conditions(20.0 if celsius is None else celsius, 1.0 if minutes is None else minutes)
    hot, long = measured_range(data)
    temperatures = np.arange(hot[0], hot[1] + 1e-9, STEP_K) if celsius is None else np.array([celsius])
    times = np.arange(long[0], long[1] + 1e-9, STEP_MIN) if minutes is None else np.array([minutes])
    grid = [part.ravel() for part in np.meshgrid(temperatures, times, indexing="ij")]
    found = []
    for name in model.known.solvents:
        solvent = by_name(name, data.folder)
        answer = estimate(model, Asked(solvent, solvent, 0.0, (), ()), *grid)
        best = int(np.argmin(answer.value[:, column]) if least else np.argmax(answer.value[:, column]))
        yields = yields_of(answer, best)
        place = (float(grid[0][best]), float(grid[1][best]))
        found.append(Ranked(name, *place, yields, yields[column], answer.situation[best], level_with_first=True))
    found.sort(key=lambda one: (one.wanted.value if least else -one.wanted.value, one.solvent))
    first = found[0].wanted
    reaches = [one.wanted.low <= first.high if least else one.wanted.high >= first.low for one in found]
    ranked = [replace(one, level_with_first=reach) for one, reach in zip(found, reaches, strict=True)]
    given = (hot[0] if celsius is None else celsius, long[0] if minutes is None else minutes)
    remarks = [*unit_remarks(*given), *range_remarks(data, *given)]
    elsewhere = [r.solvent for r in ranked if r.situation is not Situation.MEASURED]
    if elsewhere:
        remarks.append(
            Remark(
                "interval",
                f"{len(elsewhere)} of {len(ranked)} solvents were measured more than {NEAR:g} K away from the "
                "temperature given here; their intervals are wider for it",
            )
        )
    if celsius is None or minutes is None:
        remarks.append(
            Remark("conditions", "best conditions are the best predicted ones, so the yield there is rather too good")
        )
    return ranked, tuple(remarks)


def estimate(
    model: YieldModel, asked: Asked, celsius: Real[np.ndarray, " row"], minutes: Real[np.ndarray, " row"]
) -> Estimate:
    """The model's answer at [row] conditions."""
    return model.estimate(asked.a, asked.b, asked.fraction_b, celsius, minutes, bool(asked.guessed))


def yields_of(answer: Estimate, row: int) -> tuple[Yield, ...]:
    """The yields of one row of an estimate."""
    columns = zip(YIELDS, answer.value[row], answer.low[row], answer.high[row], strict=True)
    return tuple(Yield(name, float(value), float(low), float(high)) for name, value, low, high in columns)


def _nearby(data: Published, asked: Asked, celsius: float, minutes: float) -> Nearby | None:
    near = measured_rows(data, asked, celsius) & (np.abs(data.rows.residence_time - minutes) <= NEARBY_MIN)
    return Nearby(int(near.sum()), data.rows.yields[near].mean(axis=0)) if near.any() else None
