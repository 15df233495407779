"""PB201, PB202 and PB206: diverged trainings, dead parts, and effects that another seed brings too."""

from __future__ import annotations

import numpy as np
import pytest

from audit.planted import found, predicted
from probatum.audit.history import Run, Training
from probatum.evidence.verdict import Verdict
from probatum.problems.problem import Quantity

# ---------------------------------------------------------------------- PB201


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (Run("r", metrics={"test_R2": -766043.33}), "7.66e+05 times"),
        (Run("r", metric="R^2", score=-9.0), "10 times"),
        (Run("r", score=float("nan")), "nan"),
        (Run("r", metrics={"loss": float("inf")}), "inf"),
        (
            Run("r", trainings=(Training("", "", 0, error="the training diverged at epoch 3; lower the rate"),)),
            "1 of 1 fits diverged",
        ),
        (Run("r", trainings=(Training("", "", 0, {"not finite": np.array([0.0, 4.0])}),)), "not finite"),
        (Run("r", trainings=(Training("", "", 0, {"training loss": np.array([1.0, np.inf])}),)), "not finite"),
        (
            Run("r", trainings=(Training("", "", 0, {"training loss": np.array([1.0, 0.1, 0.5, 20.0])}),)),
            "200 times above its minimum",
        ),
        (predicted([(np.zeros((3, 1)), np.full((3, 1), np.inf))]), "not finite"),
    ],
)
def test_a_run_that_ran_away_is_an_error(run, says):
    (finding,) = found("PB201", run)
    assert finding.severity == "error"
    assert says in finding.message


@pytest.mark.parametrize(
    "run",
    [
        Run("r", metrics={"test_R2": -0.4, "final_loss": 17381.0}, score=0.3),
        Run("r", metric="mse", score=700.0),
        Run("r", trainings=(Training("", "", 0, error="timed out"),)),
        Run("r", trainings=(Training("", "", 0, {"training loss": np.array([5.0, 1.0, 0.1, 0.12])}),)),
        Run("r", trainings=(Training("", "", 0, {"training loss": np.array([1.0, 0.5, np.nan, np.nan])}),)),
        Run("r", trainings=(Training("", "", 0, {"training loss": np.array([1.0, -0.5, -2.0, -1.0])}),)),
    ],
)
def test_bad_and_stopped_and_failed_runs_did_not_diverge(run):
    assert not found("PB201", run)


def test_ten_times_the_error_of_the_trivial_baseline_is_divergence():
    trivial = Run("trivial: mean", score=0.2, trivial=True)
    (finding,) = found("PB201", trivial, Run("net", score=2.4))
    assert finding.subject == "net"
    assert finding.figures["times"] == pytest.approx(12)
    assert not found("PB201", trivial, Run("net", score=1.9))


def test_one_fit_of_many_a_hundred_times_off_is_found():
    generator = np.random.default_rng(0)
    pairs = [(t := generator.normal(size=(20, 1)), t + 0.1) for _ in range(9)]
    far = generator.normal(size=(20, 1))
    (finding,) = found("PB201", predicted([*pairs, (far, far + 12)]))
    assert finding.figures["times"] == pytest.approx(144, rel=0.2)
    assert not found("PB201", predicted([*pairs, (far, far + 5)]))


# ---------------------------------------------------------------------- PB202


def network(gradients, changes, fits=4, dead=None, **of_run):
    """A run whose layers have these largest gradients and changes."""
    curves = {f"gradient norm {layer}": np.array([size, size / 2]) for layer, size in gradients.items()}
    curves |= {f"relative change {layer}": np.array([size, size / 2]) for layer, size in changes.items()}
    if dead is not None:
        curves["dead units"] = np.array([dead])
    return Run("net", trainings=tuple(Training("", f"s{n}", 0, curves) for n in range(fits)), **of_run)


LIVE = {"weights.0": 0.5, "weights.1": 0.1, "weights.2": 2.0}


def test_a_layer_without_gradient_is_dead():
    (finding,) = found("PB202", network({**LIVE, "weights.1": 0.0}, LIVE))
    assert "weights.1 has no gradient in 4 of 4 fits" in finding.message


def test_a_layer_that_never_changes_is_dead():
    (finding,) = found("PB202", network(LIVE, {**LIVE, "weights.2": 1e-9}))
    assert "weights.2 has no change" in finding.message


def test_layers_that_learn_at_different_speeds_live():
    assert not found("PB202", network({"weights.0": 1e-4, "weights.1": 1.0}, {"weights.0": 1e-5, "weights.1": 0.1}))


def test_a_frozen_layer_is_meant_to_rest():
    still = network({**LIVE, "weights.0": 0.0}, {**LIVE, "weights.0": 0.0})
    assert len(found("PB202", still)) == 2
    stages = [{"epochs": 10}, {"frozen": ["weights.0"]}]
    assert not found("PB202", Run("net", trainings=still.trainings, recipe={"training.stages": stages}))


@pytest.mark.parametrize(("share", "dead"), [(0.7, True), (0.3, False), (0.0, False)])
def test_half_of_the_hidden_units_dead_is_too_many(share, dead):
    findings = found("PB202", network(LIVE, LIVE, dead=share))
    assert [f.figures["share"] for f in findings] == ([pytest.approx(share)] if dead else [])


def outputs(constant):
    generator = np.random.default_rng(3)
    pairs = []
    for _ in range(5):
        truth = generator.normal(size=(12, 2))
        prediction = truth + generator.normal(0, 0.3, (12, 2))
        if constant:
            prediction[:, 1] = generator.normal(0, 0.05)
        pairs.append((truth, prediction))
    return pairs


