"""Model inputs of the problem, cheap ones from P, k and m alone.

All but 'entries' keep their value under every signed permutation of P's rows and columns, as heights do. Features from
the maximal minors are not offered: heights are a known function of these (formula F4), so nothing would be learned.

Where cases have P of several shapes, columns are those of the largest one, and what a smaller one leaves over is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from itertools import combinations, product

import numpy as np
from jaxtyping import Float, Int

from probatum.problems.problem import Dataset, Feature, Ragged

FLOOR = 0.25
"""Sizes below this count as this before a logarithm is taken: a zero must not outweigh everything else."""
CHUNK = 4096
"""Codes worked on at once, so that memory does not grow with the number of cases."""
Compute = Callable[
    [Float[np.ndarray, "case dimension redundancy"], Int[np.ndarray, " case"] | None], Float[np.ndarray, "case column"]
]
"""From P [case, k, n - k] and m [case] int64, None where a case has all m, to [case, column]."""


@lru_cache(maxsize=16)
def features_of(n: int, dimensions: tuple[int, ...]) -> Mapping[str, Feature]:
    """The features of data whose codes have any of these dimensions, as many columns in every part of the data.

    Args:
        n: length of the codes.
        dimensions: the k that occur.
    """
    if len(dimensions) == 1:
        return FEATURES
    found = {}
    for name, description, compute in _COMPUTED:
        blocks = [compute(np.ones((1, k, n - k)), np.ones(1, dtype=np.int64)) for k in dimensions]
        columns = max(block.shape[1] for block in blocks)
        found[name] = Feature(name, description, partial(_computed, compute=compute, columns=columns))
    return found


def _computed(dataset: Dataset, *, compute: Compute, columns: int | None = None) -> Float[np.ndarray, "case column"]:
    """[case, column] of a dataset, in chunks of cases of one shape; `columns` of them, or as many as there are."""
    m = dataset.observations.get("m")
    heights = None if m is None or isinstance(m, Ragged) else m.astype(np.int64)
    parts = []
    for cases, P in _of_one_shape(dataset):
        for i in range(0, max(len(P), 1), CHUNK):
            some = cases[i : i + CHUNK]
            parts.append((some, compute(P[i : i + CHUNK], None if heights is None else heights[some])))
    width = max(part.shape[1] for _, part in parts) if columns is None else columns
    block = np.zeros((len(dataset.observations["P"]), width))
    for cases, part in parts:
        block[cases, : part.shape[1]] = part
    return block


def _of_one_shape(
    dataset: Dataset,
) -> list[tuple[Int[np.ndarray, " _"], Float[np.ndarray, "_ _ _"]]]:
    """Cases whose P have one shape, [some] int, with these P, [some, k, n - k]."""
    P = dataset.observations["P"]
    if not isinstance(P, Ragged):
        return [(np.arange(len(P)), P)]
    dimension, length = dataset.observations["k"], np.diff(P.offsets)
    assert not isinstance(dimension, Ragged)
    found = []
    for k in np.unique(dimension).astype(int):
        cases = np.flatnonzero(dimension == k)
        size = int(length[cases[0]])
        found.append((cases, P.values[P.offsets[cases][:, None] + np.arange(size)].reshape(-1, k, size // k)))
    return found


def _log_size(values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    return np.log2(np.maximum(np.abs(values), FLOOR))


def _m(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None
) -> Float[np.ndarray, "case asked"]:
    if m is None:
        return np.zeros((len(P), 0))
    return (m[:, None] == np.arange(1, P.shape[2] + 1)).astype(np.float64)


def _group(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None
) -> Float[np.ndarray, "case 2"]:
    m = np.zeros(len(P)) if m is None else m
    return np.stack([np.full(len(P), P.shape[1]), m], axis=1).astype(np.float64)


def _entries(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None
) -> Float[np.ndarray, "case entry"]:
    return P.reshape(len(P), -1) / 100


def _sorted(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None = None
) -> Float[np.ndarray, "case entry"]:
    return np.sort(_log_size(P.reshape(len(P), -1)), axis=1)


def _norms(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None = None
) -> Float[np.ndarray, "case norm"]:
    size = np.abs(P)
    rows, columns = np.sort(size.sum(axis=2), axis=1), np.sort(size.sum(axis=1), axis=1)
    return _log_size(np.concatenate([rows, columns], axis=1))


def _minors2(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None = None
) -> Float[np.ndarray, "case minor"]:
    _, k, redundancy = P.shape
    if k < 2 or redundancy < 2:
        return np.zeros((len(P), 0))
    a, b = np.array(list(combinations(range(k), 2))).T[:, :, None]
    c, d = np.array(list(combinations(range(redundancy), 2))).T[:, None, :]
    minors = P[:, a, c] * P[:, b, d] - P[:, a, d] * P[:, b, c]
    return np.sort(_log_size(minors.reshape(len(P), -1)), axis=1)


def _by_m(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None
) -> Float[np.ndarray, "case column"]:
    summary = _summary(P)
    return summary if m is None else (_m(P, m)[:, :, None] * summary[:, None, :]).reshape(len(P), -1)


def _summary(P: Float[np.ndarray, "case dimension redundancy"]) -> Float[np.ndarray, "case column"]:
    """[case, 14] or fewer: quantiles of the sizes of entries and of 2x2 minors, and the extreme norms."""
    norms = _norms(P)
    ends = np.stack([norms.min(axis=1), norms.max(axis=1)], axis=1)
    return np.concatenate([_quantiles(_sorted(P)), _quantiles(_minors2(P)), ends], axis=1)


def _quantiles(statistics: Float[np.ndarray, "case statistic"]) -> Float[np.ndarray, "case quantile"]:
    """The two smallest, the lowest decile and quartile, the median and the largest; nothing where there are none."""
    last = statistics.shape[1] - 1
    return statistics[:, [0, min(1, last), last // 10, last // 4, last // 2, last]] if last >= 0 else statistics


def _codewords(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"] | None
) -> Float[np.ndarray, "case column"]:
    if m is not None:
        return _largest_heights(P, m)
    every = range(1, P.shape[2] + 1)
    return np.concatenate([_largest_heights(P, np.full(len(P), one)) for one in every], axis=1)


def _largest_heights(
    P: Float[np.ndarray, "case dimension redundancy"], m: Int[np.ndarray, " case"]
) -> Float[np.ndarray, "case 2"]:
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


_COMPUTED: tuple[tuple[str, str, Compute], ...] = (
    ("m", "which height is asked for: one column for each m = 1..n-k, 1 in the one that it is", _m),
    ("k,m", "k and m as two numbers, which embeddings need; m is 0 where all heights are asked for", _group),
    ("entries", "P / 100, row by row; changes under signed permutations", _entries),
    ("sorted", "log2 of P's absolute entries, in ascending order", _sorted),
    ("norms", "log2 of the sums of |P| over rows and over columns, each in ascending order", _norms),
    ("minors2", "log2 of the absolute 2x2 minors of P, in ascending order", _minors2),
    (
        "by_m",
        "quantiles of 'sorted', 'norms' and 'minors2' in a block of their own for each m: what linear models need",
        _by_m,
    ),
    (
        "codewords",
        "log2 of the largest h_m among G's rows, and among the signed sums of all of them: two lower bounds",
        _codewords,
    ),
)
FEATURES: Mapping[str, Feature] = {
    name: Feature(name, description, partial(_computed, compute=compute)) for name, description, compute in _COMPUTED
}
"""Of data whose codes have one dimension."""
