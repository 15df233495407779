"""[run.dask] of a campaign file: which cluster, and how it is spoken to. Nothing here can change a result."""

from __future__ import annotations

import ipaddress
import re
import ssl
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from probatum.errors import CampaignFileError


class TlsFiles(BaseModel):
    """Files in PEM that both ends of every connection show; the same on driver, scheduler and workers, or of one CA."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: str = Field(description="certificate of the authority that signed the others")
    certificate: str = Field(description="certificate that this side shows")
    key: str = Field(description="private key of the certificate, without a password")


class JobQueue(BaseModel):
    """A batch system that workers are asked of, one job a machine or part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["slurm", "lsf", "pbs"] = Field(description="the batch system: slurm, lsf or pbs")
    jobs: int = Field(ge=1, description="batch jobs to ask for; with 'adaptive', the most")
    cores: int = Field(ge=1, description="cores of a batch job")
    memory: str = Field(description="memory of a batch job: '16GB'")
    walltime: str | None = Field(None, description="how long a batch job may live, as the batch system writes it")
    queue: str | None = Field(None, description="queue or partition")
    account: str | None = Field(None, description="account or project that is charged")
    workers: int = Field(1, ge=1, description="workers that share the cores of a batch job")
    interface: str | None = Field(None, description="network interface that workers reach the driver by: 'ib0'")
    directives: tuple[str, ...] = Field((), description="further lines for the batch system: '--constraint=avx512'")
    prologue: tuple[str, ...] = Field((), description="shell lines before the worker starts: 'module load python'")
    adaptive: bool = Field(False, description="give batch jobs back while there is nothing to do")

    @model_validator(mode="after")
    def _check(self) -> JobQueue:
        if self.cores % self.workers:
            raise CampaignFileError(
                f"{self.workers} workers cannot share {self.cores} cores evenly", remedy="let workers divide cores"
            )
        if not re.fullmatch(r"\d+(\.\d+)?\s*[kMGTP]i?B", self.memory):
            raise CampaignFileError(f"memory = {self.memory!r} is no size", remedy="write it as '16GB'")
        return self


class DaskSettings(BaseModel):
    """A Dask cluster: one that is there (`address`), one on this machine (`workers`), or one of a batch system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str | None = Field(None, description="of a scheduler that runs: 'tls://cluster.example.org:8786'")
    workers: int | None = Field(None, ge=1, description="workers to start on this machine")
    threads: int | None = Field(None, ge=1, description="cores of each of them; default: 1")
    jobqueue: JobQueue | None = Field(
        None, description="batch system to ask for workers: " + ", ".join(JobQueue.model_fields)
    )
    tls: TlsFiles | None = Field(None, description="files of TLS: " + ", ".join(TlsFiles.model_fields))
    patience: float = Field(
        300.0, gt=0, description="seconds that a scheduler, or the last worker, may be gone before the run gives up"
    )

    @model_validator(mode="after")
    def _check(self) -> DaskSettings:
        given = [name for name in ("address", "workers", "jobqueue") if getattr(self, name) is not None]
        if len(given) != 1:
            raise CampaignFileError(
                f"{' and '.join(given)} name different clusters" if given else "no cluster is named",
                remedy="give one of address, workers, jobqueue",
            )
        if self.threads is not None and self.workers is None:
            raise CampaignFileError(
                f"threads are of workers on this machine, and not of {given[0]}", remedy="remove threads"
            )
        if self.workers is not None and self.tls is not None:
            raise CampaignFileError(
                "workers on this machine make certificates of their own", remedy="remove tls, or give an address"
            )
        if self.address is not None:
            _check_address(self.address, self.tls is not None)
        return self


def _check_address(address: str, has_files: bool) -> None:
    """A scheduler runs what it is sent, so that nothing but loopback is spoken to without TLS."""
    try:
        parts = urlsplit(address)
        scheme, host, port, more = parts.scheme, parts.hostname, parts.port, parts.path or parts.username
    except ValueError:
        scheme, host, port, more = "", None, None, None
    if scheme not in ("tcp", "tls") or not host or not port or more:
        raise CampaignFileError(
            f"address = {address!r} is no address of a scheduler", remedy="write 'tls://HOST:PORT' or 'tcp://HOST:PORT'"
        )
    if scheme == "tls" and not has_files:
        raise CampaignFileError(
            f"{address} needs certificates", remedy="add tls = { ca = '...', certificate = '...', key = '...' }"
        )
    if scheme == "tcp" and has_files:
        raise CampaignFileError(f"{address} does not use the files of tls", remedy="write tls:// in the address")
    if scheme == "tcp" and not _is_loopback(host):
        raise CampaignFileError(
            f"{address} is not this machine, and nothing protects the way there",
            remedy="start scheduler and workers with TLS, write tls:// and name the files in tls",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def existing_files(files: TlsFiles, folder: Path) -> TlsFiles:
    """The files of TLS as absolute paths.

    Args:
        files: as the campaign file names them; relative ones lie in the folder.
        folder: of the campaign file.

    Raises:
        CampaignFileError: one is not there or cannot be read, or certificate and key do not belong together.
    """
    found = {}
    for name, given in files.model_dump().items():
        path = (folder / Path(given).expanduser()).resolve()
        try:
            text = path.read_bytes()
        except OSError as error:
            what = f"tls.{name} cannot be read: {error.strerror}"
            raise CampaignFileError(what, where=str(path), remedy="name the file in [run.dask] tls") from None
        if b"-----BEGIN" not in text:
            raise CampaignFileError(f"tls.{name} is no PEM file", where=str(path), remedy="convert it to PEM")
        found[name] = str(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(found["ca"])
    except ssl.SSLError as error:
        what = f"tls.ca holds no certificate that can be used ({error.reason or error})"
        raise CampaignFileError(what, where=found["ca"], remedy="name the certificate of the authority") from None
    try:
        context.load_cert_chain(found["certificate"], found["key"], password=lambda: "")
    except ssl.SSLError as error:
        raise CampaignFileError(
            f"tls.certificate and tls.key cannot be used together ({error.reason or error})",
            where=found["certificate"],
            remedy="name a certificate and its own private key, without a password",
        ) from None
    return TlsFiles(**found)
