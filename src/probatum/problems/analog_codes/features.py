"""Model inputs of the problem, cheap ones from P and m alone.

All but 'entries' keep their value under every signed permutation of P's rows and columns, as heights do. Features from
the maximal minors are not offered: heights are a known function of these (formula F4), so nothing would be learned.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np

from probatum.errors import DataError
from probatum.problems.problem import Dataset, Feature, Ragged

FLOOR = 0.25
"""Sizes below this count as this before a logarithm is taken: a zero must not outweigh everything else."""
CHUNK = 4096
"""Codes worked on at once, so that memory does not grow with the number of cases."""


def _blocks(dataset: Dataset, name: str) -> np.ndarray:
    observation = dataset.observations[name]
    if isinstance(observation, Ragged):
        raise DataError(
            f"observation '{name}' is ragged", where=dataset.problem, remedy="codes of one task have one shape"
        )
    return observation


def _of_code(compute: Callable[[np.ndarray], np.ndarray]) -> Callable[[Dataset], np.ndarray]:
    """A feature computed from P in chunks of cases; `compute` maps [case, k, n - k] to [case, feature]."""

    def feature(dataset: Dataset) -> np.ndarray:
        P = _blocks(dataset, "P")
        return np.concatenate([compute(P[i : i + CHUNK]) for i in range(0, max(len(P), 1), CHUNK)])

    return feature


def _log_size(values: np.ndarray) -> np.ndarray:
    return np.log2(np.maximum(np.abs(values), FLOOR))


def _entries(P: np.ndarray) -> np.ndarray:
    return P.reshape(len(P), -1) / 100


def _sorted(P: np.ndarray) -> np.ndarray:
    return np.sort(_log_size(P.reshape(len(P), -1)), axis=1)


def _minors2(P: np.ndarray) -> np.ndarray:
    _, k, redundancy = P.shape
    if k < 2 or redundancy < 2:
        return np.zeros((len(P), 0))
    a, b = np.array(list(combinations(range(k), 2))).T[:, :, None]
    c, d = np.array(list(combinations(range(redundancy), 2))).T[:, None, :]
    minors = P[:, a, c] * P[:, b, d] - P[:, a, d] * P[:, b, c]
    return np.sort(_log_size(minors.reshape(len(P), -1)), axis=1)


def _norms(P: np.ndarray) -> np.ndarray:
    size = np.abs(P)
    rows, columns = np.sort(size.sum(axis=2), axis=1), np.sort(size.sum(axis=1), axis=1)
    return _log_size(np.concatenate([rows, columns], axis=1))


def _m(dataset: Dataset) -> np.ndarray:
    redundancy = _blocks(dataset, "P").shape[2]
    return (_blocks(dataset, "m")[:, None] == np.arange(1, redundancy + 1)).astype(np.float64)


def _by_m(dataset: Dataset) -> np.ndarray:
    P, m = _blocks(dataset, "P"), _m(dataset)
    parts = [_summary(P[i : i + CHUNK]) for i in range(0, max(len(P), 1), CHUNK)]
    return (m[:, :, None] * np.concatenate(parts)[:, None, :]).reshape(len(m), -1)


def _summary(P: np.ndarray) -> np.ndarray:
    """[case, 14] or fewer: quantiles of the sizes of entries and of 2x2 minors, and the extreme norms."""
    norms = _norms(P)
    ends = np.stack([norms.min(axis=1), norms.max(axis=1)], axis=1)
    return np.concatenate([_quantiles(_sorted(P)), _quantiles(_minors2(P)), ends], axis=1)


def _quantiles(statistics: np.ndarray) -> np.ndarray:
    """The two smallest, the lowest decile and quartile, the median and the largest; nothing where there are none."""
    last = statistics.shape[1] - 1
    return statistics[:, [0, min(1, last), last // 10, last // 4, last // 2, last]] if last >= 0 else statistics


def _codewords(dataset: Dataset) -> np.ndarray:
    P, m = _blocks(dataset, "P"), _blocks(dataset, "m").astype(np.int64)
    parts = [_largest_heights(P[i : i + CHUNK], m[i : i + CHUNK]) for i in range(0, max(len(P), 1), CHUNK)]
    return np.concatenate(parts)


def _largest_heights(P: np.ndarray, m: np.ndarray) -> np.ndarray:
    """[case, 2] log2 of the largest h_m among the rows of [I | P], and among u [I | P] with u = (1, +-1, ..., +-1)."""
    cases, k, _ = P.shape
    signs = np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=k - 1)])
    columns = []
    for messages in (np.eye(k), signs):
        words = np.concatenate([np.broadcast_to(messages, (cases, *messages.shape)), messages @ P], axis=2)
        size = np.sort(np.abs(words), axis=2)[:, :, ::-1]
        later = np.take_along_axis(size, m[:, None, None], axis=2)[:, :, 0]
        heights = size[:, :, 0] / np.maximum(later, FLOOR)
        columns.append(_log_size(heights.max(axis=1)))
    return np.stack(columns, axis=1)


FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("m", "which height is asked for: one column for each m = 1..n-k, 1 in the one that it is", _m),
        Feature("entries", "P / 100, row by row; changes under signed permutations", _of_code(_entries)),
        Feature("sorted", "log2 of P's absolute entries, in ascending order", _of_code(_sorted)),
        Feature(
            "norms", "log2 of the sums of |P| over rows and over columns, each in ascending order", _of_code(_norms)
        ),
        Feature("minors2", "log2 of the absolute 2x2 minors of P, in ascending order", _of_code(_minors2)),
        Feature(
            "by_m",
            "quantiles of 'sorted', 'norms' and 'minors2' in a block of their own for each m: what linear models need",
            _by_m,
        ),
        Feature(
            "codewords",
            "log2 of the largest h_m among G's rows, and among the signed sums of all of them: two lower bounds",
            _codewords,
        ),
    )
}
