"""What every choice of a training keeps: bits that do not depend on company, and what it promises."""

import numpy as np
import pytest

from probatum.errors import CampaignFileError, FitError
from probatum.learning import replicas
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.networks.mlp_regressor import MLPRegressor

GENERATOR = np.random.default_rng(1)
INPUTS = GENERATOR.normal(size=(90, 4))
TARGETS = 1 / (1 + np.exp(-np.stack([INPUTS[:, 0], INPUTS[:, 1] * INPUTS[:, 2]], axis=1)))
LABELS = (TARGETS > 0.5).astype(float)
GROUPS = np.repeat(np.arange(30), 3)


def mirrored(inputs: np.ndarray) -> list[np.ndarray]:
    return [inputs * [1, -1, -1, 1]]


def cubed(predictions, targets, numbers):
    return abs(predictions - targets) ** 3


HERE = f"{__name__}"
CHOICES: dict[str, dict] = {
    "early stopping": {"validation_fraction": 0.2, "patience": 3, "rate": 3e-2, "epochs": 40},
    "early stopping without batch statistics": {
        "validation_fraction": 0.2,
        "patience": 2,
        "norm": "layer",
        "rate": 0.1,
    },
    "cosine and clipping": {"schedule": {"kind": "cosine", "warmup": 0.1}, "clip_norm": 0.5},
    "plateau": {"schedule": {"kind": "plateau", "wait": 1}, "rate": 0.1},
    "ema": {"average": {"kind": "ema", "decay": 0.9}, "dropout": 0.2},
    "swa": {"average": "swa", "validation_fraction": 0.2},
    "gaussian": {"loss": "gaussian_nll"},
    "penalties": {"loss": "huber", "penalties": {"mass_balance": 1.0, "label_correlation": 0.1}, "output": "softplus"},
    "stages": {
        "stages": [
            {"epochs": 4, "frozen": ["weights.0"]},
            {"epochs": 5, "rate": 1e-2, "loss": "mae", "rates": {"weights.0": 0.1}},
        ],
    },
    "augmentation": {"input_noise": 0.1, "edge_copies": 1, "edge_share": 0.2},
    "copies of hard rows": {"validation_fraction": 0.2, "hard_copies": 2, "hard_share": 0.3, "edge_targets": [1]},
}


def row_set(seed: int, count: int = 20) -> RowSet:
    predicted = np.random.default_rng(seed).choice(90, count, replace=False)
    train = np.setdiff1d(np.arange(90), predicted)
    return RowSet(train, predicted, seed, GROUPS[train])


