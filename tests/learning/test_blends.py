"""A blend's spread: the noise that its components tell, and their disagreement."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.learning.blends import blend, blended_spread, simplex_weights, simplex_weights_by_quantity

MEANS = np.array([[[0.0]], [[2.0]], [[5.0]]])


def test_a_blend_of_gaussians_spreads_as_their_mixture():
    rng = np.random.default_rng(0)
    draws = np.concatenate([rng.normal(0, 1, 300_000), rng.normal(2, 0.5, 100_000)])
    found = blended_spread(MEANS[:2], [np.full((1, 1), 1.0), np.full((1, 1), 0.5)], np.array([3.0, 1.0]))
    assert found is not None
    np.testing.assert_allclose(found.item(), draws.std(), rtol=0.01)


def test_a_component_without_a_spread_counts_by_its_disagreement_alone():
    found = blended_spread(MEANS[:2], [np.full((1, 1), 1.0), None], np.array([1.0, 1.0]))
    assert found is not None
    np.testing.assert_allclose(found, np.sqrt(1.0 + 1.0))


@pytest.mark.parametrize("spreads", [[None, None, None], [None, None, np.ones((1, 1))]])
def test_where_nothing_with_a_weight_tells_the_noise_there_is_no_spread(spreads: list[np.ndarray | None]):
    assert blended_spread(MEANS, spreads, np.array([1.0, 1.0, 0.0])) is None


def test_every_quantity_may_have_weights_of_its_own():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(50, 2))
    good, bad = truth + 0.1 * rng.normal(size=truth.shape), truth + rng.normal(size=truth.shape)
    predictions = np.stack([np.column_stack([good[:, 0], bad[:, 1]]), np.column_stack([bad[:, 0], good[:, 1]])])
    weights = simplex_weights_by_quantity(predictions, truth)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert weights[0, 0] > 0.9
    assert weights[1, 1] > 0.9
    alone = [simplex_weights(predictions[:, :, [q]], truth[:, [q]]) for q in range(2)]
    np.testing.assert_allclose(weights, np.stack(alone, axis=1))
    mixed = blend(predictions, weights)
    np.testing.assert_allclose(mixed[:, 1], blend(predictions, alone[1])[:, 1])
    spread = blended_spread(predictions, [np.ones((50, 2)), None], weights)
    assert spread is not None
    assert (spread >= 1).all()


def test_weights_need_no_sum_of_1():
    predictions = np.arange(12.0).reshape(3, 2, 2)
    np.testing.assert_allclose(blend(predictions, np.array([2.0, 2.0, 4.0])), predictions[[0, 1, 2, 2]].mean(axis=0))
