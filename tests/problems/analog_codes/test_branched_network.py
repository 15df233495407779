"""The log's network: its layers are what the log says, its reconstructions are trained, its weights count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probatum.campaigns.recipe_book import recipe_book
from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet, fit_many
from probatum.learning.networks.network import ForwardPass
from probatum.problems.analog_codes.branched_network import BranchedNetwork, Layer, initial_branched_network
from probatum.problems.analog_codes.branched_network_regressor import BranchedNetworkRegressor
from probatum.problems.analog_codes.problem import AnalogCodes

SMALL: dict[str, Any] = {
    "embeddings": [[7, 3], [6, 2]], "branch": [4, 6], "width": 8, "tail": [6, 4], "output": "softplus",
}  # fmt: skip
LOG = recipe_book(AnalogCodes())


def network(**changes: Any) -> BranchedNetwork:
    regressor = BranchedNetworkRegressor(**{**SMALL, **changes})
    return regressor.initial_network(12, 1, np.random.default_rng(0))


def dense(layer: Layer, x: np.ndarray) -> np.ndarray:
    """The layer's own formula in NumPy, without dropout."""
    x = x @ np.asarray(layer.dense.weight) + np.asarray(layer.dense.bias)
    x = np.asarray(jax.nn.gelu(jnp.asarray(x)))
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * np.asarray(layer.norm.gain) + np.asarray(layer.norm.shift)


def test_the_forward_pass_is_the_log_s_formula():
    model = network()
    rng = np.random.default_rng(1)
    rows = np.concatenate([[[4, 2], [6, 3], [5, 4]], rng.normal(size=(3, 10))], axis=1).astype(np.float32)
    assert isinstance(model.branch, list)
    assert isinstance(model.tail, tuple)
    x = rows[:, 2:]
    for layer in model.branch:
        x = dense(layer, x)
    k, m = rows[:, 0].astype(int), rows[:, 1].astype(int)
    x = dense(model.stem, np.concatenate([np.asarray(model.tables[0])[k], np.asarray(model.tables[1])[m], x], axis=1))
    for first, second in model.blocks:
        x = x + dense(second, dense(first, x))
    for layer in model.tail[0]:
        x = dense(layer, x)
    wanted = x @ np.asarray(model.tail[1].weight) + np.asarray(model.tail[1].bias)
    found, _ = model(jnp.asarray(rows), jnp.ones(3))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_run_5_has_the_numbers_of_the_log():
    recipe = LOG["run-5"].recipe
    regressor = recipe.learner.build(recipe.parameters, 0)
    model = regressor.initial_network(22, 1, np.random.default_rng(0))
    assert [np.shape(t) for t in model.tables] == [(7, 32), (6, 32)]
    assert [np.shape(layer.dense.weight) for layer in model.branch] == [(20, 256), (256, 512)]
    assert np.shape(model.stem.dense.weight) == (512 + 64, 1024)
    assert [np.shape(layer.dense.weight) for block in model.blocks for layer in block] == [(1024, 1024)] * 4
    assert [np.shape(layer.dense.weight) for layer in model.tail[0]] == [(1024, 512), (512, 256), (256, 128)]
    rate = regressor.dropout
    assert [round(rate * layer.share, 2) for layer in (*model.branch, model.stem)] == [0.3, 0.2, 0.3]
    assert [round(rate * layer.share, 2) for block in model.blocks for layer in block] == [0.2, 0.0] * 2
    assert [round(rate * layer.share, 2) for layer in model.tail[0]] == [0.2, 0.1, 0.1]
    weights = {"(4,5)": 2.0, "(5,4)": 1.5, "(6,2)": 1.2, "(6,3)": 1.5}
    assert recipe.group_weights == {"k,m": weights}
    assert max(LOG["run-4"].recipe.group_weights["k,m"].values()) == 5.0
    assert LOG["run-5-small-unweighted"].recipe.group_weights == {"k,m": {}}


