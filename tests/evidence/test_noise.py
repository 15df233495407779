"""The noise floor is the pooled variance of repeated measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.evidence.noise import noise_floor
from probatum.problems.problem import Quantity, Truth
from problems.fakes import Rows

measurements = st.lists(
    st.tuples(st.integers(0, 4), st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=20
)


def measured(rows: list[tuple[int, float, float]]):
    base = Rows(rows=len(rows)).dataset("rows")
    values = np.array([row[1:] for row in rows], dtype=np.float64)
    quantities = (Quantity("a", "g"), Quantity("b", "g"))
    return replace(base, truth=Truth(values), quantities=quantities, replicates=np.array([row[0] for row in rows]))


@given(measurements)
@settings(deadline=None, max_examples=200)
def test_it_is_the_pooled_variance_of_samples_measured_again(rows: list[tuple[int, float, float]]):
    groups: dict[int, list[tuple[float, float]]] = {}
    for sample, *values in rows:
        groups.setdefault(sample, []).append(tuple(values))
    again = [np.array(g) for g in groups.values() if len(g) > 1]
    floor = noise_floor(measured(rows))
    if not again:
        assert floor is None
        return
    degrees = sum(len(g) - 1 for g in again)
    expected = sum((len(g) - 1) * np.var(g, axis=0, ddof=1) for g in again) / degrees
    assert floor is not None
    assert list(floor.by_quantity.values()) == pytest.approx(expected, abs=1e-9)
    assert floor.variance == pytest.approx(expected.mean(), abs=1e-9)
    assert (floor.samples, floor.degrees) == (len(again), degrees)


def test_cases_without_a_finite_truth_are_left_out():
    rows = [(0, 1.0, 1.0), (0, 3.0, 1.0), (0, np.inf, 1.0), (1, 5.0, 5.0), (1, np.nan, 5.0)]
    floor = noise_floor(measured(rows))
    assert floor is not None
    assert floor.by_quantity == {"a": 2.0, "b": 0.0}
    assert (floor.samples, floor.degrees) == (1, 1)


def test_without_repeated_measurements_there_is_none():
    assert noise_floor(replace(Rows().dataset("rows"), replicates=None)) is None


def test_no_model_can_be_expected_to_fall_below_it():
    """The truth itself, judged on single noisy measurements, scores the noise floor."""
    generator = np.random.default_rng(0)
    sample = np.repeat(np.arange(2000), 3)
    true = generator.normal(size=2000)[sample]
    values = true + generator.normal(0, 0.3, len(true))
    floor = noise_floor(measured([(int(s), float(v), float(v)) for s, v in zip(sample, values, strict=True)]))
    assert floor is not None
    assert np.mean((values - true) ** 2) == pytest.approx(floor.variance, rel=0.05)
