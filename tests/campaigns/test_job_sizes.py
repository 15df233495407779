"""Jobs are as large as machines and pace allow, and never empty."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.job_sizes import CHUNK, FIRST_FITS, FUSED_FITS, SECONDS_A_JOB, JobSizes
from probatum.campaigns.jobs import Job, JobReport


class Machines(Executor):
    """Some machines of some cores, which carry nothing out."""

    def __init__(self, machines: int, cores: int):
        self._machines, self._cores = machines, cores

    @property
    def cores(self) -> int:
        return self._machines * self._cores

    @property
    def free_cores(self) -> int:
        return self.cores

    @property
    def machines(self) -> int:
        return self._machines

    def submit(self, job: Job) -> None:
        raise AssertionError(job)

    def wait(self) -> list[JobReport]:
        return []

    def close(self) -> None:
        pass


executors = st.builds(Machines, st.integers(1, 9), st.integers(1, 64))


@given(executors, st.integers(1, 10_000))
def test_fused_fits_are_shared_out_among_machines_in_chunks_that_fill_their_cores(executor: Machines, waiting: int):
    size = JobSizes(executor).of_fused(waiting)
    each = CHUNK * executor.cores // executor.machines
    assert 1 <= size <= FUSED_FITS
    assert size * executor.machines >= min(waiting, FUSED_FITS)
    assert size >= min(each, FUSED_FITS)


@given(executors, st.integers(1, 10_000), st.floats(1e-6, 1e4), st.integers(1, 50))
def test_other_jobs_take_seconds_once_their_pace_is_known(executor: Machines, waiting: int, seconds: float, fits: int):
    sizes = JobSizes(executor)
    assert sizes.of_others("group", waiting) == FIRST_FITS
    sizes.learn("group", seconds, fits)
    size = sizes.of_others("group", waiting)
    assert size >= 1
    assert size == 1 or size * seconds / fits <= SECONDS_A_JOB * (1 + 1e-9)
    assert size <= max(FIRST_FITS, -(-waiting // (2 * executor.cores)))
    assert sizes.of_others("another", waiting) == FIRST_FITS


def test_one_quick_job_does_not_make_a_slow_group_look_quick():
    sizes = JobSizes(Machines(1, 1))
    sizes.learn("group", 8.0, 4)
    sizes.learn("group", 0.001, 4)
    assert sizes.of_others("group", 1000) == 3  # half of two seconds a fit
