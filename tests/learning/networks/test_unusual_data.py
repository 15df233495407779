"""Data as it comes: holes, columns and targets that do not vary, rows that count nothing, rates that are too high."""

from __future__ import annotations

import re

import numpy as np
import pytest

from probatum.errors import FitError
from probatum.learning.heads import HEADS
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.networks.mlp_regressor import MLPRegressor

pytestmark = pytest.mark.usefixtures("unoptimised")

GENERATOR = np.random.default_rng(2)
INPUTS = GENERATOR.normal(size=(70, 3))
TARGETS = np.column_stack([INPUTS[:, 0] - INPUTS[:, 1], INPUTS[:, 2]])
TRAIN, PREDICT = np.arange(50), np.arange(50, 70)


def fits(row_sets: list[RowSet], inputs=INPUTS, targets=TARGETS, rates=None, **changes) -> list[FitOutcome]:
    parameters = {"hidden": (5,), "epochs": 6, "batch": 16, **changes}
    rates = [1e-3] * len(row_sets) if rates is None else rates
    estimators = [MLPRegressor(**{**parameters, "rate": rate}) for rate in rates]
    return fit_many(estimators, inputs, targets, row_sets, quantities=targets.shape[1])


def same_bits(a: FitOutcome, b: FitOutcome) -> bool:
    assert a.error is None
    assert a.weights.keys() == b.weights.keys()
    return np.array_equal(a.prediction, b.prediction) and all(
        np.array_equal(a.weights[name], b.weights[name]) for name in a.weights
    )


@pytest.mark.parametrize("hole", [np.nan, np.inf])
@pytest.mark.parametrize(("row", "column"), [(7, 1), (60, 0)])
def test_a_hole_in_the_inputs_is_refused_by_its_row_and_harms_no_other_fit(hole: float, row: int, column: int) -> None:
    inputs = INPUTS.copy()
    inputs[row, column] = hole
    sound = RowSet(np.arange(8, 50), np.arange(50, 60), 3)
    spoilt, beside = fits([RowSet(TRAIN, PREDICT, 0), sound], inputs)
    assert f"row {row}: inputs of 1 rows are NaN or infinite" in str(spoilt.error)
    (alone,) = fits([sound], inputs)
    assert same_bits(alone, beside)


def test_a_hole_in_the_targets_matters_only_where_it_is_trained_on() -> None:
    targets = TARGETS.copy()
    targets[60] = np.nan
    (outcome,) = fits([RowSet(TRAIN, PREDICT, 0)], targets=targets)
    assert np.isfinite(outcome.prediction).all()
    (outcome,) = fits([RowSet(PREDICT, TRAIN, 0)], targets=targets)
    assert "row 60: targets of 1 rows are NaN or infinite" in str(outcome.error)


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_inputs_that_never_vary_predict_near_the_mean_of_the_targets(norm: str) -> None:
    inputs = np.full_like(INPUTS, 4.0)
    (outcome,) = fits([RowSet(TRAIN, PREDICT, 0)], inputs, norm=norm, epochs=40, rates=[1e-2])
    assert (outcome.prediction == outcome.prediction[0]).all()
    assert np.abs(outcome.prediction[0] - TARGETS[TRAIN].mean(axis=0)).max() < 0.5


@pytest.mark.parametrize("output", HEADS)
def test_a_target_that_never_varies_is_predicted_near_itself(output: str) -> None:
    loss = "gaussian_nll" if output == "gaussian" else "mse"
    targets = np.ones_like(TARGETS) if output == "relu_plus_one" else np.full_like(TARGETS, 0.7)
    (outcome,) = fits(
        [RowSet(TRAIN, PREDICT, 0)], targets=targets, rates=[1e-2], epochs=150, norm="none", output=output, loss=loss
    )
    assert outcome.error is None
    assert np.abs(outcome.prediction - targets[PREDICT]).mean() < 0.2


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_alone_is_learned_by_every_row(label: float) -> None:
    targets = np.full_like(TARGETS, label)
    (outcome,) = fits([RowSet(TRAIN, PREDICT, 0)], targets=targets, loss="bce", rates=[2e-2], epochs=80)
    assert np.abs(outcome.prediction - label).max() < 0.2


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_fewer_rows_than_a_mini_batch_are_trained_on(rows: int, norm: str) -> None:
    (outcome,) = fits([RowSet(np.arange(rows), PREDICT, 0)], norm=norm, batch=64)
    assert outcome.error is None
    assert np.isfinite(outcome.prediction).all()


def test_no_rows_are_refused_in_words() -> None:
    (outcome,) = fits([RowSet(np.arange(0), PREDICT, 0)])
    assert "no rows to train on" in str(outcome.error)


def test_a_fold_of_rows_that_count_nothing_is_refused_and_harms_no_other() -> None:
    weights = np.linspace(0.5, 2, 50)
    sound = RowSet(TRAIN, PREDICT, 1, weights=weights)
    nothing, beside = fits([RowSet(TRAIN, PREDICT, 0, weights=np.zeros(50)), sound])
    assert "all training rows have weight 0" in str(nothing.error)
    (alone,) = fits([sound])
    assert same_bits(alone, beside)


@pytest.mark.parametrize("spoilt", [np.nan, -1.0])
def test_weights_that_are_no_weights_are_refused(spoilt: float) -> None:
    weights = np.ones(50)
    weights[3] = spoilt
    (outcome,) = fits([RowSet(TRAIN, PREDICT, 0, weights=weights)])
    assert "must be finite and not negative" in str(outcome.error)


def test_a_rate_that_is_too_high_is_named_by_its_epoch_and_the_others_are_as_without_it() -> None:
    """Gradient descent beyond its stable rate grows step by step, so that it leaves float32 only after some epochs."""
    row_sets = [RowSet(np.setdiff1d(np.arange(70), PREDICT - seed), PREDICT - seed, seed) for seed in range(5)]
    choice = {"hidden": (), "norm": "none", "optimiser": "sgd", "epochs": 60}
    rates = [1e-3, 1e-2, 3.0, 3e-3, 1e-3]
    together = fits(row_sets, rates=rates, **choice)
    found = re.search(r"the training diverged at epoch (\d+); lower the rate", str(together[2].error))
    assert found
    epoch = int(found[1])
    assert 1 < epoch < 60
    curve = together[2].curves["training loss"]
    assert np.isfinite(curve[: epoch - 1]).all()
    assert np.isnan(curve[epoch:]).all()
    others = [place for place in range(5) if place != 2]
    without = fits([row_sets[place] for place in others], rates=[rates[place] for place in others], **choice)
    assert all(same_bits(alone, together[place]) for alone, place in zip(without, others, strict=True))


def test_fit_raises_where_fit_many_records() -> None:
    with pytest.raises(FitError, match="diverged at epoch"):
        MLPRegressor((), optimiser="sgd", rate=1e9, epochs=20).fit(INPUTS, TARGETS)
