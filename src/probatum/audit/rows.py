"""Which rows are equal, and which are nearer to each other than independent rows are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma
from scipy.stats import binom
from sklearn.neighbors import NearestNeighbors

from probatum.audit.history import Side

NEAR, FAR = 5, 10
"""The neighbour that tells the density of rows at a place; with a farther one it tells their dimension."""
LEAST_TRAIN = 12
"""Training rows that a cell needs."""
MOST_COLUMNS = 32
"""More columns are projected on this many random directions, which keep distances to about a tenth."""
MOST_TEST, MOST_TRAIN = 1_000, 200_000
"""Rows that are looked at; of more, a random sample."""
RATIOS = (0.1, 0.03, 0.01)
"""Distances that are near, in distances to the fifth neighbour."""
LARGEST_DIMENSION = 6.0


def row_hashes(*blocks: np.ndarray) -> np.ndarray:
    """[row] uint64: equal for rows whose numbers are all the same; others collide with probability 2^-64 a pair.

    Args:
        blocks: [row, column] each, of the same rows; NaN equals NaN, and -0 equals 0.
    """
    total = np.zeros(len(blocks[0]), dtype=np.uint64)
    column = 0
    for block in blocks:
        for values in np.asarray(block, dtype=np.float64).T:
            plain = np.where(np.isnan(values), np.nan, values + 0.0)
            column += 1
            total = _mixed(total ^ _mixed(plain.view(np.uint64) + np.uint64(column)))
    return total


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea, Flood: OOPSLA 2014): each bit depends on all."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def is_design(hashes: np.ndarray, inputs: np.ndarray) -> bool:
    """Whether equal rows are meant: no column by itself tells rows apart, as on a grid of set values.

    Args:
        hashes: [row] uint64 of the inputs.
        inputs: [row, column].
    """
    distinct = len(np.unique(hashes))
    most = max((len(np.unique(values)) for values in inputs.T), default=0)
    return most <= max(2, distinct / 2)


# ---------------------------------------------------------------------- near rows


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


def near_rows(train: np.ndarray, test: np.ndarray) -> Nearness | None:
    """Test rows that lie far nearer to a training row than the density of training rows there explains.

    Where rows are independent and their density does not change much between the nearest and the k-th neighbour, the
    distances r_1, r_k of a row to these, in d dimensions, follow (r_1 / r_k)^d ~ Beta(1, k - 1), whatever the density
    (a homogeneous Poisson process; after Facco et al., Scientific Reports 7, 12140 (2017)). So

        P(r_1 < q r_k) = 1 - (1 - q^d)^(k - 1),  k = 5,

    and the number of such test rows is binomial. d is estimated from r_10 / r_5, to which copies contribute little,
    rather too small than too large. Columns are standardised; those that stand at few values, or scatter about few,
    divide the rows into cells, and neighbours are looked for within a row's cell. Exact matches are left out.

    Args:
        train, test: [row, column] float64; columns that are not finite throughout are left out.

    Returns:
        The least probable of the counts at `RATIOS`; None where there are too few rows to tell.
    """
    if not len(train) or not len(test):
        return None
    train, test = _sample(train, MOST_TRAIN), _sample(test, MOST_TEST)
    cells, rows = _cells_and_places(np.concatenate([train, test]))
    if not rows.shape[1]:
        return None
    distances, nearest = _neighbours(rows, cells, len(train))
    scattered = distances[:, 0] > 1e-7 * np.sqrt(rows.shape[1])
    distances, nearest = distances[scattered], nearest[scattered]
    if not len(distances):
        return None
    dimension = min(_dimension(distances), float(rows.shape[1]))
    found = []
    for ratio in RATIOS:
        near = distances[:, 0] < ratio * distances[:, NEAR - 1]
        count = len(np.unique(nearest[near]))
        chance = -np.expm1((NEAR - 1) * np.log1p(-(ratio**dimension)))
        probability = min(1.0, len(RATIOS) * float(binom.sf(count - 1, len(distances), chance))) if count else 1.0
        away = float(np.median(distances[near, 0])) / np.sqrt(rows.shape[1]) if count else np.inf
        found.append(Nearness(count, len(distances), ratio, away, probability))
    return min(found, key=lambda n: n.chance)


def _sample(rows: np.ndarray, most: int) -> np.ndarray:
    if len(rows) <= most:
        return rows
    return rows[np.random.default_rng(0).choice(len(rows), most, replace=False)]


def _cells_and_places(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[row] cell of the columns at few values, and [row, direction] the place by the others, standardised."""
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    spread = rows.std(axis=0)
    # A column that is constant but for the last bit is constant.
    varies = spread > 1e-12 * np.abs(rows).max(axis=0, initial=0)
    rows = (rows[:, varies] - rows[:, varies].mean(axis=0)) / spread[varies]
    columns = [set_values(column) for column in rows.T]
    few = np.array([len(np.unique(column)) <= len(rows) / 5 for column in columns], dtype=bool)
    taken = np.stack(columns, axis=1) if columns else rows
    cells = np.unique(row_hashes(taken[:, few]), return_inverse=True)[1] if few.any() else np.zeros(len(rows), int)
    return cells, _directions(taken[:, ~few])


