"""PB203-PB205: what the curves of training and validation loss tell."""

from __future__ import annotations

import numpy as np
import pytest

from audit.planted import alarm_rates, curves, found
from probatum.audit.history import Run, Training

LEVEL = 1e-4
"""About what the budget of 1 % leaves for one run among ten."""
ATTENTION = {
    "epoch": np.array([10, 20, 30, 31, 40, 50]),
    "training loss": np.array([0.042877, 0.033772, 0.029507, np.nan, 0.026105, 0.022910]),
    "validation loss": np.array([0.047606, 0.034190, 0.032075, 0.031141, 0.042153, 0.031524]),
}
BASELINE = {
    "epoch": np.array([10, 20, 30, 40, 45, 50]),
    "training loss": np.array([0.040110, 0.031730, 0.028203, 0.024798, np.nan, 0.021971]),
    "validation loss": np.array([0.036692, 0.031570, 0.027654, 0.023749, 0.021483, 0.023272]),
}
"""Two approaches to rocking curves, as their log prints them."""


def tabled(of: dict[str, np.ndarray], **of_run) -> Run:
    return Run("arm", trainings=(Training("", "", 0, of),), **of_run)


def converged(generator, fits, noise, rise=0.0, spread=0.0, epochs=60):
    """Training loss goes on falling; validation loss comes to a floor by a third and rises from half of the epochs."""
    t = np.arange(epochs) / epochs
    train = np.log(0.05 + np.exp(-5 * t)) + generator.normal(0, noise / 3, (fits, epochs))
    rises = 2 * np.clip(t - 0.5, 0, None) * (rise + generator.normal(0, spread, (fits, 1)))
    floor = np.log(0.5 + np.exp(-12 * t)) + generator.normal(0, 0.2, (fits, 1))
    return train, floor + rises + generator.normal(0, noise, (fits, epochs))


def falling(generator, fits, fall, spread, noise, epochs=60):
    """Validation loss falls by `fall` (logarithm) in each quarter of the epochs."""
    t = np.arange(epochs) / epochs
    validation = -4 * t * (fall + generator.normal(0, spread, (fits, 1))) + generator.normal(0, noise, (fits, epochs))
    return validation - 0.1, validation


def apart(generator, fits, gap, spread, noise=0.05, epochs=40):
    """Validation loss stands at exp(gap) of the training loss on average, and differs between sets of rows."""
    t = np.arange(epochs) / epochs
    train = np.log(0.3 + np.exp(-5 * t)) + generator.normal(0, noise / 3, (fits, epochs))
    between = generator.normal(-(spread**2) / 2, spread, (fits, 1))
    return train, train + gap + between + generator.normal(0, noise, (fits, epochs))


# ---------------------------------------------------------------------- PB203


def test_a_rise_that_all_fits_share_is_over_fitting():
    generator = np.random.default_rng(0)
    (finding,) = found("PB203", curves(*converged(generator, 10, 0.03, rise=0.7, spread=0.05)))
    assert finding.severity == "warning"
    assert finding.figures["rise"] == pytest.approx(np.expm1(0.7 * 0.95), rel=0.2)
    assert 20 <= finding.figures["best"] <= 36


def test_a_curve_that_stays_on_its_floor_is_not():
    assert not found("PB203", curves(*converged(np.random.default_rng(1), 10, 0.03)))


def test_a_rise_is_a_note_where_the_best_epoch_is_kept():
    run = curves(*converged(np.random.default_rng(0), 10, 0.03, rise=0.7), recipe={"training.restore_best": True})
    (finding,) = found("PB203", run)
    assert finding.severity == "note"
    assert "best epoch are kept" in finding.message


def test_a_network_of_a_campaign_keeps_its_best_epoch_unless_told_otherwise():
    losses = converged(np.random.default_rng(0), 10, 0.03, rise=0.7)
    kind = {"model.kind": "mlp"}
    (kept,) = found("PB203", curves(*losses, recipe=kind), source="campaign")
    (left,) = found("PB203", curves(*losses, recipe={**kind, "training.restore_best": False}), source="campaign")
    assert (kept.severity, left.severity) == ("note", "warning")