ROW_SETS = [row_set(seed, 20 + seed // 2) for seed in range(9)]


def fits(choice: dict, row_sets: list[RowSet], cores: int = 1, targets: np.ndarray = TARGETS) -> list[FitOutcome]:
    estimators = [MLPRegressor(**{"hidden": (7, 5), "epochs": 8, "batch": 16, **choice}) for _ in row_sets]
    return fit_many(estimators, INPUTS, targets, row_sets, cores, quantities=targets.shape[1])


def same_bits(a: FitOutcome, b: FitOutcome) -> bool:
    assert a.error is None
    assert a.weights.keys() == b.weights.keys()
    assert a.curves.keys() == b.curves.keys()
    arrays = [(a.prediction, b.prediction), *((a.weights[k], b.weights[k]) for k in a.weights)]
    arrays += [(a.curves[k], b.curves[k]) for k in a.curves]
    return all(np.array_equal(x, y, equal_nan=True) for x, y in arrays)


@pytest.mark.parametrize("name", CHOICES)
def test_the_bits_of_a_fit_do_not_depend_on_its_company(name: str) -> None:
    choice = CHOICES[name]
    together = fits(choice, ROW_SETS, cores=2)
    for place in (0, 8):
        chosen = ROW_SETS[place]
        others = [r for r in ROW_SETS if r is not chosen]
        alone = fits(choice, [chosen])[0]
        last = fits(choice, [*others, chosen])[-1]
        assert all(same_bits(alone, other) for other in (together[place], last))


@pytest.mark.parametrize("name", CHOICES)
def test_kept_weights_predict_the_same_again(name: str) -> None:
    (outcome,) = fits(CHOICES[name], ROW_SETS[:1])
    again = MLPRegressor(**{"hidden": (7, 5), **CHOICES[name]}).restore(outcome.weights)
    np.testing.assert_allclose(again.predict(INPUTS[ROW_SETS[0].predict]), outcome.prediction, rtol=1e-4, atol=1e-5)


def test_a_training_stops_by_its_own_patience_and_leaves_the_others_running() -> None:
    impatient, patient = {"validation_fraction": 0.2, "patience": 1, "rate": 0.1}, {"patience": 100}
    estimators = [MLPRegressor((7,), epochs=40, batch=16, **{**impatient, **c}) for c in ({}, patient)]  # type: ignore[arg-type]
    outcomes = fit_many(estimators, INPUTS, TARGETS, ROW_SETS[:2], quantities=2)
    ended = [int(np.isfinite(o.curves["validation loss"]).sum()) for o in outcomes]
    assert ended[0] < 40
    assert ended[1] == 40
    assert np.isnan(outcomes[0].curves["training loss"][ended[0] :]).all()


def test_the_weights_of_the_best_epoch_are_restored() -> None:
    changes = {"validation_fraction": 0.3, "rate": 0.1, "norm": "layer", "epochs": 30}
    (best,) = fits(changes, ROW_SETS[3:4])
    (last,) = fits({**changes, "restore_best": False}, ROW_SETS[3:4])
    at = int(np.argmin(best.curves["validation loss"]))
    assert at < 29
    (until,) = fits({**changes, "restore_best": False, "epochs": at + 1}, ROW_SETS[3:4])
    assert not np.allclose(best.prediction, last.prediction)
    np.testing.assert_allclose(best.prediction, until.prediction, rtol=1e-3, atol=1e-4)


def test_a_stage_that_weighs_one_target_moves_the_outputs_of_that_one_alone() -> None:
    frozen = ["weights.0", "weights.1", "biases.0", "biases.1"]
    first, second = {"epochs": 4}, {"epochs": 5, "frozen": frozen, "target_weights": [0, 1]}
    common = {"norm": "none", "weight_decay": 0.0}
    (before,) = fits({**common, "stages": [first]}, ROW_SETS[:1])
    (after,) = fits({**common, "stages": [first, second]}, ROW_SETS[:1])
    np.testing.assert_allclose(after.prediction[:, 0], before.prediction[:, 0], rtol=1e-4, atol=1e-5)
    assert not np.allclose(after.prediction[:, 1], before.prediction[:, 1], atol=1e-3)


def test_edges_of_a_target_that_is_not_there_are_refused() -> None:
    with pytest.raises(CampaignFileError, match="places from 0 to 1"):
        fits({"edge_copies": 1, "edge_targets": [2]}, ROW_SETS[:1])


def test_rows_that_a_first_training_predicts_badly_are_shown_again_and_predicted_better() -> None:
    # A few rows of another law: without copies a small network gives them up.
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(400, 3))
    rare = inputs[:, 0] > 1.2
    targets = np.where(rare, 3 + inputs[:, 1], inputs[:, 2])[:, None]
    rows = RowSet(np.arange(300), np.arange(300, 400), 0)
    common = {"hidden": (6,), "epochs": 25, "batch": 32, "validation_fraction": 0.3, "norm": "none", "rate": 5e-3}
    errors = []
    for choice in ({}, {"hard_copies": 4, "hard_share": 0.15}):
        (outcome,) = fit_many([MLPRegressor(**common, **choice)], inputs, targets, [rows], quantities=1)
        errors.append(((outcome.prediction - targets[300:]) ** 2)[rare[300:]].mean())
    assert errors[1] < 0.9 * errors[0]


def test_the_predicted_rows_are_never_watched() -> None:
    changed = TARGETS.copy()
    changed[ROW_SETS[0].predict] = TARGETS[ROW_SETS[0].predict][::-1]
    choice = CHOICES["early stopping"]
    (a,), (b,) = fits(choice, ROW_SETS[:1]), fits(choice, ROW_SETS[:1], targets=changed)
    np.testing.assert_allclose(a.curves["validation loss"], b.curves["validation loss"], rtol=1e-3)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_training_that_diverges_says_when_and_does_not_touch_its_neighbours(norm: str) -> None:
    rates = (1e-3, 1e18, 1e-3)
    estimators = [MLPRegressor((9,), norm=norm, optimiser="sgd", rate=r, epochs=12, batch=16) for r in rates]
    together = fit_many(estimators, INPUTS, TARGETS, ROW_SETS[:3], quantities=2)
    assert "the training diverged at epoch 1; lower the rate" in str(together[1].error)
    assert together[1].curves["not finite"][0] > 0 or not np.isfinite(together[1].curves["training loss"][0])
    for place in (0, 2):
        (alone,) = fit_many([estimators[place]], INPUTS, TARGETS, [ROW_SETS[place]], quantities=2)
        assert same_bits(alone, together[place])


def test_frozen_parameters_do_not_move_and_slow_ones_move_less() -> None:
    stages = [{"epochs": 3, "frozen": ["weights.0"], "rates": {"weights.1": 0.01}}]
    (outcome,) = fits({"stages": stages, "weight_decay": 0.0}, ROW_SETS[:1])
    assert (outcome.curves["relative change weights.0"] == 0).all()
    assert (outcome.curves["relative change weights.1"] < 0.1 * outcome.curves["relative change weights.2"]).all()


def test_a_group_that_the_network_does_not_have_is_refused() -> None:
    with pytest.raises(CampaignFileError, match=r"no parameters under 'weight.0'.*did you mean 'weights"):
        fits({"stages": [{"frozen": ["weight.0"]}]}, ROW_SETS[:1])


def test_every_layer_and_epoch_is_watched() -> None:
    (outcome,) = fits({"norm": "none", "activation": "relu"}, ROW_SETS[:1])
    for layer in range(3):
        assert outcome.curves[f"gradient norm weights.{layer}"].shape == (8,)
        assert (outcome.curves[f"relative change weights.{layer}"] > 0).all()
    assert (outcome.curves["not finite"] == 0).all()
    assert 0 <= outcome.curves["dead units"][0] < 1


def test_heavy_rows_are_fitted_better_and_rows_of_weight_0_not_at_all() -> None:
    train, predict = np.arange(60), np.arange(60)
    weights = np.where(train < 30, 1.0, 0.0)
    spoilt = TARGETS.copy()
    spoilt[30:60] = 100.0
    weighted = RowSet(train, predict, 0, weights=weights)
    plain = RowSet(train[:30], predict, 0)
    (a, b) = fits({}, [weighted, plain], targets=spoilt)
    np.testing.assert_allclose(a.prediction, b.prediction, rtol=2e-2, atol=2e-2)
    (failed,) = fits({}, [RowSet(train, predict, 0, weights=0 * weights)])
    assert "weight 0" in str(failed.error)


def test_sample_weights_are_what_row_sets_carry() -> None:
    weights = np.random.default_rng(2).uniform(0, 2, 90) * (np.arange(90) % 4 > 0)
    estimator = MLPRegressor((7,), epochs=8, batch=16, random_state=3)
    fitted = estimator.fit(INPUTS, TARGETS, sample_weight=weights)
    rows = RowSet(np.arange(90), np.arange(0), 3, weights=weights)
    (outcome,) = fit_many([estimator], INPUTS, TARGETS, [rows], quantities=2)
    assert all(np.array_equal(fitted.weights_[name], outcome.weights[name]) for name in outcome.weights)


def test_rows_of_sample_weight_0_may_as_well_be_left_out_and_equal_weights_too() -> None:
    counted = np.arange(90) % 3 > 0
    estimator = MLPRegressor((7,), epochs=8, batch=16)
    spoilt = np.where(counted[:, None], TARGETS, 50.0)
    without = estimator.fit(INPUTS[counted], TARGETS[counted]).predict(INPUTS)
    weighted = estimator.fit(INPUTS, spoilt, sample_weight=2.5 * counted).predict(INPUTS)
    np.testing.assert_allclose(weighted, without, rtol=1e-3, atol=1e-3)
    equal = estimator.fit(INPUTS, TARGETS, sample_weight=np.full(90, 0.1)).predict(INPUTS)
    assert np.array_equal(equal, estimator.fit(INPUTS, TARGETS).predict(INPUTS))


def test_heavy_samples_draw_the_fit_to_them() -> None:
    inputs, targets = np.zeros((40, 1)), np.repeat([0.0, 1.0], 20)
    weights = np.repeat([1.0, 3.0], 20)
    fitted = MLPRegressor((), epochs=200, rate=1e-2).fit(inputs, targets, sample_weight=weights)
    assert fitted.predict([[0.0]])[0] == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(90), "[Zz]ero|weight 0"),
        (np.full(90, -1.0), "[Nn]egative"),
        (np.full(90, np.nan), "NaN"),
        (np.ones(89), "shape"),
    ],
)
def test_sample_weights_that_cannot_be_used_are_refused(weights: np.ndarray, message: str) -> None:
    with pytest.raises((ValueError, FitError), match=message):
        MLPRegressor((4,), epochs=1).fit(INPUTS, TARGETS, sample_weight=weights)


