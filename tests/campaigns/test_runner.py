"""Whatever fails on the way, each fit is run once, recorded, and touches no other."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from campaigns.small_campaigns import Inline, Workplace, make_memory_small, python, run, stored
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, FitFailed, FitRetried, JobFinished, JobStarted, RoundStarted
from probatum.campaigns.ledgers.ledger import DONE as FIT_DONE
from probatum.campaigns.ledgers.ledger import FAILED, PLANNED, TIMED_OUT, FitRecord
from probatum.errors import IncomparableError

TROUBLE = """[protocol]
splits = "stratified-hold-out"
repeats = 1
seeds = 2

[run]
cores = 2
limit = 2.5

[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "failing"
model.kind = "@Failing"

[[experiment]]
name = "slipping"
model = { kind = "@FailingOnce", marker = "MARKER" }

[[experiment]]
name = "diverging"
model.kind = "@Diverging"

[[experiment]]
name = "sleeping"
model.kind = "@Sleeping"

[[experiment]]
name = "exiting"
model.kind = "@Exiting"

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "blend of failures"
components = ["ridge", "diverging"]

[[experiment]]
name = "blend of blends"
components = ["ridge", "blend of failures"]
"""

Told = tuple[Campaign, list[Event]]


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A campaign of everything that can go wrong, run to its end."""
    place = Workplace(tmp_path_factory.mktemp("trouble"))
    return place.run(TROUBLE.replace("MARKER", str(place.folder / "marker")))


def fits(trouble: Told, experiment: str) -> list[FitRecord]:
    """The fits of an experiment, seed 0 first."""
    found = sorted(trouble[0].ledger.fits(experiment, "scored"), key=lambda fit: fit.seed)
    assert [fit.seed for fit in found] == list(range(len(found)))
    return found


def test_a_failing_estimator_is_tried_twice_and_recorded_with_its_traceback(trouble: Told):
    for fit in fits(trouble, "failing"):
        assert (fit.status, fit.attempts) == (FAILED, 2)
        assert "ArithmeticError: the flask broke" in str(fit.error)
        assert 'in fit\n    raise ArithmeticError("the flask broke")' in str(fit.error)


def test_a_fit_that_fails_once_is_rescued(trouble: Told):
    for fit in fits(trouble, "slipping"):
        assert (fit.status, fit.attempts, fit.error) == (FIT_DONE, 2, None)


def test_the_campaign_goes_on(trouble: Told):
    states = {e.name: e.status for e in trouble[0].ledger.experiments()}
    assert states == {
        "trivial: mean": "done",
        "ridge": "done",
        "failing": "failed",
        "slipping": "done",
        "diverging": "failed",
        "sleeping": "failed",
        "exiting": "failed",
        "noisy": "done",
        "blend of failures": "failed",
        "blend of blends": "failed",
    }


@pytest.mark.parametrize(
    ("experiment", "status", "says"),
    [
        ("diverging", FAILED, "predictions are not finite: the training diverged"),
        ("sleeping", TIMED_OUT, "took longer than 2.5 s"),
        ("exiting", FAILED, "ended with exit code 3"),
    ],
)
def test_one_bad_seed_does_not_touch_its_neighbours(trouble: Told, experiment: str, status: str, says: str):
    good, bad = fits(trouble, experiment)
    assert (bad.status, good.status) == (status, FIT_DONE)
    assert says in str(bad.error)
    assert good.error is None


def test_the_neighbours_of_a_bad_fit_have_the_bits_that_they_have_without_it(trouble: Told):
    campaign, _ = trouble
    noisy = stored(campaign, "noisy")
    for experiment in ("diverging", "sleeping", "exiting"):
        for fit in fits(trouble, experiment):
            if fit.status == FIT_DONE:
                arrays = campaign.store.read_arrays(str(fit.artifact))
                part = slice(*arrays["offsets"][fit.position : fit.position + 2])  # type: ignore[operator]
                assert arrays["prediction"][part].tobytes() == noisy[fit.split, fit.seed].tobytes()


def test_what_is_built_on_a_failed_fit_fails_with_it_and_says_so(trouble: Told):
    for experiment in ("blend of failures", "blend of blends"):
        good, bad = fits(trouble, experiment)
        assert good.status == FIT_DONE
        assert (bad.status, bad.attempts) == (FAILED, 0)
        assert "its component" in str(bad.error)


def test_predictions_of_an_unfinished_experiment_are_not_given_out(trouble: Told):
    with pytest.raises(IncomparableError, match=r"1 of 2 fits of 'sleeping' have no result \(timed out\)"):
        trouble[0].predictions("sleeping")


def test_healthy_fits_are_begun_once(trouble: Told):
    for experiment in ("trivial: mean", "ridge", "noisy"):
        assert {fit.attempts for fit in fits(trouble, experiment)} == {1}


def test_everything_that_happened_was_told(trouble: Told):
    campaign, told = trouble
    failed = {e.key: e for e in told if isinstance(e, FitFailed)}
    recorded = {f.key: f for e in campaign.ledger.experiments() for f in campaign.ledger.fits(e.name)}
    assert {key for key, fit in recorded.items() if fit.status in (FAILED, TIMED_OUT)} == set(failed)
    for key, event in failed.items():
        assert (event.status, event.error) == (recorded[key].status, recorded[key].error)
    finished = Counter(key for e in told if isinstance(e, JobFinished) for key in e.keys)
    assert finished == {key: 1 for key, fit in recorded.items() if fit.status == FIT_DONE}
    assert {e.key for e in told if isinstance(e, FitRetried)} >= {fit.key for fit in fits(trouble, "failing")}
    begun = sum(e.fits for e in told if isinstance(e, JobStarted))
    assert begun == sum(fit.attempts for fit in recorded.values())


def test_failures_are_not_tried_again_unasked(trouble: Told):
    before = fits(trouble, "failing")
    _, told = run(Campaign.open(trouble[0].file.path))
    (started,) = (event for event in told if isinstance(event, RoundStarted))
    assert started.fits == 0
    assert fits(trouble, "failing") == before


# ---------------------------------------------------------------------- the order of things


HEALTHY = """[protocol]
splits = "leave-one-group-out"
seeds = 2

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "weighted"
model.kind = "@Weighted"

[[experiment]]
name = "blend"
model = { kind = "blend", weights = "inner", inner_folds = 3 }
components = ["ridge", "noisy"]
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def test_a_fit_is_never_run_twice(place: Workplace):
    campaign = place.open(HEALTHY)
    executor = Inline(campaign)
    campaign.run(executor=executor)
    begun = Counter(fit.key for job in executor.begun for fit in job.fits)
    assert set(begun.values()) == {1}
    needed = {fit.key for e in campaign.ledger.experiments() for fit in campaign.ledger.fits(e.name)}
    assert set(begun) == needed
    again = Inline(campaign)
    Campaign.open(campaign.file.path).run(executor=again)
    assert again.begun == []


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_the_budget_of_cores_is_never_exceeded_and_fused_jobs_get_all_of_it(place: Workplace, cores: int):
    campaign = place.open(HEALTHY)
    executor = Inline(campaign, cores=cores)
    campaign.run(executor=executor)
    assert executor.most_cores == cores
    for job in executor.begun:
        assert job.cores == (cores if job.model.endswith(":Weighted") else 1)


def test_fits_of_one_program_are_trained_in_one_job(place: Workplace):
    campaign = place.open(HEALTHY)
    executor = Inline(campaign)
    campaign.run(executor=executor)
    (fused,) = (job for job in executor.begun if job.model.endswith(":Weighted"))
    assert len(fused.fits) == 12


def test_a_blend_is_begun_when_all_that_it_needs_is_stored(place: Workplace):
    campaign = place.open(HEALTHY)
    executor = Inline(campaign)
    campaign.run(executor=executor)
    blends = [fit for job in executor.begun if job.model == "blend" for fit in job.fits]
    assert len(blends) == 12
    places = {(fit.artifact, fit.position) for fit in campaign.ledger.fits("blend", "needed")}
    for fit in blends:
        needed = [*fit.components, *(part for _, parts in fit.inner for part in parts)]
        assert len(needed) == 2 + 3 * 2
        assert {(part.artifact, part.position) for part in needed} <= places


def test_the_limit_of_a_job_is_the_limit_of_a_fit_times_its_fits(place: Workplace):
    campaign = place.open(HEALTHY + "[run]\nlimit = 7.5\n")
    executor = Inline(campaign)
    campaign.run(executor=executor)
    assert {job.limit / len(job.fits) for job in executor.begun} == {7.5}


def test_a_death_costs_only_the_fit_that_dies_alone_too(place: Workplace):
    rehearsal = place.open(HEALTHY, "rehearsal.toml")
    rehearsal.run(executor=Inline(rehearsal))
    victim = rehearsal.ledger.fits("noisy")[5]
    campaign = place.open(HEALTHY)
    executor = Inline(campaign, dies={victim.key})
    told: list[Event] = []
    campaign.run(told.append, executor=executor)
    records = {fit.key: fit for fit in campaign.ledger.fits("noisy")}
    bad = records.pop(victim.key)
    assert (bad.status, bad.error) == (FAILED, "killed by the test")
    assert {fit.status for fit in records.values()} == {FIT_DONE}
    alone = [job for job in executor.begun if victim.key in {fit.key for fit in job.fits}][1:]
    assert [len(job.fits) for job in alone] == [1, 1]
    (failed,) = (e for e in told if isinstance(e, FitFailed) and e.key == victim.key)
    assert failed.status == FAILED
    blends = campaign.ledger.fits("blend", "scored")
    assert {fit.status for fit in blends} == {FIT_DONE, FAILED}

    campaign.run(executor=Inline(campaign), retry_failed=True)
    assert {e.status for e in campaign.ledger.experiments()} == {"done"}
    after = {fit.key: fit for fit in campaign.ledger.fits("noisy")}
    assert after.pop(victim.key).attempts == bad.attempts + 1
    assert after == records
    again, first = stored(campaign, "blend"), stored(rehearsal, "blend")
    assert all(again[key].tobytes() == first[key].tobytes() for key in first)


# ---------------------------------------------------------------------- killed and resumed

DRIVER = """
import sys
from probatum.campaigns.campaign import Campaign
Campaign.open(sys.argv[1]).run(lambda event: print(type(event).__name__, flush=True))
"""
COUNTED = """[protocol]
splits = "leave-one-group-out"
seeds = 8

[run]
cores = 2

[[experiment]]
name = "counted"
model = { kind = "@Counting", log = "LOG" }
"""


@pytest.fixture
def interrupted(place: Workplace) -> Campaign:
    """A campaign whose driver is killed after its fourth finished job; the first two are the trivial baseline's."""
    path = place.write(COUNTED.replace("LOG", str(place.folder / "log")))
    with python(DRIVER, path) as process:
        assert process.stdout is not None
        finished = 0
        while finished < 4:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            finished += line.strip() == "JobFinished"
        os.kill(process.pid, signal.SIGKILL)
    return Campaign.open(path)


def test_a_killed_campaign_is_resumed_where_it_was_and_ends_with_the_same_bits(interrupted: Campaign, place: Workplace):
    before = {fit.key: fit for fit in interrupted.ledger.fits("counted")}
    done = {key for key, fit in before.items() if fit.status == FIT_DONE}
    assert 0 < len(done) < 48
    assert {fit.status for fit in before.values()} == {FIT_DONE, PLANNED}
    time.sleep(0.3)  # workers whose driver is gone are on their way out
    run(interrupted)
    after = {fit.key: fit for fit in interrupted.ledger.fits("counted")}
    assert {fit.status for fit in after.values()} == {FIT_DONE}
    assert {key: after[key] for key in done} == {key: before[key] for key in done}
    assert {after[key].attempts for key in done} == {1}
    lost = sum(fit.attempts for fit in after.values()) - 48
    assert lost == sum(fit.attempts for key, fit in before.items() if key not in done)
    trained = len((place.folder / "log").read_text().split())
    assert 48 <= trained <= 48 + lost

    (place.folder / "whole").mkdir()
    whole = Workplace(place.folder / "whole", place.learners)
    undisturbed, _ = whole.run(COUNTED.replace("LOG", str(place.folder / "log")))
    one, other = stored(interrupted, "counted"), stored(undisturbed, "counted")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[key], other[key]) for key in one)