def test_validation_and_training_that_rise_together_did_not_over_fit():
    _, validation = converged(np.random.default_rng(0), 10, 0.03, rise=0.7)
    assert not found("PB203", curves(validation - 0.2, validation))


def test_the_attention_arm_of_the_rocking_curves_over_fits_after_epoch_31():
    (finding,) = found("PB203", tabled(ATTENTION))
    assert finding.figures["best"] == 31
    assert finding.severity == "note"  # six points certain at 1 %, not at the level of a warning


def test_the_baseline_of_the_rocking_curves_does_not_over_fit():
    assert not found("PB203", tabled(BASELINE))


@pytest.mark.parametrize("fits", [1, 5, 25])
def test_curves_on_a_floor_rarely_raise_an_alarm(fits):
    rates = alarm_rates("PB203", lambda g: curves(*converged(g, fits, 0.2)), LEVEL, 400)
    assert rates["warning"] <= 1 / 400
    assert rates["note"] <= 0.03


@pytest.mark.parametrize(("fits", "rise", "spread"), [(10, 0.5, 0.1), (25, 0.6, 0.2), (1, 1.0, 0.0)])
def test_over_fitting_is_found_with_the_stated_power(fits, rise, spread):
    rates = alarm_rates("PB203", lambda g: curves(*converged(g, fits, 0.05, rise, spread)), LEVEL, 150)
    assert rates["warning"] >= 0.9 - 2 * np.sqrt(0.9 * 0.1 / 150)


# ---------------------------------------------------------------------- PB204


def test_fits_whose_loss_is_still_falling_stopped_too_early():
    (finding,) = found("PB204", curves(*falling(np.random.default_rng(0), 10, 0.3, 0.02, 0.02)))
    assert finding.severity == "warning"
    assert finding.figures["fall"] == pytest.approx(1 - np.exp(-0.3), rel=0.15)


def test_fits_that_came_to_a_floor_did_not():
    assert not found("PB204", curves(*converged(np.random.default_rng(2), 10, 0.02)))


def test_a_training_that_its_own_patience_ended_did_not_stop_too_early():
    train, validation = falling(np.random.default_rng(0), 10, 0.3, 0.02, 0.02)
    train[:, 40:] = validation[:, 40:] = np.nan
    assert not found("PB204", curves(train, validation))


@pytest.mark.parametrize(
    ("name", "train", "validation", "stopped"),
    [
        (
            "augmented",
            [0.041585, 0.031484, 0.026321, 0.022972, 0.017637],
            [0.045703, 0.028945, 0.024463, 0.023120, 0.013334],
            True,
        ),
        (
            "sensitivity",
            [0.069600, 0.059151, 0.049729, 0.044047, 0.032425],
            [0.073213, 0.068352, 0.048681, 0.045783, 0.037322],
            True,
        ),
        (
            "multi-task",
            [0.042246, 0.032994, 0.026798, 0.023879, 0.021308],
            [0.042014, 0.064488, 0.037742, 0.037327, 0.033834],
            False,
        ),
    ],
)
def test_two_arms_of_the_rocking_curves_stopped_too_early(name, train, validation, stopped):
    arm = tabled({"training loss": np.array(train), "validation loss": np.array(validation)})
    assert bool(found("PB204", arm)) == stopped
    assert not found("PB204", tabled(BASELINE))


@pytest.mark.parametrize("fits", [1, 5, 25])
def test_noise_about_a_floor_rarely_looks_unfinished(fits):
    rates = alarm_rates("PB204", lambda g: curves(*converged(g, fits, 0.2)), LEVEL, 400)
    assert rates["warning"] <= 1 / 400
    assert rates["note"] <= 0.03


def test_unfinished_trainings_are_found_with_the_stated_power():
    many = alarm_rates("PB204", lambda g: curves(*falling(g, 10, 0.3, 0.1, 0.05)), LEVEL, 150)
    assert many["warning"] >= 0.85

    def five_points(generator):
        validation = -0.1823 * np.arange(5) + generator.normal(0, 0.05, (1, 5))
        return curves(validation - 0.1, validation)

    assert sum(alarm_rates("PB204", five_points, LEVEL, 300).values()) >= 0.87


