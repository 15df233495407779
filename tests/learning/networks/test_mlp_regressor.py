import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.learner import FitOutcome, RowSet, fit_many, learner_kind, program
from probatum.learning.networks.mlp_regressor import MLPRegressor

GENERATOR = np.random.default_rng(1)
INPUTS = GENERATOR.normal(size=(150, 6)) * [1, 10, 100, 1e-3, 1, 1] + [0, 5, 1e5, 0, 0, 0]
TARGETS = 1 / (1 + np.exp(-np.stack([INPUTS[:, 0], INPUTS[:, 4] - INPUTS[:, 0] * INPUTS[:, 5]], axis=1)))
RECIPES = [
    {"norm": "batch", "dropout": 0.3, "output": "sigmoid", "optimiser": "adam"},
    {"norm": "layer", "activation": "gelu", "optimiser": "adamw"},
    {"norm": "none", "activation": "tanh", "optimiser": "sgd", "rate": 1e-2},
]


def rows(first: int, count: int, seed: int) -> RowSet:
    predicted = np.arange(first, first + count)
    return RowSet(np.setdiff1d(np.arange(150), predicted), predicted, seed)


ROW_SETS = [rows(7 * i, 3 + 6 * i, seed=i) for i in range(11)]


def fits(recipe: dict, row_sets: list[RowSet], cores: int = 1, **changes: object) -> list[FitOutcome]:
    parameters = {"hidden": [9, 5], "epochs": 12, "batch": 32, **recipe, **changes}
    estimators = [learner_kind("mlp").build(parameters, r.seed) for r in row_sets]
    return fit_many(estimators, INPUTS, TARGETS, row_sets, cores, quantities=2)


def same_bits(a: FitOutcome, b: FitOutcome) -> bool:
    arrays = [(a.prediction, b.prediction), *((a.weights[k], b.weights[k]) for k in a.weights)]
    arrays += [(a.curves[k], b.curves[k]) for k in a.curves]
    return all(np.array_equal(x, y) for x, y in arrays)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_bits_of_a_fit_do_not_depend_on_its_company(recipe: dict) -> None:
    together = fits(recipe, ROW_SETS)
    assert len({len(r.train) for r in ROW_SETS}) == len(ROW_SETS)
    for place in (0, 4, 10):
        chosen = ROW_SETS[place]
        others = [r for r in ROW_SETS if r is not chosen]
        alone = fits(recipe, [chosen])[0]
        first = fits(recipe, [chosen, *others])[0]
        last = fits(recipe, [*others, chosen], cores=2)[-1]
        among_twins = fits(recipe, [rows(7 * place, 3 + 6 * place, seed) for seed in (5, 6, place, 7)], cores=2)[2]
        assert all(same_bits(together[place], other) for other in (alone, first, last, among_twins))
        assert np.isfinite(alone.prediction).all()


def test_numbers_that_do_not_split_a_program_do_not_mix_either() -> None:
    row_set = ROW_SETS[2]
    changes = [{"rate": 1e-2}, {"weight_decay": 0.1}, {"target_weights": [1.0, 3.0]}, {"dropout": 0.5}]
    estimators = [MLPRegressor(hidden=(9, 5), epochs=12, **{"dropout": 0.1, **c}) for c in changes]  # type: ignore[arg-type]
    assert len({program(e) for e in estimators}) == 1
    together = fit_many(estimators, INPUTS, TARGETS, [row_set] * 4, quantities=2)
    alone = [fit_many([e], INPUTS, TARGETS, [row_set], quantities=2)[0] for e in estimators]
    assert all(same_bits(a, b) for a, b in zip(together, alone, strict=True))
    assert len({a.prediction.tobytes() for a in together}) == 4


def test_a_training_that_diverges_does_not_touch_its_neighbours() -> None:
    estimators = [MLPRegressor((9, 5), norm="none", optimiser="sgd", rate=r, epochs=12) for r in (1e-3, 1e9, 1e-3)]
    row_sets = [ROW_SETS[0], ROW_SETS[1], ROW_SETS[2]]
    together = fit_many(estimators, INPUTS, TARGETS, row_sets, quantities=2)
    assert "diverged" in str(together[1].error)
    for place in (0, 2):
        alone = fit_many([estimators[place]], INPUTS, TARGETS, [row_sets[place]], quantities=2)[0]
        assert same_bits(alone, together[place])


