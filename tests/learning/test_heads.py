"""Outputs end where they should, inside a compiled program and outside of it alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.learning.heads import HEADS
from probatum.learning.networks.mlp_regressor import MLPRegressor
from probatum.learning.vocabulary import HEADS as NAMES


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_the_same_inside_a_program_and_outside(name: str):
    head = HEADS[name]
    raw = np.random.default_rng(0).normal(scale=4, size=(50, 3))
    assert np.allclose(np.asarray(head.apply(raw)), head.finish(raw), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "least", "most"), [("sigmoid", 0, 1), ("softplus", 0, np.inf), ("relu_plus_one", 1, np.inf)]
)
def test_outputs_stay_within_their_limits(name: str, least: float, most: float):
    finished = HEADS[name].finish(np.linspace(-90, 90, 181)[:, None])
    assert ((finished >= least) & (finished <= most)).all()


def test_a_gaussian_head_says_how_sure_it_is_in_units_of_the_targets():
    head = HEADS["gaussian"]
    targets = np.array([[10.0], [14.0]])
    prediction, spread = head.undo(np.array([[0.5, np.log(4.0)]]), head.target_scaling(targets))
    assert prediction == pytest.approx(np.array([[12 + 0.5 * 2]]))
    assert spread == pytest.approx(np.array([[2 * 2.0]]))


def test_every_head_that_recipes_may_name_is_there():
    assert tuple(HEADS) == NAMES


SHAPES = st.sampled_from([(1, 1), (3, 2), (2, 5)])
RAW = arrays(np.float32, SHAPES, elements=st.floats(-200, 200, width=32))


@pytest.mark.parametrize("name", ["ordered", "increasing"])
@settings(deadline=None)
@given(raw=RAW, low=st.floats(-1e3, 1e3), size=st.floats(1e-3, 1e3))
def test_ordered_predictions_never_fall_from_one_quantity_to_the_next(name: str, raw, low: float, size: float):
    head = HEADS[name]
    profiles = low + size * np.arange(2.0 * raw.shape[1]).reshape(2, -1) ** 2
    scaling = head.target_scaling(profiles)
    prediction, spread = head.undo(raw, scaling)
    assert spread is None
    assert (np.diff(prediction, axis=1) >= 0).all()
    inside = np.asarray(head.apply(raw), dtype=np.float64)
    assert np.allclose(scaling.undo(inside), prediction, rtol=1e-4, atol=1e-4 * np.abs(prediction).max() + 1e-6)


def test_the_order_of_targets_survives_their_scaling():
    profiles = np.array([[1.0, 2.0, 300.0], [0.5, 2.1, 100.0]])
    for name in ("ordered", "increasing"):
        scaled = HEADS[name].target_scaling(profiles).apply(profiles)
        assert (np.diff(scaled, axis=1) > 0).all()
        assert np.allclose(np.diff(scaled, axis=1), np.diff(profiles, axis=1) / profiles.std())
    assert (np.diff(HEADS["linear"].target_scaling(profiles).apply(profiles), axis=1) <= 0).any()


@pytest.mark.parametrize("name", ["ordered", "increasing"])
def test_profiles_are_learned_in_order_where_a_linear_head_breaks_it(name: str):
    """Profiles like the m-heights of random codes: they rise from 1, by steps that are often nearly nothing."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(300, 4))
    steps = np.exp(np.stack([inputs @ generator.normal(size=4) / 2 - shift for shift in (1, 2, 1, 0)], axis=1))
    profiles = 1 + np.cumsum(steps, axis=1)
    train, test = slice(0, 220), slice(220, None)

    def fitted(output: str) -> np.ndarray:
        network = MLPRegressor((32,), output=output, norm="none", epochs=120, rate=1e-2)
        return network.fit(inputs[train], profiles[train]).predict(inputs[test])

    def falls(predicted: np.ndarray) -> float:
        return float((np.diff(predicted, axis=1) < 0).any(axis=1).mean())

    ordered, linear = fitted(name), fitted("linear")
    assert falls(linear) > 0.05
    assert falls(ordered) == 0
    assert ((ordered - profiles[test]) ** 2).mean() < 0.5 * profiles[test].var(axis=0).mean()
