"""Features hold what they say, case by case, and keep their value under the symmetries that heights have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.problems.analog_codes.features import FEATURES
from probatum.problems.analog_codes.problem import AnalogCodes
from probatum.problems.problem import Dataset

SMALL = AnalogCodes(distribution="integer", codes=8)
INVARIANT = sorted(set(FEATURES) - {"entries"})
TOGETHER = AnalogCodes(distribution="integer", codes=8, cases="all")


def _with(dataset: Dataset, P: np.ndarray) -> Dataset:
    return replace(dataset, observations={**dataset.observations, "P": P})


def _P(dataset: Dataset) -> np.ndarray:
    P = dataset.observations["P"]
    assert isinstance(P, np.ndarray)
    return P


@pytest.mark.parametrize("name", INVARIANT)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_signed_permutations_of_rows_and_columns_keep_features(name: str, seed: int):
    rng = np.random.default_rng(seed)
    dataset = SMALL.dataset("k=4")
    P = _P(dataset)
    moved = P[:, rng.permutation(4)][:, :, rng.permutation(5)]
    moved = moved * rng.choice([-1, 1], (4, 1)) * rng.choice([-1, 1], (1, 5))
    compute = FEATURES[name].compute
    np.testing.assert_allclose(compute(_with(dataset, moved)), compute(dataset), atol=1e-9)


@pytest.mark.parametrize("name", sorted(FEATURES))
@pytest.mark.parametrize("task", SMALL.tasks)
def test_features_are_finite_and_computed_case_by_case(name: str, task: str):
    dataset = SMALL.dataset(task)
    block = FEATURES[name].compute(dataset)
    assert len(block) == len(dataset)
    assert np.isfinite(block).all()
    chosen = np.array([3, 0, 7])
    few = replace(dataset, observations={k: v[chosen] for k, v in dataset.observations.items()})  # type: ignore[index]
    np.testing.assert_array_equal(FEATURES[name].compute(few), block[chosen])


@pytest.mark.parametrize(("n", "k"), [(2, 1), (5, 1), (5, 4)])
def test_features_exist_for_codes_without_two_rows_or_columns(n: int, k: int):
    dataset = AnalogCodes(n=n, groups=((k, 1),), codes=3).dataset(f"k={k}")
    for feature in FEATURES.values():
        assert np.isfinite(feature.compute(dataset)).all()


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_features_of_all_groups_are_those_of_each_filled_up_with_zeros(name: str):
    dataset = TOGETHER.dataset("all")
    block = TOGETHER.features[name].compute(dataset)
    for task in SMALL.tasks:
        apart = SMALL.dataset(task)
        rows = np.flatnonzero(np.isin(dataset.cases, apart.cases))
        alone = FEATURES[name].compute(apart.take(np.argsort(apart.cases)))
        ours = block[rows[np.argsort(dataset.cases[rows])]]
        np.testing.assert_array_equal(ours[:, : alone.shape[1]], alone)
        assert not ours[:, alone.shape[1] :].any()


def test_k_and_m_are_numbers_of_categories():
    dataset = TOGETHER.dataset("all")
    block = TOGETHER.features["k,m"].compute(dataset)
    named = [f"({k:g},{m:g})" for k, m in block]
    assert named == dataset.groups["k,m"].tolist()


def test_a_profile_has_the_features_of_its_code():
    profiles = AnalogCodes(distribution="integer", codes=8, cases="profiles")
    dataset, apart = profiles.dataset("k=4"), SMALL.dataset("k=4")
    for name in ("entries", "sorted", "norms", "minors2"):
        np.testing.assert_array_equal(profiles.features[name].compute(dataset), FEATURES[name].compute(apart)[::4])
    assert profiles.features["m"].compute(dataset).shape == (8, 0)
    bounds = profiles.features["codewords"].compute(dataset).reshape(8, 5, 2)
    assert (bounds[:, 1:] <= dataset.targets()[:, :, None] + 1e-9).all()


def test_codeword_bounds_lie_below_the_height():
    dataset = AnalogCodes(codes=200).dataset("k=5")
    assert (FEATURES["codewords"].compute(dataset) <= dataset.targets() + 1e-9).all()


def test_two_by_two_minors_are_sorted_logarithms():
    dataset = AnalogCodes(n=4, groups=((2, 1),), codes=2).dataset("k=2")
    minors = np.abs(np.linalg.det(_P(dataset)))
    np.testing.assert_allclose(FEATURES["minors2"].compute(dataset)[:, 0], np.log2(minors), rtol=1e-9)
