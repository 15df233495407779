import jax.numpy as jnp
import numpy as np
import pytest

from probatum.learning.averaging import Average, over_epochs, over_steps
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.networks.mlp_regressor import MLPRegressor

GENERATOR = np.random.default_rng(0)
WALK = GENERATOR.normal(size=(30, 3)).cumsum(axis=0)
INPUTS = GENERATOR.normal(size=(40, 3))
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:2]
ROWS = RowSet(np.arange(32), np.arange(32, 40), 5)


def started() -> Average:
    return Average({"w": jnp.asarray(WALK[0])}, jnp.zeros((), jnp.int32))


@pytest.mark.parametrize("decay", [0.3, 0.9, 0.99])
def test_the_moving_average_is_that_of_a_loop_by_hand(decay: float) -> None:
    average, by_hand = started(), WALK[0].copy()
    for step, weights in enumerate(WALK[1:]):
        average = over_steps(average, {"w": jnp.asarray(weights)}, jnp.float32(decay))
        kept = min(decay, (1 + step) / (10 + step))
        by_hand = kept * by_hand + (1 - kept) * weights
    np.testing.assert_allclose(average.network["w"], by_hand, rtol=1e-4, atol=1e-5)
    assert int(average.held) == len(WALK) - 1


def test_the_mean_over_epochs_is_that_of_the_weights_since_it_started() -> None:
    average = started()
    for epoch, weights in enumerate(WALK):
        average = over_epochs(average, {"w": jnp.asarray(weights)}, jnp.asarray(epoch >= 12))
        wanted = weights if epoch < 12 else WALK[12 : epoch + 1].mean(axis=0)
        np.testing.assert_allclose(average.network["w"], wanted, rtol=1e-4, atol=1e-5)


def trained(**choice: object) -> FitOutcome:
    estimator = MLPRegressor((), **{"epochs": 4, "batch": 8, "rate": 1e-2, **choice})  # type: ignore[arg-type]
    (outcome,) = fit_many([estimator], INPUTS, TARGETS, [ROWS], quantities=1)
    assert outcome.error is None
    return outcome


def test_a_training_with_swa_ends_with_the_mean_of_the_ends_of_its_last_epochs() -> None:
    (averaged, *ends) = (
        trained(**choice) for choice in ({"average": {"kind": "swa", "start": 0.5}}, {}, {"epochs": 3})
    )
    for name in ("network.weights.0", "network.biases.0"):
        mean = np.mean([end.weights[name] for end in ends], axis=0)
        np.testing.assert_allclose(averaged.weights[name], mean, rtol=1e-4, atol=1e-6)
