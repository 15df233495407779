"""The curve of predicted parameters as a loss: it is zero at the truth alone, and its gradient leads there."""

import jax
import jax.numpy as jnp
import numpy as np

from probatum.problems.rocking_curve import prior
from probatum.problems.rocking_curve.losses import (
    DECADES,
    FLOOR,
    LAYERS,
    SECONDS,
    THICKNESS,
    curve_residual,
    log_curves,
    trivial_residual,
)
from probatum.problems.rocking_curve.problem import in_ranges
from probatum.problems.rocking_curve.profile import end_of

SHARES = in_ranges(prior.draw(12, np.random.default_rng(0))).astype(np.float32)
OFF = np.clip(SHARES + np.random.default_rng(1).normal(0, 0.1, SHARES.shape), 0, 1).astype(np.float32)


@jax.jit
def residuals(predictions: jax.Array, targets: jax.Array) -> tuple[jax.Array, jax.Array]:
    """[row] of them, and the gradient of their sum."""
    _, gradient = jax.value_and_grad(lambda p: curve_residual(p, targets, {}).sum())(predictions)
    return curve_residual(predictions, targets, {}), gradient


curves = jax.jit(log_curves)


def test_the_residual_of_the_truth_is_zero_and_of_others_is_not():
    assert np.asarray(residuals(SHARES, SHARES)[0]).max() < 1e-10
    assert np.asarray(residuals(OFF, SHARES)[0]).min() > 1e-7


def test_no_profile_of_the_prior_is_cut():
    assert np.asarray(end_of(prior.draw(2000, np.random.default_rng(2)))).max() < 1.06 * LAYERS * THICKNESS


def test_single_precision_is_enough_for_a_loss():
    single = np.asarray(curves(SHARES))
    with jax.enable_x64(True):
        double = np.asarray(curves(jnp.asarray(SHARES, jnp.float64)))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=2e-3)


def test_a_step_against_the_gradient_makes_the_residual_smaller():
    near = (SHARES + 0.002 * np.sign(OFF - SHARES)).astype(np.float32)
    before, gradient = residuals(near, SHARES)
    step = 1e-4 * np.asarray(gradient) / np.linalg.norm(gradient)
    assert residuals(near - step, SHARES)[0].sum() < before.sum()


def test_whatever_a_network_predicts_has_a_finite_residual_and_gradient():
    corners = np.concatenate([np.zeros((1, 7)), np.ones((2, 7)), -np.ones((2, 7)), 3 * np.eye(7)]).astype(np.float32)
    value, gradient = residuals(corners, SHARES)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


def test_more_strain_diffracts_farther_from_the_substrates_peak():
    rising = np.array([[d, 0.0, 0.6, 0.4, 0.0, 0.2, 0.5] for d in np.linspace(0.2, 0.9, 12)], np.float32)
    intensity = 10 ** (DECADES * np.asarray(curves(rising), dtype=np.float64)) - FLOOR
    centres = intensity[:, 1:] @ SECONDS[1:] / intensity[:, 1:].sum(axis=1)
    assert centres[-1] > centres[4] > centres[0]


def test_the_trivial_residual_is_zero_and_teaches_nothing():
    value, gradient = jax.value_and_grad(lambda s: trivial_residual(s, SHARES, {}).sum())(OFF)
    assert value == 0
    assert not np.asarray(gradient).any()
