"""Which rate constants the concentrations can determine at all, named, before anything is fitted.

The regressor of k has the entries S_ij p_j(c(t)). Two propensities differ as functions of c unless their orders are the
same, so along a course that visits enough, sum_j S_ij x_j p_j(c) = 0 holds for all i and t only if it holds within each
set of reactions with the same orders: the null space of the regressor is the direct sum of the null spaces of those
columns of S. An empty reaction is one vector of it; two reactions between the same two metabolites are another, and
leave the sum or the difference of their constants. A constant is identifiable if no null vector moves it.

A course that visits little has more null vectors (two metabolites with a constant sum, say): `conditioning` shows it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import linalg, sparse
from scipy.optimize import nnls

from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.structure import Network

SMALL = 1e-9
"""Relative to the largest: a pivot or singular value below this counts as 0."""


@dataclass(frozen=True, eq=False)
class Identifiability:
    """What the structure of a network lets one know.

    Attributes:
        network: the network.
        kept: [lump] int, the reactions that stand for what is identifiable.
        lumps: sparse [lump, reaction] float64: lumps @ k is identifiable, and is all that is.
    """

    network: Network
    kept: Int[np.ndarray, " lump"]
    lumps: sparse.csr_array

    @cached_property
    def null_space(self) -> sparse.csc_array:
        """A basis, sparse [reaction, null vector]: k + null_space @ x fits the data as well as k for every x."""
        count = len(self.network.reactions)
        lost = np.setdiff1d(np.arange(count), self.kept)
        places = sparse.csr_array(
            (np.ones(len(self.kept)), (self.kept, np.arange(len(self.kept)))), (count, len(self.kept))
        )
        own = sparse.csr_array((np.ones(len(lost)), (lost, np.arange(len(lost)))), (count, len(lost)))
        basis = sparse.csc_array(own - places @ self.lumps[:, lost])
        basis.eliminate_zeros()
        return basis

    @cached_property
    def identifiable(self) -> Bool[np.ndarray, " reaction"]:
        """[reaction] bool."""
        return np.diff(sparse.csr_array(self.null_space).indptr) == 0

    @property
    def rank(self) -> int:
        """Of the regressor: how many combinations of constants are determined."""
        return len(self.kept)

    @cached_property
    def alone(self) -> Bool[np.ndarray, " lump"]:
        """[lump] bool: whether the lump is one identifiable constant."""
        return self.identifiable[self.kept]

    @cached_property
    def not_negative(self) -> Bool[np.ndarray, " lump"]:
        """[lump] bool: whether the lump is a sum of constants, so cannot be negative; a difference can."""
        return np.asarray(self.lumps.min(axis=1).toarray()).ravel() >= 0

    def reduced(self, metabolism: Metabolism) -> Metabolism:
        """The same metabolism with a reaction for each lump: its regressor has full rank, its fit is the same."""
        return metabolism.take(self.kept)

    def expanded(self, lumps: Float[np.ndarray, " lump"]) -> Float[np.ndarray, " reaction"]:
        """The shortest k >= 0 with these lumps, [reaction] float64: one of many, only `identifiable` ones are known.

        A sum is split evenly, a difference leaves 0 for the other constant; empty reactions get 0.
        """
        k = np.zeros(len(self.network.reactions))
        k[self.kept[self.alone]] = lumps[self.alone]
        mixed = self.lumps[np.flatnonzero(~self.alone)]
        members = np.unique(mixed.indices)
        if len(members):
            # A weight so small that it only chooses among solutions, at 1e-12 of their size.
            shortest = np.vstack([mixed[:, members].toarray(), 1e-6 * np.eye(len(members))])
            k[members] = nnls(shortest, np.concatenate([lumps[~self.alone], np.zeros(len(members))]))[0]
        return k

    def sentences(self) -> list[str]:
        """One for every cause why constants are not identifiable, reactions named."""
        names, found = self.network.reactions, []
        by_row = sparse.csr_array(self.lumps)
        lost = ~self.identifiable
        found += [
            f"{names[j]} changes nothing: its constant is in no equation; take it out of the network"
            for j in np.flatnonzero(self.network.empty)
        ]
        for row in np.flatnonzero(~self.alone):
            entries = slice(by_row.indptr[row], by_row.indptr[row + 1])
            terms = _sum(by_row.data[entries], [f"k({names[j]})" for j in by_row.indices[entries]])
            reactions = " and ".join(names[j] for j in by_row.indices[entries])
            found.append(f"{reactions} run at the same rate of the same metabolites: only {terms} is determined")
        covered = set(np.flatnonzero(self.network.empty)) | set(by_row[np.flatnonzero(~self.alone)].indices.tolist())
        found += [f"{names[j]} is a combination of others" for j in np.flatnonzero(lost) if j not in covered]
        return found

    def __str__(self) -> str:
        known = int(self.identifiable.sum())
        head = f"{known} of {len(self.network.reactions)} rate constants are identifiable, the rank is {self.rank}"
        return "\n".join([head, *self.sentences()])


def identifiability(network: Network) -> Identifiability:
    """What the structure lets one know, exactly, before any data."""
    S, n = network.stoichiometry, network.orders
    same: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
    for j in range(len(network.reactions)):
        entries = slice(n.indptr[j], n.indptr[j + 1])
        same[n.indices[entries].tobytes(), n.data[entries].tobytes()].append(j)
    kept, rows, columns, values = [], [], [], []
    for reactions in same.values():
        chosen, weights = _independent(S[:, reactions].toarray())
        for position, of_kept in zip(chosen, weights, strict=True):
            for e in np.flatnonzero(of_kept):
                rows.append(len(kept))
                columns.append(reactions[e])
                values.append(of_kept[e])
            kept.append(reactions[position])
    order = np.argsort(kept)
    lumps = sparse.csr_array((values, (rows, columns)), shape=(len(kept), len(network.reactions)))[order]
    lumps.sort_indices()
    return Identifiability(network, np.array(kept, dtype=np.int64)[order], lumps)


@dataclass(frozen=True)
class Conditioning:
    """How well one course determines the lumps.

    Attributes:
        rank: singular values of the scaled regressor that are not 0.
        lumps: how many there are; a smaller rank names a course that visits too little.
        condition: largest over smallest singular value, columns scaled to length 1.
        weakest: names of the reactions that the weakest direction moves most.
    """

    rank: int
    lumps: int
    condition: float
    weakest: tuple[str, ...]


def conditioning(gram: Float[np.ndarray, "lump lump"], names: tuple[str, ...], shown: int = 4) -> Conditioning:
    """Conditioning of a regressor from its Gram matrix, [lump, lump], with the names of the lumps' reactions."""
    size = np.sqrt(np.maximum(np.diag(gram), 0.0))
    scale = np.where(size > 0, size, 1.0)
    values, vectors = linalg.eigh(gram / np.outer(scale, scale))
    # A Gram matrix squares the singular values, so rounding hides those below the root of the machine's precision.
    real = values > len(values) * np.finfo(np.float64).eps * values[-1]
    condition = float(np.sqrt(values[-1] / values[0])) if real.all() else float("inf")
    weakest = tuple(names[j] for j in np.argsort(-np.abs(vectors[:, 0]))[:shown])
    return Conditioning(int(real.sum()), len(names), condition, weakest)


def _independent(columns: Float[np.ndarray, "row column"]) -> tuple[list[int], Float[np.ndarray, "chosen column"]]:
    """Positions of independent columns, the first of equals, and the [chosen, column] weights that give all columns."""
    chosen: list[int] = []
    basis = np.zeros((len(columns), 0))
    for j, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        if np.linalg.norm(rest) > SMALL * max(float(np.linalg.norm(column)), 1.0) and column.any():
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
            chosen.append(j)
    if not chosen:
        return [], np.zeros((0, columns.shape[1]))
    weights = np.linalg.lstsq(columns[:, chosen], columns, rcond=None)[0]
    weights[np.abs(weights) < SMALL] = 0.0
    rounded = np.round(weights)
    return chosen, np.where(np.abs(weights - rounded) < SMALL, rounded, weights)


def _sum(weights: Float[np.ndarray, " term"], names: list[str]) -> str:
    """'k(R1) - 2 k(R2)'."""
    text = ""
    for weight, name in zip(weights, names, strict=True):
        size = "" if abs(weight) == 1 else f"{abs(weight):g} "
        sign = ("-" if weight < 0 else "") if not text else (" - " if weight < 0 else " + ")
        text += f"{sign}{size}{name}"
    return text
