"""A blend's spread: the noise that its components tell, and their disagreement."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.learning.blends import blended_spread

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
