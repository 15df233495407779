"""Which test rows are nearer to a training row than independent rows are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree
from scipy.special import digamma
from scipy.stats import binom
from sklearn.neighbors import NearestNeighbors

from probatum.audit.rows import row_hashes

NEAR, FAR = 5, 10
"""The neighbour that tells the density of rows at a place; with a farther one it tells their dimension."""
LEAST_TRAIN = 12
"""Training rows that a cell needs."""
MOST_COLUMNS = 32
"""More columns are projected on this many random directions, which keep distances to about a tenth."""
MOST_TEST, MOST_TRAIN = 20_000, 200_000
"""Rows that are looked at; of more, a random sample."""
MOST_TREE_COLUMNS, FEW_ROWS = 10, 2_000
"""In more columns a tree visits most rows, and of many rows all distances by products of matrices take less time."""
BLOCK = 1_000
"""Test rows whose neighbours are measured at once."""
RATIOS = (0.1, 0.03, 0.01, 1e-3, 1e-4)
"""Distances that are near, in distances to the fifth neighbour."""
FEW_COLUMNS = 2
"""Inputs of so few columns come near each other by chance; where there are targets, these count as columns too."""
LARGEST_DIMENSION, LARGEST = 6.0, 1e100


@dataclass(frozen=True)
class Nearness:
    """How near test rows come to training rows.

    Attributes:
        rows: test rows nearer than `ratio` to a training row that none of the others claims.
        of: test rows looked at.
        ratio: of the distance to the nearest to that of the fifth neighbour.
        distance: median distance of these rows to their training rows, in standard deviations a column.
        chance: probability of so many among independent rows.
    """

    rows: int
    of: int
    ratio: float
    distance: float
    chance: float


def near_rows(
    train: np.ndarray, test: np.ndarray, targets: tuple[np.ndarray, np.ndarray] | None = None
) -> Nearness | None:
    """Test rows that lie far nearer to a training row than the density of training rows there explains.

    Where rows are independent and their density does not change much between the nearest and the k-th neighbour, the
    distances r_1, r_k of a row to these, in d dimensions, follow (r_1 / r_k)^d ~ Beta(1, k - 1), whatever the density
    (a homogeneous Poisson process; after Facco et al., Scientific Reports 7, 12140 (2017)). So

        P(r_1 < q r_k) = 1 - (1 - q^d)^(k - 1),  k = 5,

    and the number of such test rows is binomial. d is estimated from r_10 / r_5, to which copies contribute little,
    rather too small than too large. Columns are standardised; those that stand at few values, or scatter about few,
    divide the rows into cells, and neighbours are looked for within a row's cell. Exact matches are left out.

    Args:
        train, test: [row, column] float64; columns that are not finite throughout, or huge, are left out.
        targets: of both, [row, quantity] float64. Inputs that have one or two columns besides those at few values are
            compared together with them.

    Returns:
        The least probable of the counts at `RATIOS`; None where there are too few rows to tell.
    """
    if not len(train) or not len(test):
        return None
    here, there = _sample(len(train), MOST_TRAIN), _sample(len(test), MOST_TEST)
    train, test = train[here], test[there]
    cells, rows = _cells_and_places(np.concatenate([train, test]))
    if not rows.shape[1]:
        return None
    if targets is not None and rows.shape[1] <= FEW_COLUMNS:
        new = ~np.isin(row_hashes(test), row_hashes(train))  # equal inputs are no matter of their targets
        beside = np.concatenate([targets[0][here], targets[1][there][new]])
        cells, rows = _cells_and_places(np.column_stack([np.concatenate([train, test[new]]), beside]))
    distances, nearest, far = _neighbours(rows, cells, len(train))
    scattered = distances[:, 0] > 1e-7 * np.sqrt(rows.shape[1])
    distances, nearest = distances[scattered], nearest[scattered]
    if not len(distances):
        return None
    looked_at = len(distances) + far
    dimension = min(_dimension(distances), float(rows.shape[1]))
    found = []
    for ratio in RATIOS:
        near = distances[:, 0] < ratio * distances[:, NEAR - 1]
        count = len(np.unique(nearest[near]))
        chance = -np.expm1((NEAR - 1) * np.log1p(-(ratio**dimension)))
        probability = min(1.0, len(RATIOS) * float(binom.sf(count - 1, looked_at, chance))) if count else 1.0
        away = float(np.median(distances[near, 0]) / np.sqrt(rows.shape[1])) if count else np.inf
        found.append(Nearness(count, looked_at, ratio, away, probability))
    return min(found, key=lambda n: n.chance)


def _sample(rows: int, most: int) -> slice | np.ndarray:
    """Positions of all rows, or of a random sample of so many."""
    return slice(None) if rows <= most else np.random.default_rng(0).choice(rows, most, replace=False, shuffle=False)


def _cells_and_places(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[row] cell of the columns at few values, and [row, direction] the place by the others, standardised."""
    rows = rows[:, (np.abs(rows) < LARGEST).all(axis=0)]
    spread = rows.std(axis=0)
    # A column that is constant but for the last bit is constant.
    varies = spread > 1e-12 * np.abs(rows).max(axis=0, initial=0)
    rows = (rows[:, varies] - rows[:, varies].mean(axis=0)) / spread[varies]
    columns = [set_values(column) for column in rows.T]
    few = np.array([len(np.unique(column)) <= len(rows) / 5 for column in columns], dtype=bool)
    taken = np.stack(columns, axis=1) if columns else rows
    cells = np.unique(row_hashes(taken[:, few]), return_inverse=True)[1] if few.any() else np.zeros(len(rows), int)
    return cells, _directions(taken[:, ~few])


