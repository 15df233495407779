"""Soups of trainings: bits that do not depend on company, one shared start, statistics of the mean itself."""

import jax
import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning import soup_training
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.networks.mlp_regressor import MLPRegressor
from probatum.learning.replicas import train

GENERATOR = np.random.default_rng(1)
INPUTS = GENERATOR.normal(size=(70, 4))
TARGETS = np.stack([INPUTS[:, 0], INPUTS[:, 1] * INPUTS[:, 2]], axis=1)
SWAP = {"kind": "swap", "members": 3, "warmup": 0.5, "rounds": 2}
GREEDY = {"kind": "greedy", "members": 3, "warmup": 0.5}
CURRICULUM = {"kind": "curriculum", "by": "inputs_size", "until": 0.8}


def row_set(seed: int) -> RowSet:
    predicted = np.random.default_rng(seed).choice(70, 20, replace=False)
    return RowSet(np.setdiff1d(np.arange(70), predicted), predicted, seed)


ROW_SETS = [row_set(seed) for seed in range(3)]


def fits(row_sets: list[RowSet], **choice: object) -> list[FitOutcome]:
    whole = {"hidden": (5,), "epochs": 6, "batch": 16, "rate": 3e-2, "validation_fraction": 0.2, **choice}
    estimators = [MLPRegressor(**whole) for _ in row_sets]  # type: ignore[arg-type]
    return fit_many(estimators, INPUTS, TARGETS, row_sets, quantities=2)


def test_the_bits_of_a_soup_do_not_depend_on_its_company() -> None:
    together = fits(ROW_SETS, soup=SWAP, order=CURRICULUM)
    for place in (0, 2):
        (alone,) = fits([ROW_SETS[place]], soup=SWAP, order=CURRICULUM)
        assert np.array_equal(alone.prediction, together[place].prediction)
        assert all(np.array_equal(alone.weights[name], together[place].weights[name]) for name in alone.weights)
        assert all(np.array_equal(alone.curves[k], together[place].curves[k], equal_nan=True) for k in alone.curves)
    scores = together[0].curves[soup_training.SCORE]
    assert scores.shape == (3,)
    assert (np.diff(scores) <= 0).all()
    assert together[0].curves["training loss"].shape == (6,)


def test_a_soup_predicts_the_same_again_by_its_kept_weights() -> None:
    (outcome,) = fits(ROW_SETS[:1], soup=SWAP, order=CURRICULUM)
    again = MLPRegressor((5,)).restore(outcome.weights).predict(INPUTS[ROW_SETS[0].predict])
    np.testing.assert_allclose(again, outcome.prediction, rtol=1e-4, atol=1e-5)


def test_members_share_the_warm_up_and_differ_after_it_and_the_greedy_soup_is_no_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def recorded(procedure, replicas, *rest):
        results = train(procedure, replicas, *rest)
        calls.append((procedure, list(replicas), results))
        return results

    monkeypatch.setattr(soup_training, "train", recorded)
    (outcome,) = fits(ROW_SETS[:1], soup=GREEDY)
    (warm, _, (shared,)), (rest, replicas, members) = calls
    assert sum(stage.epochs for stage in warm.stages) == sum(stage.epochs for stage in rest.stages) == 3
    assert all(same(replica.network, shared.network) for replica in replicas)
    assert len({member.outputs.tobytes() for member in members}) == 3
    assert len({replica.seed for replica in replicas}) == 3
    of_members = [np.nanmin(member.curves["validation loss"]) for member in members]
    assert outcome.curves[soup_training.SCORE][-1] <= min(of_members) * (1 + 1e-4)


def same(one: object, other: object) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def test_the_batch_statistics_of_a_soup_are_those_of_its_own_units_over_its_training_rows() -> None:
    rows = ROW_SETS[1]
    (outcome,) = fits([rows], soup={"kind": "uniform", "members": 2, "warmup": 0.5}, validation_fraction=0.0)
    subtracted, multiplied = outcome.weights["inputs"]
    hidden = ((INPUTS[rows.train] - subtracted) * multiplied) @ outcome.weights["network.weights.0"]
    hidden += outcome.weights["network.biases.0"]
    np.testing.assert_allclose(outcome.weights["statistics.0"], hidden.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(outcome.weights["statistics.1"], hidden.var(axis=0), rtol=1e-3)


def test_a_soup_of_a_training_that_diverges_says_when() -> None:
    (outcome,) = fits(ROW_SETS[:1], soup=GREEDY, rate=1e25, optimiser="sgd")
    assert "diverged at epoch 1" in str(outcome.error)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"soup": "gredy"}, "did you mean 'greedy'"),
        ({"soup": {"kind": "uniform", "rounds": 3}}, "unknown key 'rounds'"),
        ({"soup": {"kind": "uniform", "members": 1}}, "at least 2"),
        ({"soup": {"kind": "uniform", "members": 2.5}}, "whole number"),
        ({"soup": {"kind": "uniform", "warmup": 1.0}}, "below 1"),
        ({"soup": "greedy"}, "set validation_fraction"),
        ({"soup": "swap"}, "set validation_fraction"),
        ({"soup": "uniform", "epochs": 1}, "epochs = 2 or more"),
    ],
)
def test_soups_that_cannot_be_made_are_refused_by_name(choice: dict, message: str) -> None:
    with pytest.raises(CampaignFileError, match=message):
        MLPRegressor(**choice).validate()
