"""Promotion: only what is better, or equivalent and simpler, and clean; over all rounds noise is promoted rarely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planning.small_history import arm
from probatum.audit.finding import Finding
from probatum.campaigns.recipe import Recipe
from probatum.evidence.rounds import spent
from probatum.evidence.scores import ArmScores
from probatum.laboratory.promotion import Promotion, final_promotion, is_simpler, promotion

FOLDS = np.random.default_rng(5).normal(2, 1, 15)
JITTER = np.random.default_rng(6).normal(0, 0.02, (3, 15))


def shifted(name: str, by: float, jitter: int = 0) -> ArmScores:
    return arm(name, FOLDS + by + JITTER[jitter])


def promoted(*candidates: ArmScores, **more: Any) -> Promotion:
    settings: dict[str, Any] = {"splits": "leave-one-group-out", "margin": 0.1, "alpha": 0.05, "round": 1} | more
    return promotion(arm("old", FOLDS), candidates, **settings)


def test_what_is_better_becomes_the_champion_and_the_best_of_them_does():
    found = promoted(shifted("good", -0.5), shifted("best", -0.9, 1), shifted("bad", 0.5, 2))
    assert (found.champion, found.promoted) == ("best", True)
    assert {v.arm: v.outcome for v in found.verdicts} == {"good": "better", "best": "better", "bad": "worse"}
    assert {v.baseline for v in found.verdicts} == {"old"}


def test_what_is_equivalent_becomes_champion_only_where_it_is_simpler():
    same = shifted("small", 0.0)
    assert promoted(same).champion == "old"
    found = promoted(same, simpler=lambda name: name == "small")
    assert (found.champion, found.promoted) == ("small", True)
    assert "equivalent and simpler" in found.why


def test_what_an_error_stands_against_is_not_promoted_and_the_next_best_is():
    error = Finding("PB501", "error", "best", "chosen by the scored rows")

    def errors(name: str) -> tuple[Finding, ...]:
        return (error,) if name == "best" else ()

    found = promoted(shifted("good", -0.5), shifted("best", -0.9, 1), errors=errors)
    assert (found.champion, dict(found.blocked)) == ("good", {"best": (error,)})
    alone = promoted(shifted("best", -0.9), errors=errors)
    assert (alone.champion, alone.promoted, alone.why) == ("old", False, "errors stand against 'best' (PB501)")


def test_a_round_spends_its_share_of_alpha_and_says_so():
    found = promoted(shifted("good", -0.5), round=4)
    assert found.alpha == spent(0.05, 4) == pytest.approx(0.05 * 6 / np.pi**2 / 16)
    assert found.verdicts[0].level == found.alpha
    assert "round 4" in found.verdicts[0].method


def test_a_round_in_which_nothing_was_scored_changes_nothing():
    assert promoted() == Promotion("old", False, "nothing was scored", (), spent(0.05, 1), {})
    lost = promoted(arm("lost", np.full(15, np.nan)))
    assert (lost.champion, lost.verdicts[0].outcome) == ("old", "no evidence")


def test_noise_is_promoted_in_few_of_many_long_campaigns_and_greed_promotes_it_in_nearly_all():
    campaigns, rounds, wrong, greedy = 120, 8, 0, 0
    for seed in range(campaigns):
        generator = np.random.default_rng(seed)
        champion, ever, best, fooled = arm("0", generator.normal(size=15)), False, np.inf, False
        for number in range(1, rounds + 1):
            candidates = [arm(f"{number}.{i}", generator.normal(size=15)) for i in range(4)]
            found = promotion(champion, candidates, splits="leave-one-group-out", margin=0.0, alpha=0.05, round=number)
            ever |= found.promoted
            champion = {a.name: a for a in (champion, *candidates)}[found.champion]
            for a in candidates:
                fooled |= a.score < best and best < np.inf
                best = min(best, a.score)
        wrong, greedy = wrong + ever, greedy + fooled
    assert wrong / campaigns <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / campaigns)
    assert greedy / campaigns > 0.9


def recipe(kind: str = "mlp", features: tuple[str, ...] = ("x",), members: int = 1, **model: Any) -> Recipe:
    return Recipe(features=features, model={"kind": kind, **model}, ensemble={"members": members})  # type: ignore[arg-type]


def blend(*components: Recipe) -> Recipe:
    return Recipe(model={"kind": "blend"}, components=components)


NET, TREES, LINE = recipe(hidden=[32, 16]), recipe("lightgbm", n_estimators=50), recipe("ridge")


@pytest.mark.parametrize(
    ("one", "other", "simpler"),
    [
        (recipe(hidden=[16, 8]), NET, True),
        (NET, recipe(hidden=[16, 8]), False),
        (NET, NET, False),
        (NET, recipe(hidden=[32, 16], members=5), True),
        (recipe(hidden=[16, 8], members=5), NET, False),
        (NET, recipe(hidden=[32, 16], features=("x", "w")), True),
        (recipe(hidden=[32, 16], features=("w",)), NET, False),
        (TREES, NET, False),
        (NET, blend(NET, TREES), True),
        (LINE, blend(NET, TREES), False),
        (blend(NET, TREES), blend(NET, TREES, LINE), True),
        (blend(NET, TREES), NET, False),
    ],
)
def test_simpler_is_less_of_something_and_more_of_nothing(one: Recipe, other: Recipe, simpler: bool):
    assert is_simpler(one, other) is simpler


def test_equivalence_is_shared_by_the_candidates_of_a_round():
    same = [arm(f"same {i}", FOLDS + np.random.default_rng(i).normal(0, 0.06, 15)) for i in range(3)]
    alone = promoted(same[0], simpler=lambda _: True)
    p = alone.verdicts[0].p_equivalent
    assert p is not None
    alpha = 1.5 * p * np.pi**2 / 6  # enough for one candidate, and not for three
    assert promoted(same[0], simpler=lambda _: True, alpha=alpha).promoted
    assert not promoted(*same, simpler=lambda name: name == "same 0", alpha=alpha).promoted


def test_candidates_that_a_race_took_away_count_where_the_others_are_judged():
    good = shifted("good", -0.5)
    assert promoted(good).promoted
    p = promoted(good).verdicts[0].p
    assert p is not None
    assert promoted(good, given_up=20).verdicts[0].p_adjusted == pytest.approx(21 * p)


def test_what_a_late_round_could_not_prove_is_promoted_at_the_end():
    step = np.random.default_rng(3).normal(-0.12, 0.1, 15)
    good = arm("good", FOLDS + step)
    assert not promoted(good, margin=0.0, round=9).promoted
    others = [shifted("bad", 0.5, 1), shifted("worse", 0.9, 2)]
    found = final_promotion(
        arm("old", FOLDS), [good, *others], splits="leave-one-group-out", margin=0.0, alpha=0.05, look=1
    )
    assert (found.champion, found.promoted) == ("good", True)
    assert found.why.startswith("of all 3 that were tried: 'good' is better")
    later = final_promotion(
        arm("old", FOLDS), [good, *others], splits="leave-one-group-out", margin=0.0, alpha=0.05, look=9
    )
    assert not later.promoted


def test_rounds_and_the_test_at_their_end_promote_noise_no_more_often_than_alpha():
    campaigns, rounds, wrong = 100, 2, 0
    for seed in range(campaigns):
        generator = np.random.default_rng(seed)
        arms = [arm(str(i), FOLDS + generator.normal(0, 0.3, 15)) for i in range(1 + 3 * rounds)]
        champion = arms[0]
        settings: dict[str, Any] = {"splits": "leave-one-group-out", "margin": 0.0, "alpha": 0.05}
        false = False
        for number in range(1, rounds + 1):
            found = promotion(champion, arms[3 * number - 2 : 3 * number + 1], round=number, **settings)
            champion = next(a for a in arms if a.name == found.champion)
            false |= found.promoted
        others = [a for a in arms if a is not champion]
        wrong += false or final_promotion(champion, others, look=1, **settings).promoted
    assert wrong / campaigns <= 0.05 + 2 * (0.05 * 0.95 / campaigns) ** 0.5
