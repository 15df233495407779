"""Fits whose machine is lost are given again, until they may be what takes machines with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.small_campaigns import Workplace
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, FitRetried
from probatum.campaigns.execution import Bench
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import DONE, LOST, Job, JobReport
from probatum.campaigns.ledgers.ledger import DONE as FIT_DONE
from probatum.campaigns.ledgers.ledger import FAILED

CAMPAIGN = """[protocol]
splits = "leave-one-group-out"
seeds = 1

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "weighted"
model.kind = "@Weighted"
"""


class Losing(Executor):
    """Carries jobs out in this process; machines are lost as a test wants it.

    Args:
        campaign: whose jobs these are.
        machines: how many, of one core each.
        losses: key of a fit to how often its machine is lost.
    """

    def __init__(self, campaign: Campaign, machines: int = 1, losses: dict[str, int] | None = None):
        campaign.folder.mkdir(exist_ok=True)
        self._bench, self._machines, self._losses = Bench(campaign.setup), machines, losses or {}
        self._jobs: list[Job] = []
        self.begun: list[Job] = []

    @property
    def cores(self) -> int:
        return self._machines

    @property
    def free_cores(self) -> int:
        return self._machines - len(self._jobs)

    @property
    def machines(self) -> int:
        return self._machines

    def room(self, *, whole: bool) -> int:
        return min(1, self.free_cores)

    def submit(self, job: Job) -> None:
        self._jobs.append(job)
        self.begun.append(job)

    def wait(self) -> list[JobReport]:
        if not self._jobs:
            return []
        job = self._jobs.pop(0)
        if lost := [fit.key for fit in job.fits if self._losses.get(fit.key, 0) > 0]:
            self._losses |= {key: self._losses[key] - 1 for key in lost}
            return [JobReport(job.id, LOST, error="the machine is gone")]
        results, failures = self._bench.carry_out(job)
        return [JobReport(job.id, DONE, results, failures, seconds=0.01)]

    def close(self) -> None:
        pass


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Workplace(tmp_path).open(CAMPAIGN)


def keys(campaign: Campaign, tmp_path: Path) -> list[str]:
    """The keys of the noisy fits, from a rehearsal elsewhere."""
    (tmp_path / "rehearsal").mkdir()
    rehearsal = Workplace(tmp_path / "rehearsal", Path(campaign.file.path).parent.glob("own_*.py").__next__().stem)
    other = rehearsal.open(CAMPAIGN)
    other.run(executor=Losing(other))
    return [fit.key for fit in other.ledger.fits("noisy")]


@pytest.mark.parametrize("losses", [1, 3, 7])
def test_a_fit_whose_machine_is_lost_is_given_again(campaign: Campaign, tmp_path: Path, losses: int):
    victim = keys(campaign, tmp_path)[2]
    told: list[Event] = []
    executor = Losing(campaign, losses={victim: losses})
    campaign.run(told.append, executor=executor)
    fits = {fit.key: fit for fit in campaign.ledger.fits("noisy")}
    assert {fit.status for fit in fits.values()} == {FIT_DONE}
    assert fits[victim].attempts == 1 + losses
    retried = [event.key for event in told if isinstance(event, FitRetried)]
    assert retried.count(victim) == losses
    for key, fit in fits.items():
        assert fit.attempts == 1 + retried.count(key)
    jobs = [job for job in executor.begun if victim in {fit.key for fit in job.fits}]
    assert all(len(job.fits) == 1 for job in jobs[4:])


def test_a_fit_that_takes_eight_machines_with_it_has_failed(campaign: Campaign, tmp_path: Path):
    victim = keys(campaign, tmp_path)[2]
    campaign.run(executor=Losing(campaign, losses={victim: 100}))
    fits = {fit.key: fit for fit in campaign.ledger.fits("noisy")}
    bad = fits.pop(victim)
    assert (bad.status, bad.attempts) == (FAILED, 8)
    assert "lost its machine 8 times; the machine is gone" in str(bad.error)
    assert {fit.status for fit in fits.values()} == {FIT_DONE}
    assert max(fit.attempts for fit in fits.values()) <= 4


def test_fused_jobs_are_spread_over_machines_that_are_large_enough_to_gain(tmp_path: Path):
    campaign = Workplace(tmp_path).open(CAMPAIGN.replace("seeds = 1", "seeds = 8"))
    executor = Losing(campaign, machines=3)
    campaign.run(executor=executor)
    fused = [len(job.fits) for job in executor.begun if job.model.endswith(":Weighted")]
    assert sum(fused) == 48
    assert fused[0] == 16
    assert min(fused[:-1]) >= 8
    assert {job.cores for job in executor.begun} == {1}
