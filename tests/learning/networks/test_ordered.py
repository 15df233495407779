import jax
import numpy as np
import pytest

from probatum.learning.networks.ordered import increasing, ordered

RAW = np.random.default_rng(0).normal(scale=5, size=(50, 4)).astype(np.float32)


@pytest.mark.parametrize("head", [ordered, increasing])
def test_outputs_never_fall_along_a_row(head) -> None:
    outputs = np.asarray(head(RAW))
    assert outputs.shape == RAW.shape
    assert (np.diff(outputs, axis=1) >= 0).all()
    assert np.isfinite(jax.grad(lambda raw: head(raw).sum())(RAW * 100)).all()


def test_ordered_outputs_start_above_0_and_increasing_ones_anywhere() -> None:
    assert (np.asarray(ordered(RAW)) >= 0).all()
    assert np.array_equal(increasing(RAW)[:, 0], RAW[:, 0])
