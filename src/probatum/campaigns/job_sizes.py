"""How many fits go into one job: enough that starting it costs little, few enough to lose little when it is killed."""

from __future__ import annotations

from collections.abc import Hashable

from probatum.campaigns.executors.executor import Executor

FUSED_FITS = 120
"""Fits in a fused job: enough to fill every core's chunks, few enough to lose little when killed."""
CHUNK = 8
"""Fits a core, of a fused job, below which more machines would not end sooner."""
SECONDS_A_JOB = 3.0
"""Length of a job of fits that are trained one after the other."""
FIRST_FITS = 4
"""Fits in the first such job of a group, before its speed is known."""


class JobSizes:
    """How many fits go into one job, as the executor's cores and the pace of earlier fits say.

    Args:
        executor: that carries jobs out.
    """

    def __init__(self, executor: Executor):
        self._executor = executor
        self._pace: dict[Hashable, float] = {}

    def of_fused(self, waiting: int) -> int:
        """Fits of a fused job, where so many wait: as many for each machine."""
        machines = self._executor.machines
        return min(FUSED_FITS, max(-(-waiting // machines), CHUNK * self._executor.cores // machines))

    def of_others(self, group: Hashable, waiting: int) -> int:
        """Fits of a job that trains them one after the other, where so many of their group wait."""
        if group not in self._pace:
            return FIRST_FITS
        fair = -(-waiting // max(1, 2 * self._executor.cores))
        return max(1, min(int(SECONDS_A_JOB / max(self._pace[group], 1e-4)), max(fair, FIRST_FITS)))

    def learn(self, group: Hashable, seconds: float, fits: int) -> None:
        """Takes in how long a job of so many fits took."""
        pace = seconds / fits
        self._pace[group] = max(pace, self._pace.get(group, pace) / 2)  # recipes of one group differ
