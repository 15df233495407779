import jax.numpy as jnp
import numpy as np
import pytest

from probatum.learning.noise import kept, word


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_units_are_kept_at_one_minus_the_rate(rate: float) -> None:
    words = [word(jnp.uint32(seed), jnp.int32(step)) for seed in range(4) for step in range(10)]
    shares = [np.mean(kept((64, 32), jnp.float32(rate), w, 1)) for w in words]
    assert np.mean(shares) == pytest.approx(1 - rate, abs=0.005)
    assert np.std(shares) == pytest.approx(np.sqrt(rate * (1 - rate) / 2048), rel=0.4)


def test_seeds_steps_and_layers_drop_different_units() -> None:
    masks = [
        np.asarray(kept((64, 32), jnp.float32(0.5), word(jnp.uint32(seed), jnp.int32(step)), layer)).ravel()
        for seed in (0, 1)
        for step in (0, 1)
        for layer in (1, 2)
    ]
    correlation = np.corrcoef(np.stack(masks).astype(float)) - np.eye(8)
    assert np.abs(correlation).max() < 0.1


def test_a_rate_of_0_keeps_everything() -> None:
    assert np.asarray(kept((64, 32), jnp.float32(0), word(jnp.uint32(1), jnp.int32(1)), 1)).all()


def test_normal_noise_is_normal_and_by_its_word() -> None:
    from scipy.stats import kstest

    from probatum.learning.noise import normal

    draws = np.asarray(normal((100_000,), jnp.uint32(5)), dtype=float)
    assert kstest(draws, "norm").pvalue > 1e-3
    assert np.array_equal(draws, np.asarray(normal((100_000,), jnp.uint32(5))))
    assert abs(np.corrcoef(draws, np.asarray(normal((100_000,), jnp.uint32(6))))[0, 1]) < 0.02