def test_fits_are_found_under_their_keys_by_other_experiments(place: Workplace):
    twin = COUNTED.replace("LOG", str(place.folder / "log")).replace("seeds = 8", "seeds = 1")
    twin += twin.partition("[run]")[2].partition("\n\n")[2].replace('"counted"', '"twin"')
    campaign = place.open(twin)
    executor = Inline(campaign)
    campaign.run(executor=executor)
    assert len((place.folder / "log").read_text().split()) == 6
    assert stored(campaign, "twin").keys() == stored(campaign, "counted").keys()
    assert {fit.attempts for fit in campaign.ledger.fits("twin")} == {1}


NETWORKS = """[protocol]
splits = "leave-one-group-out"
seeds = 2
"""
NETWORK = """
[[experiment]]
name = "{name}"
model = {{ kind = "mlp", hidden = [3], norm = "none" }}
training = {{ epochs = 2, batch = 8, rate = {rate} }}
"""


def test_a_campaign_that_memory_made_narrow_goes_on_as_narrow(place: Workplace, monkeypatch: pytest.MonkeyPatch):
    text = NETWORKS + NETWORK.format(name="slow", rate=0.01)
    first = place.open(text)
    with monkeypatch.context() as patched:
        make_memory_small(patched)
        first.run(executor=Inline(first))
    later = place.open(text + NETWORK.format(name="fast", rate=0.02))
    executor = Inline(later)
    later.run(executor=executor)
    assert [job.width for job in executor.begun if job.model == "mlp"] == [2]
