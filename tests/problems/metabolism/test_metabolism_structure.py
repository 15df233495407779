"""Networks are those of the exploration, their identifiable constants are those of the dense regressor's rank."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.errors import DataError, UnknownNameError
from probatum.problems.metabolism.identifiability import conditioning, identifiability
from probatum.problems.metabolism.structure import autocatalytic, cycles, network


def literal_rings() -> np.ndarray:
    """S of the exploration, [100, 256], as its text says it."""
    generator, unused = np.random.RandomState(42), list(range(100))
    S = np.zeros((100, 256))
    for ring in range(256 // 3):
        if len(unused) >= 3:
            chosen = generator.choice(unused, 3, replace=False)
            unused = [i for i in unused if i not in chosen]
        else:
            chosen = generator.choice(100, 3, replace=False)
        for position in range(3):
            j = 3 * ring + position
            S[chosen[position], j] = -1
            S[chosen[(position + 1) % 3], j] = 1
    return S


def dense_regressor(of, generator: np.random.Generator, frames: int = 60) -> np.ndarray:
    """S_ij p_j(c) at random concentrations, [frame and metabolite, reaction]."""
    S, n = of.stoichiometry.toarray(), of.orders.toarray()
    c = generator.uniform(0.5, 2, (frames, len(S)))
    p = np.prod(c[:, :, None] ** n[None], axis=1)
    return (S[None] * p[:, None, :]).reshape(-1, S.shape[1])


def test_the_structure_of_the_exploration_is_drawn():
    np.testing.assert_array_equal(cycles().stoichiometry.toarray(), literal_rings())
    np.testing.assert_array_equal(cycles().orders.toarray(), np.abs(literal_rings()))


def test_239_of_its_256_constants_are_identifiable_and_the_others_named():
    known = identifiability(cycles())
    assert int(known.identifiable.sum()) == 239
    assert known.rank == 247
    assert known.null_space.shape == (256, 9)
    sentences = known.sentences()
    assert len(sentences) == 9
    assert sentences[0] == "R256 changes nothing: its constant is in no equation; take it out of the network"
    pairs = "R71 and R218 run at the same rate of the same metabolites: only k(R71) - k(R218) is determined"
    assert pairs in sentences
    assert str(known).startswith("239 of 256 rate constants are identifiable, the rank is 247\n")


def test_distinct_rings_leave_every_constant_identifiable():
    known = identifiability(cycles(12, 30, distinct=True))
    assert known.identifiable.all()
    assert known.sentences() == []
    assert known.null_space.shape[1] == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(2, 12))
def test_rank_and_identifiable_constants_are_those_of_the_dense_regressor(seed, metabolites, reactions):
    generator = np.random.default_rng(seed)
    S = generator.integers(-1, 2, (metabolites, reactions)) * generator.integers(0, 2, (metabolites, reactions))
    S[:, 0] = 0
    S[0, 0] = -1
    of = network(S, generator.integers(0, 2, S.shape) * np.array([[1], [2]] * 3)[:metabolites])
    known, X = identifiability(of), dense_regressor(of, generator)
    rank = np.linalg.matrix_rank(X)
    alone = [np.linalg.matrix_rank(np.delete(X, j, axis=1)) < rank for j in range(reactions)]
    assert known.rank == rank
    np.testing.assert_array_equal(known.identifiable, alone)
    np.testing.assert_allclose(X @ known.null_space.toarray(), 0, atol=1e-9)
    k = generator.uniform(0.1, 1, reactions)
    np.testing.assert_allclose(X[:, known.kept] @ (known.lumps @ k), X @ k, rtol=1e-9, atol=1e-9)
    found = known.expanded(known.lumps @ k)
    assert (found >= 0).all()
    np.testing.assert_allclose(known.lumps @ found, known.lumps @ k, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found[known.identifiable], k[known.identifiable], rtol=1e-9)


def test_a_sum_is_split_evenly_and_a_difference_keeps_the_larger():
    of = autocatalytic(np.array([0, 0, 1]), np.array([1, 1, 2]), 3)
    assert identifiability(of).expanded(np.array([0.4, 0.1])) == pytest.approx([0.2, 0.2, 0.1])
    of = autocatalytic(np.array([0, 1]), np.array([1, 0]), 2)
    assert identifiability(of).expanded(np.array([-0.3])) == pytest.approx([0, 0.3], abs=1e-6)


def test_a_course_that_visits_little_shows_in_its_conditioning():
    of = network(np.array([[-1.0, 1.0], [1.0, -1.0]]))
    for other, rank in ((np.linspace(1, 3, 50) ** 2, 2), (np.linspace(1, 3, 50) * 2, 1)):
        p = np.column_stack([np.linspace(1, 3, 50), other])
        X = (of.stoichiometry.toarray()[None] * p[:, None, :]).reshape(-1, 2)
        found = conditioning(X.T @ X, of.reactions)
        assert (found.rank, found.lumps) == (rank, 2)
        if rank == 2:
            scaled = X / np.linalg.norm(X, axis=0)
            assert found.condition == pytest.approx(np.linalg.cond(scaled))
        else:
            assert found.condition == np.inf
            assert set(found.weakest) == {"R1", "R2"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stoichiometry": np.zeros((2, 2))}, "no reaction changes anything"),
        ({"stoichiometry": np.array([[np.nan, 1]])}, "not finite"),
        ({"stoichiometry": np.zeros((0, 2))}, "has shape (0, 2)"),
        ({"stoichiometry": np.eye(2), "orders": np.ones((3, 2))}, "orders of shape (3, 2)"),
        ({"stoichiometry": np.eye(2), "orders": -np.eye(2)}, "an order of -1"),
        ({"stoichiometry": np.eye(2), "metabolites": ["A"]}, "1 names for 2 rows"),
        ({"stoichiometry": np.eye(2), "reactions": ["r", "r"]}, "the name 'r' stands there twice"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(DataError) as raised:
        network(**arguments)
    assert message in str(raised.value)
    assert raised.value.where
    assert raised.value.remedy


def test_rings_that_cannot_be_drawn_are_refused():
    with pytest.raises(DataError, match="rings of 5 in 3"):
        cycles(3, 6, length=5)
    with pytest.raises(DataError, match="distinct reactions"):
        cycles(6, 12, distinct=True)


def test_a_misspelt_metabolite_is_answered_with_the_nearest():
    assert cycles().position("M17") == 16
    with pytest.raises(UnknownNameError, match="did you mean"):
        cycles().position("M 17")
