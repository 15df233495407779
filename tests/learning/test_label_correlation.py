import jax.numpy as jnp
import numpy as np

from probatum.learning.label_correlation import label_correlation, sampled_label_correlation

LABELS = (np.random.default_rng(0).uniform(size=(40_000, 3)) > [0.3, 0.5, 0.9]).astype(np.float32)
LABELS[:, 1] = np.where(np.arange(40_000) % 3, LABELS[:, 0], LABELS[:, 1])
SHARE = np.full(len(LABELS), 1 / len(LABELS), dtype=np.float32)


def test_the_closed_form_is_the_limit_of_the_sampled_one() -> None:
    closed = np.array(label_correlation(jnp.asarray(LABELS), jnp.asarray(SHARE)))
    sampled = np.array(sampled_label_correlation(jnp.asarray(LABELS), jnp.asarray(SHARE), jnp.uint32(7)))
    assert np.diag(closed).tolist() == [1.0, 1.0, 1.0]
    apart = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(closed[apart], sampled[apart], atol=0.02)
    np.testing.assert_allclose(np.diag(sampled), 1.0, atol=1e-3)


def test_the_closed_form_is_its_formula() -> None:
    covariance = np.cov(LABELS[:50].T, bias=True)
    size = np.sqrt(np.diag(covariance) + 0.25)
    wanted = covariance / np.outer(size, size)
    np.fill_diagonal(wanted, 1)
    found = label_correlation(jnp.asarray(LABELS[:50]), jnp.full(50, 1 / 50))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_labels_that_do_not_vary_go_with_nothing() -> None:
    found = label_correlation(jnp.ones((20, 3)), jnp.full(20, 1 / 20))
    np.testing.assert_allclose(found, np.eye(3), atol=1e-6)
