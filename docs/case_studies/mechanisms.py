"""The mechanisms by which a loop fools itself, each as a small simulation whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.neighbors import KNeighborsRegressor

# ---------------------------------------------------------------------- the best of many


def expected_maximum(count: int) -> float:
    """E[max] of independent standard normals: the integral over x > 0 of 1 - F(x)^n - F(-x)^n.

    David and Nagaraja, Order Statistics (2003).
    """
    x = np.linspace(0, 10, 20_001)
    return float(np.trapezoid(1 - stats.norm.cdf(x) ** count - stats.norm.cdf(-x) ** count, x))


@dataclass(frozen=True)
class Winners:
    """The best of equally good experiments, in many loops.

    Attributes:
        scores, low, high: [experiment] of one loop, the best first: mean error over folds with its 95 % t interval.
        again: the first one's score on new folds.
        covered: share of loops in which the winner's interval holds the true error.
        wins: share of loops in which the winner is 'better' than the first experiment by a paired t-test, p < .05.
    """

    scores: np.ndarray
    low: np.ndarray
    high: np.ndarray
    again: float
    covered: float
    wins: float


def equal_experiments(experiments: int = 26, folds: int = 24, loops: int = 2000, seed: int = 0) -> Winners:
    """Loops over experiments that are all equally good: each fold's error is 1 plus noise of its own.

    Args:
        experiments: of a loop.
        folds: independent test sets of each experiment.
        loops: how many.
        seed: of the noise.
    """
    errors = 1 + 0.5 * np.random.default_rng(seed).normal(size=(loops, experiments, folds))
    means, spreads = errors.mean(axis=2), errors.std(axis=2, ddof=1) / np.sqrt(folds)
    half = stats.t.ppf(0.975, folds - 1) * spreads
    best = means[:, 1:].argmin(axis=1) + 1
    row = np.arange(loops)
    p = stats.ttest_rel(errors[row, best], errors[:, 0], axis=1).pvalue
    wins = float(((p < 0.05) & (means[row, best] < means[:, 0])).mean())
    first = means.argmin(axis=1)
    covered = float((np.abs(means[row, first] - 1) <= half[row, first]).mean())
    order = means[0].argsort()
    again = float(1 + 0.5 * np.random.default_rng(seed + 1).normal(size=folds).mean())
    return Winners(means[0, order], (means - half)[0, order], (means + half)[0, order], again, covered, wins)


# ---------------------------------------------------------------------- copies before a split


@dataclass(frozen=True)
class Copies:
    """Error of a nearest neighbour on noise, as a share of what predicting the mean costs.

    Attributes:
        share: [point] share of the rows that stand twice.
        before: [point] copied before the split.
        after: [point] copied after it, among the training rows alone.
    """

    share: np.ndarray
    before: np.ndarray
    after: np.ndarray


def noise_table(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """([row, column], [row]): inputs, and targets that have nothing to do with them."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, 6)), generator.normal(size=rows)


def copied_split(rows: int, copied: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(training, validation): places of rows after `copied` of them were appended again, shuffled and cut at 80 %."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(np.concatenate([np.arange(rows), generator.permutation(rows)[:copied]]))
    return order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]


def copies_before_a_split(shares: np.ndarray, rows: int = 1000, repeats: int = 20) -> Copies:
    """What a model that learns nothing seems to gain from rows that stand twice.

    Args:
        shares: [point] of the rows that are copied.
        rows: of the table.
        repeats: tables at each point.
    """
    before, after = (np.zeros((len(shares), repeats)) for _ in range(2))
    for i, share in enumerate(shares):
        for seed in range(repeats):
            x, y = noise_table(rows, seed)
            train, validation = copied_split(rows, round(share * rows), seed)
            before[i, seed] = _error(x, y, train, validation)
            train, validation = copied_split(rows, 0, seed)
            twice = np.concatenate([train, train[: round(share * len(train))]])
            after[i, seed] = _error(x, y, twice, validation)
    return Copies(shares, before.mean(axis=1), after.mean(axis=1))


def _error(x: np.ndarray, y: np.ndarray, train: np.ndarray, validation: np.ndarray) -> float:
    predicted = KNeighborsRegressor(1).fit(x[train], y[train]).predict(x[validation])
    return float(((predicted - y[validation]) ** 2).mean() / ((y[train].mean() - y[validation]) ** 2).mean())


# ---------------------------------------------------------------------- a soup that is chosen on what it reports


@dataclass(frozen=True)
class Soups:
    """Log losses of soups, over many runs of the procedure.

    Attributes:
        reported: [run] the least that the procedure saw on the rows that chose it.
        fresh: [run] that soup's on fresh rows.
        single: [run] one training's on fresh rows.
    """

    reported: np.ndarray
    fresh: np.ndarray
    single: np.ndarray


def chosen_soups(
    size: int, trials: int, runs: int = 200, validation: int = 150, fresh: int = 2000, inputs: int = 12, seed: int = 0
) -> Soups:
    """The write-up's procedure on trainings that are all equally good: true weights plus noise, logistic model.

    It holds `size` trainings; each of `trials` further ones takes the place of the worst if it is better on the
    validation rows, and the mean of the weights is scored on the same rows; the best of these scores is reported.

    Args:
        size: of the soup.
        trials: trainings after the first `size`.
        runs: of the procedure.
        validation: rows that choose and report.
        fresh: rows that nobody chose by.
        inputs: of the model.
        seed: of everything.
    """
    reported, later, single = (np.zeros(runs) for _ in range(3))
    for run in range(runs):
        generator = np.random.default_rng([seed, run])
        truth = generator.normal(size=inputs) * 0.5
        rows = {name: generator.normal(size=(count, inputs)) for name, count in (("v", validation), ("f", fresh))}
        labels = {name: generator.random(len(x)) < 1 / (1 + np.exp(-x @ truth)) for name, x in rows.items()}

        def loss(weights: np.ndarray, name: str, rows=rows, labels=labels) -> float:
            margin = np.where(labels[name], 1, -1) * (rows[name] @ weights)
            return float(np.logaddexp(0, -margin).mean())

        trained = truth + 0.35 * generator.normal(size=(size + trials, inputs))
        soup = [(loss(weights, "v"), weights) for weights in trained[:size]]
        best, chosen = np.inf, trained[0]
        for weights in trained[size:]:
            worst = max(range(size), key=lambda place: soup[place][0])
            score = loss(weights, "v")
            if score < soup[worst][0]:
                soup[worst] = (score, weights)
                mean = np.mean([w for _, w in soup], axis=0)
                if loss(mean, "v") < best:
                    best, chosen = loss(mean, "v"), mean
        reported[run], later[run], single[run] = best, loss(chosen, "f"), loss(trained[0], "f")
    return Soups(reported, later, single)


# ---------------------------------------------------------------------- differences of single runs


def seen_by_chance(difference: float, spread: float) -> float:
    """Probability that two single runs of one configuration differ by more than this, either way.

    Args:
        difference: between two scores.
        spread: standard deviation of the score from run to run.
    """
    return float(2 * stats.norm.sf(difference / (np.sqrt(2) * spread)))
