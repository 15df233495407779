"""What every registered learner keeps."""

import numpy as np
import pytest

from probatum.learning.classical import CLASSICAL
from probatum.learning.learner import FitOutcome, LearnerKind, RowSet, fit_many
from probatum.learning.networks import NETWORKS

pytestmark = pytest.mark.usefixtures("unoptimised")

KINDS = {**CLASSICAL, **NETWORKS}
QUICK = {
    "random_forest": {"n_estimators": 20},
    "extra_trees": {"n_estimators": 20},
    "lightgbm": {"n_estimators": 30, "min_child_samples": 5},
    "gaussian_process": {"restarts": 0, "iterations": 20},
    "mlp": {"hidden": [8], "epochs": 60, "batch": 16, "rate": 1e-2},
    "residual_mlp": {"widths": [16, 8], "epochs": 60, "batch": 16, "rate": 1e-2},
    "set_network": {"shape": [1, 2], "width": 4, "hidden": [8], "epochs": 60, "batch": 16, "rate": 1e-2},
    "convolutional": {"widths": [4], "taps": 3, "hidden": [8], "epochs": 60, "batch": 16, "rate": 1e-2},
    "attention": {"width": 8, "heads": 2, "blocks": 1, "epochs": 60, "batch": 16, "rate": 1e-2},
    "mixture_of_experts": {"experts": 2, "hidden": [8], "epochs": 60, "batch": 16, "rate": 1e-2},
}
TAKES_NAN = {"mean", "random_forest", "extra_trees", "lightgbm", "xgboost"}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> LearnerKind:
    return KINDS[request.param]


def easy(quantities: int, rows: int = 80) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    inputs = generator.normal(size=(rows, 4))
    inputs[:, 3] = 5.0
    targets = np.stack([inputs[:, q % 3] + 0.5 * inputs[:, (q + 1) % 3] for q in range(quantities)], axis=1)
    return inputs, targets


def row_set(seed: int = 0, first: int = 0, rows: int = 80) -> RowSet:
    predicted = np.arange(first, first + 20)
    return RowSet(np.setdiff1d(np.arange(rows), predicted), predicted, seed)


def outcomes(kind: LearnerKind, inputs: np.ndarray, targets: np.ndarray, row_sets: list[RowSet]) -> list[FitOutcome]:
    columns = [targets] if kind.joint else [targets[:, [q]] for q in range(targets.shape[1])]
    each = []
    for column in columns:
        estimators = [kind.build(QUICK.get(kind.name, {}), rows.seed) for rows in row_sets]
        each.append(fit_many(estimators, inputs, column, row_sets, quantities=column.shape[1]))
    return [
        FitOutcome(
            np.concatenate([o.prediction for o in parts], axis=1),
            0.0,
            error=next((o.error for o in parts if o.error), None),
        )
        for parts in zip(*each, strict=True)
    ]


@pytest.mark.parametrize("quantities", [1, 3])
def test_predictions_have_a_row_a_case_and_a_column_a_quantity(kind: LearnerKind, quantities: int) -> None:
    (outcome,) = outcomes(kind, *easy(quantities), [row_set()])
    assert outcome.prediction.shape == (20, quantities)
    assert outcome.prediction.dtype == np.float64


def test_equal_seeds_give_equal_bits_and_others_others(kind: LearnerKind) -> None:
    inputs, targets = easy(1)
    first, again, other = outcomes(kind, inputs, targets, [row_set(3), row_set(3), row_set(4)])
    assert np.array_equal(first.prediction, again.prediction)
    same = np.array_equal(first.prediction, other.prediction)
    assert same == kind.deterministic(QUICK.get(kind.name, {}))


def test_few_rows_are_enough(kind: LearnerKind) -> None:
    inputs, targets = easy(1)
    (outcome,) = outcomes(kind, inputs, targets, [RowSet(np.arange(5), np.arange(5, 9), 0)])
    assert np.isfinite(outcome.prediction).all()


def test_nan_inputs_are_refused_in_words_or_handled(kind: LearnerKind) -> None:
    inputs, targets = easy(1)
    inputs[30, 1] = np.nan
    if kind.name in TAKES_NAN:
        (outcome,) = outcomes(kind, inputs, targets, [row_set()])
        assert np.isfinite(outcome.prediction).all()
    else:
        spoilt, sound = outcomes(kind, inputs, targets, [row_set(), RowSet(np.arange(30), np.arange(31, 51), 0)])
        assert "NaN" in str(spoilt.error)
        assert sound.error is None


def test_nan_targets_are_refused_in_words(kind: LearnerKind) -> None:
    inputs, targets = easy(1)
    targets[30] = np.nan
    (outcome,) = outcomes(kind, inputs, targets, [row_set()])
    assert "nan" in str(outcome.error).lower()


def test_targets_of_rows_that_are_only_predicted_change_no_bit(kind: LearnerKind) -> None:
    inputs, targets = easy(2)
    rows = row_set()
    poisoned = targets.copy()
    poisoned[rows.predict] += np.random.default_rng(5).normal(0, 10, size=(len(rows.predict), 2))
    (honest,), (other,) = outcomes(kind, inputs, targets, [rows]), outcomes(kind, inputs, poisoned, [rows])
    assert np.array_equal(honest.prediction, other.prediction)


def test_together_is_the_same_as_one_at_a_time(kind: LearnerKind) -> None:
    inputs, targets = easy(2)
    row_sets = [row_set(0), row_set(1, first=20), row_set(2, first=40)]
    together = outcomes(kind, inputs, targets, row_sets)
    alone = [outcomes(kind, inputs, targets, [rows])[0] for rows in row_sets]
    assert all(np.array_equal(a.prediction, b.prediction) for a, b in zip(together, alone, strict=True))


def test_an_easy_function_is_learned_better_than_its_mean(kind: LearnerKind) -> None:
    if kind.name == "mean":
        pytest.skip("it is the mean")
    inputs, targets = easy(2)
    if kind.name == "set_network":  # of its matrix it sees neither order nor signs, of the other columns both
        targets = np.column_stack([np.abs(inputs[:, :2]).sum(axis=1), inputs[:, 2]])
    (outcome,) = outcomes(kind, inputs, targets, [row_set()])
    error = np.mean((outcome.prediction - targets[:20]) ** 2)
    assert error < 0.5 * np.var(targets[:20])


def test_an_unknown_parameter_is_refused_by_its_nearest_name(kind: LearnerKind) -> None:
    known = kind.parameters()[0]
    with pytest.raises(ValueError, match=f"unknown key '{known}x'.*did you mean.*{known}"):
        kind.check({f"{known}x": 1})
