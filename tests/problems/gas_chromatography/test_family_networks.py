"""The networks compute what they say: both normalisations, the fixed prior, and spectra in any order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet
from probatum.problems.gas_chromatography.family_network import initial_family_network
from probatum.problems.gas_chromatography.family_network_regressor import (
    FamilyNetworkRegressor,
    SpectraRegressor,
    logits_of,
)
from probatum.problems.gas_chromatography.spectra_network import initial_spectra_network

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(20, 7)).astype(np.float32)
PRIOR = (0.1, 0.3)


def test_batch_norm_then_layer_norm_then_rectifier():
    network = initial_family_network(7, 2, (5,), ("batch", "layer"), logits_of(PRIOR, 2), np.random.default_rng(1))
    (dense, _), last = network.layers[0], network.last
    x = ROWS @ dense.weight + dense.bias
    x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    expected = np.maximum(x, 0) @ last.weight + np.log([0.1 / 0.9, 0.3 / 0.7])
    found, moments = network(ROWS, np.ones(20, np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert len(moments) == 1


def test_the_prior_is_where_an_untrained_network_that_sees_nothing_starts():
    network = FamilyNetworkRegressor(hidden=(4,), prior=PRIOR).initial_network(3, 2, np.random.default_rng(0))
    raw, _ = network(np.zeros((6, 3), np.float32), np.ones(6, np.float32))
    np.testing.assert_allclose(expit(np.asarray(raw)), [PRIOR] * 6, rtol=1e-5)


def test_the_order_of_spectra_changes_nothing():
    network = initial_spectra_network(4 * 6 + 1, 2, (4, 6), (8,), (5,), "layer", (), np.random.default_rng(2))
    spectra = np.abs(GENERATOR.normal(size=(9, 4, 6)))
    rest = GENERATOR.normal(size=(9, 1))

    def outputs(order: list[int]) -> np.ndarray:
        rows = np.concatenate([spectra[:, order].reshape(9, -1), rest], axis=1).astype(np.float32)
        return np.asarray(network(rows, np.ones(9, np.float32))[0])

    np.testing.assert_allclose(outputs([0, 1, 2, 3]), outputs([3, 1, 0, 2]), rtol=1e-4, atol=1e-5)
    assert np.abs(outputs([0, 1, 2, 2]) - outputs([0, 1, 2, 3])).max() > 1e-3


def test_spectra_are_not_standardised_and_other_columns_are():
    rows = GENERATOR.normal(5.0, 2.0, size=(30, 13))
    scaling = SpectraRegressor(shape=(3, 4)).input_scaling(rows)
    np.testing.assert_array_equal(scaling.apply(rows)[:, :12], rows[:, :12])
    assert scaling.apply(rows)[:, 12].std() == pytest.approx(1.0)


def test_a_mark_in_one_spectrum_is_learned_wherever_it_stands():
    generator = np.random.default_rng(3)
    spectra = generator.exponential(1.0, size=(240, 3, 5))
    marked = generator.random(240) < 0.5
    spectra[marked, generator.integers(3, size=marked.sum()), 4] += 8.0
    labels = marked.astype(float)[:, None]
    estimator = SpectraRegressor(
        shape=(3, 5), embedding=(16,), hidden=(8,), loss="bce", epochs=60, rate=5e-3, batch=32, prior=(0.5,)
    )
    rows = RowSet(np.arange(160), np.arange(160, 240), seed=0)
    (outcome,) = SpectraRegressor.fit_many([estimator], spectra.reshape(240, -1), labels, [rows])
    assert outcome.error is None
    assert ((outcome.prediction > 0.5) == labels[160:]).mean() > 0.95


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (FamilyNetworkRegressor(prior=(0.0, 0.5)), "prior"),
        (FamilyNetworkRegressor(norms=("group",)), "norms"),
        (SpectraRegressor(shape=(3,)), "shape"),
        (SpectraRegressor(embedding=()), "embedding"),
    ],
)
def test_parameters_that_cannot_be_are_refused(estimator, said: str):
    with pytest.raises(CampaignFileError, match=said):
        estimator.validate()


def test_a_prior_for_other_labels_is_refused():
    with pytest.raises(CampaignFileError, match="prior has 2 numbers, but there are 3 labels"):
        logits_of(PRIOR, 3)