def test_a_heteroscedastic_head_finds_where_the_noise_is() -> None:
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, size=(600, 1))
    y = x + np.where(x > 0, 0.5, 0.05) * generator.normal(size=x.shape)
    estimator = MLPRegressor((16,), loss="gaussian_nll", epochs=150, rate=1e-2, norm="none").fit(x, y)
    _, spread = estimator.predict(np.array([[-0.5], [0.5]]), return_std=True)
    assert 0.02 < spread[0, 0] < 0.12
    assert 0.35 < spread[1, 0] < 0.65


def test_images_under_a_symmetry_are_predicted_alike() -> None:
    choice = {"symmetry": f"{HERE}:mirrored"}
    (outcome,) = fits(choice, ROW_SETS[:1])
    estimator = MLPRegressor((7, 5), **choice).restore(outcome.weights)
    np.testing.assert_allclose(estimator.predict(INPUTS), estimator.predict(mirrored(INPUTS)[0]), rtol=1e-5)
    np.testing.assert_allclose(estimator.predict(INPUTS[ROW_SETS[0].predict]), outcome.prediction, rtol=1e-4)


def test_a_loss_of_the_users_own_is_trained_on() -> None:
    (own,) = fits({"loss": f"{HERE}:cubed", "epochs": 60, "rate": 1e-2}, ROW_SETS[:1])
    assert own.curves["training loss"][-1] < 0.5 * own.curves["training loss"][0]


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_of_one_class_only_are_learned(label: float) -> None:
    (outcome,) = fits({"loss": "bce", "epochs": 100, "rate": 1e-2}, ROW_SETS[:1], targets=np.full_like(TARGETS, label))
    assert np.abs(outcome.prediction - label).max() < 0.2


