"""The exploration's learner: its loss by hand, what each of its faults does, and what its absence does."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from probatum.errors import CampaignFileError, FitError
from probatum.learning.learner import RowSet, learner_kind
from probatum.learning.probes import CHANGE
from probatum.problems.metabolism.cases import Measured, ends_of, measured
from probatum.problems.metabolism.known_law_learner import KnownLawLearner
from probatum.problems.metabolism.learned import Learned
from probatum.problems.metabolism.losses import NUDGE, Coefficients, loss
from probatum.problems.metabolism.network_learner import TAU, NetworkLearner, solved_constants
from probatum.problems.metabolism.networks import Form, MetabolismNetwork, initial_network, slopes
from probatum.problems.metabolism.problem import MetabolismProblem
from probatum.problems.metabolism.spline_learner import SplineLearner

PROBLEM = MetabolismProblem(metabolites=12, reactions=18, frames=200, structure_seed=3, distinct=True)
DATA = PROBLEM.dataset("identifiable")
ROWS = PROBLEM.features["trajectory"].compute(DATA)
KNOWN = np.concatenate([ROWS, PROBLEM.features["homeostasis"].compute(DATA)], axis=1)
ALL = RowSet(np.arange(2), np.arange(2, 18), 0)
SHORT: dict[str, Any] = {"data_augmentation_loop": 8, "hidden_dim": 6, "n_layers": 2}
"""40 steps."""


def learned(row_sets: list[RowSet] | None = None, *settings: dict[str, Any], rows: np.ndarray = ROWS) -> list[Learned]:
    estimators = [NetworkLearner(**{**SHORT, **one}) for one in settings]
    outcomes = NetworkLearner.fit_many(estimators, rows, None, row_sets or [ALL] * len(settings))
    assert all(o.error is None for o in outcomes)
    models = [Learned.of(o.curves) for o in outcomes]
    assert all(model is not None for model in models)
    return models  # type: ignore[return-value]


def model() -> tuple[MetabolismNetwork, Measured]:
    return initial_network(12, 18, 6, 2, np.random.default_rng(1), zero_start=False), measured(ROWS)


def perceptron(one: Any, x: np.ndarray) -> np.ndarray:
    for weight, bias in zip(one.weights[:-1], one.biases[:-1], strict=True):
        x = np.tanh(x @ weight + bias)
    return x @ one.weights[-1] + one.biases[-1]


def by_hand(network: MetabolismNetwork, c: np.ndarray, softplus: bool, fixed: bool) -> tuple[np.ndarray, np.ndarray]:
    """dc/dt and MLP_node, a loop over frames and reactions."""
    used, made = ends_of(PROBLEM.network)
    alpha = abs(perceptron(network.sub, np.ones(2))[0])
    found, nodes = np.zeros(c.shape), np.zeros(c.shape)
    for t, i in np.ndindex(*c.shape):
        nodes[t, i] = perceptron(network.node, np.array([c[t, i], *network.embeddings[i]]))[0]
    found += nodes
    for t in range(len(c)):
        f = [abs(perceptron(network.sub, np.array([value, 1.0]))[0]) / (alpha if fixed else 1) for value in c[t]]
        for j, (a, b) in enumerate(zip(used, made, strict=True)):
            p = f[a] * f[b]
            rate = 10 ** network.log_k[j] * (np.log1p(np.exp(p)) if softplus else p)
            found[t, a] -= rate
            found[t, b] += rate
    return found, nodes


@pytest.mark.parametrize("softplus", [True, False])
@pytest.mark.parametrize("fixed", [True, False])
def test_the_model_is_the_exploration_s(softplus: bool, fixed: bool):
    network, seen = model()
    c = seen.trajectory.concentrations[:3]
    found, node = slopes(network, c.astype(np.float32), ends_of(PROBLEM.network), Form(softplus, fixed))
    expected, nodes = by_hand(network, c, softplus, fixed)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(node, nodes, rtol=1e-3, atol=1e-5)


def test_the_loss_is_the_exploration_s():
    network, seen = model()
    c = seen.trajectory.concentrations[:4]
    y = np.random.default_rng(0).normal(size=c.shape)
    numbers = Coefficients(0.7, 1.3, 2.0, 0.4, TAU + 2)
    found = loss(
        network, c.astype(np.float32), y.astype(np.float32), ends_of(PROBLEM.network), Form(True, False), numbers
    )
    predicted, nodes = by_hand(network, c, True, False)

    def f(values: np.ndarray) -> np.ndarray:
        return np.abs(perceptron(network.sub, np.stack([values, np.ones_like(values)], axis=-1))[..., 0])

    falls = np.maximum(f(c) - f(c + NUDGE), 0)
    expected = (
        np.linalg.norm(predicted - y, axis=1).sum()
        + 0.7 * np.linalg.norm(falls)
        + 1.3 * np.abs(nodes).mean()
        + 2.0 * (f(np.array(1.0)) - 1) ** 2
        + 0.4 * (np.maximum(TAU + 2 - network.log_k, 0) ** 2).sum()
    )
    assert float(found) == pytest.approx(float(expected), rel=1e-3)


def test_a_zero_start_leaves_mlp_node_flat_forever_and_another_start_does_not():
    flat, alive = learned(None, {"zero_start": True}, {"zero_start": False})
    assert np.ptp(flat.homeostasis) == pytest.approx(0, abs=1e-9)
    assert np.abs(flat.homeostasis).max() > 0, "its output bias moves"
    assert np.ptp(alive.homeostasis) > 1e-3


def test_only_the_output_bias_of_a_zero_start_has_a_gradient():
    network = initial_network(12, 18, 6, 2, np.random.default_rng(1), zero_start=True)
    c = measured(ROWS).trajectory.concentrations[:4].astype(np.float32)
    numbers = Coefficients(0.0, 1.0, 0.0, 0.0, TAU)
    slope = jax.grad(loss)(network, c, np.ones_like(c), ends_of(PROBLEM.network), Form(True, False), numbers).node
    assert [float(np.abs(leaf).max()) > 0 for leaf in slope.weights] == [False, False, False]
    assert [float(np.abs(leaf).max()) > 0 for leaf in slope.biases] == [False, False, True]


def test_a_seed_that_is_never_read_changes_nothing_and_is_told():
    one, other, reading, reading_other = learned(
        None, {"seed": 42}, {"seed": 7}, {"seed_never_read": False}, {"seed_never_read": False, "seed": 7}
    )
    np.testing.assert_array_equal(one.log_constants, other.log_constants)
    assert not np.allclose(reading.log_constants, reading_other.log_constants)
    assert NetworkLearner().unread() == ("seed",)
    assert NetworkLearner(seed_never_read=False).unread() == ()


def test_the_campaign_s_seed_is_obeyed():
    one, same, other = learned(None, {"random_state": 1}, {"random_state": 1}, {"random_state": 2})
    np.testing.assert_array_equal(one.law, same.law)
    assert not np.allclose(one.law, other.law)


def test_a_training_s_bits_do_not_depend_on_its_company():
    settings = [{"random_state": i, "lr_k": 0.001 * (i + 1)} for i in range(6)]
    together = learned(None, *settings)
    for one, company in zip(settings, together, strict=True):
        (alone,) = learned(None, one)
        for name in ("log_constants", "law", "homeostasis", "losses"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(company, name))


def test_the_fixed_scale_is_one_and_the_free_one_is_corrected_for():
    fixed, free = (learned(None, {"fixed_scale": yes})[0] for yes in (True, False))
    assert fixed.alpha == 1
    assert fixed.law_at(np.array(1.0)) == pytest.approx(1, abs=1e-3)
    assert free.law_at(np.array(1.0)) == pytest.approx(1, abs=1e-2)
    order = np.full(18, 2.0)
    np.testing.assert_allclose(free.corrected(order), free.log_constants + 2 * np.log10(free.alpha))


def test_training_lowers_the_loss():
    (found,) = learned(None, {"data_augmentation_loop": 100, "lr_k": 0.02, "lr_sub": 0.005})
    assert np.mean(found.losses[-3:]) < 0.7 * found.losses[0]


def test_solved_constants_fit_better_than_any_near_them():
    network, seen = model()
    form = Form(False, False)
    c, step = seen.trajectory.concentrations, seen.trajectory.step
    found = 10 ** solved_constants(network, seen, form)

    def misfit(k: np.ndarray) -> float:
        """Sums of rates over windows of 60 frames, each with a start of its own."""
        trained = MetabolismNetwork(network.sub, network.node, network.embeddings, np.log10(k).astype(np.float32))
        predicted = np.asarray(
            slopes(trained, c[:-1].astype(np.float32), ends_of(PROBLEM.network), form)[0], dtype=np.float64
        )
        total = 0.0
        for first in range(0, 180, 60):
            away = np.cumsum(np.diff(c, axis=0)[first : first + 60] - step * predicted[first : first + 60], axis=0)
            away = np.vstack([np.zeros(12), away])
            total += float(((away - away.mean(axis=0)) ** 2).sum())
        return total

    free = np.flatnonzero(found > 1e-3)
    assert len(free) > 3
    for j in free[:4]:
        for factor in (0.9, 1.1):
            nudged = found.copy()
            nudged[j] *= factor
            assert misfit(nudged) > misfit(found)


def test_steps_are_counted_as_the_exploration_counts_them():
    assert NetworkLearner().steps(2880) == 72_000
    assert NetworkLearner(data_augmentation_loop=2000).steps(2880) == 144_000
    assert NetworkLearner(data_augmentation_loop=1, batch_size=4096).steps(200) == 1


def test_fit_and_predict_give_what_fit_many_gives():
    for estimator, rows in (
        (NetworkLearner(**SHORT), ROWS),
        (SplineLearner(law_knots=5), ROWS),
        (KnownLawLearner(), KNOWN),
    ):
        (outcome,) = type(estimator).fit_many([estimator], rows, None, [ALL])
        predicted = estimator.fit(rows[ALL.train]).predict(rows[ALL.predict])
        np.testing.assert_allclose(predicted, outcome.prediction[:, 0], rtol=1e-6)


@pytest.mark.parametrize("method", ["differences", "weak", "integral"])
def test_where_the_law_is_known_least_squares_finds_the_constants(method: str):
    (outcome,) = KnownLawLearner.fit_many([KnownLawLearner(method)], KNOWN, None, [ALL])
    np.testing.assert_allclose(outcome.prediction[:, 0], np.log10(PROBLEM.course(0).constants[2:]), atol=1e-4)


def test_a_known_law_needs_a_known_homeostasis():
    (outcome,) = KnownLawLearner.fit_many([KnownLawLearner()], ROWS, None, [ALL])
    assert "features = ['trajectory', 'homeostasis']" in str(outcome.error)
    with pytest.raises(FitError, match="the homeostasis is not known"):
        KnownLawLearner().fit(ROWS[:2]).predict(ROWS[2:])


def test_a_training_that_diverges_says_so_and_leaves_the_others():
    estimators = [NetworkLearner(**SHORT, lr_k=rate) for rate in (1e6, 0.005)]
    bad, good = NetworkLearner.fit_many(estimators, ROWS, None, [ALL, ALL])
    assert "diverged" in str(bad.error)
    assert good.error is None


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("network_learner:NetworkLearner", {"lr_k": -1.0}, "lr_k = -1.0 cannot be used"),
        ("network_learner:NetworkLearner", {"batch_size": 0}, "batch_size = 0 cannot be used"),
        ("network_learner:NetworkLearner", {"lr_kk": 1.0}, "unknown key 'lr_kk'"),
        ("spline_learner:SplineLearner", {"groups": 0}, "groups = 0 cannot be used"),
        ("known_law_learner:KnownLawLearner", {"method": "intgral"}, "did you mean 'integral'"),
    ],
)
def test_settings_that_cannot_be_are_refused(kind: str, settings: dict[str, Any], message: str):
    with pytest.raises(CampaignFileError, match=message):
        learner_kind(f"probatum.problems.metabolism.{kind}").check(settings)


def test_what_a_zero_start_never_moves_is_recorded_as_unmoved():
    dead, alive = (
        NetworkLearner.fit_many([NetworkLearner(**SHORT, zero_start=zero)], ROWS, None, [ALL])[0].curves
        for zero in (True, False)
    )
    for curves, moves in ((dead, False), (alive, True)):
        assert np.all(curves[f"{CHANGE} MLP_sub"] > 0)
        assert bool(np.all(curves[f"{CHANGE} MLP_node"] > 0)) == moves
    assert not dead[f"{CHANGE} MLP_node"].any()
