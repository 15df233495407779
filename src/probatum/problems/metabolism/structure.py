"""Reaction networks: which metabolites a reaction needs, and what it makes of them.

Reaction j runs at v_j = k_j p_j(c), p_j(c) = prod_i c_i^n_ij, and changes metabolite i by S_ij v_j per unit of time. S
is the stoichiometry; the orders n stand apart from it, as a catalyst has an order and no net change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Real
from scipy import sparse

from probatum.errors import DataError, UnknownNameError


@dataclass(frozen=True, eq=False)
class Network:
    """A reaction network. Built by `network`, which checks it.

    Attributes:
        metabolites, reactions: their names.
        stoichiometry: S, sparse [metabolite, reaction] float64.
        orders: n, sparse [metabolite, reaction] float64, none negative.
    """

    metabolites: tuple[str, ...]
    reactions: tuple[str, ...]
    stoichiometry: sparse.csc_array
    orders: sparse.csc_array

    @cached_property
    def empty(self) -> Bool[np.ndarray, " reaction"]:
        """[reaction] bool: whether the reaction changes nothing."""
        return np.diff(self.stoichiometry.indptr) == 0

    def take(self, reactions: Int[np.ndarray, " taken"]) -> Network:
        """The network with these reactions alone, [taken] int."""
        return Network(
            self.metabolites,
            tuple(self.reactions[j] for j in reactions),
            self.stoichiometry[:, reactions],
            self.orders[:, reactions],
        )

    def position(self, metabolite: str) -> int:
        """Of a metabolite's row.

        Raises:
            UnknownNameError: for the name.
        """
        if metabolite not in self.metabolites:
            raise UnknownNameError.of("metabolite", metabolite, self.metabolites)
        return self.metabolites.index(metabolite)


def network(
    stoichiometry: Real[np.ndarray, " ..."] | sparse.sparray,
    orders: Real[np.ndarray, " ..."] | sparse.sparray | None = None,
    metabolites: Sequence[str] | None = None,
    reactions: Sequence[str] | None = None,
) -> Network:
    """A checked network.

    Args:
        stoichiometry: S, [metabolite, reaction].
        orders: n, of the same shape; by default mass action, max(-S, 0).
        metabolites, reactions: names; by default 'M1', ... and 'R1', ...

    Raises:
        DataError: sizes or names do not fit, a number is not finite, an order is negative, or nothing reacts.
    """
    S = _sparse(stoichiometry, "the stoichiometry")
    n = _sparse(-S.minimum(0), "the orders") if orders is None else _sparse(orders, "the orders")
    if n.shape != S.shape:
        raise DataError(
            f"orders of shape {n.shape} for a stoichiometry of shape {S.shape}",
            where="the orders",
            remedy="give both with a row for each metabolite and a column for each reaction",
        )
    if n.nnz and n.data.min() < 0:
        j = int(sparse.coo_array(n).col[sparse.coo_array(n).data.argmin()])
        raise DataError(
            f"an order of {n.data.min():g}", where=f"the orders, column {j + 1}", remedy="give orders of 0 or more"
        )
    if not S.nnz:
        raise DataError(
            "no reaction changes anything", where="the stoichiometry", remedy="give S with entries other than 0"
        )
    rows = _names(metabolites, "M", _size(S)[0], "metabolites", "rows")
    columns = _names(reactions, "R", _size(S)[1], "reactions", "columns")
    return Network(rows, columns, S, n)


def autocatalytic(
    used: Int[np.ndarray, " reaction"],
    made: Int[np.ndarray, " reaction"],
    metabolites: int,
    names: Sequence[str] | None = None,
) -> Network:
    """Reactions A + B -> 2 B: A falls by 1, B rises by 1, and the rate goes with both.

    Args:
        used, made: [reaction] int, rows of A and of B; -1 in both for an empty reaction.
        metabolites: how many.
        names: of the metabolites.
    """
    full = np.flatnonzero(np.asarray(used) >= 0)
    shape = (metabolites, len(used))
    A, B, one = np.asarray(used)[full], np.asarray(made)[full], np.ones(len(full))
    rows, columns = np.concatenate([A, B]), np.concatenate([full, full])
    S = sparse.coo_array((np.concatenate([-one, one]), (rows, columns)), shape=shape)
    n = sparse.coo_array((np.concatenate([one, one]), (rows, columns)), shape=shape)
    return network(S, n, metabolites=names)


def cycles(
    metabolites: int = 100, reactions: int = 256, length: int = 3, seed: int = 42, distinct: bool = False
) -> Network:
    """Rings of autocatalytic reactions, M_1 -> M_2 -> ... -> M_1, until the next would be one reaction too many.

    A ring draws from the metabolites that no ring has used, and from all once fewer than `length` are left. Reactions
    that are missing to the wanted number stay empty, as in the exploration that this structure comes from. The draws
    are numpy's `RandomState`, whose stream does not change between versions.

    Args:
        metabolites, reactions: how many of each.
        length: of a ring.
        seed: of the draws.
        distinct: whether rings that share a pair of neighbours with an earlier one are drawn again, and no reaction
            stays empty; then every constant is identifiable.

    Raises:
        DataError: a ring is shorter than 2 or longer than the metabolites, or there are no pairs left.
    """
    if not 2 <= length <= metabolites:
        raise DataError(
            f"rings of {length} in {metabolites} metabolites", where="length", remedy="choose 2 to all of them"
        )
    if distinct and reactions > metabolites * (metabolites - 1) // 4:
        raise DataError(
            f"{reactions} distinct reactions between {metabolites} metabolites",
            where="reactions",
            remedy=f"choose at most {metabolites * (metabolites - 1) // 4}, half of all pairs",
        )
    generator, taken, pairs = np.random.RandomState(seed), set[int](), set[frozenset[int]]()
    edges: list[tuple[int, int]] = []
    while len(edges) + length <= reactions:
        free = [i for i in range(metabolites) if i not in taken]
        ring = generator.choice(free if len(free) >= length else metabolites, length, replace=False).tolist()
        ring_edges = list(zip(ring, ring[1:] + ring[:1], strict=True))
        ring_pairs = {frozenset(edge) for edge in ring_edges}
        if distinct and (pairs & ring_pairs or len(ring_pairs) < length):
            continue
        taken.update(ring)
        pairs |= ring_pairs
        edges += ring_edges
    if not distinct:
        edges += [(-1, -1)] * (reactions - len(edges))
    used, made = np.array(edges).T
    return autocatalytic(used, made, metabolites)


def _sparse(values: Real[np.ndarray, " ..."] | sparse.sparray, where: str) -> sparse.csc_array:
    try:
        matrix = sparse.csc_array(values, dtype=np.float64, copy=True)
    except (ValueError, TypeError):
        raise DataError("is no table of numbers", where=where, remedy="give rows and columns of numbers") from None
    if matrix.ndim != 2 or 0 in _size(matrix):
        raise DataError(
            f"has shape {matrix.shape}", where=where, remedy="give at least one metabolite and one reaction"
        )
    if not np.isfinite(matrix.data).all():
        raise DataError("holds a number that is not finite", where=where, remedy="correct the entry")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _size(matrix: sparse.csc_array) -> tuple[int, ...]:
    assert matrix.shape is not None  # scipy's annotations allow it
    return matrix.shape


def _names(given: Sequence[str] | None, letter: str, count: int, kind: str, side: str) -> tuple[str, ...]:
    if given is None:
        return tuple(f"{letter}{i + 1}" for i in range(count))
    names = tuple(map(str, given))
    if len(names) != count:
        raise DataError(
            f"{len(names)} names for {count} {side}", where=kind, remedy=f"name every one of the {side} once"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"the name '{twice[0]}' stands there twice", where=kind, remedy="give every one its own name")
    return names
