"""What an experiment log consists of: figures over fits, entries, batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from probatum.evidence.verdict import Verdict

ROUNDING = 1e-9
"""A spread below this share of the mean is that of the order of summation."""
ROOT = "root"
"""What stands for the parent of an experiment that has none."""


@dataclass(frozen=True)
class Figure:
    """A number over an experiment's fits.

    Attributes:
        mean: over fits.
        spread: standard deviation over fits, None for one.
        fits: how many.
    """

    mean: float
    spread: float | None
    fits: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        real = [v for v in values if math.isfinite(v)]
        if not real:
            return cls(math.nan, None, len(values))
        return cls(fmean(real), stdev(real) if len(real) > 1 else None, len(real))

    def __str__(self) -> str:
        shown = self.spread is not None and self.spread > ROUNDING * abs(self.mean)
        spread = f"±{self.spread:.2g}" if shown else ""
        return f"{told(self.mean)}{spread}"


@dataclass(frozen=True)
class Entry:
    """One experiment of the log.

    Attributes:
        number: of the iteration, from 1.
        name, parent: of the nodes; the parent None for a root.
        status: 'converged', 'partial' or 'failed'; what became of it where it has no score.
        mode, strategy: 'exploit' or 'explore', and in words.
        config: setting to value.
        metrics: name to figure.
        visual: curve to (verdict, deviation).
        mutation: text, None for a root.
        parent_rule: why this parent.
        hypothesis: what was expected.
        verdict: against the parent, None where there is none.
        observation: sentences.
        next_parent: by UCB after this batch.
    """

    number: int
    name: str
    parent: str | None
    status: str
    mode: str
    strategy: str
    config: Mapping[str, object]
    metrics: Mapping[str, Figure]
    visual: Mapping[str, tuple[str, float]]
    mutation: str | None
    parent_rule: str
    hypothesis: str | None
    verdict: Verdict | None
    observation: str
    next_parent: str


@dataclass(frozen=True)
class Batch:
    """Experiments that ran in parallel slots.

    Attributes:
        number: from 1.
        entries: one a slot.
        findings: sentences: what the batch shows.
    """

    number: int
    entries: tuple[Entry, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class ExperimentLog:
    """A campaign's log.

    Attributes:
        name: of the campaign.
        question: that it asks.
        regime: lines on data and protocol.
        batches: in order.
        outlook: slots of the batch that would come next, a line each.
    """

    name: str
    question: str
    regime: tuple[str, ...]
    batches: tuple[Batch, ...]
    outlook: tuple[str, ...]


def told(value: float) -> str:
    """A number with four digits; 'none' where there is none."""
    return f"{value:.4g}" if math.isfinite(value) else "none"