# ---------------------------------------------------------------------- PB205


def test_validation_far_below_training_in_all_fits_is_too_good():
    (finding,) = found("PB205", curves(*apart(np.random.default_rng(0), 10, -0.4, 0.05)))
    assert finding.severity == "warning"
    assert finding.figures["gap"] == pytest.approx(1 - np.exp(-0.4), rel=0.1)


def test_validation_beside_training_is_as_it_should_be():
    assert not found("PB205", curves(*apart(np.random.default_rng(0), 10, 0.05, 0.1)))


@pytest.mark.parametrize(
    "recipe",
    [
        {"model.dropout": 0.3},
        {"training.input_noise": 0.1},
        {"training.edge_copies": 2},
        {"training.penalties": {"mass_balance": 1.0}},
        {"training.average": "ema"},
        {"model.norm": "batch"},
        {"training.augmentation.factor": 2},
    ],
)
def test_what_the_recipe_does_only_in_training_explains_the_gap(recipe):
    assert not found("PB205", curves(*apart(np.random.default_rng(0), 10, -0.4, 0.05), recipe=recipe))


def test_dropout_of_zero_explains_nothing():
    run = curves(*apart(np.random.default_rng(0), 10, -0.4, 0.05), recipe={"model.dropout": 0.0, "order": "random"})
    assert found("PB205", run)


def test_the_winner_of_the_rocking_curves_validates_better_than_it_trains():
    augmented = {
        "training loss": np.array([0.041585, 0.031484, 0.026321, 0.022972, 0.017637]),
        "validation loss": np.array([0.045703, 0.028945, 0.024463, 0.023120, 0.013334]),
    }
    (finding,) = found("PB205", tabled(augmented, scored_on={"training_rows": 1283, "validation_rows": 321}))
    assert finding.figures["gap"] == pytest.approx(1 - 0.013334 / 0.017637)
    baseline = tabled(BASELINE, scored_on={"training_rows": 800, "validation_rows": 200})
    assert not found("PB205", baseline)
    assert not found("PB205", tabled(augmented)), "without numbers of rows chance cannot be told"


@pytest.mark.parametrize("fits", [5, 25])
@pytest.mark.parametrize("spread", [0.1, 0.6])
def test_equal_expected_losses_rarely_look_too_good(fits, spread):
    rates = alarm_rates("PB205", lambda g: curves(*apart(g, fits, 0.0, spread)), LEVEL, 300)
    assert rates["warning"] <= 1 / 300
    assert rates["note"] <= 0.04


def test_validation_rows_drawn_again_and_again_from_one_table_do_not_look_too_good():
    """Squared errors are skewed, and fits share rows: a model without over-fitting, rows set aside at random."""

    def campaign(generator):
        losses = generator.chisquare(1, 80)
        train, validation = [], []
        for _ in range(20):
            rows = generator.permutation(80)
            validation.append(np.full(20, losses[rows[:16]].mean()))
            train.append(np.full(20, losses[rows[16:]].mean()))
        return curves(np.log(train), np.log(validation))

    assert alarm_rates("PB205", campaign, 0.01, 200)["warning"] <= 0.02


def test_too_good_validation_is_found_with_the_stated_power():
    assert alarm_rates("PB205", lambda g: curves(*apart(g, 10, -0.3, 0.1)), LEVEL, 150)["warning"] >= 0.85

    def one_curve(generator):
        errors = [np.log((generator.normal(0, scale, n) ** 2).mean()) for n, scale in ((1200, 1.0), (300, 0.815))]
        losses = [np.linspace(1, 0, 6)[None] + error for error in errors]
        return curves(*losses, scored_on={"training_rows": 1200, "validation_rows": 300})

    rates = alarm_rates("PB205", one_curve, LEVEL, 200)
    assert sum(rates.values()) >= 0.85


def test_a_run_without_curves_or_with_negative_losses_raises_nothing():
    negative = tabled({"training loss": -np.arange(8.0), "validation loss": -np.arange(8.0)})
    for code in ("PB203", "PB204", "PB205"):
        assert not found(code, Run("bare"), negative)
