"""PB301 and PB304-PB306: scores beside each other, beside trivial baselines, targets and other people's scores."""

from __future__ import annotations

import numpy as np
import pytest

from audit.planted import alarm_rates, found
from probatum.audit.history import History, Partition, Run, Side

CROSS_VALIDATION = (0.0111, 0.0123, 0.0105, 0.0104, 0.0097, 0.0093, 0.0092, 0.0090, 0.0087)
LEADERBOARD = (0.0982, 0.1065, 0.0972, 0.0969, 0.0946, 0.0932, 0.0936, 0.0913, 0.0893)
CATECHOL = tuple(zip(CROSS_VALIDATION, LEADERBOARD, strict=True))
"""Nine submissions of one log, cross-validated mean squared error and leaderboard score."""

# ---------------------------------------------------------------------- PB301


def test_a_weighted_loss_is_not_ranked_beside_a_plain_one():
    runs = (
        Run("plain", score=0.021, metric="loss", scored_on={"weights": "none", "validation_rows": 200}),
        Run("weighted", score=0.037, metric="loss", scored_on={"weights": "0.5 to 2.5", "validation_rows": 200}),
        Run("bare", score=0.030, metric="loss"),
    )
    (finding,) = found("PB301", *runs, baseline="plain")
    assert (finding.subject, finding.severity) == ("weighted", "error")
    assert "weights = 0.5 to 2.5" in finding.message


def test_another_metric_and_other_rows_are_named_together():
    runs = [Run(f"r{n}", score=1.0, metric="mse", scored_on={"rows": "all"}) for n in range(3)]
    (finding,) = found("PB301", *runs, Run("odd", score=0.9, metric="mae", scored_on={"rows": "trimmed"}))
    assert finding.subject == "odd"
    assert finding.figures["differences"] == 2


def test_runs_scored_alike_are_comparable():
    alike = [Run(f"r{n}", score=1.0, metric="mse", scored_on={"rows": "all", "training_rows": n}) for n in range(3)]
    unscored = Run("planned", metric="mae")
    assert not found("PB301", *alike, unscored, Run("silent", score=2.0))


# ---------------------------------------------------------------------- PB304


def campaign(generator, share, spread=0.01, folds=25, better="lower"):
    """An arm whose error is a share of the trivial baseline's on every fold, and differs by some spread."""
    level = 1 + generator.normal(0, 0.2, folds)
    errors = level * (share + generator.normal(0, spread, folds))
    scores = [1 - x for x in (level, errors)] if better == "higher" else [level, errors]
    mean, arm = (
        Run(name, score=float(s.mean()), scores=s, trivial=name.startswith("trivial"))
        for name, s in zip(("trivial: mean", "arm"), scores, strict=True)
    )
    side = [Side(np.zeros((rows, 1))) for rows in (80, 20)]
    return History("c", (mean, arm), partitions=(Partition("fold", *side),), better=better)


