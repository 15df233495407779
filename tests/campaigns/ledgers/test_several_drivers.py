"""Several processes drive one campaign: each fit is trained once, whoever dies, and the bits are those of one."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from campaigns.small_campaigns import Workplace, python, stored
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, ExperimentFinished, FitsFound, JobFinished
from probatum.campaigns.ledgers.ledger import DONE
from probatum.errors import CampaignLockedError, FinishedExperimentError, StorageError

Server = Any
_numbers = itertools.count(1)

CAMPAIGN = """[protocol]
splits = "leave-one-group-out"
seeds = 4

[run]
cores = 1

[[experiment]]
name = "counted"
model = { kind = "@Counting", log = "LOG" }

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "blend"
components = ["counted", "noisy"]
model = { kind = "blend", weights = "inner", inner_folds = 2 }
"""
EXPERIMENTS = ("counted", "noisy", "ridge", "blend")

DRIVER = """
import sys
from probatum.campaigns.campaign import Campaign
Campaign.open(sys.argv[1]).run(lambda event: print(type(event).__name__, flush=True))
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def shared(server: Server, **options: object) -> str:
    """The address of a new campaign's ledger on the server."""
    return server.url(campaign=f"drivers {next(_numbers)}", **{"lease": 2, **options})


def write(place: Workplace, text: str, address: str) -> Path:
    """The campaign with its ledger there."""
    path = place.write(text.replace("[run]\n", '[run]\nledger = "ADDRESS"\n'))
    path.write_text(path.read_text().replace("ADDRESS", address))  # whose '@' is no learner's
    return path


def alone(place: Workplace, text: str) -> Campaign:
    """The same campaign, run by one driver with SQLite."""
    (place.folder / "alone").mkdir()
    other = Workplace(place.folder / "alone", place.learners)
    return other.run(text.replace("LOG", str(place.folder / "alone" / "log")))[0]


def same_bits(one: Campaign, other: Campaign, experiments: tuple[str, ...] = EXPERIMENTS) -> bool:
    pairs = [(stored(one, name), stored(other, name)) for name in experiments]
    return all(a.keys() == b.keys() and all(a[k].tobytes() == b[k].tobytes() for k in a) for a, b in pairs)


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


