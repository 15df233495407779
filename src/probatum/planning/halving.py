"""Successive halving over folds: most fits go to the candidates that may still be the best.

All candidates are scored on a few folds; the better ones go on to more, until the last ones are left for all of them.
What a rung shows only takes candidates away. Nothing is promoted by it: that needs a verdict on all folds and seeds,
which counts those that were taken away, so that a lucky rung promotes no noise. And a rung takes nobody away that it
cannot tell from the best: of those that halving would drop, only those go that the verdicts' own test, on the folds
that were seen, finds worse than the best of the rung.

Jamieson and Talwalkar, AISTATS 2016, halve without the second rule; it follows the racing of Maron and Moore, NIPS
1994, and of Birattari and others, GECCO 2002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from probatum.errors import CampaignFileError
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.comparison import compare
from probatum.evidence.scores import ArmScores

Score = Callable[[Sequence[str], int], Mapping[str, ArmScores]]
"""(names, folds) to the scores of each on the first so many folds, of an order that all share; a candidate that cannot
be trained is left out."""
LEVEL = 0.05
"""Error rate of taking away a candidate that is as good as the best, for all of a rung together."""


@dataclass(frozen=True)
class Rung:
    """One step of a race.

    Attributes:
        folds: that every candidate has been scored on.
        kept, dropped: names after it.
        fits: that it took, of all candidates together.
    """

    folds: int
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    fits: int


@dataclass(frozen=True)
class Race:
    """What a race came to.

    Attributes:
        finalists: that nothing took away, in the order in which they were given. They are candidates for a verdict, no
            winners.
        rungs: in order.
        why: name to the reason why it was taken away.
    """

    finalists: tuple[str, ...]
    rungs: tuple[Rung, ...]
    why: Mapping[str, str]

    @property
    def fits(self) -> int:
        """That all rungs took."""
        return sum(r.fits for r in self.rungs)


def race(
    names: Sequence[str],
    score: Score,
    folds: int,
    *,
    splits: str,
    keep: int = 1,
    first: int = 3,
    factor: int = 2,
    level: float = LEVEL,
) -> Race:
    """Races candidates over growing shares of the folds; whoever is left is to be scored on all of them.

    Args:
        names: of the candidates.
        score: on the first so many folds; asked for more, it keeps what it has.
        folds: of the protocol. No rung goes as far: what is left then has earned all of them.
        splits: the protocol's, which decides the test.
        keep: candidates below which nobody is taken away.
        first: folds of the first rung, at least 2: one has no spread.
        factor: by which folds grow and candidates are to shrink.
        level: error rate of taking away a candidate that is as good as the best, for all of a rung together.

    Raises:
        CampaignFileError: no candidates, or rungs that cannot be.
    """
    if not names or len(set(names)) < len(names):
        raise CampaignFileError("a race needs candidates of different names", remedy="name each once")
    if folds < 1 or first < 2 or factor < 2 or keep < 1:
        what = f"rungs of {first} folds, times {factor}, of {folds} in all, down to {keep}"
        raise CampaignFileError(what, remedy="take first >= 2, factor >= 2 and keep >= 1")
    left, rungs, why = list(names), list[Rung](), dict[str, str]()
    seen, now = 0, first
    while now < folds and len(left) > keep:
        arms = score(left, now)
        taken = len(left) * (now - seen)
        out = _behind(left, arms, keep=max(keep, -(-len(left) // factor)), splits=splits, level=level)
        why |= out
        left = [n for n in left if n not in out]
        rungs.append(Rung(now, tuple(left), tuple(out), taken))
        seen, now = now, now * factor
    return Race(tuple(left), tuple(rungs), why)


def _behind(
    names: Sequence[str], arms: Mapping[str, ArmScores], *, keep: int, splits: str, level: float
) -> dict[str, str]:
    """Name to why it goes: it cannot be scored; or it is not among the `keep` best and is worse than the best.

    Bonferroni goes over all pairs, for the best was chosen by the same scores.
    """
    out = {name: "it cannot be trained" for name in names if name not in arms}
    out |= {name: why for name, arm in arms.items() if (why := why_not_scored(arm))}
    scored = [arms[name] for name in names if name in arms and name not in out]
    if len(scored) <= keep:
        return out
    sign = 1 if scored[0].metric.better == "lower" else -1
    best, *others = sorted(scored, key=lambda arm: sign * arm.score)
    pairs = len(scored) * (len(scored) - 1) / 2
    for v in compare(others, best, splits=splits)[keep - 1 :]:
        if v.p is not None and v.p <= level / pairs:
            out[v.arm] = f"{v.score:.4g} against {best.score:.4g} of '{best.name}' on {v.units} units, p {v.p:.2g}"
    return out
