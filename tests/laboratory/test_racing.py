"""Candidates race for a round on few folds: bad ones cost little, and no lucky one is promoted by it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from laboratory.test_autopilot import Here, Steps
from planning.small_history import arm
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench
from probatum.campaigns.experiment import RACED
from probatum.campaigns.ledgers.files import open_ledger
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.evidence.scores import ArmScores
from probatum.laboratory import Laboratory
from probatum.laboratory.autopilot import Autopilot
from probatum.laboratory.promotion import promotion
from probatum.planning.halving import race
from probatum.planning.proposal import Proposal

FOREVER = float("inf")
LOGO = "leave-one-group-out"
FOLDS, ALPHA = 24, 0.05
ALPHAS = (1e3, 1e4, 1e5, 1e6)
GOOD = Proposal("line", {"model": {"alpha": 0.5}}, "soft")
BAD = [Proposal("line", {"model": {"alpha": a}}, f"flat {a:g}") for a in ALPHAS]


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Campaign, "executor", lambda self: Here(Bench(self.setup)))


@pytest.fixture
def file(contest: Path, tmp_path: Path) -> Path:
    shutil.copytree(contest.parent, tmp_path / "contest")
    return tmp_path / "contest" / contest.name


def test_bad_candidates_leave_after_few_folds_and_are_not_proposed_again(file: Path):
    said: list[str] = []
    pilot = Autopilot(file, [Steps(GOOD, *BAD)], slots=1, candidates=5, say=said.append)
    ended = pilot.run(FOREVER, most_rounds=1)
    (record,) = ended.rounds
    given_up = {c["name"] for c in record.content["race"]["given_up"]}
    assert given_up <= {b.name for b in BAD}
    assert len(given_up) >= 2
    assert "soft" in [p["name"] for p in record.content["proposals"]]
    assert record.content["race"]["entered"] == 5
    assert len(record.content["proposals"]) == 5 - len(given_up)
    experiments = [e.name for e in Laboratory.open(file).campaign.file.experiments]
    assert not given_up & set(experiments)
    assert not any(r.name.startswith(RACED) for r in Laboratory.open(file).results().records)
    assert any("candidates are left after few folds" in line for line in said)
    planned, _ = pilot.next_round()
    assert not given_up & {c.proposal.name for c in planned.candidates}
    assert any("race took its recipe away" in d.why for d in planned.dropped)


def test_what_a_race_trained_is_not_trained_again(file: Path):
    Autopilot(file, [Steps(GOOD, *BAD)], slots=1, candidates=5).run(FOREVER, most_rounds=1)
    ledger = open_ledger(file)
    raced = {f.key for r in ledger.experiments() if r.name.startswith(RACED) for f in ledger.fits(r.name)}
    soft = {f.key for f in ledger.fits("soft")}
    assert len(soft & raced) == 12  # of the 16 folds: rungs of 3, 6 and 12
    assert len(soft - raced) == 4


def test_the_dropped_are_counted_where_the_others_are_judged(file: Path):
    ended = Autopilot(file, [Steps(GOOD, *BAD)], slots=1, candidates=5).run(FOREVER, most_rounds=1)
    (record,) = ended.rounds
    results = [r for r in record.content["results"] if r["p"] is not None]
    lowest = min(results, key=lambda r: r["p"])
    assert lowest["p_adjusted"] == pytest.approx(min(1.0, 5 * lowest["p"]))


def test_a_campaign_file_asks_for_a_race(file: Path):
    table = "[planning]\ncandidates = 5\nfirst_folds = 6\n"
    file.write_text(file.read_text(encoding="utf-8") + table, encoding="utf-8")
    pilot = Autopilot(file, [Steps(GOOD, *BAD)], slots=2)
    planned, _ = pilot.next_round()
    assert len(planned.candidates) == 5
    (record,) = pilot.run(FOREVER, most_rounds=1).rounds
    assert [r["folds"] for r in record.content["race"]["rungs"]] == [6, 12]


def test_without_more_candidates_than_slots_there_is_no_race(file: Path):
    (record,) = Autopilot(file, [Steps(GOOD)], slots=1).run(FOREVER, most_rounds=1).rounds
    assert record.content["race"] is None


def test_parts_that_the_file_fixes_are_not_changed(file: Path):
    table = '[planning]\nfixed = ["model.alpha"]\n'
    file.write_text(file.read_text(encoding="utf-8") + table, encoding="utf-8")
    trees = Proposal("line", {"model": {"kind": "extra_trees"}}, "trees")
    planned, _ = Autopilot(file, [Steps(GOOD, trees)], slots=2).next_round()
    assert [c.proposal.name for c in planned.candidates] == ["trees"]
    assert "changes model.alpha, which [planning] fixes" in planned.dropped[0].why


@pytest.mark.parametrize("line", ["candidates = 0", "first_folds = 1", "fixed = 3", "colour = 1"])
def test_settings_that_cannot_be_are_refused(file: Path, line: str):
    file.write_text(file.read_text(encoding="utf-8") + f"[planning]\n{line}\n", encoding="utf-8")
    with pytest.raises((CampaignFileError, UnknownNameError), match=line.split()[0]):
        Autopilot(file)


def test_a_fixed_part_that_no_recipe_has_is_refused(file: Path):
    file.write_text(file.read_text(encoding="utf-8") + '[planning]\nfixed = ["modle.kind"]\n', encoding="utf-8")
    with pytest.raises(UnknownNameError, match=r"unknown part of a recipe 'modle\.kind'"):
        Autopilot(file)


def test_no_candidates_are_refused(file: Path):
    with pytest.raises(CampaignFileError, match="0 candidates"):
        Autopilot(file, candidates=0)


def test_false_promotions_after_races_stay_within_alpha():
    """Half of the candidates are as good as the champion, half are worse; whoever is promoted was lucky."""
    campaigns, rounds, wrong, taken = 100, 2, 0, 0
    for seed in range(campaigns):
        generator = np.random.default_rng(seed)
        common = generator.normal(0, 1, FOLDS)
        champion = arm("champion", common + generator.normal(0, 0.3, FOLDS))
        false = False
        for number in range(1, rounds + 1):
            truth = [0.0] * 4 + [1.0] * 4
            table = {f"{number}.{i}": t + common + generator.normal(0, 0.3, FOLDS) for i, t in enumerate(truth)}

            def score(names: Sequence[str], folds: int, table: dict[str, np.ndarray] = table) -> dict[str, ArmScores]:
                return {n: arm(n, table[n][:folds]) for n in names}

            found = race(list(table), score, FOLDS, splits=LOGO, keep=2)
            taken += len(found.why)
            left = [arm(n, table[n]) for n in found.finalists]
            came_to = promotion(
                champion, left, splits=LOGO, margin=0.0, alpha=ALPHA, round=number, given_up=len(found.why)
            )
            false |= came_to.promoted
        wrong += false
    assert taken > 2 * campaigns  # the races did take candidates away
    assert wrong / campaigns <= ALPHA + 2 * (ALPHA * (1 - ALPHA) / campaigns) ** 0.5