def _neighbours(rows: np.ndarray, cells: np.ndarray, train: int) -> tuple[np.ndarray, np.ndarray]:
    """[test row, neighbour] distances to the training rows of its cell, and [test row] the position of the nearest.

    Test rows whose cell has too few training rows are left out.
    """
    distances, nearest = [np.zeros((0, FAR))], [np.zeros(0, dtype=np.int64)]
    order = np.argsort(cells, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        here, there = members[members < train], members[members >= train]
        if len(here) < LEAST_TRAIN or not len(there):
            continue
        found = NearestNeighbors(n_neighbors=FAR).fit(rows[here]).kneighbors(rows[there], return_distance=False)
        # Again from the differences: products, as fast searches take them, lose the digits of small distances.
        away = np.linalg.norm(rows[there][:, None, :] - rows[here][found], axis=2)
        away, at = np.sort(away, axis=1), np.argmin(away, axis=1)
        distances.append(away)
        nearest.append(here[found[np.arange(len(there)), at]])
    return np.concatenate(distances), np.concatenate(nearest)


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


# ---------------------------------------------------------------------- equal measurements


def coincidences(targets: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> float:
    """The probability that two repeated measurements read the same in all quantities, by the step of their rounding.

    For normal scatter of standard deviation s and a step r, two readings are equal with probability r / (2 sqrt(pi) s),
    r << s. Coarse readings, whose scatter is below three steps, are equal with probability 1: nothing can be told.

    Args:
        targets: [row, quantity].
        pairs: positions of the two rows of each pair whose inputs are equal and whose targets are not.
    """
    probability = 1.0
    for values in targets.T:
        apart = np.abs(values[pairs[0]] - values[pairs[1]])
        apart = apart[apart > 0]
        if not len(apart):
            continue
        step = reading_step(values)
        spread = min(float(np.sqrt((apart**2).mean())), float(np.median(apart)) / 0.6745)
        if spread >= 3 * step:
            probability *= step / (np.sqrt(2 * np.pi) * spread)
    return probability


def reading_step(values: np.ndarray) -> float:
    """The step that readings are rounded to: their smallest gap where all are multiples of it, else a power of ten.

    Args:
        values: [row] float64.

    Returns:
        The step; 0 for readings that nine decimals do not describe.
    """
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) < 2:
        return 0.0
    gap = float(np.diff(distinct).min())
    multiples = (distinct - distinct[0]) / gap
    if np.abs(multiples - np.round(multiples)).max() < 1e-3:
        return gap
    for digits in range(-3, 10):
        if np.allclose(distinct, np.round(distinct, digits), rtol=1e-12, atol=0):
            return 10.0**-digits
    return 0.0


def side_hashes(side: Side) -> np.ndarray:
    """[row] uint64 of inputs and targets, or of inputs where there are no targets."""
    return row_hashes(side.inputs) if side.targets is None else row_hashes(side.inputs, side.targets)
