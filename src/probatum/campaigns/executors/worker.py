"""A worker: a process that carries out jobs for its driver, one at a time.

It reads lines of JSON (one Setup, then Jobs) from standard input and writes lines of JSON (JobReports) to what was
standard output; everything that libraries print goes to standard error. It leaves as soon as its driver is gone, and
can be killed at any time.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.import_path import import_own_modules_from
from probatum.campaigns.jobs import DONE, FAILED, READY, STORAGE, Job, JobReport, Setup
from probatum.errors import StorageError


def main() -> None:
    """Serves the driver at the other end of standard input until it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver decides
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    setup = Setup.from_json(sys.stdin.readline())
    import_own_modules_from(setup.import_path)
    warnings.simplefilter("ignore")
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    bench = shipped = None
    from probatum.campaigns.execution import Bench  # slow to import
    from probatum.campaigns.executors.shipment import ShippedProblem

    replies.write(READY + "\n")
    replies.flush()
    while True:
        job = jobs.get()
        started = time.perf_counter()
        try:
            if bench is None:
                shipped = ShippedProblem(ArtifactStore(Path(setup.store))) if job.shipment else None
                bench = Bench(setup, problem=shipped)
            if shipped is not None:
                shipped.know(job)
            results, failures = bench.carry_out(job)
            report = JobReport(job.id, DONE, results, failures, "", time.perf_counter() - started)
        except StorageError as error:
            report = JobReport(job.id, STORAGE, error=str(error))
        except Exception:
            report = JobReport(job.id, FAILED, error=traceback.format_exc())
        replies.write(report.to_json() + "\n")
        replies.flush()


def _listen(jobs: queue.SimpleQueue[Job]) -> None:
    """Takes jobs in while others are carried out; a driver that is gone ends the process, whatever it is doing."""
    for line in sys.stdin:
        jobs.put(Job.from_json(line))
    os._exit(0)


if __name__ == "__main__":
    main()