def test_targets_that_a_loss_cannot_use_are_refused_in_words() -> None:
    (outcome,) = fits({"loss": "bce"}, ROW_SETS[:1], targets=TARGETS + 1)
    assert "bce' needs targets from 0 to 1" in str(outcome.error)
    (outcome,) = fits({"loss": "log2_mse"}, ROW_SETS[:1], targets=TARGETS - 1)
    assert "needs targets above 0" in str(outcome.error)


def test_fewer_rows_than_a_batch_are_enough_even_to_stop_by() -> None:
    rows = RowSet(np.arange(5), np.arange(5, 9), 0)
    (outcome,) = fits({"validation_fraction": 0.2, "patience": 2}, [rows])
    assert np.isfinite(outcome.prediction).all()
    (outcome,) = fits({"validation_fraction": 0.2}, [RowSet(np.arange(1), np.arange(5, 9), 0)])
    assert "only one row" in str(outcome.error)


def test_where_memory_does_not_suffice_chunks_get_narrower_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax

    chunk = replicas._run_chunk

    def small_machine(procedure, chosen, width, inputs, targets):
        if width > 2:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes")
        return chunk(procedure, chosen, width, inputs, targets)

    wide = fits({}, ROW_SETS[:5])
    monkeypatch.setattr(replicas, "_run_chunk", small_machine)
    narrow = fits({}, ROW_SETS[:5])
    assert [o.width for o in wide] == [8] * 5
    assert [o.width for o in narrow] == [2] * 5
    for a, b in zip(wide, narrow, strict=True):
        np.testing.assert_allclose(a.prediction, b.prediction, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "msee"}, "did you mean 'mse'"),
        ({"loss": {"kind": "huber", "dleta": 1}}, "did you mean 'delta'"),
        ({"loss": {"kind": "huber", "delta": 0}}, "above 0"),
        ({"loss": "bce", "output": "linear"}, "cannot be used with output 'linear'; valid: sigmoid"),
        ({"loss": "no_such_module_here:f"}, "cannot be imported"),
        ({"penalties": {"mass_balnce": 1}}, "did you mean 'mass_balance'"),
        ({"penalties": ["mass_balance"]}, "a table of names"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"schedule": {"kind": "cosine", "warmup": 1.0}}, "below 1"),
        ({"clip_norm": 0}, "above 0"),
        ({"patience": 5}, "set validation_fraction"),
        ({"validation_fraction": 1.0}, "below 1"),
        ({"average": "emma"}, "did you mean 'ema'"),
        ({"average": {"kind": "ema", "decay": 1.0}}, "below 1"),
        ({"stages": [{"epoch": 3}]}, r"stages\[0\].*did you mean 'epochs'"),
        ({"stages": [{"epochs": 0}]}, r"stages\[0\].epochs"),
        ({"stages": {"epochs": 3}}, "a list of stages"),
        ({"input_noise": -1}, "at least 0"),
        ({"edge_share": 0}, "above 0"),
        ({"edge_targets": [-1]}, "at least 0"),
        ({"hard_copies": 1}, "set validation_fraction"),
        ({"stages": [{"target_weights": [0, 0]}]}, r"stages\[0\].target_weights.*above 0"),
        ({"symmetry": "nowhere_at_all:f"}, "cannot be imported"),
    ],
)
def test_values_that_cannot_be_used_are_refused_by_name(changes: dict, message: str) -> None:
    with pytest.raises((CampaignFileError, KeyError), match=message):
        MLPRegressor(**changes).validate()
