"""An effect is a mutation's mean over every pair that differs by it alone, and shared folds are counted once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from evidence.simulated import arm, arms_of_one_data_set, arms_of_one_hold_out, k_folds
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.campaigns.recipe import Recipe
from probatum.errors import IncomparableError
from probatum.evidence.comparison import compare
from probatum.evidence.effects import (
    PairedInfluence,
    effect,
    effects_of,
    paired_influence,
    random_effects,
)
from probatum.evidence.mutation_pairs import mutation_pairs

K_FOLD, GROUPS = "repeated-k-fold", "leave-one-group-out"


def record(name: str, parent: str | None = None, done: int = 1, **recipe: object) -> ExperimentRecord:
    made = Recipe.model_validate({"features": ["a"], **recipe})
    return ExperimentRecord(name, made.canonical(), made.digest(), parent, fits=1, done=done)


# ---------------------------------------------------------------------- pairs of the tree


def test_pairs_of_one_mutation_are_gathered_from_all_parents():
    tree = [
        record("ridge"),
        record("ridge+b", "ridge", features=["a", "b"]),
        record("mean", features=["c"], model={"kind": "mean"}),
        record("mean+b", "mean", features=["c", "b"], model={"kind": "mean"}),
        record("stiff", "ridge", model={"kind": "ridge", "alpha": 2.0}),
    ]
    assert mutation_pairs(tree) == {
        "features: +b": [("ridge", "ridge+b"), ("mean", "mean+b")],
        "model.alpha: none -> 2.0": [("ridge", "stiff")],
    }


def test_a_step_back_is_the_step_with_its_ends_exchanged():
    tree = [
        record("a"),
        record("a+b", "a", features=["a", "b"]),
        record("c+b", features=["c", "b"]),
        record("c", "c+b", features=["c"]),
    ]
    assert mutation_pairs(tree) == {"features: +b": [("a", "a+b"), ("c", "c+b")]}


def test_equal_recipes_under_other_names_count_once():
    tree = [record("a"), *(record(f"a+b {i}", "a", features=["a", "b"]) for i in range(3))]
    assert mutation_pairs(tree) == {"features: +b": [("a", "a+b 0")]}
    there_and_back = [*tree[:2], record("a again", "a+b 0", features=["a"])]
    assert mutation_pairs(there_and_back) == {"features: +b": [("a", "a+b 0")]}


def test_pairs_without_a_difference_or_a_finished_end_show_nothing():
    tree = [record("a"), record("same", "a"), record("running", "a", done=0, features=["b"])]
    tree += [record("child", "running", features=["c"]), record("orphan", "gone", features=["c"])]
    assert mutation_pairs(tree) == {}


def test_long_values_that_are_cut_short_stay_apart():
    values = ["x" * 80 + end for end in "yz"]
    tree = [record("a"), *(record(v[-1], "a", model={"kind": "ridge", "name": v}) for v in values)]
    assert sorted(mutation_pairs(tree).values()) == [[("a", "y")], [("a", "z")]]


# ---------------------------------------------------------------------- the random-effects mean


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 9), st.floats(0, 3))
def test_independent_pairs_are_pooled_as_by_dersimonian_laird_and_hartung_knapp(seed: int, count: int, spread: float):
    generator = np.random.default_rng(seed)
    variances = generator.uniform(0.05, 2, count)
    differences = generator.normal(0, np.sqrt(variances + spread**2))
    found = random_effects(differences, np.diag(variances))
    with np.errstate(invalid="ignore"):  # the peer takes roots of a negative variance
        peer = combine_effects(differences, variances, method_re="dl", use_t=True)
    assert found.q == pytest.approx(peer.q, abs=1e-10)
    assert found.q_expected == pytest.approx(peer.df, abs=1e-10)
    assert found.i2 == pytest.approx(max(0.0, peer.i2), abs=1e-10)
    assert found.tau2 == pytest.approx(max(0.0, peer.tau2), abs=1e-10)
    if peer.tau2 > 0:  # the peer goes on with a negative variance, we with none
        assert found.mean == pytest.approx(peer.mean_effect_re, abs=1e-10)
        assert found.weights == pytest.approx(peer.weights_rel_re, abs=1e-10)
        assert np.sqrt(found.hartung_knapp) == pytest.approx(peer.sd_eff_w_re_hksj, abs=1e-10)
    else:
        assert found.mean == pytest.approx(peer.mean_effect_fe, abs=1e-10)
        assert found.sampling == pytest.approx(peer.sd_eff_w_fe**2, abs=1e-10)
        assert np.sqrt(found.hartung_knapp) == pytest.approx(peer.sd_eff_w_fe_hksj, abs=1e-10)


def test_errors_that_all_pairs_share_hide_no_heterogeneity():
    """A common error moves all differences alike: it explains none of their spread."""
    differences = np.array([0.0, 1.0, 2.0, 3.0])
    shared = 0.2 * np.eye(4) + 10.0
    alone = random_effects(differences, 0.2 * np.eye(4))
    together = random_effects(differences, shared)
    assert together.tau2 == pytest.approx(alone.tau2)
    assert together.sampling == pytest.approx(alone.sampling + 10.0)


def test_a_pair_without_spread_does_not_weigh_infinitely():
    found = random_effects(np.array([0.0, 1.0, 1.2]), np.diag([0.0, 0.1, 0.1]))
    assert 0 < found.mean < 1
    assert found.weights.max() < 0.6
    assert random_effects(np.zeros(2), np.zeros((2, 2))).mean == 0


# ---------------------------------------------------------------------- effects


@pytest.mark.parametrize("splits", [K_FOLD, GROUPS])
def test_one_pair_is_judged_as_its_verdict(splits: str):
    generator = np.random.default_rng(3)
    base = generator.uniform(1, 2, 8)
    parent = arm("parent", base, clusters=list("aabcdefg"), rows=[3, 5, 8, 8, 8, 2, 9, 7])
    child = arm(
        "child", base - 0.4 + generator.normal(0, 0.2, 8), clusters=list("aabcdefg"), rows=[3, 5, 8, 8, 8, 2, 9, 7]
    )
    (verdict,) = compare([child], parent, splits=splits, margin=0.1)
    (found,) = effects_of({"m": [(parent, child)]}, splits=splits, margin=0.1)
    assert found.mean == pytest.approx(verdict.difference)
    assert found.p == pytest.approx(verdict.p)
    assert found.p_equivalent == pytest.approx(verdict.p_equivalent)
    assert found.units == verdict.units
    assert found.i2 is None
    assert found.degrees == found.units - 1
    assert {"better": "worked", "undecided": "undecided"}[verdict.outcome] == found.outcome


def test_the_same_pair_twice_is_no_more_evidence():
    """Two parents whose predictions are equal bring nothing that one of them did not bring."""
    generator = np.random.default_rng(5)
    base = generator.uniform(1, 2, 10)
    parent, child = arm("p", base), arm("c", base - 0.2 + generator.normal(0, 0.1, 10))
    (once,) = effects_of({"m": [(parent, child)]}, splits=K_FOLD)
    (twice,) = effects_of({"m": [(parent, child)] * 2}, splits=K_FOLD)
    assert twice.error == pytest.approx(once.error)
    assert twice.p == pytest.approx(once.p)
    independent = random_effects(np.array([twice.mean] * 2), np.eye(2) * once.error**2)  # type: ignore[operator]
    assert independent.sampling == pytest.approx(once.error**2 / 2)  # type: ignore[operator]


def pairs_of(generator: np.random.Generator, shifts: list[float], noise: float = 0.1, folds: int = 10):
    base = generator.uniform(1, 2, folds)
    return [
        (arm(f"p{i}", base), arm(f"c{i}", base + shift + generator.normal(0, noise, folds)))
        for i, shift in enumerate(shifts)
    ]


def test_what_worked_stands_before_what_failed_and_that_before_the_undecided():
    generator = np.random.default_rng(1)
    found = effects_of(
        {
            "nothing": pairs_of(generator, [0.0, 0.01]),
            "harm": pairs_of(generator, [0.8, 0.9, 0.7]),
            "help": pairs_of(generator, [-0.8, -0.9]),
            "none": pairs_of(generator, [0.0, 0.0], noise=1e-4),
        },
        splits=K_FOLD,
        margin=0.05,
    )
    assert [e.outcome for e in found] == ["worked", "failed", "equivalent", "undecided"]
    assert [e.mutation for e in found] == ["help", "harm", "none", "nothing"]
    assert [len(e.pairs) for e in found] == [2, 3, 2, 2]
    for e in found:
        assert e.p is not None
        assert e.p_adjusted is not None
        assert e.p <= e.p_adjusted


def test_where_higher_is_better_a_rise_worked():
    generator = np.random.default_rng(2)
    base = generator.uniform(0.4, 0.5, 10)
    parent, child = arm("p", base, measure="r2"), arm("c", base + 0.3 + generator.normal(0, 0.01, 10), measure="r2")
    assert effects_of({"m": [(parent, child)]}, splits=K_FOLD)[0].outcome == "worked"


def test_a_real_difference_within_the_margin_is_not_said_to_work():
    generator = np.random.default_rng(4)
    (found,) = effects_of({"m": pairs_of(generator, [-0.02, -0.02], noise=1e-4)}, splits=K_FOLD, margin=0.1)
    assert found.p is not None
    assert found.p < 1e-6
    assert found.outcome == "equivalent"


def test_parents_that_disagree_widen_the_interval_and_show_their_spread():
    generator = np.random.default_rng(6)
    agree, differ = effects_of(
        {"agree": pairs_of(generator, [-0.5] * 4), "differ": pairs_of(generator, [-1.0, 0.0, -0.9, -0.1])},
        splits=K_FOLD,
    )
    assert agree.mutation == "agree"
    assert agree.error is not None
    assert differ.error is not None
    assert differ.error > 2 * agree.error
    assert differ.i2 is not None
    assert differ.i2 > 0.8 > (agree.i2 or 0)
    assert np.sqrt(differ.tau2) == pytest.approx(np.std([1.0, 0, 0.9, 0.1], ddof=1), rel=0.3)
    assert differ.degrees is not None
    assert differ.degrees < 4


def test_one_fold_or_no_spread_is_no_evidence():
    one = effects_of({"m": [(arm("p", [1.0]), arm("c", [0.5]))]}, splits=K_FOLD)[0]
    assert (one.outcome, one.p, one.interval, one.mean) == ("no evidence", None, None, -0.5)
    same = effects_of({"m": [(arm("p", [1.0, 1.0, 1.0]), arm("c", [0.5, 0.5, 0.5]))]}, splits=K_FOLD)[0]
    assert (same.outcome, same.p) == ("no evidence", None)
    unchanged = effects_of({"m": [(arm("p", [1.0, 2.0]), arm("c", [1.0, 2.0]))]}, splits=K_FOLD)[0]
    assert (unchanged.outcome, unchanged.p, unchanged.mean) == ("undecided", 1.0, 0.0)


def test_arms_without_a_score_are_left_out():
    bad = arm("c", [1.0, np.nan, 2.0])
    bad = replace(bad, flaws=("1 of 12 predictions are not finite",))
    good = (arm("p", [1.0, 2.0, 3.0]), arm("d", [1.5, 2.0, 2.5]))
    assert effects_of({"m": [(good[0], bad)]}, splits=K_FOLD) == []
    assert [len(e.pairs) for e in effects_of({"m": [(good[0], bad), good]}, splits=K_FOLD)] == [1]


def test_pairs_that_were_scored_on_other_folds_are_refused():
    with pytest.raises(IncomparableError):
        effects_of({"m": [(arm("p", [1.0, 2.0]), arm("c", [1.0, 2.0], digests=["x", "y"]))]}, splits=K_FOLD)


def test_draws_of_new_data_are_units_of_their_own():
    values = [1.0, 1.2, 0.8, 1.1, 0.9, 1.0]
    parent = arm("p", values)
    parent = replace(parent, units=tuple(replace(u, draw=i // 2) for i, u in enumerate(parent.units)))
    child = replace(arm("c", np.array(values) - [0.1, 0.3, 0.2, 0.2, 0.5, 0.3]), units=parent.units)
    found = paired_influence(child, parent, "fresh-draws")
    assert found.ratio == 0
    assert found.values == pytest.approx([-0.2, -0.2, -0.4])


def test_on_one_hold_out_the_cases_are_the_units():
    parent, child = arms_of_one_hold_out(np.random.default_rng(9), 200, 1, (0.0, 0.5))
    (verdict,) = compare([child], parent, splits="stratified-hold-out")
    (found,) = effects_of({"m": [(parent, child)]}, splits="stratified-hold-out")
    assert found.units == verdict.units == 40
    assert found.mean == pytest.approx(verdict.difference)
    assert found.interval is not None
    assert verdict.interval is not None
    assert np.subtract(*found.interval) == pytest.approx(np.subtract(*verdict.interval), rel=0.2)  # that is a bootstrap


def test_effects_of_exchangeable_models_are_seldom_real():
    """Folds that all pairs share must not count once a pair: type-I error at most alpha + 2 standard errors."""
    generator, repeats, wrong, naive = np.random.default_rng(11), 400, 0, 0
    for _ in range(repeats):
        tests = k_folds(generator, 60, 5, 2)
        parent, *children = arms_of_one_data_set(generator, tests, (0.0,) * 4)
        pairs = [(parent, child) for child in children]  # one parent: whatever is odd about it is in all three
        (found,) = effects_of({"m": pairs}, splits=K_FOLD)
        wrong += found.outcome != "undecided"
        influences = [paired_influence(c, p, K_FOLD) for p, c in pairs]
        d, v = np.array([(i.values.mean(), i.values.var(ddof=1) * (0.1 + i.ratio)) for i in influences]).T
        alone = random_effects(d, np.diag(v))
        naive += 2 * stats.t.sf(abs(alone.mean) / np.sqrt(alone.hartung_knapp), 2) <= 0.05
    assert wrong / repeats <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / repeats)
    assert naive > 2 * wrong  # pairs taken for independent studies


def crossed(generator: np.random.Generator, pairs: int, folds: int, shared: float) -> list[PairedInfluence]:
    """Differences of no effect: a share of the error variance is the folds' own, and so of every pair."""
    common = np.sqrt(shared) * generator.normal(size=folds)
    own = np.sqrt(1 - shared) * generator.normal(size=(pairs, folds))
    return [PairedInfluence(common + row, 0.0, None) for row in own]


