"""Rows of equal inputs become one without loss."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from probatum.learning.gaussian_processes.measurements import Measurements, shape_of, weighted_scaling
from probatum.learning.scaling import Scaling


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 2**31))
def test_the_likelihood_of_means_and_scatter_is_that_of_all_rows(places: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    inputs = np.array(places, dtype=np.float64)[:, None]
    targets = generator.normal(size=(len(places), 1))
    noise = 0.3
    rows = Measurements.of(inputs, targets, np.ones(len(places)))

    def prior(x: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * (x - x.T) ** 2)

    whole = multivariate_normal(cov=prior(inputs) + noise * np.eye(len(inputs))).logpdf(targets.ravel())
    of_means = multivariate_normal(cov=prior(rows.inputs) + np.diag(noise / rows.counts)).logpdf(rows.means.ravel())
    within = (rows.counts - 1) * np.log(2 * np.pi * noise) + np.log(rows.counts) + rows.scatter[:, 0] / noise
    assert abs(whole - (of_means - 0.5 * within.sum())) < 1e-9
    assert rows.counts.sum() == len(places)


@given(st.integers(1, 3000))
def test_a_program_has_room_for_the_rows_and_little_more(rows: int) -> None:
    shape = shape_of(rows)
    assert shape >= rows
    assert shape <= (1.13 * rows if rows > 128 else max(32, 2 * rows))


def test_weights_scale_as_repeated_rows_do() -> None:
    rows = np.random.default_rng(0).normal(5, 2, size=(10, 3))
    rows[:, 2] = 7
    weights = np.arange(1, 11)
    found = weighted_scaling(rows, weights.astype(np.float64), ignore_constant=True)
    expected = Scaling.of(np.repeat(rows, weights, axis=0), ignore_constant=True)
    assert np.allclose(found.to_array(), expected.to_array(), rtol=1e-12, atol=0)
    assert found.multiply[2] == 0