def of_campaign(history: History):
    return found("PB304", *history.runs, partitions=history.partitions, better=history.better)


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_an_arm_at_the_variance_of_the_target_is_no_better_than_the_mean(better):
    (finding,) = of_campaign(campaign(np.random.default_rng(0), 1.0, better=better))
    assert (finding.subject, finding.severity) == ("arm", "warning")
    assert finding.figures["gain"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_an_arm_that_halves_the_error_is_better(better):
    assert not of_campaign(campaign(np.random.default_rng(0), 0.5, better=better))


def test_what_folds_cannot_tell_is_a_note():
    (finding,) = of_campaign(campaign(np.random.default_rng(0), 1.1, spread=0.5, folds=4))
    assert finding.severity == "note"


def test_single_scores_are_compared_as_they_are():
    trivial = Run("predict the mean", score=1.0, trivial=True)
    (finding,) = found("PB304", trivial, Run("net", score=1.02), Run("line", score=0.7))
    assert (finding.subject, finding.severity) == ("net", "warning")


def test_an_r2_of_nothing_needs_no_baseline():
    (finding,) = found("PB304", Run("net", metrics={"test_R2": -0.03}), Run("line", metric="R2", score=0.4))
    assert finding.subject == "net"
    assert not found("PB304", Run("away", metrics={"R2": -5000.0})), "that one diverged"


def test_the_trivial_baseline_itself_is_not_blamed():
    mean = Run("mean", score=1.0, recipe={"model.kind": "mean"})
    assert not found("PB304", Run("trivial: mean", score=1.0, trivial=True), mean)


def test_arms_that_take_a_little_more_than_a_twentieth_of_the_error_away_are_rarely_blamed():
    rates = alarm_rates("PB304", lambda g: campaign(g, 0.94, spread=0.05), 1e-3, 500)
    assert rates["warning"] <= 2 / 500


def test_arms_that_learned_nothing_are_found_with_the_stated_power():
    assert alarm_rates("PB304", lambda g: campaign(g, 1.0, spread=0.01), 1e-4, 150)["warning"] >= 0.9


# ---------------------------------------------------------------------- PB305


@pytest.mark.parametrize(
    ("metric", "target", "below"),
    [("mse", 0.003, True), ("mse", 0.006, False), ("rmse", 0.06, True), ("rmse", 0.08, False), ("mae", 0.001, False)],
)
def test_a_target_below_the_noise_floor_cannot_be_reached(metric, target, below):
    floors = {"single": 0.005, "full": 0.02}
    findings = found("PB305", Run("r", metric=metric, score=0.1), target=target, floors=floors)
    assert bool(findings) == below
    if below:
        assert findings[0].figures["floor"] == pytest.approx(0.005 if metric == "mse" else 0.005**0.5)


def test_the_target_of_the_catechol_log_is_outside_what_its_submissions_can_reach():
    (finding,) = found("PB305", target=0.01727, external=CATECHOL)
    assert finding.severity == "error"
    assert finding.figures["needed"] == pytest.approx((0.01727 / 0.956462) ** 2, rel=1e-3)
    assert "cannot be reached on y = a + b x" in finding.message


def test_a_target_beside_what_was_seen_is_within_reach():
    assert not found("PB305", target=0.088, external=CATECHOL)
    assert not found("PB305", external=CATECHOL), "no target"
    assert not found("PB305", target=0.01, external=CATECHOL[:2]), "two pairs tell nothing"


def test_a_target_whose_internal_score_is_under_the_floor_is_out_of_reach():
    line = tuple((x, 2 * x) for x in (0.02, 0.03, 0.04, 0.05))
    (finding,) = found("PB305", Run("r", metric="mse"), target=0.03, external=line, floors={"t": 0.018})
    assert "noise floor of t" in finding.message
    assert finding.figures["needed"] == pytest.approx(0.015)
    assert not found("PB305", Run("r", metric="mse"), target=0.03, external=line, floors={"t": 0.012})


def test_a_far_extrapolation_that_only_the_best_form_allows_is_a_warning():
    line = tuple((x, 2 * x) for x in (0.02, 0.03, 0.04, 0.05))
    (finding,) = found("PB305", target=0.01, external=line)
    assert finding.severity == "warning"


# ---------------------------------------------------------------------- PB306


def test_the_leaderboard_of_the_catechol_log_is_a_root():
    (finding,) = found("PB306", external=CATECHOL)
    assert finding.severity == "warning"
    assert finding.figures["ratio"] == pytest.approx(0.96, abs=0.005)
    assert "an RMSE of what the internal one is an MSE of" in finding.message


def test_a_square_is_found_too():
    (finding,) = found("PB306", external=tuple((y, x) for x, y in CATECHOL))
    assert "an MSE of what the internal one is an RMSE of" in finding.message


@pytest.mark.parametrize(
    "external",
    [
        tuple((x, 1.1 * x) for x in CROSS_VALIDATION),
        tuple((x, 0.002 + 1.2 * x) for x in CROSS_VALIDATION),
        tuple((x, x**0.5) for x in (0.8, 0.9, 1.0, 1.2)),
        tuple((x, -x) for x in CROSS_VALIDATION),
        ((0.01, 0.1), (0.02, 0.14)),
        ((0.0, 0.1), (0.02, 0.14), (0.04, 0.2), (0.05, 0.2)),
        (),
    ],
)
def test_scores_of_one_unit_raise_nothing(external):
    assert not found("PB306", external=external)


def pairs(generator, of, noise=0.01):
    x = np.exp(generator.uniform(np.log(0.01), np.log(0.0155), 9))
    y = of(x) * np.exp(generator.normal(0, noise, 9))
    return History("t", external=tuple(zip(x.tolist(), y.tolist(), strict=True)), source="table")


def test_roots_are_found_with_the_stated_power():
    rates = alarm_rates("PB306", lambda g: pairs(g, lambda x: 0.95 * np.sqrt(x)), 1e-3, 200)
    assert rates["warning"] >= 0.8


def test_proportional_scores_of_any_size_rarely_look_like_roots():
    """The worst case for a check of size: proportional, and by chance as large as a root."""
    assert alarm_rates("PB306", lambda g: pairs(g, lambda x: 9 * x, 0.05), 1e-3, 500)["warning"] <= 3 / 500
