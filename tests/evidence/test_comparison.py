"""Verdicts: what is called better, worse, equivalent or undecided, what would decide, and what must not be compared."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from evidence.simulated import arm
from probatum.errors import IncomparableError
from probatum.evidence.comparison import Verdict, compare, require_comparable
from probatum.problems.problem import Scoring

GROUPS, FOLDS = "leave-one-group-out", "repeated-k-fold"
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
    assert verdict.needed == "no difference seen"


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_arms_that_predict_the_same_are_equivalent_inside_a_margin(splits: str):
    assert judged(1 + EVEN, 1 + EVEN, splits=splits, margin=0.1).outcome == "equivalent"


@pytest.mark.parametrize("splits", [GROUPS, FOLDS])
def test_one_run_is_no_evidence(splits: str):
    verdict = judged([1.0], [9.0], splits=splits)
    assert verdict.outcome == "no evidence"
    assert verdict.p is None
    assert verdict.interval is None
    assert "one run" in (verdict.needed or "")


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
        (
            differing(digests=["other rows", *[f"fold {i}" for i in range(1, 10)]]),
            r"2 of their folds .*split hash fold 0",
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
