import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probatum.learning.networks import convolution
from probatum.learning.networks.convolution import initial_convolution

SIGNAL = np.random.default_rng(0).normal(size=(5, 23, 3)).astype(np.float32)
WANTED = np.random.default_rng(1).normal(size=(5, 23, 4)).astype(np.float32)


def by_the_library(x: jax.Array, weight: jax.Array, taps: int, dilation: int) -> jax.Array:
    left = dilation * (taps - 1) // 2
    kernel = weight.reshape(taps, x.shape[2], -1)
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (1,),
        [(left, dilation * (taps - 1) - left)],
        rhs_dilation=(dilation,),
        dimension_numbers=("NWC", "WIO", "NWC"),
        precision=jax.lax.Precision.HIGHEST,
    )


@pytest.mark.parametrize(("taps", "dilation"), [(3, 1), (5, 2), (4, 1), (4, 3), (1, 1), (7, 8)])
@pytest.mark.parametrize("largest_block", [1, 500, 1 << 18])
def test_values_and_gradients_are_those_of_a_convolution(
    taps: int, dilation: int, largest_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "LARGEST_BLOCK", largest_block)
    one = initial_convolution(3, 4, taps, np.random.default_rng(2), dilation=dilation)

    def ours(x: jax.Array, weight: jax.Array) -> jax.Array:
        return convolution.convolved(x, weight, taps, dilation)

    arguments = (jnp.asarray(SIGNAL), jnp.asarray(one.weight))
    expected, pull = jax.vjp(lambda x, w: by_the_library(x, w, taps, dilation), *arguments)
    seen, own_pull = jax.vjp(ours, *arguments)
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one(arguments[0]), expected, rtol=1e-4, atol=1e-5)
    for own, other in zip(own_pull(WANTED), pull(WANTED), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("taps", "stride", "places"), [(4, 4, 6), (23, 23, 1), (5, 2, 12), (3, 5, 5), (30, 30, 1)])
def test_strides_round_up_and_patches_hold_every_point(taps: int, stride: int, places: int) -> None:
    one = initial_convolution(3, 4, taps, np.random.default_rng(0), stride=stride)
    assert one(jnp.asarray(SIGNAL)).shape == (5, places, 4)
    if taps >= stride:
        sensitivity = jax.grad(lambda x: (one(x) ** 2).sum())(jnp.asarray(SIGNAL))
        assert (np.abs(sensitivity).max(axis=(0, 2)) > 0).all()
