"""[run.dask] says one cluster, and nothing but loopback is spoken to without TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.executors.certificates import write_certificates
from campaigns.small_campaigns import Workplace
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.executors.dask_settings import DaskSettings, TlsFiles, existing_files
from probatum.errors import CampaignFileError, ClusterError, UnknownNameError, UsageError

REST = """
[[experiment]]
name = "ridge"
model.kind = "ridge"
"""
TLS = "tls = { ca = 'ca.pem', certificate = 'c.pem', key = 'k.pem' }\n"
QUEUE = "[run.dask.jobqueue]\nkind = 'slurm'\njobs = 2\ncores = 4\nmemory = '8GB'\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("settings"))


def read(place: Workplace, run: str) -> DaskSettings | None:
    return read_campaign_file(place.write(run + REST)).run.dask


def refused(place: Workplace, run: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(place, run)
    return caught.value


DASK = "[run]\nexecutor = 'dask'\n"


@pytest.mark.parametrize(
    "cluster",
    [
        "workers = 2\n",
        "workers = 2\nthreads = 3\n",
        "address = 'tcp://127.0.0.1:8786'\n",
        "address = 'tcp://127.8.9.10:8786'\n",
        "address = 'tcp://[::1]:8786'\n",
        "address = 'tcp://localhost:8786'\n",
        "address = 'tls://cluster.example.org:8786'\n" + TLS,
        QUEUE,
        TLS + QUEUE,
    ],
)
def test_a_cluster_can_be_named(place: Workplace, cluster: str):
    assert read(place, DASK + ("" if cluster == QUEUE else "[run.dask]\n") + cluster) is not None


@pytest.mark.parametrize(
    "address",
    [
        "tcp://cluster.example.org:8786",
        "tcp://10.0.0.7:8786",
        "tcp://0.0.0.0:8786",
        "tcp://[fe80::1]:8786",
        "tcp://127.0.0.1.example.org:8786",
        "tcp://localhost.example.org:8786",
    ],
)
def test_nothing_but_loopback_is_spoken_to_without_tls(place: Workplace, address: str):
    error = refused(place, f"{DASK}[run.dask]\naddress = '{address}'\n")
    assert isinstance(error, CampaignFileError)
    assert "nothing protects the way there" in error.what
    assert "write tls://" in str(error.remedy)
    with_files = refused(place, f"{DASK}[run.dask]\naddress = '{address}'\n{TLS}")
    assert "does not use the files of tls" in with_files.what


@pytest.mark.parametrize(
    "address",
    [
        "cluster:8786",
        "http://127.0.0.1:8786",
        "inproc://127.0.0.1:1",
        "ws://127.0.0.1:8786",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999",
        "tcp://:8786",
        "tcp://me@127.0.0.1:8786",
        "tls://127.0.0.1:8786/x",
        "",
    ],
)
def test_what_is_no_address_is_said_to_be_none(place: Workplace, address: str):
    assert "is no address of a scheduler" in refused(place, f"{DASK}[run.dask]\naddress = '{address}'\n").what


@pytest.mark.parametrize(
    ("run", "says", "line"),
    [
        (DASK, "no cluster is named", 2),
        (DASK + "[run.dask]\npatience = 3\n", "no cluster is named", 4),
        (DASK + "[run.dask]\nworkers = 2\naddress = 'tcp://127.0.0.1:1'\n", "address and workers name different", 4),
        (DASK + "[run.dask]\nworkers = 2\n" + QUEUE, "workers and jobqueue name different clusters", 4),
        (DASK + "[run.dask]\naddress = 'tcp://127.0.0.1:1'\nthreads = 2\n", "threads are of workers on this", 4),
        (DASK + "[run.dask]\nworkers = 2\n" + TLS, "make certificates of their own", 4),
        (DASK + "[run.dask]\naddress = 'tls://a.b:1'\n", "tls://a.b:1 needs certificates", 4),
        (DASK + "cores = 2\n[run.dask]\nworkers = 2\n", "cores are of the executor 'local'", 2),
        (DASK + "[run.dask]\nworkers = 0\n", "dask.workers = 0", 5),
        (DASK + "[run.dask]\nwokers = 2\n", "unknown key 'dask.wokers'", 5),
        (DASK + QUEUE.replace("'slurm'", "'sge'"), "dask.jobqueue.kind = 'sge'", 5),
        (DASK + QUEUE + "workers = 3\n", "3 workers cannot share 4 cores evenly", 4),
        (DASK + QUEUE.replace("8GB", "much"), "memory = 'much' is no size", 4),
        (DASK + QUEUE + "nodes = 3\n", "unknown key 'dask.jobqueue.nodes'", 9),
        ("[run]\nexecutor = 'ray'\n", "executor = 'ray'", 3),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_line(place: Workplace, run: str, says: str, line: int):
    error = refused(place, run)
    assert says in error.what
    assert str(error.where).startswith("small.toml:")
    assert abs(int(str(error.where).rpartition(":")[2]) - line) <= 1
    assert "\n" not in str(error)


def test_a_misspelt_key_is_offered_the_right_one(place: Workplace):
    error = refused(place, DASK + "[run.dask]\nwokers = 2\n")
    assert isinstance(error, UnknownNameError)
    assert error.remedy == "did you mean 'workers'?"


def test_a_cluster_may_be_described_and_not_used(place: Workplace):
    assert read_campaign_file(place.write("[run]\ncores = 1\n[run.dask]\nworkers = 2\n" + REST)).run.executor == "local"


def test_files_of_tls_are_looked_for_beside_the_campaign_file(tmp_path: Path):
    written = write_certificates(tmp_path, "ours")
    files = TlsFiles(ca="ours-ca.pem", certificate="ours-certificate.pem", key=written.key)
    assert existing_files(files, tmp_path) == written
    (tmp_path / "ours-key.pem").unlink()
    with pytest.raises(CampaignFileError, match=r"tls\.key cannot be read"):
        existing_files(files, tmp_path)
    (tmp_path / "ours-key.pem").write_bytes(b"\x30\x82")
    with pytest.raises(CampaignFileError, match=r"tls\.key is no PEM file"):
        existing_files(files, tmp_path)


def test_files_of_tls_that_do_not_belong_together_are_said_to_be_that(tmp_path: Path):
    ours, strange = write_certificates(tmp_path, "ours"), write_certificates(tmp_path, "strange")
    with pytest.raises(CampaignFileError, match=r"tls\.certificate and tls\.key cannot be used together") as caught:
        existing_files(TlsFiles(ca=ours.ca, certificate=ours.certificate, key=strange.key), tmp_path)
    assert caught.value.where == ours.certificate
    (tmp_path / "torn.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(CampaignFileError, match=r"tls\.ca holds no certificate that can be used"):
        existing_files(TlsFiles(ca="torn.pem", certificate=ours.certificate, key=ours.key), tmp_path)


def test_without_dask_the_extra_is_named(place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import sys

    from probatum.campaigns.executors.dask_executor import DaskExecutor
    from probatum.campaigns.jobs import Setup

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match="dask is not installed") as caught:
        DaskExecutor(Setup(str(tmp_path), {}, "mse"), DaskSettings(workers=1), tmp_path, tmp_path)
    assert "pip install 'probatum[dask]'" in str(caught.value)
