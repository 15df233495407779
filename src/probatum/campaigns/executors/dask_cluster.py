"""Where Dask workers come from: a scheduler that runs, workers on this machine, or jobs of a batch system.

Everything but loopback is spoken to by TLS; where no certificates are given, those of one run are made, kept by its own
processes alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.campaigns.executors.dask_settings import DaskSettings, JobQueue, TlsFiles, existing_files
from probatum.errors import CampaignFileError, ClusterError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Security

ANSWER = 10.0
"""Seconds that a scheduler may take to answer."""
PAGES = "127.0.0.1:0"
"""Where Dask's own web pages listen, which ask nobody for a password: this machine, any port."""
LOG = "dask.log"
"""What Dask has to say, in the campaign's state folder."""
MOST = 4
"""Fits at once on this machine for each of its cores. Each has a process of its own: many more, and it stands still."""
BATCH_SYSTEMS = {"slurm": ("SLURMCluster", "sbatch"), "lsf": ("LSFCluster", "bsub"), "pbs": ("PBSCluster", "qsub")}
"""The class of dask_jobqueue, and the command that hands a job in."""
CHATTER = ("distributed", "tornado", "bokeh", "dask_jobqueue")
"""Loggers that go there."""


class Cluster:
    """A Dask cluster as one driver knows it. Its coroutines belong to the loop that opened it.

    Args:
        address: of the scheduler.
        security: that connections are made with; None on loopback.
        own: the cluster where this driver started it; None where it was there.
        queue: the batch system that workers come from; None where they do not.
        files: what is removed when it closes.
    """

    def __init__(
        self,
        address: str,
        security: Security | None,
        own: Any = None,
        queue: JobQueue | None = None,
        files: contextlib.ExitStack | None = None,
    ):
        self.address, self.queue = address, queue
        self._security, self._own, self._files = security, own, files or contextlib.ExitStack()

    @classmethod
    async def open(cls, settings: DaskSettings, folder: Path, beside: Path) -> Cluster:
        """Starts the cluster of a campaign file, or names the one that is there.

        Args:
            settings: of the campaign file.
            folder: of the campaign's state.
            beside: folder of the campaign file, where relative files of TLS lie.

        Raises:
            CampaignFileError: files of TLS cannot be used, or this machine is too small for the workers.
            ClusterError: the cluster cannot be started.
        """
        security = _security(settings, beside)
        _check_room(settings)
        if settings.address is not None:
            return cls(settings.address, security)
        with contextlib.ExitStack() as files:
            own = await cls._started(settings, security, folder, files)
            kept = files.pop_all()
        if settings.jobqueue is not None and not settings.jobqueue.adaptive:
            own.scale(jobs=settings.jobqueue.jobs)
        return cls(own.scheduler_address, own.security, own, settings.jobqueue, kept)

    @staticmethod
    async def _started(
        settings: DaskSettings, security: Security | None, folder: Path, files: contextlib.ExitStack
    ) -> Any:
        """The cluster that this driver starts."""
        try:
            if settings.workers is not None:
                return await _on_this_machine(settings)
            return await _of_batch_system(settings, security or _certificates_of_a_run(folder, files), folder)
        except UsageError:  # ours
            raise
        except Exception as error:  # of many libraries and of the system
            raise ClusterError(
                f"the cluster does not start: {type(error).__name__}: {error}",
                where="[run.dask]",
                remedy=f"see {folder / LOG}",
            ) from error

    async def connect(self) -> Client:
        """A client that is connected.

        Raises:
            OSError: the scheduler does not answer, or not as it should.
        """
        from distributed import Client

        client: Any = Client(
            self.address,
            security=self._security,
            asynchronous=True,
            timeout=ANSWER,
            set_as_default=False,
            name="probatum",
        )
        try:
            return await client
        except BaseException:
            with contextlib.suppress(Exception):
                await client.close(timeout=1)
            raise

    @property
    def on_this_machine(self) -> bool:
        """Whether its workers are processes of this machine and this very installation."""
        return self._own is not None and self.queue is None

    def batch_job(self, worker: str) -> str:
        """The name of a worker's batch job; workers that share one are named 'JOB-0', 'JOB-1', ..."""
        return worker.rpartition("-")[0] if self.queue is not None and self.queue.workers > 1 else worker

    async def ask(self) -> None:
        """Asks the batch system for as many jobs as the campaign may have; elsewhere nothing happens."""
        if self._own is not None and self.queue is not None:
            self._own.scale(jobs=self.queue.jobs)

    async def give_back(self, names: list[str]) -> None:
        """Ends batch jobs whose workers have nothing to do.

        Args:
            names: of workers; all those of a batch job have to be named.
        """
        if self._own is not None and self.queue is not None:
            await self._own.scale_down(names)

    async def close(self) -> None:
        """Ends what this driver started."""
        with self._files:
            if self._own is not None:
                await asyncio.wait_for(self._own.close(timeout=10), 20)


def _security(settings: DaskSettings, beside: Path) -> Security | None:
    return None if settings.tls is None else _security_of(existing_files(settings.tls, beside))