@contextmanager
def driver(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the campaign; killed at the end if it is not done."""
    with python(DRIVER, path) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("drivers", [2, 4])
def test_drivers_share_the_fits_and_end_with_the_bits_of_one(server: Server, place: Workplace, drivers: int):
    log = place.folder / "log"
    path = write(place, CAMPAIGN.replace("LOG", str(log)), shared(server))
    processes = [python(DRIVER, path) for _ in range(drivers)]
    told = [process.communicate(timeout=120) for process in processes]
    assert [error for _, error in told] == [""] * drivers
    campaign = Campaign.open(path)
    assert {e.status for e in campaign.ledger.experiments()} == {"done"}
    fits = {fit.key: fit for e in campaign.ledger.experiments() for fit in campaign.ledger.fits(e.name)}
    assert {fit.attempts for fit in fits.values()} == {1}
    assert len(log.read_text().split()) == 6 * 4 * (1 + 2)  # folds, seeds, and the inner folds of the blend
    for said, _ in told:
        assert said.count("ExperimentFinished") == 5  # each driver learns of all, whoever trained them
    assert same_bits(campaign, alone(place, CAMPAIGN))
    assert not (campaign.folder / "ledger.sqlite").exists()


WAITING = """[protocol]
splits = "leave-one-group-out"
seeds = 1

[run]
cores = 1

[[experiment]]
name = "waiting"
model = { kind = "@Waiting", log = "LOG", gate = "GATE" }

[[experiment]]
name = "blend"
components = ["waiting", "noisy"]

[[experiment]]
name = "noisy"
model.kind = "@Noisy"
"""


def test_fits_of_a_driver_killed_in_a_job_are_taken_over_and_those_of_a_living_one_waited_for(
    server: Server, place: Workplace
):
    log, gate = place.folder / "log", place.folder / "gate"
    text = WAITING.replace("LOG", str(log)).replace("GATE", str(gate))
    path = write(place, text, shared(server, lease=3))
    with driver(path) as first:
        until(log.exists)
        with driver(path) as second:
            held = [fit for fit in Campaign.open(path).ledger.fits("waiting") if fit.driver is not None]
            assert held
            # The second one trains others meanwhile.
            until(lambda: len(log.read_text().split()) == 2 or second.poll() is not None)
            assert second.poll() is None, second.communicate()[1]
            os.kill(first.pid, signal.SIGKILL)
            gate.touch()
            told, error = second.communicate(timeout=120)
    assert error == ""
    assert "FitsFound" not in told.partition("JobStarted")[0]
    campaign = Campaign.open(path)
    assert {e.status for e in campaign.ledger.experiments()} == {"done"}
    attempts = Counter(f.attempts for f in campaign.ledger.fits("waiting"))
    assert attempts[2] <= len(held)
    assert set(attempts) <= {1, 2}
    assert same_bits(campaign, alone(place, text), ("waiting", "blend", "noisy"))


def test_a_second_driver_waits_for_what_the_first_one_trains(server: Server, place: Workplace):
    log, gate = place.folder / "log", place.folder / "gate"
    text = (
        WAITING.replace("LOG", str(log))
        .replace("GATE", str(gate))
        .replace("leave-one-group-out", "stratified-hold-out")
    )
    text = text.replace("seeds = 1\n", "seeds = 1\nrepeats = 1\n")
    path = write(place, text, shared(server))
    told: list[Event] = []
    with driver(path) as first:
        until(log.exists)

        def tell(event: Event) -> None:
            told.append(event)
            if isinstance(event, JobFinished):
                gate.touch()  # this driver has done what it can by itself

        second = Campaign.open(path)
        second.run(tell)
        assert first.communicate(timeout=60)[1] == ""
    found = [key for e in told if isinstance(e, FitsFound) for key in e.keys]
    own = [key for e in told if isinstance(e, JobFinished) for key in e.keys]
    assert {fit.key for fit in second.ledger.fits("waiting")} <= set(found)
    assert not set(found) & set(own)
    assert {e.name for e in told if isinstance(e, ExperimentFinished)} >= {"waiting", "blend"}
    assert len(log.read_text().split()) == 1


def test_a_campaign_outlives_restarts_of_its_server(server: Server, place: Workplace):
    path = write(place, CAMPAIGN.replace("LOG", str(place.folder / "log")), shared(server))
    with driver(path) as process:
        assert process.stdout is not None
        for how in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
            while "JobFinished" not in (line := process.stdout.readline()):
                assert line, process.communicate()[1]
            server.restart(how=how)
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    campaign = Campaign.open(path)
    fits = [fit for e in campaign.ledger.experiments() for fit in campaign.ledger.fits(e.name)]
    assert {(fit.status, fit.attempts) for fit in fits} == {(DONE, 1)}
    assert same_bits(campaign, alone(place, CAMPAIGN))


def test_a_driver_that_does_not_find_anothers_files_says_which_and_where(server: Server, place: Workplace):
    text, address = CAMPAIGN.replace("LOG", str(place.folder / "log")), shared(server)
    Campaign.open(write(place, text, address)).run()
    (place.folder / "elsewhere").mkdir()
    other = Workplace(place.folder / "elsewhere", place.learners)
    more = text + '\n[[experiment]]\nname = "late"\ncomponents = ["counted", "ridge"]\n'
    second = Campaign.open(write(other, more, address))
    with pytest.raises(StorageError, match="share this folder") as raised:
        second.run()
    assert raised.value.where is not None
    assert raised.value.where.startswith(str(second.folder / "artifacts"))


def test_a_driver_with_another_recipe_does_not_disturb_one_at_work(server: Server, place: Workplace):
    log, gate = place.folder / "log", place.folder / "gate"
    text, address = WAITING.replace("LOG", str(log)).replace("GATE", str(gate)), shared(server)
    path = write(place, text, address)
    with driver(path) as first:
        until(log.exists)
        other = text.replace('name = "noisy"\nmodel.kind = "@Noisy"', 'name = "noisy"\nmodel.kind = "ridge"')
        changed = Campaign.open(write(place, other, address))
        with pytest.raises((CampaignLockedError, FinishedExperimentError)):
            changed.run()
        write(place, text, address)
        gate.touch()
        assert first.communicate(timeout=60)[1] == ""
    assert {e.status for e in Campaign.open(path).ledger.experiments()} == {"done"}


CONFIRMING = """
import sys
from pathlib import Path
from probatum.laboratory import Laboratory
from probatum.errors import ProbatumError
try:
    print(Laboratory.open(Path(sys.argv[1])).confirm()[1])
except ProbatumError as error:
    print(type(error).__name__)
"""


def test_rounds_scores_looks_and_confirmations_hold_under_drivers_at_once(server: Server, place: Workplace):
    text = CAMPAIGN.replace("LOG", str(place.folder / "log")).replace("seeds = 4", "seeds = 2\nheld_out = 0.25")
    path = write(place, text, shared(server))
    run = [sys.executable, "-c", "from probatum.cli.main import run_and_exit; run_and_exit()", "run", str(path)]
    processes = [subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(p.communicate(timeout=120), p.returncode)[1] for p in processes] == [0, 0]
    campaign = Campaign.open(path)
    experiments = campaign.ledger.experiments()
    assert {e.round for e in experiments} == {1}
    assert all(e.score is not None for e in experiments)
    look = [*run[:3], "held-out", "ridge", "-C", str(path)]
    processes = [subprocess.Popen(look, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(p.communicate(timeout=120), p.returncode)[1] for p in processes]
    looks = campaign.ledger.held_out_accesses()
    assert len(looks) == ended.count(0) == 2
    assert looks[0].score == looks[1].score
    probe = campaign.ledger.fits("held out: ridge") or campaign.ledger.fits(
        next(e.name for e in campaign.ledger.experiments() if e.name.endswith("ridge") and e.name != "ridge")
    )
    assert {fit.attempts for fit in probe} == {1}
