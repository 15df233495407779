"""A campaign on a cluster ends with the bits of one on this machine, whatever happens to the cluster meanwhile."""

from __future__ import annotations

import datetime
import ipaddress
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

from campaigns.executor_conformance import Bench
from campaigns.small_campaigns import Workplace, stored
from probatum.campaigns import dask_cluster, dask_executor, dask_station
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.dask_executor import DaskExecutor
from probatum.campaigns.dask_settings import DaskSettings, TlsFiles
from probatum.campaigns.jobs import DONE
from probatum.errors import ClusterError

PATIENCE = 120.0
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
    file = Path(__file__).parents[2] / "benchmarks" / "dask_machines.py"
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
        self.running: Future[None] = pool.submit(self.campaign.run)

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
    assert set(waiting.end()) <= {2, 3}  # once more where the worker that comes back is not yet whole
    here = place.open(WAITING.format(log=waiting.log, gate=waiting.gate) + "cores = 1\n", "here.toml")
    here.run()
    assert same_bits(here, waiting.campaign, "waiting")


def test_a_scheduler_that_refuses_connections_is_waited_for(place: Workplace, machines: Any, pool: ThreadPoolExecutor):
    waiting = Waiting(place, pool, on(machines))
    (first,) = waiting.processes(1)
    machines.stop_scheduler(2.0)
    assert waiting.processes(2)[1] != first
    # Once more for each worker that takes the job and only then finds that it has lost its scheduler.
    assert set(waiting.end()) <= {2, 3, 4}


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
    push = DaskExecutor._push

    async def counted(self: DaskExecutor, name: str, station: Any) -> None:
        pushed.append((name, station.address))
        await push(self, name, station)

    monkeypatch.setattr(DaskExecutor, "_push", counted)
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


def test_a_worker_with_other_versions_is_refused(place: Workplace, machines: Any, monkeypatch: pytest.MonkeyPatch):
    own = dask_station.environment()
    monkeypatch.setattr(dask_executor.dask_station, "environment", lambda: own | {"numpy": "9.9"})
    settings = DaskSettings(address=machines.address)
    with pytest.raises(ClusterError, match=rf"numpy {own['numpy']} there, 9\.9 here"):
        DaskExecutor(Bench(place).setup, settings, place.folder, place.folder)


# ---------------------------------------------------------------------- certificates


def write_certificates(folder: Path, name: str) -> TlsFiles:
    """An authority, and a certificate for this machine that it has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)

    def certificate(about: str, key: Any, issuer: str, signing: Any, authority: bool) -> x509.Certificate:
        def named(common: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

        builder = x509.CertificateBuilder().subject_name(named(about)).issuer_name(named(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return builder.add_extension(addresses, critical=False).sign(signing, hashes.SHA256())

    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    files = {part: folder / f"{name}-{part}.pem" for part in ("ca", "certificate", "key")}
    files["ca"].write_bytes(certificate(name, root, name, root, True).public_bytes(pem))
    files["certificate"].write_bytes(certificate("worker", own, name, root, False).public_bytes(pem))
    no_password = serialization.NoEncryption()
    files["key"].write_bytes(own.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password))
    return TlsFiles(**{part: str(file) for part, file in files.items()})


def test_a_cluster_with_tls_serves_those_whom_its_authority_knows(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
):
    ours, strange = write_certificates(tmp_path, "ours"), write_certificates(tmp_path, "strange")
    options = ("--tls-ca-file", ours.ca, "--tls-cert", ours.certificate, "--tls-key", ours.key)
    place = Workplace(tmp_path)
    with Machines(tmp_path, 1, options) as machines:
        files = "tls = { ca = 'ours-ca.pem', certificate = 'ours-certificate.pem', key = 'ours-key.pem' }\n"
        waiting = Waiting(place, pool, on(machines) + files)
        assert waiting.end() == [1, 1]
        monkeypatch.setattr(dask_cluster, "ANSWER", 2.0)
        with pytest.raises(ClusterError, match="no Dask scheduler answers"):
            DaskExecutor(
                Bench(place).setup, DaskSettings(address=machines.address, tls=strange), place.folder, place.folder
            )
