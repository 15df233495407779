"""Over several problems, a problem is one unit of evidence."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from probatum.errors import IncomparableError
from probatum.evidence.many_problems import ManyProblems, over_problems

with warnings.catch_warnings():  # the oracle's own imports warn
    warnings.simplefilter("ignore")
    import autorank

ARMS = ("ridge", "forest", "net")


def scores(problems: int = 12, runs: int = 4, seed: int = 0) -> np.ndarray:
    """[problem, run, arm]: problems differ a thousandfold in unit, the net is a fifth better everywhere."""
    generator = np.random.default_rng(seed)
    unit = 10 ** generator.uniform(-2, 1, (problems, 1, 1))
    return unit * np.array([1.0, 1.0, 0.8]) * generator.gamma(200, 1 / 200, (problems, runs, 3))


def compared(values: np.ndarray, better: str = "lower") -> ManyProblems:
    return over_problems([f"problem {i}" for i in range(len(values))], ARMS, values, better=better, baseline="ridge")


def test_an_arm_that_is_better_on_every_problem_stands_first():
    found = compared(scores())
    first, *rest = found.standings
    assert (first.arm, first.mean_rank) == ("net", 1.0)
    assert first.p == pytest.approx(2 / 2**12)
    assert first.p_adjusted == pytest.approx(4 / 2**12)
    assert first.interval[0] < first.relative < first.interval[1]
    assert first.relative == pytest.approx(0.8, abs=0.02)
    assert first.alike == ()
    assert {s.arm for s in rest} == {"ridge", "forest"}
    assert rest[0].alike == (rest[1].arm,)
    assert found.friedman is not None
    assert found.friedman < 1e-3
    assert found.needed is None


def test_where_higher_is_better_the_order_turns():
    assert compared(scores(), "higher").standings[-1].arm == "net"


def test_the_baseline_is_compared_with_nobody_and_is_one():
    (ridge,) = (s for s in compared(scores()).standings if s.arm == "ridge")
    assert (ridge.p, ridge.p_adjusted) == (None, None)
    assert ridge.relative == pytest.approx(1, abs=0.05)


def test_ranks_and_critical_difference_agree_with_autorank():
    values = np.random.default_rng(1).gamma(3, 1, (15, 1, 3))
    found = compared(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = autorank.autorank(
            pd.DataFrame(values[:, 0], columns=list(ARMS)), alpha=0.05, order="ascending", force_mode="nonparametric"
        )
    assert expected.omnibus == "friedman"
    assert found.friedman == pytest.approx(expected.pvalue, abs=1e-10)
    # autorank reads q of Nemenyi's test from a table of three decimals
    assert found.critical_difference == pytest.approx(expected.cd, abs=1e-3)
    for standing in found.standings:
        assert standing.mean_rank == pytest.approx(expected.rankdf.loc[standing.arm, "meanrank"], abs=1e-10)


def test_two_arms_are_left_to_the_signed_ranks():
    values = scores()[:, :, :2]
    found = over_problems([str(i) for i in range(12)], ARMS[:2], values, better="lower", baseline="ridge")
    assert (found.friedman, found.critical_difference) == (None, None)
    (forest,) = (s for s in found.standings if s.arm == "forest")
    ratios = np.log(values.mean(axis=1))
    assert forest.p == pytest.approx(stats.wilcoxon(ratios[:, 1] - ratios[:, 0]).pvalue, abs=1e-10)


def test_units_of_the_problems_do_not_matter():
    values, factors = scores(), np.random.default_rng(3).uniform(0.1, 10, (12, 1, 1))
    for before, after in zip(compared(values).standings, compared(values * factors).standings, strict=True):
        assert after.arm == before.arm
        assert after.p == before.p
        assert after.relative == pytest.approx(before.relative)


def test_too_few_problems_say_how_many_could_decide():
    assert compared(scores(problems=4)).needed == "4 problems: signed ranks can decide from 7 on"


def with_one_changed(value: float) -> np.ndarray:
    values = scores()
    values[3, 2, 1] = value
    return values


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (scores()[:, :, :2], r"scores of shape \[12, 4, 2\] are not \[12, runs, 3\]"),
        (with_one_changed(np.nan), "1 of 4 scores of 'forest' on 'problem 3' are not above 0"),
        (with_one_changed(-0.1), "1 of 4 scores of 'forest' on 'problem 3' are not above 0"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(values: np.ndarray, said: str):
    with pytest.raises(IncomparableError, match=said):
        compared(values)


def test_a_baseline_that_is_no_arm_and_an_arm_alone_are_refused():
    values = scores()
    names = [str(i) for i in range(12)]
    with pytest.raises(IncomparableError, match="'lasso' is none of the arms"):
        over_problems(names, ARMS, values, better="lower", baseline="lasso")
    with pytest.raises(IncomparableError, match="nothing to compare"):
        over_problems(names, ARMS[:1], values[:, :, :1], better="lower", baseline="ridge")
