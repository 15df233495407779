"""Who carries jobs out: the contract that `local_executor` and `dask_executor` keep."""

from __future__ import annotations

from abc import ABC, abstractmethod

from probatum.campaigns.jobs import Job, JobReport


class Executor(ABC):
    """Carries jobs out, in parallel, within a budget of cores.

    Every implementation keeps these promises (tests/campaigns/executors/executor_conformance.py):

    - Every submitted job gets exactly one report from `wait`, however its worker ends.
    - A job past its limit is killed and reported TIMED_OUT; a worker process that dies is replaced and its job reported
      DIED. A job whose machine is gone, so that nobody knows how it ended, is reported LOST.
    - Jobs in progress never use more cores than the budget.
    - After `close`, no process of it is left.
    """

    @property
    @abstractmethod
    def cores(self) -> int:
        """The budget; of a cluster, that of the workers that are there now."""

    @property
    @abstractmethod
    def free_cores(self) -> int:
        """What is left of the budget now."""

    @property
    def machines(self) -> int:
        """How many fused jobs, each of which takes a whole machine, can be in progress at once."""
        return 1

    def room(self, *, whole: bool) -> int:
        """How many cores one more job may be given, 0 where there is no room for it now.

        Args:
            whole: the job is a fused one, which takes all cores of one machine; else it takes one core.
        """
        if whole:
            return self.cores if self.free_cores == self.cores else 0
        return min(1, self.free_cores)

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Takes a job; the caller has asked `room` for its `job.cores`."""

    @abstractmethod
    def wait(self) -> list[JobReport]:
        """Blocks until at least one job has ended, and returns the reports of those that have.

        [] where no job is in progress, or where there is more room than before and no job has ended.

        Raises:
            ClusterError: a cluster that is gone and has not come back.
        """

    @abstractmethod
    def close(self) -> None:
        """Stops all workers at once."""