def test_an_output_that_is_the_same_for_all_rows_is_dead():
    quantities = (Quantity("yield", "1"), Quantity("purity", "1"))
    (finding,) = found("PB202", predicted(outputs(True)), quantities=quantities)
    assert "prediction of purity" in finding.message
    assert finding.figures["fits"] == 5
    assert not found("PB202", predicted(outputs(False)), quantities=quantities)


def test_a_baseline_that_predicts_the_mean_does_so_on_purpose():
    assert not found("PB202", predicted(outputs(True), trivial=True))
    assert not found("PB202", predicted(outputs(True), recipe={"model.kind": "mean"}))


def test_one_prediction_a_sample_is_no_dead_output_where_it_follows_the_samples():
    generator = np.random.default_rng(4)
    levels = generator.normal(size=8)
    pairs = [(level + generator.normal(0, 0.1, (6, 1)), np.full((6, 1), level)) for level in levels]
    assert not found("PB202", predicted(pairs))


# ---------------------------------------------------------------------- PB207


def scaled(*scales: float) -> Run:
    return Run(
        "net", trainings=tuple(Training("", "", n, {"free scale law": np.array([s])}) for n, s in enumerate(scales))
    )


def test_a_scale_that_drifted_in_half_of_the_fits_is_named():
    (finding,) = found("PB207", scaled(0.06, 0.4, 1.1, 1.0))
    assert "scale of law is 0.06 to 0.4 in 2 of 4 fits" in finding.message
    assert len(found("PB207", scaled(-3.0, 2.0))) == 1


def test_a_scale_near_one_or_off_in_few_fits_is_left_alone():
    assert not found("PB207", scaled(0.8, 1.2, 1.0))
    assert not found("PB207", scaled(0.1, 1.0, 1.0))
    assert not found("PB207", Run("net", trainings=(Training("", "", 0, {"training loss": np.array([0.1])}),)))


# ---------------------------------------------------------------------- PB206


def repeats(scores, **config):
    return [Run(f"try {n}", score=s, recipe={"rate": 0.005, "seed": n, **config}) for n, s in enumerate(scores)]


def test_one_configuration_under_four_names_shows_what_a_seed_does():
    (finding,) = found("PB206", *repeats([0.81, 0.73, 0.78, 0.51]))
    assert finding.figures["spread"] == pytest.approx(np.std([0.81, 0.73, 0.78, 0.51], ddof=1))
    assert finding.figures["limit"] == pytest.approx(3.1824 * finding.figures["spread"] * np.sqrt(2), rel=1e-4)
    assert "'try 0', 'try 1', 'try 2', 'try 3'" in finding.message


def test_four_configurations_are_four_configurations():
    runs = [Run(f"try {n}", score=s, recipe={"rate": 0.005 * n}) for n, s in enumerate([0.81, 0.73, 0.78, 0.51])]
    assert not found("PB206", *runs)
    assert not found("PB206", *repeats([0.5, 0.5])), "a deterministic learner repeats itself"
    assert not found("PB206", Run("a", score=1.0), Run("b", score=2.0)), "nothing is known of their recipes"


def seeded(name, scores):
    return Run(name, score=float(np.mean(scores)), seed_scores=np.array(scores), recipe={"name": name})


@pytest.mark.parametrize(("scores", "small"), [([0.99, 1.03], True), ([0.51, 0.53], False)])
def test_a_claimed_difference_must_exceed_what_seeds_bring(scores, small):
    runs = (seeded("base", [1.0, 1.05]), seeded("new", scores))
    findings = found("PB206", *runs, baseline="base", chosen="new")
    assert bool(findings) == small
    verdict = Verdict("new", "base", runs[1].score or 0.0, "better")
    assert bool(found("PB206", *runs, baseline="base", verdicts=(verdict,))) == small
    assert not found("PB206", *runs, baseline="base"), "nobody claims anything"
    if small:
        assert findings[0].subject == "new"
        assert findings[0].figures["spread"] == pytest.approx(0.05 / np.sqrt(2))


# ---------------------------------------------------------------------- whatever the source


@pytest.mark.parametrize("size", [1e200, 1e308, np.inf, np.nan])
def test_checks_bear_predictions_of_any_size(size):
    generator = np.random.default_rng(5)
    truth = generator.normal(size=(40, 2))
    prediction = truth + 0.1
    prediction[0, 0] = size
    run = predicted([(truth, prediction)] * 3, metrics={"R2": 0.9})
    for code in ("PB201", "PB202", "PB302", "PB303"):
        assert bool(found(code, run)) == (code == "PB201")


@pytest.mark.parametrize("missing", ["training loss", "validation loss"])
def test_checks_bear_curves_with_holes(missing):
    curves = {"training loss": np.linspace(2, 1, 60), "validation loss": np.linspace(2, 1, 60)}
    curves[missing][::2] = np.nan
    holes = Run("holes", trainings=(Training("", "", 0, curves),))
    empty = Run("empty", trainings=(Training("", "", 0, {**curves, missing: np.full(60, np.nan)}),))
    for code in ("PB201", "PB202", "PB203", "PB204", "PB205"):
        for run in (holes, empty, Run("many", trainings=holes.trainings * 4)):
            assert code == "PB204" or not found(code, run), (code, run.name)
    assert found("PB204", holes)  # what is left of the curves still falls at their end
