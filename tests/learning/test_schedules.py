import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probatum.learning import vocabulary
from probatum.learning.schedules import FACTORS, plateau_next, plateau_start

STEPS = 200
DONE = jnp.arange(STEPS) / STEPS


def factors(name: str, **numbers: float) -> np.ndarray:
    given = {**vocabulary.SCHEDULES[name].numbers, **numbers}
    return np.asarray(jax.vmap(lambda done: FACTORS[name](done, {k: jnp.float32(v) for k, v in given.items()}))(DONE))


def of_optax(schedule: optax.Schedule) -> np.ndarray:
    return np.asarray(jax.vmap(schedule)(jnp.arange(STEPS)))


def test_every_name_has_its_function() -> None:
    assert FACTORS.keys() == vocabulary.SCHEDULES.keys()


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_the_cosine_is_optaxs(final: float) -> None:
    wanted = of_optax(optax.warmup_cosine_decay_schedule(0.0, 1.0, 50, STEPS, final))
    np.testing.assert_allclose(factors("cosine", warmup=0.25, final=final), wanted, atol=1e-5)


def test_the_exponential_is_optaxs() -> None:
    wanted = of_optax(optax.warmup_exponential_decay_schedule(0.0, 1.0, 50, 150, 0.01))
    np.testing.assert_allclose(factors("exponential", warmup=0.25, final=0.01), wanted, atol=1e-5)


def test_restarts_are_optaxs() -> None:
    cycle = {"init_value": 1.0, "peak_value": 1.0, "decay_steps": 50, "warmup_steps": 0, "end_value": 0.1}
    wanted = of_optax(optax.sgdr_schedule([cycle] * 4))
    found = factors("cosine_restarts", final=0.1, cycles=4)
    inside = np.arange(STEPS) % 50 != 0
    np.testing.assert_allclose(found[inside], wanted[inside], atol=1e-5)
    np.testing.assert_allclose(found[::50], 1.0, atol=1e-5)


def test_a_held_rate_falls_by_a_constant_ratio_after_that() -> None:
    found = factors("held_exponential", held=0.25, final=0.01)
    np.testing.assert_array_equal(found[:50], 1.0)
    np.testing.assert_allclose(found[51:] / found[50:-1], 0.01 ** (1 / 150), rtol=1e-4)


def test_without_warm_up_the_first_step_has_the_full_rate() -> None:
    for name in ("constant", "exponential", "held_exponential", "cosine", "cosine_restarts"):
        assert factors(name)[0] == 1.0


def test_the_plateau_is_optaxs() -> None:
    scores = np.random.default_rng(0).uniform(0.5, 1.0, size=60) * np.linspace(1, 0.7, 60)
    transform = optax.contrib.reduce_on_plateau(factor=0.5, patience=3, rtol=1e-4, atol=0.0, min_scale=0.01)
    state, ours = transform.init({}), plateau_start()
    numbers = {"factor": 0.5, "wait": 3, "least": 0.01}
    for score in scores:
        _, state = transform.update({}, state, value=score)
        ours = plateau_next(ours, jnp.float32(score), numbers)
        np.testing.assert_allclose(ours["factor"], state.scale, rtol=1e-6)
    assert float(ours["factor"]) < 1