def _check_room(settings: DaskSettings) -> None:
    if settings.workers is None:
        return
    cores, threads = os.cpu_count() or 1, settings.threads or 1
    if settings.workers * threads > MOST * cores:
        raise CampaignFileError(
            f"{settings.workers} workers of {threads} core{'s' * (threads > 1)} are too many for this machine, "
            f"which has {cores}",
            where="[run.dask]",
            remedy=f"let workers times threads be at most {MOST * cores}",
        )


def _security_of(files: TlsFiles) -> Security:
    from distributed import Security

    return Security(
        require_encryption=True,
        tls_ca_file=files.ca,
        **{f"tls_{role}_cert": files.certificate for role in ("client", "scheduler", "worker")},
        **{f"tls_{role}_key": files.key for role in ("client", "scheduler", "worker")},
    )


def _on_this_machine(settings: DaskSettings) -> Any:
    from distributed import LocalCluster, Security

    return LocalCluster(
        n_workers=settings.workers,
        threads_per_worker=settings.threads or 1,
        processes=True,
        asynchronous=True,
        # Any user of this machine can reach its loopback, and a scheduler runs what it is sent.
        security=Security.temporary(),
        protocol="tls://",
        host="127.0.0.1",
        dashboard_address=PAGES,
        worker_dashboard_address=PAGES,
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,  # the Dask worker holds little: fits are trained in processes of their own
        silence_logs=logging.CRITICAL,  # on the workers' standard error; what ends one, the driver reports
    )


def _certificates_of_a_run(folder: Path, files: contextlib.ExitStack) -> Security:
    """Certificates in files that batch jobs read, and nobody but their owner; removed with the run."""
    from distributed import Security

    texts = Security.temporary().get_tls_config_for_role("worker")
    place = Path(files.enter_context(tempfile.TemporaryDirectory(prefix=".certificates-", dir=folder)))
    for part in ("ca_file", "cert", "key"):
        (place / f"{part}.pem").write_text(str(texts[part]), encoding="ascii")
    ca, certificate, key = (str(place / f"{part}.pem") for part in ("ca_file", "cert", "key"))
    return _security_of(TlsFiles(ca=ca, certificate=certificate, key=key))


def _of_batch_system(settings: DaskSettings, security: Security, folder: Path) -> Any:
    try:
        with _signals_kept():
            import dask_jobqueue
    except ImportError:
        raise missing("dask-jobqueue") from None
    queue = settings.jobqueue
    assert queue is not None
    kind, command = BATCH_SYSTEMS[queue.kind]
    if shutil.which(command) is None:
        raise ClusterError(
            f"{command} is not found, and jobs cannot be handed in from this machine",
            where="[run.dask.jobqueue] kind",
            remedy="run where it is, on a login node say, or correct kind",
        )
    account = "project" if queue.kind == "lsf" else "account"
    return getattr(dask_jobqueue, kind)(
        cores=queue.cores,
        processes=queue.workers,
        memory=queue.memory,
        walltime=queue.walltime,
        queue=queue.queue,
        interface=queue.interface,
        job_extra_directives=list(queue.directives),
        job_script_prologue=list(queue.prologue),
        log_directory=str(folder),
        security=security,
        protocol="tls://",
        scheduler_options={"dashboard_address": PAGES, "dashboard": False},
        asynchronous=True,
        silence_logs=False,
        **({account: queue.account} if queue.account is not None else {}),
    )


@contextlib.contextmanager
def _signals_kept() -> Generator[None, None, None]:
    """Within it nobody sets what a signal does.

    dask_jobqueue sets what Ctrl-C does when it is imported. A thread cannot, and a library must not.
    """
    own = signal.signal
    signal.signal = lambda signalnum, handler: signal.getsignal(signalnum)  # type: ignore[assignment]
    try:
        yield
    finally:
        signal.signal = own


def missing(package: str) -> ClusterError:
    """What is said where an optional dependency is not installed."""
    return ClusterError(
        f"{package} is not installed",
        where="[run] executor",
        remedy="pip install 'probatum[dask]', here and on workers",
    )


@contextlib.contextmanager
def logged(file: Path) -> Generator[None, None, None]:
    """Within it, what Dask and its libraries log goes to a file and not to the terminal."""
    import_module("distributed")  # which sends its log to the terminal when it is imported, and not later
    handler = _Lines(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    loggers = [
        logging.getLogger(name)
        for name in {*CHATTER, *logging.root.manager.loggerDict}
        if name.partition(".")[0] in CHATTER
    ]
    before = [(logger, logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        top = logger.name in CHATTER
        logger.handlers, logger.propagate = [handler] if top else [], not top
    try:
        yield
    finally:
        for logger, handlers, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate


class _Lines(logging.Handler):
    """Appends warnings and errors to a file. It is no StreamHandler, since Dask sets the level of those."""

    def __init__(self, file: Path):
        super().__init__(logging.WARNING)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            file.write(self.format(record) + "\n")
