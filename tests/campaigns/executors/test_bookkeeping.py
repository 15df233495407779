"""The books of a driver: jobs go where cores are free, and each one is reported once, whatever happens."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns.executors.bookkeeping import Bookkeeping, RemoteStation
from probatum.campaigns.jobs import DONE, LOST, Job, JobReport
from probatum.errors import ClusterError


def job(name: str, cores: int = 1) -> Job:
    return Job(name, "table", 0, "ridge", cores, 60.0, ())


def station(name: str, cores: int = 2) -> RemoteStation:
    return RemoteStation(f"tcp://{name}", f"id-{name}", name, "host", cores)


def books(*cores: int) -> Bookkeeping:
    """With a station of so many cores each; that they have come is no news."""
    found = Bookkeeping()
    for number, count in enumerate(cores):
        found.enter(station(f"worker-{number}", count))
    found.forget_news()
    return found


def hand_in(found: Bookkeeping, *jobs: Job) -> None:
    for one in jobs:
        found.open(one)
        found.line_up(one)


def test_jobs_go_where_most_cores_are_free():
    found = books(2, 3)
    hand_in(found, *(job(name) for name in "abcdef"))
    places = [bound[1].name for _ in range(5) if (bound := found.bind())]
    assert places[0] == "worker-1"
    assert (places.count("worker-0"), places.count("worker-1")) == (2, 3)
    assert found.bind() is None
    assert (found.cores, found.free_cores) == (5, 0)


def test_a_job_waits_for_a_whole_machine_and_others_wait_behind_it():
    found = books(2)
    hand_in(found, job("one"), job("wide", cores=2), job("last"))
    first = found.bind()
    assert first is not None
    assert found.bind() is None
    found.release(*first)
    bound = found.bind()
    assert bound is not None
    assert bound[0].id == "wide"


def test_a_job_for_a_machine_that_is_gone_takes_all_of_a_smaller_one():
    found = books(2)
    hand_in(found, job("wide", cores=8))
    bound = found.bind()
    assert bound is not None
    assert bound[0].cores == 2


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.lists(st.integers(1, 6), max_size=12), st.data())
def test_every_job_is_reported_once_and_no_station_has_more_than_its_cores(
    cores: list[int], wanted: list[int], data: st.DataObject
):
    found = books(*cores)
    jobs = [job(f"job-{number}", count) for number, count in enumerate(wanted)]
    hand_in(found, *jobs)
    reported: list[JobReport] = []
    running: list[tuple[Job, RemoteStation]] = []
    for _ in range(40 * len(jobs) + 1):
        while (bound := found.bind()) is not None:
            running.append(bound)
        stations = found.stations
        assert all(0 <= one.used <= one.cores for one in stations)
        assert all(one.used == sum(j.cores for j in one.jobs.values()) for one in stations)
        if not running:
            break
        ended, place = running.pop(data.draw(st.integers(0, len(running) - 1)))
        if data.draw(st.booleans()):
            found.lose(place, "gone")
            found.lose(place, "gone again")
            running = [(j, s) for j, s in running if s is not place]
            found.enter(station(place.name, place.cores))
        else:
            found.release(ended, place)
            found.end(JobReport(ended.id, DONE))
            found.end(JobReport(ended.id, LOST))
    found.forget_news()
    while ended := found.wait():
        reported += ended
    assert sorted(report.job for report in reported) == sorted(one.id for one in jobs)
    assert found.free_cores == found.cores


def test_the_loss_of_a_station_names_it_and_the_reason():
    found = books(1)
    hand_in(found, job("one"))
    bound = found.bind()
    assert bound is not None
    found.lose(bound[1], "the power failed")
    assert found.wait() == [JobReport("one", LOST, error="host, tcp://worker-0: the power failed")]
    assert found.stations == []


def test_a_station_that_has_come_in_the_place_of_a_lost_one_is_kept():
    found = books(1)
    old, new = found.stations[0], station("worker-0", 1)
    found.enter(new)
    found.lose(old, "gone")
    assert found.stations == [new]


def test_a_job_that_is_refused_is_not_reported():
    found = books(1)
    found.open(job("odd"))
    found.refuse(job("odd"))
    found.end(JobReport("odd", DONE))
    assert found.wait() == []


def test_few_jobs_wait_ahead_of_free_cores():
    found = books(4, 4)
    given_out = 0
    while found.room(whole=False):
        hand_in(found, job(f"job-{given_out}"))
        given_out += 1
        found.bind()
    assert given_out == 8 + 2  # all cores, and a quarter of them ahead
    assert found.more_was_wanted()
    assert not found.more_was_wanted()


def test_a_fused_job_has_room_where_a_machine_is_idle():
    found = books(2, 4)
    assert found.room(whole=True) == 4
    hand_in(found, job("one"))
    found.bind()
    assert found.room(whole=True) == 2
    hand_in(found, job("wide", cores=4))
    assert found.room(whole=True) == 0


def test_whoever_waits_is_told_what_went_wrong():
    found = books(1)
    hand_in(found, job("one"))
    trouble = ClusterError("no scheduler", remedy="start it")
    threading.Timer(0.05, found.give_up, [trouble]).start()
    with pytest.raises(ClusterError, match="no scheduler"):
        found.wait()
    found.give_up(ClusterError("and no network", remedy="wait"))
    assert found.trouble is trouble