def test_the_rate_of_run_5_is_held_for_10_epochs_and_then_falls_by_a_twentieth_each():
    from probatum.learning.schedules import FACTORS

    given = LOG["run-5"].recipe.training["schedule"]
    numbers = {key: value for key, value in given.items() if key != "kind"}
    epochs = jnp.arange(250) / 250
    found = np.asarray(jax.vmap(lambda done: FACTORS[given["kind"]](done, numbers))(epochs))
    wanted = np.where(np.arange(250) < 10, 1.0, 0.95 ** np.maximum(np.arange(250) - 10, 0))
    np.testing.assert_allclose(found, wanted, rtol=2e-2)


@pytest.mark.parametrize("cases", ["heights", "profiles", "all"])
def test_recipes_can_be_read_whatever_a_case_is(cases: str):
    book = recipe_book(AnalogCodes(cases=cases))  # type: ignore[arg-type]
    assert {"run-2", "run-4", "run-5", "order-statistics"} <= set(book)
    assert all("reconstruction" in book[name].about for name in ("run-2", "run-4"))


def test_a_layer_that_drops_a_third_of_the_rate_drops_a_third_of_the_units():
    forward = ForwardPass(jnp.ones(400), (jnp.float32(0.6), jnp.uint32(5)), None)
    ones = jnp.ones((400, 200))
    shares = [float((forward.drop(ones, share) == 0).mean()) for share in (1.0, 1 / 3)]
    np.testing.assert_allclose(shares, [0.6, 0.2], atol=0.01)
    assert float(forward.drop(ones, 1 / 3).mean()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.usefixtures("unoptimised")
def test_it_learns_from_all_groups_and_predicts_again_what_it_predicted():
    problem = AnalogCodes(codes=60, cases="all")
    dataset = problem.dataset("all")
    inputs = np.concatenate([problem.features[name].compute(dataset) for name in ("k,m", "entries")], axis=1)
    targets = dataset.targets()
    train, test = np.arange(0, 400), np.arange(400, len(inputs))
    regressor = BranchedNetworkRegressor(
        embeddings=[[7, 3], [6, 2]], branch=[8, 16], heads=2, width=32, blocks=1, tail=[16, 8], experts=2, norm="batch",
        output="softplus", dropout=0.05, epochs=100, rate=5e-3, optimiser="adamw",
    )  # fmt: skip
    (outcome,) = fit_many([regressor], inputs, targets, [RowSet(train, test, 0)], quantities=1)
    assert outcome.error is None
    mean = np.mean((targets[test] - targets[train].mean()) ** 2)
    assert np.mean((outcome.prediction - targets[test]) ** 2) < 0.5 * mean
    again = BranchedNetworkRegressor(**regressor.get_params()).restore(outcome.weights).predict(inputs[test])
    np.testing.assert_allclose(np.asarray(again).ravel(), outcome.prediction[:, 0], rtol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"embeddings": [[7]]},
        {"embeddings": [[0, 2]]},
        {"branch": [0]},
        {"width": 0},
        {"blocks": -1},
        {"experts": 0},
        {"heads": 3},
        {"activation": "sine"},
        {"norm": "none at all"},
    ],
)
def test_values_that_cannot_be_used_are_refused(wrong: dict[str, Any]):
    with pytest.raises(CampaignFileError):
        BranchedNetworkRegressor(**{**SMALL, **wrong}).validate()


def test_inputs_without_entries_are_refused():
    regressor = BranchedNetworkRegressor(**SMALL, epochs=1)
    (outcome,) = fit_many(
        [regressor], np.ones((6, 2)), np.arange(6.0)[:, None], [RowSet(np.arange(4), np.arange(4, 6), 0)], quantities=1
    )
    assert outcome.error is not None
    assert "none is left for the branch" in outcome.error


def test_shapes_that_are_equal_share_a_program():
    one = BranchedNetworkRegressor(**SMALL)
    assert one.program() == BranchedNetworkRegressor(**SMALL, rate=0.5).program()
    assert one.program() != BranchedNetworkRegressor(**{**SMALL, "blocks": 3}).program()
    shape = one._shape
    assert jax.tree.structure(initial_branched_network(9, 1, shape, np.random.default_rng(0))) != jax.tree.structure(
        initial_branched_network(9, 1, replace(shape, heads=2), np.random.default_rng(0))
    )
