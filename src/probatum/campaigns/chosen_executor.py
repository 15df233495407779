"""Who trains a campaign's fits, as the [run] section of its file says: this machine, or a cluster."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.campaign_file import CampaignFile
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.executors.local_executor import LocalExecutor
from probatum.campaigns.jobs import Setup
from probatum.errors import CampaignFileError


def chosen_executor(file: CampaignFile, setup: Setup, folder: Path, cores: int | None = None) -> Executor:
    """Starts who trains.

    Args:
        file: of the campaign.
        setup: what its workers are told.
        folder: of its state, where they log.
        cores: that may be used, whatever the file says; None leaves it to the file.

    Raises:
        CampaignFileError: a number of cores for a cluster, or a cluster that cannot be reached.
        StorageError: nothing can be logged.
    """
    settings = file.run.dask
    if file.run.executor == "local" or settings is None:
        cores = cores or file.run.cores or os.cpu_count() or 1
        return LocalExecutor(setup, cores, folder if file.ledger is None else _own_folder(folder))
    if cores is not None:
        remedy = "leave the number of cores out: a cluster has the cores of its workers"
        raise CampaignFileError("cores are of the executor 'local'", where=file.path.name, remedy=remedy)
    from probatum.campaigns.executors.dask_executor import DaskExecutor

    return DaskExecutor(setup, settings, folder, file.path.resolve().parent)


def _own_folder(folder: Path) -> Path:
    """For the logs of this driver alone: where the ledger is shared, others may share the folder too."""
    logs = folder / "logs" / f"{socket.gethostname()}-{os.getpid()}"
    with storage_errors(logs):
        logs.mkdir(parents=True, exist_ok=True)
    return logs
