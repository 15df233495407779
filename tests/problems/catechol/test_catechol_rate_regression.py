"""From descriptors to rates: what several processes on parts of the descriptors share with one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from probatum.problems.catechol.rate_regression import RateRegression, candidates, kernels, parts, whole

RNG = np.random.default_rng(1)
KNOWN, DEVIATIONS = RNG.standard_normal((8, 7)), RNG.standard_normal((8, 13))


@pytest.mark.parametrize("shares", [whole(7), parts(7)], ids=["whole", "parts"])
@pytest.mark.parametrize("length", [np.inf, 1.5])
def test_errors_of_solvents_left_out_are_those_of_learning_again_without_them(shares: np.ndarray, length: float):
    regression = RateRegression.of(length, 0.3, shares, KNOWN, DEVIATIONS)
    for left in range(8):
        part = regression.without(np.array([left]), DEVIATIONS)
        expected = DEVIATIONS[left] - part(KNOWN[left : left + 1])[0]
        np.testing.assert_allclose(regression.errors[left], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("length", "oracle"),
    [(np.inf, KernelRidge(alpha=0.3)), (1.5, KernelRidge(alpha=0.3, kernel="rbf", gamma=1 / (2 * 1.5**2)))],
    ids=["linear", "rbf"],
)
def test_one_process_is_kernel_ridge_regression_which_is_its_posterior_mean(length: float, oracle: KernelRidge):
    columns = KNOWN / np.sqrt(7)  # kernels weigh the mean over descriptors
    oracle.fit(columns, DEVIATIONS)
    queries = RNG.standard_normal((5, 7))
    found = RateRegression.of(length, 0.3, whole(7), KNOWN, DEVIATIONS)(queries)
    np.testing.assert_allclose(found, oracle.predict(queries / np.sqrt(7)), rtol=1e-9)


def test_several_processes_are_the_mean_of_each_alone():
    shares, queries = parts(7), RNG.standard_normal((5, 7))
    alone = [RateRegression.of(2.0, 1.0, share[None], KNOWN, DEVIATIONS)(queries) for share in shares]
    together = RateRegression.of(2.0, 1.0, shares, KNOWN, DEVIATIONS)(queries)
    np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=1e-9)


@pytest.mark.parametrize("descriptors", [1, 2, 3, 7, 18])
def test_every_descriptor_is_in_equally_many_parts(descriptors: int):
    shares = parts(descriptors)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert len({int(n) for n in (shares > 0).sum(axis=0)}) == 1
    assert np.array_equal(shares, parts(descriptors)), "dealt the same way every time"


def test_kernels_are_positive_definite_and_candidates_differ():
    assert (np.linalg.eigvalsh(kernels(KNOWN, KNOWN, parts(7), 1.5)) > 0).all()
    found = {regression(KNOWN[:1]).tobytes() for regression in candidates(KNOWN, DEVIATIONS)}
    assert len(found) == len(candidates(KNOWN, DEVIATIONS)) == 36
