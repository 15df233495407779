"""What a comparison of two arms shows: the record that every test fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from probatum.notebook_tables import bounds, number, table

Outcome = Literal["better", "worse", "equivalent", "undecided", "no evidence", "baseline"]


@dataclass(frozen=True)
class Verdict:
    """What a comparison of two arms shows.

    Attributes:
        arm, baseline: names.
        score: of the arm.
        outcome: the verdict.
        difference: score minus the baseline's; NaN where one of them has none.
        interval: confidence interval of the difference at level 1 - level; None where there is no evidence.
        p, p_adjusted: two-sided, and adjusted by Holm for all arms compared together.
        p_equivalent: of the two one-sided tests against the margin; None without a margin.
        posterior: P(worse), P(equivalent), P(better) of the Bayesian correlated t; shown beside, decides nothing.
        units: independent units that the test rests on.
        seeds: of the arm.
        needed: what would decide an undecided comparison, or why there is no evidence.
        method: the test, in words.
        level: error rate that p_adjusted is held against; less than the protocol's where rounds share it.
    """

    arm: str
    baseline: str
    score: float
    outcome: Outcome
    difference: float = 0.0
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    p_equivalent: float | None = None
    posterior: tuple[float, float, float] | None = None
    units: int = 0
    seeds: int = 1
    needed: str | None = None
    method: str = ""
    level: float = 0.05

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        rows: list[tuple[str, str]] = [
            ("verdict", self.outcome),
            ("score", number(self.score)),
            (f"difference from '{self.baseline}'", number(self.difference, 3, sign=True)),
            (f"{100 * (1 - self.level):g} % interval", bounds(self.interval)),
            ("p (Holm)", number(self.p_adjusted, 2)),
            ("rests on", f"{self.units} independent units, {self.seeds} seeds"),
        ]
        if self.posterior is not None:
            rows.append(("P(worse, equivalent, better)", ", ".join(f"{p:.2f}" for p in self.posterior)))
        rows += [(name, text) for name, text in (("needed", self.needed), ("judged by", self.method)) if text]
        return table(f"{self.arm} against {self.baseline}", (), rows)
