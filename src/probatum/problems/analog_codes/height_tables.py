"""Which minors, circuits and column sets the heights of an [n, k] code are made of: index tables, built once a shape.

Columns of G = [I_k | P] are numbered 0..n-1, so column k + c of G is column c of P. A *basis* is a k-subset of columns,
a *circuit* a (k+1)-subset. Subsets of the columns other than j are the same for every j once these are renumbered
0..n-2, so one lattice serves all j.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from jaxtyping import Int32


@dataclass(frozen=True, eq=False)
class HeightTables:
    """Index tables of one shape; all int32.

    Attributes:
        first: [basis + 1] where a basis' Laplace terms begin; bases stand in the order their minors are computed in.
        entry: [term] index into the flattened P of the term's factor; signs alternate from + within a basis.
        child: [term] the smaller minor it is multiplied by.
        circuits: [circuit, k + 1] the bases inside each circuit.
        lattice_basis: [column j, k-subset of the others] its basis.
        lattice_circuit: [column j, k-subset of the others] the circuit of that basis and j.
        lattice_first: [level + 1] where the subsets of size k, k + 1, ..., n - 1 begin in the lattice.
        lattice_child: [subset, k + 1] for sizes above k: subsets of one element less that contain all its k-subsets.
    """

    first: Int32[np.ndarray, " start"]
    entry: Int32[np.ndarray, " term"]
    child: Int32[np.ndarray, " term"]
    circuits: Int32[np.ndarray, "circuit member"]
    lattice_basis: Int32[np.ndarray, "column choice"]
    lattice_circuit: Int32[np.ndarray, "column choice"]
    lattice_first: Int32[np.ndarray, " level_start"]
    lattice_child: Int32[np.ndarray, "subset member"]

    def arrays(self) -> tuple[Int32[np.ndarray, " ..."], ...]:
        """All tables, in the order of the attributes."""
        return (
            self.first,
            self.entry,
            self.child,
            self.circuits,
            self.lattice_basis,
            self.lattice_circuit,
            self.lattice_first,
            self.lattice_child,
        )


@lru_cache(maxsize=32)
def height_tables(n: int, k: int) -> HeightTables:
    """The tables of [n, k] codes, 1 <= k < n."""
    # Minors of few columns of P come first: larger ones are expanded into them.
    bases = sorted(combinations(range(n), k), key=lambda columns: sum(c >= k for c in columns))
    basis_index = {columns: i for i, columns in enumerate(bases)}
    circuits = list(combinations(range(n), k + 1))
    circuit_index = {columns: i for i, columns in enumerate(circuits)}

    first, entry, child = [0], [], []
    for basis in bases:
        chosen = [c for c in basis if c >= k]
        if chosen:
            row = next(r for r in range(k) if r not in basis)
            for column in chosen:
                entry.append(row * (n - k) + column - k)
                child.append(basis_index[tuple(sorted({*basis, row} - {column}))])
        first.append(len(entry))

    lattice_first, lattice_child = _lattice(n - 1, k)
    lattice_basis, lattice_circuit = [], []
    for j in range(n):
        others = [c for c in range(n) if c != j]
        for columns in combinations(others, k):
            lattice_basis.append(basis_index[columns])
            lattice_circuit.append(circuit_index[tuple(sorted((*columns, j)))])

    inside = [[basis_index[columns] for columns in combinations(circuit, k)] for circuit in circuits]
    return HeightTables(
        first=np.array(first, np.int32),
        entry=np.array(entry, np.int32),
        child=np.array(child, np.int32),
        circuits=np.array(inside, np.int32),
        lattice_basis=np.array(lattice_basis, np.int32).reshape(n, -1),
        lattice_circuit=np.array(lattice_circuit, np.int32).reshape(n, -1),
        lattice_first=lattice_first,
        lattice_child=lattice_child,
    )


def _lattice(size: int, k: int) -> tuple[Int32[np.ndarray, " level_start"], Int32[np.ndarray, "subset member"]]:
    """Subsets of `size` elements with k to `size` of them: where each level begins, and every subset's children.

    A k-subset of T misses at least one of any k + 1 elements of T, so leaving out each of those in turn covers them
    all: k + 1 children do, however large T is.
    """
    first, children, below = [0], [], {}
    for level in range(k, size + 1):
        here = {columns: first[-1] + i for i, columns in enumerate(combinations(range(size), level))}
        for columns in here:
            if level == k:
                children.append([0] * (k + 1))
            else:
                children.append([below[columns[:t] + columns[t + 1 :]] for t in range(k + 1)])
        first.append(first[-1] + len(here))
        below = here
    return np.array(first, np.int32), np.array(children, np.int32)
