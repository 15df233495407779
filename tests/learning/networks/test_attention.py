import numpy as np

from probatum.learning.networks.attention import (
    initial_attention_network,
    initial_attention_pool,
    initial_self_attention,
)

TOKENS = np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32)
ORDER = np.random.default_rng(1).permutation(7)
ONES = np.ones(6, dtype=np.float32)


def test_heads_follow_the_order_of_tokens() -> None:
    attention = initial_self_attention(8, 2, np.random.default_rng(0))
    np.testing.assert_allclose(attention(TOKENS[:, ORDER]), attention(TOKENS)[:, ORDER], rtol=1e-4, atol=1e-5)


def test_a_pool_does_not_see_the_order_of_tokens() -> None:
    pool = initial_attention_pool(8, 2, np.random.default_rng(0))
    np.testing.assert_allclose(pool(TOKENS[:, ORDER]), pool(TOKENS), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(pool(np.ones((1, 7, 8), np.float32)), 1.0, rtol=1e-5)


def test_a_network_sees_the_order_of_tokens_only_if_asked_to() -> None:
    def difference(ordered: bool) -> float:
        network = initial_attention_network(
            56, 7, 8, 8, 2, 1, 3, "gelu", "layer", np.random.default_rng(0), ordered=ordered
        )
        a, b = (network(tokens.reshape(6, -1), ONES)[0] for tokens in (TOKENS, TOKENS[:, ORDER]))
        return float(np.abs(a - b).max())

    assert difference(ordered=False) < 1e-5
    assert difference(ordered=True) > 1e-2
