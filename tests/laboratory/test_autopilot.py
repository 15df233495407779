"""Rounds on a real campaign: planned, run, judged, recorded; and whatever interrupts them, they go on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.experiment import CONTROL
from probatum.campaigns.jobs import DONE, Job, JobReport
from probatum.campaigns.ledgers.files import open_ledger
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED
from probatum.errors import CampaignFileError, IncomparableError, UsageError
from probatum.laboratory import Laboratory
from probatum.laboratory.autopilot import Autopilot, OutOfTime
from probatum.planning.proposal import History, Proposal

FOREVER = float("inf")


class Steps:
    """A proposer of fixed steps, each proposed until it was tried."""

    name = "steps"

    def __init__(self, *steps: Proposal):
        self.steps = steps

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        return [s for s in self.steps if s.name not in history.by_name][:k]


LINE = Proposal("mean", {"model": {"kind": "ridge"}, "features": ["numbers"]}, "straight", priority="HIGH")
STIFF = Proposal("line", {"model": {"alpha": 1e5}}, "flat", hypothesis="a stiff line is as good")
TREES = Proposal("line", {"model": {"kind": "extra_trees"}}, "trees")


class Here(Executor):
    """Carries jobs out in this process: what is tested is the order of things, not the workers."""

    def __init__(self, bench: Bench):
        self.bench, self.jobs = bench, list[Job]()

    @property
    def cores(self) -> int:
        return 1

    @property
    def free_cores(self) -> int:
        return 1 - len(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def wait(self) -> list[JobReport]:
        if not self.jobs:
            return []
        job = self.jobs.pop()
        results, failures = self.bench.carry_out(job)
        return [JobReport(job.id, DONE, results, failures, seconds=0.01)]

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Campaign, "executor", lambda self: Here(Bench(self.setup)))


@pytest.fixture
def file(contest: Path, tmp_path: Path) -> Path:
    shutil.copytree(contest.parent, tmp_path / "contest")
    return tmp_path / "contest" / contest.name


def test_a_round_is_run_judged_and_recorded(file: Path):
    said: list[str] = []
    pilot = Autopilot(file, [Steps(STIFF, TREES)], slots=2, say=said.append)
    ended = pilot.run(FOREVER, most_rounds=1)
    (record,) = ended.rounds
    results = {r["name"]: r for r in record.content["results"]}
    assert (ended.reason, record.state) == ("rounds", ROUND_JUDGED)
    assert results["flat"]["outcome"] == "worse"
    assert results["flat"]["interval"][0] > 0
    assert record.content["champion_before"] in ("line", "stiff")
    assert record.content["proposals"][0]["hypothesis"] == "a stiff line is as good"
    assert record.content["alpha"] == pytest.approx(0.0304, rel=0.01)
    assert len(Laboratory.open(file).campaign.file.experiments) == 5
    assert any("round 1" in line for line in said)
    assert ended.leader in ("line", "stiff")


def test_a_champion_is_promoted_once_and_the_next_round_starts_from_it(tmp_path: Path, contest: Path):
    shutil.copy(contest.with_suffix(".csv"), tmp_path)
    text = contest.read_text(encoding="utf-8").partition('[[experiment]]\nname = "line"')[0]
    file = tmp_path / "contest.toml"
    file.write_text(text, encoding="utf-8")
    straight = Proposal("mean", {"model": {"kind": "ridge"}}, "straight")
    flat = Proposal("straight", {"model": {"alpha": 1e5}}, "flat")
    ended = Autopilot(file, [Steps(straight, flat)], slots=1).run(FOREVER)
    assert [r.content["promoted"] for r in ended.rounds] == ["straight", None]
    assert [r.content["champion_before"] for r in ended.rounds] == ["mean", "straight"]
    assert (ended.reason, ended.champion) == ("nothing left", "straight")
    assert ended.score == pytest.approx(Laboratory.open(file).score("straight").score)


def test_at_the_end_everything_is_held_against_the_champion_once_and_not_again(file: Path):
    pilot = Autopilot(file, [Steps(STIFF)], slots=1, control=False)
    ended = pilot.run(FOREVER, settle=True)
    first, final = ended.rounds
    assert (ended.reason, final.number, final.state) == ("nothing left", 2, ROUND_JUDGED)
    assert (final.content["proposals"], final.content["final"]) == ([], {"compared": 3})
    assert final.content["champion_before"] == first.content["champion"]
    assert final.content["why"].startswith("of all 3 that were tried")
    assert len(pilot.run(FOREVER, settle=True).rounds) == 2
    later = Autopilot(file, [Steps(TREES)], slots=1, control=False).run(FOREVER, settle=True)
    assert [r.content.get("final") is not None for r in later.rounds] == [False, True, False, True]
    assert later.rounds[3].content["alpha"] == pytest.approx(later.rounds[1].content["alpha"] / 4)


def test_a_target_that_is_reached_ends_it_before_anything_is_tried(file: Path):
    ended = Autopilot(file, [Steps(TREES)]).run(FOREVER, target=1.0)
    assert ended.reason == "target"
    assert ended.rounds == ()


def test_the_default_proposers_find_something_and_every_step_is_one_change(file: Path):
    planned, _ = Autopilot(file, slots=3).next_round()
    assert len(planned.candidates) == 3
    assert all(c.proposal.reason for c in planned.candidates)
    assert open_ledger(file).rounds() == []
    assert len(Laboratory.open(file).campaign.file.experiments) == 3


def test_without_anything_new_it_stops_and_says_so(file: Path):
    ended = Autopilot(file, [Steps()]).run(FOREVER)
    assert (ended.reason, ended.why) == ("nothing left", "no proposer has anything new")


@pytest.mark.parametrize("budget", [0.0, -5.0, float("nan")])
def test_a_budget_of_nothing_is_refused(file: Path, budget: float):
    with pytest.raises(UsageError, match="runs nothing"):
        Autopilot(file, [Steps(TREES)]).run(budget)


def test_a_budget_that_ends_at_once_keeps_what_there_is_for_the_next_call(file: Path):
    ended = Autopilot(file, [Steps(TREES)]).run(1e-6)
    assert ended.reason == "budget"
    again = Autopilot(file, [Steps(TREES)], control=False).run(FOREVER, most_rounds=1)
    assert [r.content["results"][0]["status"] for r in again.rounds] == ["done"]


def test_no_slots_are_refused(file: Path):
    with pytest.raises(CampaignFileError, match="0 slots"):
        Autopilot(file, slots=0)


def test_an_empty_space_is_refused_before_anything_runs(file: Path):
    file.write_text(file.read_text(encoding="utf-8") + "[space]\nmodel.alpha = { low = 2.0, high = 1.0 }\n")
    with pytest.raises(CampaignFileError, match="contradict each other"):
        Autopilot(file)


def test_a_round_that_was_planned_and_not_yet_in_the_file_goes_on_as_it_was_planned(
    file: Path, monkeypatch: pytest.MonkeyPatch
):
    def killed(*_: object) -> None:
        raise OutOfTime

    monkeypatch.setattr("probatum.laboratory.autopilot.add_to_campaign", killed)
    ended = Autopilot(file, [Steps(TREES)], control=False).run(FOREVER)
    assert (ended.reason, ended.rounds) == ("budget", ())
    scores = {r.name: r.score for r in open_ledger(file).experiments() if r.score is not None}
    assert ended.leader == min(scores, key=lambda name: scores[name])  # what looks best is known, with or without time
    assert [r.state for r in open_ledger(file).rounds()] == [ROUND_PLANNED]
    with pytest.raises(OutOfTime):
        Autopilot(file, [Steps(STIFF)]).next_round()
    monkeypatch.undo()
    again = Autopilot(file, [Steps(STIFF)], control=False).run(FOREVER, most_rounds=1)
    assert [p["name"] for r in again.rounds for p in r.content["proposals"]] == ["trees"]
    assert [r.number for r in again.rounds] == [1]


def test_a_control_shows_what_the_seeds_alone_do_and_is_no_experiment_of_the_tree(file: Path):
    text = file.read_text(encoding="utf-8").replace("[protocol]", "[protocol]\nseeds = 2")
    file.write_text(text.replace('name = "line"\nmodel.kind = "ridge"',
                                 'name = "line"\nmodel = { kind = "extra_trees", n_estimators = 20 }')
                    .partition('[[experiment]]\nname = "stiff"')[0], encoding="utf-8")  # fmt: skip
    shutil.rmtree(file.with_name("contest.probatum"))
    flat = Proposal("line", {"model": {"max_depth": 1}}, "flat")
    ended = Autopilot(file, [Steps(flat)], slots=1).run(FOREVER, most_rounds=1)
    control = ended.rounds[0].content["control_result"]
    assert control["outcome"] in ("undecided", "equivalent")
    assert control["difference"] != 0
    laboratory = Laboratory.open(file)
    assert f"{CONTROL} line" in [r.name for r in laboratory.campaign.ledger.experiments()]
    assert f"{CONTROL} line" not in [r.name for r in laboratory.results().records]
    (seeds,) = {tuple(sorted({f.seed for f in laboratory.campaign.ledger.fits(f"{CONTROL} line")}))}
    assert seeds == (4, 5)


def test_principles_are_learned_from_rounds_and_kept(file: Path):
    Autopilot(file, [Steps(STIFF)], slots=1, control=False).run(FOREVER, most_rounds=1)
    (stiffer,) = [p for p in open_ledger(file).principles() if ["line", "flat"] in p.content["pairs"]]
    assert stiffer.name.startswith("model.alpha")
    assert stiffer.state == "open"  # one pair shows what it does there, and no principle
    assert stiffer.content["effect"] > 0


def test_the_baseline_is_no_champion_to_confirm(tmp_path: Path, contest: Path):
    shutil.copy(contest.with_suffix(".csv"), tmp_path)
    file = tmp_path / "contest.toml"
    text = contest.read_text(encoding="utf-8").partition('[[experiment]]\nname = "line"')[0]
    file.write_text(text, encoding="utf-8")
    with pytest.raises(IncomparableError, match="no champion to confirm: no experiment is better than 'mean'"):
        Autopilot(file).confirm()
