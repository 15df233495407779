"""PB207: a scale that two parts of a model share, and that nothing pins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from probatum.audit.finding import Alarm, Check, check
from probatum.audit.history import History, Run
from probatum.learning.probes import FREE_SCALE

FACTOR = 1.5
"""A scale between 1 / this and this is where it is meant to be."""


@check(
    "PB207",
    "a scale that two parts share has drifted",
    "warning",
    "run",
    remedy="fix the scale by construction (a gauge) in the place of a penalty, or correct what is read of the other "
    "part by it, as 'corrected' figures do; two fits can be compared only then",
    detects="a scale that the learner records, beyond a factor of 1.5 of 1 in half of the fits: always",
)
def drifted_scale(subject: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """A product of two factors does not tell how large each is, and training leaves the scale anywhere.

    Learners with such a factor record it as a curve, 'free scale NAME', whose last value is 1 where it is pinned. What
    is read of either part alone, rate constants say, is off by the scale.
    """
    run, _history = subject
    fits = [f for f in run.trainings if not f.error]
    scales: dict[str, list[float]] = {}
    for fit in fits:
        for name, values in fit.curves.items():
            known = values[np.isfinite(values)]
            if name.startswith(f"{FREE_SCALE} ") and len(known):
                scales.setdefault(name.removeprefix(f"{FREE_SCALE} "), []).append(abs(float(known[-1])))
    for part, found in scales.items():
        off = [scale for scale in found if not 1 / FACTOR <= scale <= FACTOR]
        if 2 * len(off) >= len(fits):
            yield Alarm(
                f"the scale of {part} is {min(off):.2g} to {max(off):.2g} in {len(off)} of {len(fits)} fits, where 1 "
                "is meant: another factor makes up for it",
                {"lowest": min(off), "highest": max(off), "fits": float(len(off))},
            )


CHECKS: tuple[Check, ...] = (drifted_scale,)
