import jax
import numpy as np
import pytest

from probatum.learning.networks.mlp import initial_mlp
from probatum.learning.soups import greedy_soup, mean_network, statistics, swap_soup, uniform_soup

BEST = np.array([1.0, -2.0, 0.5])


def members(count: int, spread: float, seed: int = 0) -> list[dict[str, np.ndarray]]:
    generator = np.random.default_rng(seed)
    return [{"w": BEST + spread * generator.normal(size=3)} for _ in range(count)]


def score(network: dict[str, np.ndarray]) -> float:
    return float(((network["w"] - BEST) ** 2).sum())


def test_the_mean_of_twins_is_each_of_them() -> None:
    network = initial_mlp((4, 5, 2), "relu", "batch", "linear", np.random.default_rng(0))
    mean = mean_network([network, network, network])
    for a, b in zip(jax.tree.leaves(mean), jax.tree.leaves(network), strict=True):
        assert a.dtype == np.float32
        assert np.array_equal(a, b)


def test_in_a_bowl_a_soup_beats_the_mean_of_its_members() -> None:
    chosen = members(8, 0.5)
    assert score(uniform_soup(chosen).network) < np.mean([score(member) for member in chosen])


def test_a_greedy_soup_is_no_worse_than_its_best_member() -> None:
    chosen = [*members(5, 0.3), *members(3, 20.0, seed=1)]
    soup = greedy_soup(chosen, score)
    assert score(soup.network) <= min(map(score, chosen))
    assert len(soup.members) < 8
    assert (np.diff(soup.scores) <= 0).all()


def test_a_swap_soup_keeps_its_size_and_gets_no_worse() -> None:
    generator = np.random.default_rng(3)

    def train(start: dict[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
        return {"w": start["w"] + 0.3 * (BEST - start["w"]) + 0.2 * generator.normal(size=3)}

    start = members(5, 1.0)
    soup = swap_soup(start, train, score, rounds=30)
    assert len(soup.members) == 5
    assert len(soup.scores) == 31
    assert (np.diff(soup.scores) <= 0).all()
    assert soup.scores[-1] == pytest.approx(score(soup.network))
    assert soup.scores[-1] < score(mean_network(start))


def test_the_statistics_of_a_soup_are_estimated_again() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    networks = [initial_mlp((4, 5, 2), "relu", "batch", "linear", np.random.default_rng(s)) for s in (0, 1)]
    soup = mean_network(networks)
    ((mean, variance),) = statistics(soup, rows)
    hidden = rows @ np.asarray(soup.weights[0]) + np.asarray(soup.biases[0])
    np.testing.assert_allclose(mean, hidden.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(variance, hidden.var(axis=0), rtol=1e-4)