def test_rows_that_a_fit_does_not_use_may_hold_anything() -> None:
    row_set = RowSet(np.arange(100), np.arange(100, 140), 0)
    spoilt = INPUTS.copy()
    spoilt[145] = np.nan
    estimator = MLPRegressor((4,), epochs=3)
    (outcome,) = fit_many([estimator], spoilt, TARGETS, [row_set], quantities=2)
    assert outcome.error is None


def test_the_truth_of_predicted_rows_changes_nothing_but_rounding() -> None:
    row_set = ROW_SETS[3]
    changed = TARGETS.copy()
    changed[row_set.predict] += 1.0
    (a,) = fit_many([MLPRegressor((4,), epochs=3)], INPUTS, TARGETS, [row_set], quantities=2)
    (b,) = fit_many([MLPRegressor((4,), epochs=3)], INPUTS, changed, [row_set], quantities=2)
    np.testing.assert_allclose(a.prediction, b.prediction, atol=1e-5)


@pytest.mark.parametrize("recipe", RECIPES)
def test_kept_weights_predict_the_same_again(recipe: dict) -> None:
    row_set = ROW_SETS[5]
    (outcome,) = fits(recipe, [row_set])
    again = learner_kind("mlp").build({"hidden": [9, 5], **recipe}, 0).restore(outcome.weights)
    np.testing.assert_allclose(again.predict(INPUTS[row_set.predict]), outcome.prediction, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("recipe", RECIPES)
def test_fit_and_predict_are_fit_many_of_one(recipe: dict) -> None:
    row_set = ROW_SETS[5]
    (outcome,) = fits(recipe, [row_set], epochs=4)
    estimator = learner_kind("mlp").build({"hidden": [9, 5], "batch": 32, "epochs": 4, **recipe}, row_set.seed)
    estimator.fit(INPUTS[row_set.train], TARGETS[row_set.train])
    np.testing.assert_allclose(estimator.predict(INPUTS[row_set.predict]), outcome.prediction, rtol=1e-2, atol=1e-3)


def test_a_curve_has_a_loss_an_epoch_that_falls() -> None:
    (outcome,) = fits(RECIPES[1], [ROW_SETS[0]], epochs=60)
    curve = outcome.curves["training loss"]
    assert curve.shape == (60,)
    assert curve.dtype == np.float32
    assert curve[-1] < 0.7 * curve[0]


def test_a_column_that_does_not_vary_in_training_cannot_matter() -> None:
    inputs = INPUTS.copy()
    inputs[:, 3] = 2.0
    estimator = MLPRegressor((4,), epochs=3).fit(inputs[:100], TARGETS[:100])
    moved = inputs.copy()
    moved[:, 3] = -1e9
    assert np.array_equal(estimator.predict(inputs), estimator.predict(moved))


def test_one_target_is_predicted_as_a_vector() -> None:
    assert MLPRegressor((4,), epochs=2).fit(INPUTS, TARGETS[:, 0]).predict(INPUTS).shape == (150,)
    assert MLPRegressor((), epochs=2).fit(INPUTS, TARGETS).predict(INPUTS).shape == (150, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden": [32, -1]}, r"hidden\[1\]"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"norm": "batchnorm"}, "did you mean 'batch'"),
        ({"dropout": 1.0}, "below 1"),
        ({"output": "softmax"}, "gaussian, increasing, linear, ordered, relu_plus_one, sigmoid, softplus"),
        ({"epochs": 0}, "at least 1"),
        ({"batch": 2.5}, "whole number"),
        ({"optimiser": "adma"}, "did you mean 'adam'"),
        ({"rate": 0}, "above 0"),
        ({"weight_decay": -1}, "at least 0"),
        ({"target_weights": [0.0, 0.0]}, "above 0"),
    ],
)
def test_values_that_cannot_be_used_are_refused_by_name(changes: dict, message: str) -> None:
    with pytest.raises(CampaignFileError, match=message):
        learner_kind("mlp").check(changes)


def test_target_weights_must_fit_the_targets() -> None:
    with pytest.raises(CampaignFileError, match="3 numbers, but there are 2 targets"):
        MLPRegressor(target_weights=[1, 1, 1]).fit(INPUTS, TARGETS)
