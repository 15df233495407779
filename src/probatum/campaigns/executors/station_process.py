"""A worker process of a station, with a store of its own; and the modules that it imports."""

from __future__ import annotations

import os
import queue
import shutil
import time
from dataclasses import replace
from pathlib import Path

from probatum.campaigns.artifacts import ArtifactStore, storage_errors
from probatum.campaigns.executors.worker_process import Reports, WorkerProcess
from probatum.campaigns.jobs import Setup
from probatum.errors import DataError


class StationProcess:
    """A worker process with a store of its own: what the station links there is read, all else was written.

    Args:
        setup: of the campaign.
        folder: of the station.
        number: unlike that of any other process with this folder.
        modules: artifact of the user's own modules that it imports; None where it needs none.
        importable: folder that they were unpacked to.
    """

    def __init__(self, setup: Setup, folder: Path, number: int, modules: str | None, importable: Path | None):
        self.modules, self.busy, self.used = modules, False, time.monotonic()
        self.store = ArtifactStore(folder / f"process-{number}")
        self.reports: Reports = queue.SimpleQueue()
        self._linked: set[str] = set()
        own = replace(setup, store=str(self.store.folder), import_path=(str(importable),) if importable else ())
        self.worker = WorkerProcess(own, folder, number, self.reports)

    def link(self, names: set[str], shared: ArtifactStore) -> None:
        """Shows the process artifacts that were sent."""
        with storage_errors(self.store.folder):
            for name in names - self._linked:
                target = self.store.path(name)
                target.parent.mkdir(exist_ok=True)
                try:
                    os.link(shared.path(name), target)
                except FileExistsError:
                    pass  # it wrote the very same content before
                except OSError:
                    shutil.copyfile(shared.path(name), target)
                self._linked.add(name)

    def written(self) -> dict[str, bytes]:
        """Name to content of what the process has written since; it is removed here."""
        found = {}
        for file in self.store.folder.glob("??/*"):
            if file.name not in self._linked:
                if not file.name.startswith("."):
                    found[file.name] = file.read_bytes()
                file.unlink()
        return found

    def end(self) -> None:
        """Ends the process and removes its store."""
        self.worker.kill()
        shutil.rmtree(self.store.folder, ignore_errors=True)


def unpacked_modules(store: ArtifactStore, name: str, folder: Path) -> Path:
    """The folder that modules of an artifact were written to, to be imported from.

    Args:
        store: that has the artifact.
        name: of the artifact.
        folder: that the new one is made in.
    """
    target = folder / f"modules-{name.partition('.')[0][:16]}"
    if not target.exists():
        partial = target.with_suffix(".partial")
        for path, content in store.read_arrays(name).items():
            file = partial / path
            if not file.resolve().is_relative_to(partial.resolve()):
                raise DataError(f"module '{path}' lies outside its folder", remedy="run the campaign again")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.tobytes())
        partial.replace(target)
    return target
