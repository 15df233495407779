"""Verdicts: what is called better, worse, equivalent or undecided, what would decide, and what must not be compared."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evidence.simulated import arm
from probatum.errors import IncomparableError, UnknownNameError
from probatum.evidence.comparison import Verdict, compare, require_comparable
from probatum.problems.problem import Scoring

GROUPS, FOLDS, DRAWS = "leave-one-group-out", "repeated-k-fold", "fresh-draws"
EVEN = np.linspace(-0.01, 0.01, 10)


def judged(values, base, *, splits=GROUPS, margin=0.0, alpha=0.05, **options) -> Verdict:
    (verdict,) = compare(
        [arm("new", values, **options)], arm("old", base, **options), splits=splits, margin=margin, alpha=alpha
    )
    return verdict


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_a_clear_difference_is_better_one_way_and_worse_the_other(splits: str):
    low, high = 1 + EVEN, 2 + EVEN[::-1]
    assert judged(low, high, splits=splits).outcome == "better"
    assert judged(high, low, splits=splits).outcome == "worse"


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_where_higher_is_better_a_higher_score_is_better(splits: str):
    low, high = 0.1 + EVEN, 0.9 + EVEN[::-1]
    options = {"measure": "r2", "scoring": Scoring("macro"), "splits": splits}
    assert judged(high, low, **options).outcome == "better"
    assert judged(low, high, **options).outcome == "worse"


def test_the_posterior_knows_which_way_is_better():
    spread = np.random.default_rng(0).normal(0, 0.2, 25)
    lower = judged(1 + spread, np.full(25, 1.2), splits=FOLDS, margin=0.05)
    higher = judged(1 + spread, np.full(25, 0.8), splits=FOLDS, margin=0.05, measure="r2", scoring=Scoring("macro"))
    for verdict in (lower, higher):
        assert verdict.posterior is not None
        worse, equivalent, better = verdict.posterior
        assert better > 0.5 > worse
        assert worse + equivalent + better == pytest.approx(1)
    assert judged(1 + EVEN, 2 + EVEN).posterior is None


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_a_difference_inside_the_margin_is_equivalent_however_significant(splits: str):
    verdict = judged(1 + EVEN, 1.1 + EVEN[::-1], splits=splits, margin=0.5)
    assert verdict.p is not None
    assert verdict.p < 0.05
    assert verdict.outcome == "equivalent"
    assert verdict.needed is None
    assert judged(1 + EVEN, 1.1 + EVEN[::-1], splits=splits, margin=0.05).outcome == "better"


def test_a_real_difference_that_may_reach_the_margin_stays_undecided():
    values = 1 + 0.4 + np.array([-0.3, 0.3] * 5)
    verdict = judged(values, np.ones(10), margin=0.45)
    assert verdict.p_adjusted is not None
    assert verdict.p_adjusted <= 0.05
    assert verdict.outcome == "undecided"
    assert verdict.needed == "the difference is real but within the margin"


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_without_a_margin_nothing_is_equivalent(splits: str):
    verdict = judged(1 + EVEN, 1 + EVEN, splits=splits)
    assert verdict.outcome == "undecided"
    assert verdict.p == 1
    assert verdict.p_equivalent is None
    assert "as identical predictions have" in (verdict.needed or "")
    assert verdict.interval == (0, 0)


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_arms_that_predict_the_same_are_equivalent_inside_a_margin(splits: str):
    verdict = judged(1 + EVEN, 1 + EVEN, splits=splits, margin=0.1)
    assert verdict.outcome == "equivalent"
    assert "as identical predictions have" in (verdict.needed or "")


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_one_run_is_no_evidence(splits: str):
    verdict = judged([1.0], [9.0], splits=splits)
    assert verdict.outcome == "no evidence"
    assert verdict.p is None
    assert verdict.interval is None
    assert "one run" in (verdict.needed or "")


def test_scores_that_differ_by_rounding_are_the_same():
    shifted = (1 + EVEN) * (1 + 3e-16)
    assert (shifted != 1 + EVEN).any()
    verdict = judged(shifted, 1 + EVEN, splits=FOLDS)
    assert (verdict.p, verdict.difference) == (1, 0)


def test_one_group_is_no_evidence_however_many_seeds_and_folds_it_has():
    seeds = judged([[1.0], [1.1], [1.2]], [[9.0], [9.1], [9.2]])
    folds = judged(1 + EVEN, 9 + EVEN, clusters=["a"] * 10)
    for verdict in (seeds, folds):
        assert (verdict.outcome, verdict.p) == ("no evidence", None)
        assert (verdict.needed or "").startswith("one independent group, and seeds and folds of it are no new data")


def test_the_same_difference_on_every_split_has_no_spread_to_be_judged_by():
    """Accuracies of few cases may differ by one case in every fold, by chance."""
    verdict = judged(np.full(5, 0.6), np.full(5, 0.4), splits=FOLDS, measure="r2", scoring=Scoring("macro"))
    assert (verdict.outcome, verdict.p, verdict.interval) == ("no evidence", None, None)
    assert "the same on every split" in (verdict.needed or "")
    assert verdict.difference == pytest.approx(0.2)


def test_an_arm_whose_score_is_not_defined_is_no_evidence_and_the_others_are_judged():
    undefined = np.where(np.arange(10) == 3, np.nan, 1 + EVEN)
    base = arm("old", 2 + EVEN[::-1])
    bad, good = compare([arm("new", undefined), arm("good", 1 + EVEN)], base, splits=FOLDS)
    assert (bad.outcome, bad.p) == ("no evidence", None)
    assert np.isnan(bad.difference)
    assert "mse of 'new' is not defined on 1 of 10 folds (the first: 'fold 3'" in (bad.needed or "")
    assert good.outcome == "better"
    assert good.p == good.p_adjusted


def test_predictions_that_are_not_finite_are_named_and_no_evidence():
    flawed = replace(arm("new", 1 + EVEN), flaws=("3 of 12 predictions of 'new' in fold 'fold 1' are not finite",))
    for pair in ((flawed, arm("old", 2 + EVEN)), (arm("old", 2 + EVEN), flawed)):
        (verdict,) = compare([pair[0]], pair[1], splits=FOLDS)
        assert verdict.outcome == "no evidence"
        assert (verdict.needed or "").startswith("3 of 12 predictions of 'new' in fold 'fold 1' are not finite")


def test_draws_are_the_units_and_what_is_repeated_within_one_is_averaged():
    generator = np.random.default_rng(8)
    new, old = generator.normal(size=(2, 3, 12))  # 3 seeds, 4 folds in each of 3 draws
    draws = np.repeat([0, 1, 2], 4).tolist()
    verdict = judged(new, old, splits=DRAWS, draws=draws)
    by_draw = (new - old).mean(axis=0).reshape(3, 4).mean(axis=1)
    expected = stats.ttest_1samp(by_draw, 0)
    assert verdict.units == 3
    assert verdict.p == pytest.approx(expected.pvalue, abs=1e-10)
    assert verdict.interval == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-10)
    assert "3 independent draws" in verdict.method


def test_draws_are_paired():
    """Draws differ in difficulty far more than arms do."""
    hard = np.random.default_rng(9).normal(0, 100, 8)
    verdict = judged(200 + hard + EVEN[:8], 200.5 + hard, splits=DRAWS, draws=list(range(8)))
    assert verdict.outcome == "better"


def test_one_draw_is_no_evidence_however_many_folds_and_seeds():
    verdict = judged(np.ones((4, 10)) + EVEN, np.full((4, 10), 5.0), splits=DRAWS)
    assert verdict.outcome == "no evidence"
    assert "one draw, and seeds and folds of it are no new data" in (verdict.needed or "")


def test_a_round_spends_its_share_and_says_so():
    values, base = 1 + 0.5 * np.random.default_rng(3).normal(size=12), np.full(12, 1.9)
    arms = [arm("new", values)], arm("old", base)
    alone, first, tenth = (compare(*arms, splits=GROUPS, round=k)[0] for k in (None, 1, 10))
    assert (alone.level, first.level) == (0.05, pytest.approx(0.05 * 6 / np.pi**2))
    assert alone.p == first.p == tenth.p
    assert alone.p is not None
    assert tenth.level < alone.p < first.level
    assert (first.outcome, tenth.outcome) == ("better", "undecided")
    assert "round 10 may err with 0.0003 of the 0.05 of all rounds" in tenth.method
    assert first.interval is not None
    assert tenth.interval is not None
    assert tenth.interval[0] < first.interval[0] < first.interval[1] < tenth.interval[1]


def test_splits_that_no_test_fits_are_refused():
    with pytest.raises(UnknownNameError, match="repeated-k-fold"):
        judged(1 + EVEN, 2 + EVEN, splits="repeated-k-folds")


def test_seeds_are_no_new_data():
    generator = np.random.default_rng(1)
    once = generator.normal(1, 0.3, 8)
    many = np.repeat(once[None, :], 50, axis=0)
    few, lots = judged(once, np.ones(8)), judged(many, np.ones(8))
    assert (few.p, few.interval) == (pytest.approx(lots.p), pytest.approx(lots.interval))
    assert (few.seeds, lots.seeds) == (1, 50)


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_the_difference_is_that_of_the_scores_whatever_the_folds_weigh(splits: str):
    generator = np.random.default_rng(2)
    rows = [5, 40, 10, 10, 3, 70]
    new, old = generator.normal(1, 0.2, 6), generator.normal(1, 0.2, 6)
    verdict = judged(new, old, splits=splits, rows=rows)
    assert verdict.difference == pytest.approx(np.average(new, weights=rows) - np.average(old, weights=rows))
    assert verdict.score == pytest.approx(np.average(new, weights=rows))
    assert verdict.interval is not None
    assert verdict.interval[0] < verdict.difference < verdict.interval[1]


def test_folds_are_paired_by_their_rows_not_by_their_order():
    new, old = arm("new", 1 + EVEN), arm("old", 2 + 5 * EVEN)
    turned = replace(old, units=old.units[::-1], values=old.values[:, ::-1])
    expected, found = (compare([new], base, splits=GROUPS)[0] for base in (old, turned))
    assert expected == found


def test_folds_that_share_measurements_are_one_unit():
    clusters = ["a", "a", "a", "b", "b", "b", "c", "c", "d", "d"]
    together, apart = judged(1 + EVEN, 2 + EVEN[::-1], clusters=clusters), judged(1 + EVEN, 2 + EVEN[::-1])
    assert apart.units == 10
    assert together.units == 4
    assert together.difference == pytest.approx(apart.difference)
    assert together.p == 2 / 2**4  # so few independent units cannot decide
    assert (apart.outcome, together.outcome) == ("better", "undecided")
    assert "4 independent groups of 10 folds" in together.method


def test_holm_guards_the_error_of_all_arms_together():
    base = arm("old", np.zeros(8))
    generator = np.random.default_rng(4)
    strong = [arm(f"strong {i}", generator.normal(-1, 0.05, 8)) for i in range(1)]
    weak = [arm(f"weak {i}", generator.normal(0, 1, 8)) for i in range(9)]
    alone = compare(strong, base, splits=GROUPS)[0]
    among = compare([*weak, *strong], base, splits=GROUPS)
    assert alone.p == alone.p_adjusted == 2 / 2**8
    assert among[-1].p_adjusted == pytest.approx(10 * 2 / 2**8)
    assert (alone.outcome, among[-1].outcome) == ("better", "undecided")
    assert [v.arm for v in among] == [a.name for a in [*weak, *strong]]
    for verdict in among:
        assert verdict.p is not None
        assert verdict.p_adjusted is not None
        assert verdict.p_adjusted >= verdict.p


def needed_number(verdict: Verdict) -> int:
    found = re.match(r"about (\d+) ", verdict.needed or "")
    assert found, verdict.needed
    return int(found[1])


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_a_larger_effect_needs_fewer_repeats(splits: str):
    spread = np.random.default_rng(3).normal(0, 1, 10)
    spread -= spread.mean()
    numbers = []
    for effect in (0.5, 0.6, 0.65):
        verdict = judged(1 + effect + spread, np.ones(10), splits=splits, train_rows=2000)
        assert verdict.outcome == "undecided"
        numbers.append(needed_number(verdict))
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] > numbers[-1] > 10


def test_where_overlap_is_the_limit_more_data_is_asked_for():
    spread = np.random.default_rng(3).normal(0, 1, 10)
    verdict = judged(1.3 + spread - spread.mean(), np.ones(10), splits=FOLDS, train_rows=48)
    assert verdict.needed == "more data: no number of repeats of these rows decides this"


def test_too_few_groups_are_told_how_many_could_decide_at_all():
    verdict = judged([1.0, 1.01, 0.99], [2.0, 2.02, 2.04])
    assert verdict.outcome == "undecided"
    assert needed_number(verdict) == 6  # the fewest whose most extreme sign pattern is rarer than 0.05


def test_the_needed_number_of_splits_decides():
    spread = np.random.default_rng(6).normal(0, 1, 10)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    first = judged(1.5 + spread, np.ones(10), splits=FOLDS, rows=[2] * 10, train_rows=2000)
    count = needed_number(first)
    more = np.random.default_rng(7).normal(0, 1, count)
    more = (more - more.mean()) / more.std(ddof=1)
    options = {"splits": FOLDS, "rows": [2] * count, "train_rows": 2000}
    assert judged(1.5 + more, np.ones(count), **options).outcome == "worse"


def differing(**options):
    return arm("new", 1 + EVEN, **options), arm("old", 1 + EVEN)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (differing(measure="mae"), "metrics mae and mse"),
        (differing(scoring=Scoring("macro")), "weighting macro and pooled"),
        (differing(scoring=Scoring("pooled", average_replicates=True)), "average_replicates True and False"),
        (differing(quantities=("a", "b")), "they predict a, b and y"),
        (differing(draws=[0] * 9 + [1]), "they were run on task, task, draw 1 and task"),
        (differing(data="other data"), r"the data of task 'task', draw 0, differ \(data hash other data and "),
        (differing(rows=[12] * 9 + [13]), "fold 'fold 9' weighs 13 rows in one and 12 in the other"),
        (
            differing(digests=["other rows", *[f"fold {i}" for i in range(1, 10)]]),
            r"the data are the same, but 2 of their folds have other rows \(split hash fold 0",
        ),
    ],
)
def test_arms_scored_otherwise_are_refused_and_the_difference_is_named(pair, said: str):
    with pytest.raises(IncomparableError, match=said) as raised:
        compare([pair[0]], pair[1], splits=GROUPS)
    assert "'new' and 'old' cannot be compared" in str(raised.value)
    assert raised.value.remedy
    with pytest.raises(IncomparableError):
        require_comparable(pair[1], pair[0])


def test_one_incomparable_arm_refuses_the_whole_comparison():
    good, (bad, base) = arm("good", 1 + EVEN), differing(measure="mae")
    with pytest.raises(IncomparableError, match="'new' and 'old'"):
        compare([good, bad], base, splits=GROUPS)
