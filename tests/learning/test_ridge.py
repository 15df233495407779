import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from probatum.learning.ridge import ScaledRidge

INPUTS = np.random.default_rng(0).normal(3.0, [1, 10, 100], size=(60, 3))


def test_it_is_scikit_learns_ridge_on_standardised_inputs() -> None:
    targets = INPUTS @ [1.0, 2.0, 3.0]
    scaled = StandardScaler().fit_transform(INPUTS)
    expected = Ridge(alpha=2.0).fit(scaled, targets).predict(scaled)
    np.testing.assert_allclose(ScaledRidge(alpha=2.0).fit(INPUTS, targets).predict(INPUTS), expected)


@pytest.mark.parametrize("interactions", [False, True])
def test_a_row_of_weight_2_counts_as_two_rows(interactions: bool) -> None:
    generator = np.random.default_rng(1)
    targets, weights = generator.normal(size=(60, 2)), generator.integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weights)
    weighed = ScaledRidge(0.5, interactions).fit(INPUTS, targets, sample_weight=weights).predict(INPUTS)
    expected = ScaledRidge(0.5, interactions).fit(INPUTS[repeated], targets[repeated]).predict(INPUTS)
    np.testing.assert_allclose(weighed, expected)
    assert not np.allclose(weighed, ScaledRidge(0.5, interactions).fit(INPUTS, targets).predict(INPUTS))


def test_products_of_inputs_are_learned_only_with_interactions() -> None:
    targets = (INPUTS[:, 0] - 3) * (INPUTS[:, 1] - 3)
    with_products = ScaledRidge(alpha=1e-6, interactions=True).fit(INPUTS, targets).score(INPUTS, targets)
    assert with_products == pytest.approx(1.0)
    assert ScaledRidge(alpha=1e-6).fit(INPUTS, targets).score(INPUTS, targets) < 0.5
