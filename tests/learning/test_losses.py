import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import log_loss

from probatum.learning import vocabulary
from probatum.learning.heads import HEADS
from probatum.learning.losses import LOSSES, PENALTIES, loss, penalty
from probatum.learning.objective import Objective

GENERATOR = np.random.default_rng(0)
OUTPUTS = GENERATOR.normal(size=(30, 3)).astype(np.float32)
TARGETS = GENERATOR.normal(size=(30, 3)).astype(np.float32)
LABELS = (GENERATOR.uniform(size=(30, 3)) > 0.5).astype(np.float32)
SHARE = np.full(30, 1 / 30, dtype=np.float32)


def value(name: str, outputs: np.ndarray, targets: np.ndarray, **numbers: float) -> np.ndarray:
    return np.asarray(loss(name).rows(jnp.asarray(outputs), jnp.asarray(targets), numbers))  # type: ignore[arg-type]


def test_every_name_has_its_function_and_every_function_its_name() -> None:
    assert LOSSES.keys() == vocabulary.LOSSES.keys()
    assert PENALTIES.keys() == vocabulary.PENALTIES.keys()
    assert tuple(HEADS) == vocabulary.HEADS


@pytest.mark.parametrize("delta", [0.1, 1.0, 5.0])
def test_the_huber_loss_is_scipys(delta: float) -> None:
    from scipy.special import huber

    wanted = huber(delta, OUTPUTS - TARGETS)
    np.testing.assert_allclose(value("huber", OUTPUTS, TARGETS, delta=delta), wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(value("smooth_l1", OUTPUTS, TARGETS, delta=delta), wanted / delta, rtol=1e-5, atol=1e-7)


def test_cross_entropy_is_scikit_learns_and_does_not_overflow() -> None:
    of_labels = value("bce", OUTPUTS, LABELS).mean()
    np.testing.assert_allclose(of_labels, log_loss(LABELS.ravel(), expit(OUTPUTS.ravel())), rtol=1e-5)
    assert np.isfinite(value("bce", np.array([[1e4, -1e4]], dtype=np.float32), np.array([[0.0, 1.0]]))).all()


def test_the_gaussian_loss_is_scipys_density_but_for_a_constant() -> None:
    raw = np.concatenate([OUTPUTS, 0.3 * TARGETS], axis=1)
    wanted = -norm.logpdf(TARGETS, OUTPUTS, np.exp(0.15 * TARGETS)) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(value("gaussian_nll", raw, TARGETS), wanted, rtol=1e-4, atol=1e-5)


def test_a_factor_of_two_costs_one_wherever_it_stands() -> None:
    targets = np.exp(TARGETS)
    np.testing.assert_allclose(value("log2_mse", 2 * targets, targets), 1.0, rtol=1e-4)
    np.testing.assert_allclose(value("log2_mse", targets / 2, targets), 1.0, rtol=1e-4)


def test_the_hinge_leaves_confident_right_answers_alone() -> None:
    assert (value("hinge", 3 * (2 * LABELS - 1), LABELS) == 0).all()
    assert (value("hinge", 0 * LABELS, LABELS) == 1).all()


@pytest.mark.parametrize("head", ["linear", "sigmoid", "softplus", "relu_plus_one"])
def test_the_mass_balance_is_kept_in_the_units_of_the_targets(head: str) -> None:
    scaling = HEADS[head].target_scaling(np.abs(TARGETS.astype(float)))
    numbers = {
        "loss": {},
        "penalties": [jnp.float32(2.0)],
        "target_weights": jnp.zeros(3),
        "units": jnp.asarray(scaling.to_array(), dtype=jnp.float32),
    }
    objective = Objective("mse", ("mass_balance",), head)
    found = objective.batch(jnp.asarray(OUTPUTS), jnp.asarray(TARGETS), jnp.asarray(SHARE), numbers, None)
    prediction, _ = HEADS[head].undo(OUTPUTS, scaling)
    wanted = 2 * (np.maximum(prediction.sum(axis=1) - 1, 0) ** 2).mean()
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_a_loss_can_be_a_penalty() -> None:
    found = penalty("hinge").batch(jnp.asarray(OUTPUTS), jnp.asarray(LABELS), jnp.asarray(SHARE), jnp.uint32(0))
    np.testing.assert_allclose(found, value("hinge", OUTPUTS, LABELS).mean(), rtol=1e-5)


def test_targets_count_by_their_weights() -> None:
    numbers = {"loss": {}, "target_weights": jnp.array([1.0, 0.0, 0.0]), "units": jnp.zeros((2, 3))}
    rows = Objective("mae").rows(jnp.asarray(OUTPUTS), jnp.asarray(TARGETS), numbers)
    np.testing.assert_allclose(rows, np.abs(OUTPUTS - TARGETS)[:, 0] / 3, rtol=1e-6)


@pytest.mark.parametrize("name", [*LOSSES])
def test_gradients_are_finite_far_out(name: str) -> None:
    numbers = {"delta": 1.0}
    for size in (0.0, 1e3, -1e3):
        columns = 2 if name == "gaussian_nll" else 1
        raw = jnp.full((2, columns), size)
        gradient = jax.grad(lambda x: loss(name).rows(x, jnp.ones((2, 1)), numbers).sum())(raw)  # type: ignore[arg-type]
        assert np.isfinite(gradient).all()
