"""Successive halving over folds and seeds: most fits go to the candidates that may still be the best.

All candidates are scored on a few fits; the better ones go on to more, until the last ones have all. What a rung shows
only takes candidates away. Nothing is promoted by it: that needs a verdict on all folds and seeds, so that a lucky
rung promotes no noise. And a rung takes nobody away that it cannot tell from the best: of those that halving would
drop, only those go whose difference from the best of the rung is beyond its error.

Jamieson and Talwalkar, AISTATS 2016, halve without the second rule; it follows the racing of Maron and Moore, NIPS
1994, and of Birattari and others, GECCO 2002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from probatum.errors import CampaignFileError

Evaluate = Callable[[Sequence[str], int], Mapping[str, np.ndarray]]
"""(names, units) to the scores [unit] of each on the first so many units, of an order that all share."""


@dataclass(frozen=True)
class Rung:
    """One step of a race.

    Attributes:
        units: folds x seeds that every candidate has been scored on.
        kept, dropped: names after it.
        fits: that it took, of all candidates together.
    """

    units: int
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    fits: int


@dataclass(frozen=True)
class Race:
    """What a race came to.

    Attributes:
        finalists: scored on all units, the best mean first. They are candidates for a verdict, no winners.
        rungs: in order.
        fits: of all rungs.
        fits_without: that all candidates on all units would have taken.
    """

    finalists: tuple[str, ...]
    rungs: tuple[Rung, ...]
    fits: int
    fits_without: int


def race(
    names: Sequence[str],
    evaluate: Evaluate,
    units: int,
    *,
    first: int = 3,
    factor: int = 2,
    level: float = 0.05,
    lower_is_better: bool = True,
) -> Race:
    """Races candidates over growing shares of the folds and seeds.

    Args:
        names: of the candidates.
        evaluate: scores candidates on the first so many units; asked for more, it keeps those that it has.
        units: folds x seeds of the protocol.
        first: units of the first rung, at least 2: one has no spread.
        factor: by which units grow and candidates are to shrink.
        level: error rate of taking away a candidate that is as good as the best, for all of a rung together.
        lower_is_better: which way the score goes.

    Raises:
        CampaignFileError: no candidates, or rungs that cannot be.
    """
    if not names or len(set(names)) < len(names):
        raise CampaignFileError("a race needs candidates of different names", remedy="name each once")
    if units < 1 or first < 2 or factor < 2:
        what = f"rungs of {first} units, times {factor}, of {units} in all"
        raise CampaignFileError(what, remedy="take first >= 2 and factor >= 2")
    left, rungs, fits, seen = list(names), [], 0, 0
    now = min(first, units)
    while True:
        scores = evaluate(left, now)
        taken = len(left) * (now - seen)
        fits, seen = fits + taken, now
        table = np.array([scores[n] for n in left]) * (1 if lower_is_better else -1)
        if now == units:
            order = [left[i] for i in np.argsort(_means(table), kind="stable")]
            rungs.append(Rung(now, tuple(order), (), taken))
            return Race(tuple(order), tuple(rungs), fits, len(names) * units)
        out = _clearly_worse(table, keep=-(-len(left) // factor), level=level)
        dropped = tuple(n for n, gone in zip(left, out, strict=True) if gone)
        left = [n for n, gone in zip(left, out, strict=True) if not gone]
        rungs.append(Rung(now, tuple(left), dropped, taken))
        now = min(now * factor, units)


def _clearly_worse(table: np.ndarray, keep: int, level: float) -> np.ndarray:
    """[candidate] bool: beyond the `keep` best, worse than the best by paired t tests.

    Bonferroni goes over all pairs, for the best was chosen by the same scores.
    """
    means = _means(table)
    order = np.argsort(means, kind="stable")
    best, count, units = order[0], len(table), table.shape[1]
    out = np.zeros(count, dtype=bool)
    for i in order[keep:]:
        difference = table[i] - table[best]
        if not np.isfinite(difference).all():
            out[i] = not np.isfinite(table[i]).all()
            continue
        error = float(np.std(difference, ddof=1)) / np.sqrt(units)
        t = float(difference.mean()) / error if error > 0 else np.inf * np.sign(difference.mean())
        out[i] = stats.t.sf(t, units - 1) <= level / (count * (count - 1) / 2)
    return out


def _means(table: np.ndarray) -> np.ndarray:
    """[candidate]: a run that is not finite comes last."""
    return np.where(np.isfinite(table).all(axis=1), np.nanmean(np.where(np.isfinite(table), table, 0), axis=1), np.inf)