def _neighbours(rows: np.ndarray, cells: np.ndarray, train: int) -> tuple[np.ndarray, np.ndarray, int]:
    """[test row, neighbour] distances to the training rows of its cell, and [test row] the position of the nearest.

    Test rows whose cell has too few training rows are left out. The last is how many more are known to be near to none.
    """
    distances, nearest, far = [np.zeros((0, FAR))], [np.zeros(0, dtype=np.int64)], 0
    order = np.argsort(cells, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        here, there = members[members < train], members[members >= train]
        if len(here) < LEAST_TRAIN or not len(there):
            continue
        measured = _maybe_near(rows[here], rows[there])
        far += int((~measured).sum())
        there = there[measured]
        found = _nearest_positions(rows[here], rows[there])
        for start in range(0, len(there), BLOCK):
            some, candidates = there[start : start + BLOCK], here[found[start : start + BLOCK]]
            # Again from the differences: products of matrices lose the digits of small distances.
            away = np.linalg.norm(rows[some][:, None, :] - rows[candidates], axis=2)
            distances.append(np.sort(away, axis=1))
            nearest.append(candidates[np.arange(len(some)), np.argmin(away, axis=1)])
    return np.concatenate(distances), np.concatenate(nearest), far


def _maybe_near(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """[test row] bool: all but those that are surely near to no training row; of these a sample tells the density.

    The fifth neighbour among some training rows is no nearer than that among all, so it bounds what is near.
    """
    if train.shape[1] <= MOST_TREE_COLUMNS or len(train) <= FEW_ROWS or len(test) <= FEW_ROWS:
        return np.ones(len(test), dtype=bool)
    generator = np.random.default_rng(0)
    some = train[generator.choice(len(train), FEW_ROWS, replace=False)]
    fifth = NearestNeighbors(n_neighbors=NEAR, algorithm="brute").fit(some).kneighbors(test)[0][:, -1]
    bounds, tree = 1.001 * max(RATIOS) * fifth, KDTree(train)
    measured = np.zeros(len(test), dtype=bool)
    measured[generator.choice(len(test), FEW_ROWS // 2, replace=False)] = True
    for alike in np.array_split(np.argsort(bounds), 16):  # a search has one bound
        found = tree.query(test[alike], distance_upper_bound=float(bounds[alike].max()), workers=2)[0]
        measured[alike] |= np.asarray(found) < bounds[alike]
    return measured


def _nearest_positions(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """[test row, neighbour] positions of the nearest training rows."""
    if train.shape[1] <= MOST_TREE_COLUMNS or len(train) <= FEW_ROWS:
        return np.asarray(KDTree(train).query(test, FAR, workers=1 if len(test) <= FEW_ROWS else 2)[1])
    return NearestNeighbors(n_neighbors=FAR, algorithm="brute").fit(train).kneighbors(test, return_distance=False)


def set_values(values: np.ndarray) -> np.ndarray:
    """A column whose values scatter about few set values, taken at the mean of each; any other column as it is.

    Set values are clusters of at least three rows, five on average, all narrower than a fifth of the gaps between them.

    Args:
        values: [row] float64.
    """
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    falling = np.sort(gaps)[::-1][: len(values) // 5 + 1]
    if len(falling) < 2 or falling[0] <= 0:
        return values
    steps = falling[:-1] / np.maximum(falling[1:], 1e-12 * falling[0])
    ordered = values[order]
    for at in np.flatnonzero(steps >= 5):
        cluster = np.concatenate([[0], np.cumsum(gaps > falling[at + 1])])
        counts = np.bincount(cluster)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        widths = ordered[starts + counts - 1] - ordered[starts]
        if counts.min() >= 3 and widths.max() * 5 <= falling[at]:
            taken = np.empty_like(values)
            taken[order] = (np.bincount(cluster, ordered) / counts)[cluster]
            return taken
    return values


def _directions(rows: np.ndarray) -> np.ndarray:
    """[row, direction]: rows of many columns on few random directions."""
    columns = rows.shape[1]
    if columns <= MOST_COLUMNS:
        return rows
    directions = np.random.default_rng(0).normal(size=(columns, MOST_COLUMNS)) / np.sqrt(columns)
    return rows @ directions


def _dimension(distances: np.ndarray) -> float:
    """The dimension of the rows' surroundings: E log(r_k / r_j) = (psi(k) - psi(j)) / d, j = 5, k = 10.

    The upper quartile of the logarithms stands for their mean, so that rows in thin places do not count as many
    dimensions; d is rather too small, and near rows rather too probable.
    """
    inner = np.maximum(distances[:, NEAR - 1], np.finfo(float).tiny)
    logs = np.log(np.maximum(distances[:, -1], np.finfo(float).tiny) / inner)
    wide = float(np.quantile(logs, 0.75))
    expected = float(digamma(FAR) - digamma(NEAR))
    return min(LARGEST_DIMENSION, expected / wide) if wide > 0 else LARGEST_DIMENSION
