"""One hold-out: cases and seeds are drawn again, and the error is widened for the one training set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from evidence.simulated import held_out_arm
from probatum.evidence.comparison import compare
from probatum.evidence.hold_out import hold_out_difference
from probatum.evidence.row_table import resampled_scores
from probatum.learning.metrics import Metric, metric

HOLD_OUT = "stratified-hold-out"
TRUTH = np.random.default_rng(0).normal(size=80)


def predictions(seed: int, error: float, seeds: int = 1) -> np.ndarray:
    return TRUTH + np.random.default_rng(seed).normal(0, error, (seeds, len(TRUTH)))


def pair(first: np.ndarray, second: np.ndarray, train_rows: int = 320, **options):
    return [held_out_arm(n, TRUTH, p, train_rows=train_rows, **options) for n, p in (("new", first), ("old", second))]


def test_with_one_seed_the_error_is_that_of_the_paired_cases_widened():
    new, old = pair(predictions(1, 1.0), predictions(2, 1.2))
    found = hold_out_difference(new, old)
    losses = [(a.rows[0].predictions[0, :, 0] - TRUTH) ** 2 for a in (new, old)]
    expected = np.std(losses[0] - losses[1], ddof=1) / np.sqrt(80) * np.sqrt(1 + 80 / 320)
    assert found.t.estimate == pytest.approx(np.mean(losses[0] - losses[1]))
    assert found.t.error == pytest.approx(expected, rel=0.06)  # 2000 samples: 1.6 % is one standard error
    assert found.t.degrees == pytest.approx(79)


def test_a_small_training_set_widens_more():
    wide, narrow = (
        hold_out_difference(*pair(predictions(1, 1.0), predictions(2, 1.2), train_rows=rows)).t.error
        for rows in (80, 80_000)
    )
    assert wide / narrow == pytest.approx(np.sqrt(2), rel=0.01)


def test_seeds_that_differ_add_to_the_error_and_take_degrees_of_freedom():
    shifts = np.array([[0.0], [1.0]])
    new, old = pair(TRUTH + shifts, TRUTH + np.array([[0.4], [0.5]]))
    found = hold_out_difference(new, old)
    by_seed = [np.var([0, 1], ddof=1) / 2, np.var([0.4**2, 0.5**2], ddof=1) / 2]
    assert found.seed_variance == pytest.approx(sum(by_seed))
    assert found.t.error == pytest.approx(np.sqrt(sum(by_seed)), rel=0.06)
    assert 1 <= found.t.degrees < 1.1


def test_the_verdict_says_what_was_done():
    (one,) = compare(*split(pair(predictions(1, 0.5), predictions(2, 2.0))), splits=HOLD_OUT)
    assert (one.outcome, one.units, one.seeds) == ("better", 80, 1)
    assert one.method == (
        "bootstrap over 80 cases of one hold-out, one seed an arm, "
        "its error widened by sqrt(1 + 80/320) for the one training set"
    )
    (several,) = compare(*split(pair(predictions(1, 0.5, 3), predictions(2, 2.0, 3))), splits=HOLD_OUT)
    assert several.method.startswith("two-way bootstrap over 80 cases x 3 seeds of one hold-out")
    assert several.outcome == "better"
    (other_way,) = compare(*split(pair(predictions(2, 2.0), predictions(1, 0.5))), splits=HOLD_OUT)
    assert other_way.outcome == "worse"


def split(arms):
    return [arms[0]], arms[1]


def test_arms_that_hardly_differ_are_equivalent_inside_a_margin():
    base = predictions(2, 1.0)
    arms = pair(base + 0.001 * predictions(3, 1.0), base)
    assert compare(*split(arms), splits=HOLD_OUT, margin=0.5)[0].outcome == "equivalent"
    assert compare(*split(arms), splits=HOLD_OUT)[0].p_equivalent is None


def test_an_undecided_hold_out_says_how_many_cases_would_decide():
    (verdict,) = compare(*split(pair(predictions(1, 1.0), predictions(2, 1.05))), splits=HOLD_OUT)
    assert verdict.outcome == "undecided"
    assert "held-out cases" in (verdict.needed or "")
    noisy = pair(TRUTH + np.array([[0.0], [3.0]]), TRUTH + np.array([[1.0], [2.0]]))
    assert "more seeds" in (compare(*split(noisy), splits=HOLD_OUT)[0].needed or "")


def test_one_case_is_no_evidence_however_many_seeds():
    truth, seeds = np.zeros(1), np.arange(3.0)[:, None]
    arms = [held_out_arm(n, truth, seeds + s, train_rows=10) for n, s in (("new", 1.0), ("old", 9.0))]
    (verdict,) = compare(*split(arms), splits=HOLD_OUT)
    assert (verdict.outcome, verdict.p) == ("no evidence", None)
    assert "one independent case" in (verdict.needed or "")
    (alone,) = compare(*split([held_out_arm(a.name, truth, seeds[:1], train_rows=10) for a in arms]), splits=HOLD_OUT)
    assert "one run an arm" in (alone.needed or "")


def test_cases_that_belong_together_are_drawn_together():
    twice = np.repeat(TRUTH[:40], 2)
    errors = [np.repeat(np.random.default_rng(s).normal(size=40), 2)[None, :] for s in (1, 2)]
    labels = np.repeat(np.arange(40), 2).astype(str).tolist()
    together, apart = (
        hold_out_difference(
            *(held_out_arm(n, twice, twice + e, train_rows=320, together=t) for n, e in zip("ab", errors, strict=True))
        )
        for t in (labels, None)
    )
    assert (together.cases, apart.cases) == (40, 80)
    assert together.t.error / apart.t.error == pytest.approx(np.sqrt(2), rel=0.08)


def test_arms_that_predict_the_same_are_said_to():
    (verdict,) = compare(*split(pair(predictions(1, 1.0), predictions(1, 1.0))), splits=HOLD_OUT)
    assert (verdict.outcome, verdict.p) == ("undecided", 1.0)
    assert "identical predictions" in (verdict.needed or "")


def test_several_hold_outs_are_judged_over_splits():
    """With repeats it is the corrected t over splits, for which scores are enough."""
    new, old = pair(predictions(1, 1.0), predictions(2, 1.0))
    again = [
        replace(
            a,
            units=(a.units[0], replace(a.units[0], digest="hold-out 2")),
            values=np.repeat(a.values, 2, axis=1),
            rows=None,
        )
        for a in (new, old)
    ]
    again[0].values[0, 1] += 0.1
    assert compare(*split(again), splits=HOLD_OUT)[0].method == "corrected resampled t over 2 splits"


def macro_f1(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN) of each sign, and their mean."""
    of_classes = []
    for positive in (True, False):
        true, said = (truth[:, 0] > 0) == positive, (prediction[:, 0] > 0) == positive
        hits, misses = weights @ (true & said), weights @ (true ^ said)
        of_classes.append(2 * hits / (2 * hits + misses))
    return float(np.mean(of_classes))


