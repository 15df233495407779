"""An autopilot stops when what remains cannot be told from noise, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from planning.small_history import campaign_file, history
from probatum.campaigns.campaign_file import CampaignFile
from probatum.evidence.effects import Effect, Pair
from probatum.evidence.rounds import spent
from probatum.evidence.verdict import Verdict
from probatum.laboratory.stopping import LEAST_STEPS, chance_of_a_gain, detectable, told_from_noise
from probatum.planning.standing import Standing


@pytest.fixture
def file(tmp_path: Path) -> CampaignFile:
    return campaign_file(tmp_path)


def verdicts(error: float, units: int = 20, count: int = 4) -> list[Verdict]:
    half = error * float(stats.t.isf(0.025, units - 1))
    return [Verdict(f"v{i}", "net", 1.0, "undecided", 0.0, (-half, half), units=units) for i in range(count)]


def steps(gain: float, error: float, count: int = LEAST_STEPS) -> tuple[Effect, ...]:
    pairs = tuple(Pair(f"p{i}", f"c{i}", -gain, error) for i in range(count))
    return (Effect("features +x", pairs, "undecided", -gain, error),)


def test_what_a_round_can_find_is_the_sum_of_two_quantiles_of_t():
    level = spent(0.05, 3) / 4
    by_hand = (stats.t.ppf(1 - level / 2, 19) + stats.t.ppf(0.8, 19)) * 0.1
    assert detectable(0.1, 20, alpha=0.05, round=3, slots=4) == pytest.approx(by_hand)
    assert detectable(0.1, 20, alpha=0.05, round=9, slots=4) > by_hand


def test_a_champion_near_the_noise_floor_ends_it_and_the_figures_are_said(file: CampaignFile):
    near = history(file, {"net": 1.0, "trees": 1.1}, floor=0.95)
    why = told_from_noise(near, verdicts(0.1), alpha=0.05, slots=4)
    assert why is not None
    assert why.startswith("the champion (1) is 0.05 above the noise floor (0.95)")
    far = history(file, {"net": 1.0, "trees": 1.1}, floor=0.1)
    assert told_from_noise(far, verdicts(0.1), alpha=0.05, slots=4) is None


def test_steps_that_all_do_nothing_end_it(file: CampaignFile):
    tired = history(file, {"net": 1.0, "trees": 1.01}, effects=steps(0.0, 0.01))
    why = told_from_noise(tired, verdicts(0.02), alpha=0.05, slots=4)
    assert why is not None
    assert "with probability" in why


def test_steps_in_one_part_do_not_end_it_while_another_part_was_never_tried(file: CampaignFile):
    tired = history(file, {"net": 1.0, "trees": 1.01}, effects=steps(0.0, 0.01))
    assert told_from_noise(tired, verdicts(0.02), alpha=0.05, slots=4, untried=lambda: {"model.kind"}) is None
    near = history(file, {"net": 1.0, "trees": 1.1}, floor=0.95)
    assert told_from_noise(near, verdicts(0.1), alpha=0.05, slots=4, untried=lambda: {"model.kind"}) is not None


def test_steps_that_gain_more_than_a_round_can_find_go_on(file: CampaignFile):
    gaining = history(file, {"net": 1.0, "trees": 1.01}, effects=steps(0.3, 0.01))
    assert told_from_noise(gaining, verdicts(0.02), alpha=0.05, slots=4) is None


def test_few_steps_and_no_verdicts_say_nothing(file: CampaignFile):
    young = history(file, {"net": 1.0, "trees": 1.01}, effects=steps(0.0, 0.01, LEAST_STEPS - 1))
    assert chance_of_a_gain(young, 0.1, 4) is None
    assert told_from_noise(young, verdicts(0.02), alpha=0.05, slots=4) is None
    assert told_from_noise(young, [], alpha=0.05, slots=4) is None


def test_the_chance_is_that_of_independent_normal_steps(file: CampaignFile):
    gains = (-0.3, -0.1, 0.1, 0.3, 0.2, -0.2, 0.0, 0.0)
    pairs = tuple(Pair(f"p{i}", f"c{i}", -g, 1e-6) for i, g in enumerate(gains))
    exact = {"net": Standing("net", 1.0, 0.0, 1.0, 0.0)}
    seen = history(file, {"net": 1.0}, standings=exact, effects=(Effect("x", pairs, "undecided", 0.0, 0.1),))
    tau = (sum(g**2 for g in gains) / 7) ** 0.5
    by_hand = 1 - stats.norm.cdf(0.2 / tau) ** 3
    assert chance_of_a_gain(seen, 0.2, 3) == pytest.approx(by_hand, rel=1e-4)
