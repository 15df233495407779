"""A campaign on a cluster ends with the bits of one on this machine, whatever happens to the cluster meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from campaigns.executors.certificates import write_certificates
from campaigns.executors.executor_conformance import Bench
from campaigns.small_campaigns import Workplace, stored
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, FitRetried
from probatum.campaigns.executors import dask_cluster, environment
from probatum.campaigns.executors.dask_delivery import Delivery
from probatum.campaigns.executors.dask_executor import DaskExecutor
from probatum.campaigns.executors.dask_settings import DaskSettings, TlsFiles
from probatum.campaigns.jobs import DONE
from probatum.errors import CampaignFileError, ClusterError

PATIENCE = 300.0
WAITING = """[protocol]
splits = "stratified-hold-out"
repeats = 1
seeds = 2

[[experiment]]
name = "waiting"
model = {{ kind = "@Waiting", log = "{log}", gate = "{gate}" }}

[run]
"""
SMALL = """[protocol]
splits = "leave-one-group-out"
seeds = 2

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "network"
model = { kind = "mlp", hidden = [3], norm = "none" }
training = { epochs = 2, batch = 8 }

[[experiment]]
name = "blend"
model = { kind = "blend", weights = "inner", inner_folds = 3 }
components = ["network", "noisy"]

[run]
"""


def _machines() -> Any:
    file = Path(__file__).parents[3] / "benchmarks" / "dask_machines.py"
    spec = spec_from_file_location("dask_machines", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["dask_machines"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Machines


Machines = _machines()


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A scheduler and two workers of one thread, each started again when it ends."""
    with Machines(tmp_path_factory.mktemp("machines"), 2) as found:
        yield found


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as found:
        yield found


def on(machines: Any, patience: float = PATIENCE) -> str:
    return f'executor = "dask"\n[run.dask]\naddress = "{machines.address}"\npatience = {patience}\n'