def test_errors_of_folds_that_all_pairs_share_are_not_taken_for_agreement():
    generator, repeats, wrong, naive = np.random.default_rng(12), 500, 0, 0
    for _ in range(repeats):
        influences = crossed(generator, 3, 11, 0.6)
        found = effect("m", [("p", "c")] * 3, influences)
        assert found.p is not None
        wrong += found.p <= 0.05
        table = np.array([i.values for i in influences])
        alone = random_effects(table.mean(axis=1), np.diag(table.var(axis=1, ddof=1)) / 11)
        naive += 2 * stats.t.sf(abs(alone.mean) / np.sqrt(alone.hartung_knapp), 2) <= 0.05
    assert wrong / repeats <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / repeats)
    assert naive / repeats > 0.15


def test_an_effect_needs_no_name_to_be_computed():
    influences = [paired_influence(c, p, K_FOLD) for p, c in pairs_of(np.random.default_rng(0), [-1.0, -1.1])]
    found = effect("", [("a", "b"), ("c", "d")], influences)
    assert [(p.parent, p.child) for p in found.pairs] == [("a", "b"), ("c", "d")]
    assert found.mean == pytest.approx(-1.05, abs=0.15)
    assert found.interval is not None
    assert found.interval[0] < found.mean < found.interval[1] < 0
