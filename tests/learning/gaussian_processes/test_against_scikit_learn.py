"""The oracle: scikit-learn's Gaussian process with the same kernel and hyper-parameters that are held fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, WhiteKernel
from sklearn.utils.estimator_checks import check_estimator

from probatum.learning.gaussian_processes.covariance import LEAST_NOISE
from probatum.learning.gaussian_processes.estimator import GaussianProcess

NOISE = 0.03


class OfColumns(Kernel):
    """A kernel that sees some columns only."""

    def __init__(self, kernel: Any, columns: list[int]):
        self.kernel, self.columns = kernel, columns

    def __call__(self, X: np.ndarray, Y: np.ndarray | None = None, eval_gradient: bool = False) -> np.ndarray:
        assert not eval_gradient
        return self.kernel(X[:, self.columns], None if Y is None else Y[:, self.columns])

    def diag(self, X: np.ndarray) -> np.ndarray:
        return self.kernel.diag(X[:, self.columns])

    def is_stationary(self) -> bool:
        return True


def data(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    inputs = generator.normal(loc=[5, -2, 0, 100], scale=[2, 0.1, 1, 30], size=(rows, 4))
    inputs[10:20] = inputs[:10]  # measured twice
    targets = 3 + 0.2 * np.sin(inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + 0.05 * generator.normal(size=rows)
    return inputs, targets


def same(ours: GaussianProcess, kernel: Any) -> None:
    """Asserts that mean, standard deviation and likelihood agree."""
    inputs, targets = data()
    train, test = slice(0, 45), slice(45, 60)
    shift, unit = inputs[train].mean(axis=0), inputs[train].std(axis=0)
    x = (inputs - shift) / unit
    mean, size = targets[train].mean(), targets[train].std()
    y = (targets - mean) / size
    theirs = GaussianProcessRegressor(kernel + WhiteKernel(NOISE + LEAST_NOISE), alpha=0, optimizer=None)
    theirs.fit(x[train], y[train])
    expected, deviation = theirs.predict(x[test], return_std=True)
    ours.fit(inputs[train], targets[train])
    found, spread = ours.predict(inputs[test], return_std=True)
    assert np.abs(found - (mean + size * expected)).max() < 1e-8
    assert np.abs(spread - size * deviation).max() < 1e-8
    likelihood = theirs.log_marginal_likelihood_value_ - 45 * np.log(size)
    assert abs(ours.log_marginal_likelihood_[0] - likelihood) < 1e-8


def fixed(**parameters: Any) -> GaussianProcess:
    start = {"noise": [NOISE], "constant": [0.0], **parameters.pop("start")}
    return GaussianProcess(restarts=0, iterations=0, start=start, **parameters)


@pytest.mark.parametrize(("shape", "their_shape"), [("matern52", lambda s: Matern(s, nu=2.5)), ("rbf", RBF)])
def test_one_kernel_with_a_lengthscale_a_column_agrees(shape: str, their_shape: Any) -> None:
    scales = [0.7, 2.0, 1.1, 9.0]
    ours = fixed(shape=shape, ard=True, start={"lengthscale": scales, "amplitude": [1.7]})
    same(ours, ConstantKernel(1.7) * their_shape(scales))


def test_a_product_over_blocks_agrees() -> None:
    start = {"lengthscale": [0.8, 2.5], "amplitude": [1.7]}
    ours = fixed(blocks=[[0, 0], [1, 3]], shape=["rbf", "matern52"], start=start)
    theirs = OfColumns(RBF(0.8), [0]) * OfColumns(Matern(2.5, nu=2.5), [1, 2, 3])
    same(ours, ConstantKernel(1.7) * theirs)


def test_a_sum_over_blocks_agrees() -> None:
    start = {"lengthscale": [0.8, 2.5], "amplitude": [1.7, 0.4]}
    ours = fixed(kernel="sum", blocks=[[0, 0], [1, 2]], start=start)
    first, second = OfColumns(Matern(0.8, nu=2.5), [0]), OfColumns(Matern(2.5, nu=2.5), [1, 2])
    same(ours, ConstantKernel(1.7) * first + ConstantKernel(0.4) * second)


@pytest.mark.usefixtures("unoptimised")
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_hold() -> None:
    results = check_estimator(GaussianProcess(restarts=0, iterations=20), on_fail=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"] == []
