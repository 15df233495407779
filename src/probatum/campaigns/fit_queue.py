"""Fits that are to be trained: blocked by what they need, or waiting in groups that may share a job.

Each fit is looked at once when it comes, once for each fit that it needs, and once when it leaves, so that a hundred
thousand of them cost a hundred thousand steps.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass

from probatum.campaigns.fit import Fit
from probatum.campaigns.jobs import is_fused, may_share


@dataclass(frozen=True)
class ReadyFits:
    """Fits that may start together as one job.

    Attributes:
        fits: in the order in which they came.
        group: what they share; None of a fit that is to train alone.
    """

    fits: tuple[Fit, ...]
    group: Hashable


class FitQueue:
    """Fits that are to be trained."""

    def __init__(self) -> None:
        self._fused: dict[Hashable, deque[Fit]] = {}
        self._single: dict[Hashable, deque[Fit]] = {}
        self._alone: deque[Fit] = deque()
        self._missing: dict[str, int] = {}
        self._blocked: dict[str, list[Fit]] = defaultdict(list)
        # By recipe, as an object: whoever calls keeps the fits, and so their recipes.
        self._groups: dict[tuple[int, int, str, int], Hashable] = {}
        self._is_fused: dict[int, bool] = {}

    def __bool__(self) -> bool:
        """Whether any fit may start."""
        return bool(self._fused or self._single or self._alone)

    def group_of(self, fit: Fit) -> Hashable:
        """What it must have in common with others of its job; the same for all splits of a recipe and a seed."""
        of = (id(fit.recipe), fit.seed, fit.split.task, fit.split.draw)
        if of not in self._groups:
            self._groups[of] = may_share(fit)
        return self._groups[of]

    def is_fused(self, fit: Fit) -> bool:
        """Whether it trains with many others at once."""
        if id(fit.recipe) not in self._is_fused:
            self._is_fused[id(fit.recipe)] = is_fused(fit)
        return self._is_fused[id(fit.recipe)]

    def add(self, fit: Fit, done: Collection[str]) -> None:
        """Takes a fit in; it waits, or is blocked until `finish` has told of all that it needs.

        Args:
            fit: that is not in the queue.
            done: keys of finished fits.
        """
        needs = {need.key for need in fit.needs if need.key not in done}
        if not needs:
            self.put(fit)
            return
        self._missing[fit.key] = len(needs)
        for key in needs:
            self._blocked[key].append(fit)

    def put(self, fit: Fit) -> None:
        """Lets a fit wait whose needs are met."""
        waiting = self._fused if self.is_fused(fit) else self._single
        waiting.setdefault(self.group_of(fit), deque()).append(fit)

    def put_alone(self, fit: Fit) -> None:
        """Lets a fit wait that shares a job with nobody."""
        self._alone.append(fit)

    def finish(self, key: str) -> None:
        """A fit has a result: whatever needed nothing else may start."""
        for fit in self._blocked.pop(key, ()):
            if fit.key in self._missing:
                self._missing[fit.key] -= 1
                if not self._missing[fit.key]:
                    del self._missing[fit.key]
                    self.put(fit)

    def lose(self, key: str) -> list[Fit]:
        """A fit has failed: those that need it leave the queue, and are returned."""
        return [fit for fit in self._blocked.pop(key, ()) if self._missing.pop(fit.key, None) is not None]

    # ------------------------------------------------------------------ what starts next

    def next_group(self, *, fused: bool) -> tuple[Hashable, int] | None:
        """A group of fits that wait, and how many they are: of fused ones, which train many at once, or of others."""
        waiting = self._fused if fused else self._single
        return next(((group, len(fits)) for group, fits in waiting.items()), None)

    def take(self, group: Hashable, count: int) -> ReadyFits:
        """Takes the first fits of a group out, this many at most."""
        waiting = self._fused if group in self._fused else self._single
        fits = waiting[group]
        taken = tuple(fits.popleft() for _ in range(min(count, len(fits))))
        if not fits:
            del waiting[group]
        return ReadyFits(taken, group)

    def next_alone(self) -> Fit | None:
        """The next fit that shares a job with nobody, left where it is."""
        return self._alone[0] if self._alone else None

    def take_alone(self) -> ReadyFits:
        """Takes that one out."""
        return ReadyFits((self._alone.popleft(),), None)