def test_macro_f1_is_sklearns():
    predicted, weights = predictions(1, 1.0)[0], np.random.default_rng(2).integers(1, 4, 80)
    expected = f1_score(TRUTH > 0, predicted > 0, average="macro", sample_weight=weights)
    assert macro_f1(TRUTH[:, None], predicted[:, None], weights.astype(float)) == pytest.approx(expected)


def test_a_metric_that_is_no_mean_over_rows_is_drawn_again_whole():
    """The bootstrap's variance of macro F1 and of the root mean square is that of scipy's, which computes each anew."""
    for chosen in (Metric("macro_f1", "F1, mean over classes", "higher", 0, whole=macro_f1), metric("rmse")):
        new, old = pair(predictions(1, 1.0), predictions(2, 1.5), measure=chosen)
        tables = [list(a.rows) for a in (new, old)]
        drawn, degrees = resampled_scores(tables, chosen, np.ones(1), np.random.default_rng(0), 600)
        ones = np.ones(80)

        def difference(i: np.ndarray, chosen=chosen, tables=tables, ones=ones) -> float:
            i = i.astype(int)
            return float(np.subtract(*(chosen.score(t[0].truth[i], t[0].predictions[0][i], ones) for t in tables)))

        expected = stats.bootstrap(
            (np.arange(80),),
            difference,
            n_resamples=600,
            vectorized=False,
            method="percentile",
            rng=np.random.default_rng(1),
        ).standard_error
        assert degrees == 79
        assert np.std(drawn[0] - drawn[1]) == pytest.approx(expected, rel=0.15)


def test_drawn_scores_are_the_metric_of_the_drawn_cases():
    table = pair(predictions(1, 1.0, 2), predictions(2, 1.5, 2))[0].rows[0]
    weights = np.random.default_rng(0).multinomial(80, np.full(80, 1 / 80), size=4).astype(float)
    for name in ("mse", "rmse", "mae", "r2"):
        expected = [
            [
                metric(name).score(np.repeat(table.truth, w.astype(int), 0), np.repeat(p, w.astype(int), 0))
                for p in table.predictions
            ]
            for w in weights
        ]
        assert table.scores(metric(name), weights) == pytest.approx(np.array(expected), rel=1e-10)


def test_where_a_metric_is_not_defined_on_many_samples_nothing_is_said():
    """r2 of two cases: every draw is one case alone, whose truth does not vary."""
    arms = [
        held_out_arm(n, np.array([0.0, 1.0]), np.array([[e, 1.0]]), train_rows=8, measure="r2")
        for n, e in (("new", 0.1), ("old", 0.4))
    ]
    (verdict,) = compare(*split(arms), splits=HOLD_OUT)
    assert (verdict.outcome, verdict.p) == ("no evidence", None)
    assert "r2 is not defined on 100% of the bootstrap samples" in (verdict.needed or "")
