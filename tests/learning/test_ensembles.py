import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from probatum.learning.ensembles import Stack, logit_mean, mean, mixture, weighted

GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(size=(200, 2))
COMPONENTS = np.stack([TRUTH + s * GENERATOR.normal(size=TRUTH.shape) for s in (0.3, 0.6, 2.0)])


def error(prediction: np.ndarray) -> float:
    return float(((prediction - TRUTH) ** 2).mean())


def test_the_logit_mean_is_the_mean_of_logits() -> None:
    p = GENERATOR.uniform(0.05, 0.95, size=(4, 10, 2))
    np.testing.assert_allclose(logit_mean(p), expit(logit(p).mean(axis=0)))
    assert np.isfinite(logit_mean(np.array([[[0.0]], [[1.0]]]))).all()


def test_a_mixture_spreads_by_its_parts_and_by_their_differences() -> None:
    draws = np.concatenate([GENERATOR.normal(m, s, 200_000) for m, s in ((0, 1), (2, 0.5))])
    m, s = mixture(np.array([[[0.0]], [[2.0]]]), np.array([[[1.0]], [[0.5]]]))
    np.testing.assert_allclose([m.item(), s.item()], [draws.mean(), draws.std()], atol=0.01)


def test_learned_weights_beat_the_plain_mean() -> None:
    assert error(weighted(COMPONENTS, COMPONENTS, TRUTH)) < error(mean(COMPONENTS))
    assert error(Stack.learned(COMPONENTS, TRUTH, alpha=1e-3).predict(COMPONENTS)) < error(mean(COMPONENTS))


def test_without_a_penalty_a_stack_is_least_squares() -> None:
    stack = Stack.learned(COMPONENTS, TRUTH, alpha=0.0)
    for q in range(2):
        columns = np.column_stack([COMPONENTS[:, :, q].T, np.ones(200)])
        wanted = columns @ np.linalg.lstsq(columns, TRUTH[:, q], rcond=None)[0]
        np.testing.assert_allclose(stack.predict(COMPONENTS)[:, q], wanted, atol=1e-8)


@given(st.floats(1e6, 1e12))
def test_with_a_heavy_penalty_a_stack_is_the_mean_moved_to_the_truths(alpha: float) -> None:
    found = Stack.learned(COMPONENTS, TRUTH, alpha).predict(COMPONENTS)
    plain = mean(COMPONENTS)
    np.testing.assert_allclose(found, plain - plain.mean(axis=0) + TRUTH.mean(axis=0), atol=1e-4)


def test_components_that_are_the_same_can_be_stacked() -> None:
    twins = np.stack([COMPONENTS[0]] * 3)
    assert np.isfinite(Stack.learned(twins, TRUTH, alpha=0.0).predict(twins)).all()