class Waiting:
    """A campaign whose trainings wait at a gate, in a thread."""

    def __init__(self, place: Workplace, pool: ThreadPoolExecutor, settings: str, name: str = "waiting"):
        self.log, self.gate = place.folder / f"{name}.log", place.folder / f"{name}.gate"
        self.campaign = place.open(WAITING.format(log=self.log, gate=self.gate) + settings, f"{name}.toml")
        self.told: list[Event] = []
        self.running: Future[None] = pool.submit(self.campaign.run, self.told.append)

    def processes(self, count: int) -> list[int]:
        """The processes of the first trainings, as soon as there are this many."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self.running.done():
            lines = self.log.read_text().split() if self.log.exists() else []
            if len(lines) >= count:
                return [int(line) for line in lines]
            time.sleep(0.05)
        self.gate.touch()
        self.running.result()
        raise AssertionError(f"{count} trainings never began")

    def end(self) -> list[int]:
        """Opens the gate and waits for the end; the attempts of its fits."""
        self.gate.touch()
        self.running.result(PATIENCE)
        return [fit.attempts for fit in self.campaign.ledger.fits("waiting")]

    def losses(self) -> list[int]:
        """How often each fit was given again; no machine may take the same fit with it twice for the same reason."""
        lost = [(event.key, event.reason) for event in self.told if isinstance(event, FitRetried)]
        assert len(set(lost)) == len(lost)
        return [sum(key == fit.key for key, _ in lost) for fit in self.campaign.ledger.fits("waiting")]


def same_bits(one: Campaign, other: Campaign, experiment: str) -> bool:
    a, b = stored(one, experiment), stored(other, experiment)
    return a.keys() == b.keys() and all(a[key].tobytes() == b[key].tobytes() for key in a)


def ended(executor: DaskExecutor) -> dict[str, str]:
    """The jobs that end next, and how; that a worker has come is no such thing."""
    found = next(some for some in iter(executor.wait, None) if some)
    return {report.job: report.status for report in found}


def test_results_are_those_of_this_machine_to_the_bit(place: Workplace):
    here, _ = place.run(SMALL + "cores = 2\n", "here.toml")
    there, _ = place.run(SMALL + 'executor = "dask"\n[run.dask]\nworkers = 2\n', "there.toml")
    for experiment in ("noisy", "network", "blend"):
        assert same_bits(here, there, experiment)
        assert {fit.attempts for fit in there.ledger.fits(experiment)} == {1}


def test_a_machine_that_is_lost_costs_only_its_jobs(place: Workplace, machines: Any, pool: ThreadPoolExecutor):
    waiting = Waiting(place, pool, on(machines))
    (first,) = waiting.processes(1)
    mothers = machines.worker_processes().values()
    stat = Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[1]) in mothers
    os.kill(int(stat[1]), signal.SIGKILL)
    assert waiting.processes(2)[1] != first
    attempts, losses = waiting.end(), waiting.losses()
    assert min(losses) >= 1  # more often where a worker that comes back is not yet whole
    assert attempts == [1 + lost for lost in losses]
    here = place.open(WAITING.format(log=waiting.log, gate=waiting.gate) + "cores = 1\n", "here.toml")
    here.run()
    assert same_bits(here, waiting.campaign, "waiting")


def test_a_scheduler_that_refuses_connections_is_waited_for(place: Workplace, machines: Any, pool: ThreadPoolExecutor):
    waiting = Waiting(place, pool, on(machines))
    (first,) = waiting.processes(1)
    machines.stop_scheduler(2.0)
    assert waiting.processes(2)[1] != first
    attempts, losses = waiting.end(), waiting.losses()
    assert min(losses) >= 1  # more often where a worker takes the job, and then finds that it has lost its scheduler
    assert attempts == [1 + lost for lost in losses]


def test_a_slow_worker_is_waited_for(place: Workplace, machines: Any, pool: ThreadPoolExecutor):
    waiting = Waiting(place, pool, on(machines))
    waiting.processes(1)
    for worker in machines.worker_processes().values():
        os.kill(worker, signal.SIGSTOP)
    waiting.gate.touch()
    time.sleep(2.0)
    for worker in machines.worker_processes().values():
        os.kill(worker, signal.SIGCONT)
    assert waiting.end() == [1, 1]


def test_two_campaigns_share_the_cores_of_a_worker(tmp_path: Path, pool: ThreadPoolExecutor):
    with Machines(tmp_path, 1) as machines:
        place = Workplace(tmp_path)
        first = Waiting(place, pool, on(machines), "first")
        first.processes(1)
        second = Waiting(place, pool, on(machines), "second")
        second.gate.touch()
        time.sleep(3.0)
        assert not second.log.exists()
        assert first.end() == [1, 1]
        assert second.end() == [1, 1]
        assert len(second.log.read_text().split()) == 2


def test_a_worker_needs_neither_the_problems_files_nor_the_users_modules(place: Workplace, machines: Any):
    bench = Bench(place)
    settings = DaskSettings(address=machines.address, patience=PATIENCE)
    executor = DaskExecutor(bench.setup, settings, place.folder, place.folder)
    try:
        deadline = time.monotonic() + PATIENCE
        while executor.cores < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert executor.cores == executor.machines == 2
        executor.submit(bench.waiting("first"))
        bench.processes(1)
        (place.folder / "batches.csv").unlink()
        place.module.unlink()
        executor.submit(bench.job("second", "Mean"))  # the first worker is busy: this is the other one's first job
        assert ended(executor) == {"second": DONE}
        bench.gate.touch()
        assert ended(executor) == {"first": DONE}
    finally:
        executor.close()


def test_data_are_sent_once_to_a_worker(place: Workplace, machines: Any, monkeypatch: pytest.MonkeyPatch):
    pushed: list[tuple[str, str]] = []
    push = Delivery._push

    async def counted(self: Delivery, name: str, station: Any) -> None:
        pushed.append((name, station.address))
        await push(self, name, station)

    monkeypatch.setattr(Delivery, "_push", counted)
    place.run(SMALL + on(machines))
    assert len(pushed) == len(set(pushed)) > 0


def test_a_cluster_that_does_not_come_back_ends_the_run_with_an_error(place: Workplace, tmp_path: Path):
    bench = Bench(place)
    with Machines(tmp_path, 1) as machines:
        settings = DaskSettings(address=machines.address, patience=1.0)
        executor = DaskExecutor(bench.setup, settings, place.folder, place.folder)
    try:
        executor.submit(bench.job("orphan"))
        with pytest.raises(ClusterError, match=r"(has not answered|no Dask worker has been there).* for 1 s") as caught:
            list(iter(executor.wait, []))  # perhaps the loss of the job, and then the end
        assert "run again; what is recorded is kept" in str(caught.value.remedy)
    finally:
        executor.close()


def test_an_address_where_nobody_answers_is_an_error(place: Workplace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dask_cluster, "ANSWER", 1.0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ClusterError, match="no Dask scheduler answers") as caught:
        DaskExecutor(Bench(place).setup, DaskSettings(address=address), place.folder, place.folder)
    assert caught.value.where == address


def test_a_scheduler_without_tls_is_not_spoken_to_with_it(place: Workplace, machines: Any):
    files = write_certificates(place.folder, "ours")
    settings = DaskSettings(address=machines.address.replace("tcp", "tls"), tls=files)
    with pytest.raises(ClusterError, match="whoever answers there speaks no TLS"):
        DaskExecutor(Bench(place).setup, settings, place.folder, place.folder)


def test_more_workers_than_this_machine_can_hold_are_refused(place: Workplace):
    with pytest.raises(CampaignFileError, match="1000 workers of 2 cores are too many for this machine") as caught:
        DaskExecutor(Bench(place).setup, DaskSettings(workers=1000, threads=2), place.folder, place.folder)
    assert caught.value.where == "[run.dask]"


def test_a_worker_with_other_versions_is_refused(place: Workplace, machines: Any, monkeypatch: pytest.MonkeyPatch):
    own = environment.environment()
    monkeypatch.setattr(environment, "environment", lambda: own | {"numpy": "9.9"})
    settings = DaskSettings(address=machines.address)
    with pytest.raises(ClusterError, match=rf"numpy {own['numpy']} there, 9\.9 here"):
        DaskExecutor(Bench(place).setup, settings, place.folder, place.folder)


# ---------------------------------------------------------------------- certificates


def test_a_cluster_with_tls_serves_those_whom_its_authority_knows(tmp_path: Path, pool: ThreadPoolExecutor):
    ours, strange = write_certificates(tmp_path, "ours"), write_certificates(tmp_path, "strange")
    options = ("--tls-ca-file", ours.ca, "--tls-cert", ours.certificate, "--tls-key", ours.key)
    place = Workplace(tmp_path)
    with Machines(tmp_path, 1, options) as machines:
        files = "tls = { ca = 'ours-ca.pem', certificate = 'ours-certificate.pem', key = 'ours-key.pem' }\n"
        waiting = Waiting(place, pool, on(machines) + files)
        assert waiting.end() == [1, 1]
        clear = machines.address.replace("tls", "tcp")
        half = TlsFiles(ca=ours.ca, certificate=strange.certificate, key=strange.key)
        for settings, says in (
            (
                DaskSettings(address=machines.address, tls=strange),
                "the scheduler's certificate is refused: self-signed",
            ),
            (DaskSettings(address=machines.address, tls=half), "the scheduler hangs up"),
            (DaskSettings(address=clear), "whoever answers there hangs up"),
        ):
            with pytest.raises(ClusterError, match=says) as caught:
                DaskExecutor(Bench(place).setup, settings, place.folder, place.folder)
            assert caught.value.where == settings.address
