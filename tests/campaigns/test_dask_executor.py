"""Workers of a Dask cluster keep what every executor promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from campaigns.executor_conformance import ExecutorConformance
from probatum.campaigns.dask_executor import DaskExecutor
from probatum.campaigns.dask_settings import DaskSettings
from probatum.campaigns.executors import Executor
from probatum.campaigns.jobs import Setup

DRIVER = """
import sys
from pathlib import Path
from probatum.campaigns.dask_executor import DaskExecutor
from probatum.campaigns.dask_settings import DaskSettings
from probatum.campaigns.jobs import Job, Setup
folder = Path(sys.argv[3])
executor = DaskExecutor(Setup.from_json(sys.argv[1]), DaskSettings(workers=1), folder, folder)
executor.submit(Job.from_json(sys.argv[2]))
executor.wait()
"""


class TestDaskExecutor(ExecutorConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def make(cls, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Setup, int], Executor]:
        def executor(setup: Setup, cores: int) -> Executor:
            folder = tmp_path_factory.mktemp("state")
            return DaskExecutor(setup, DaskSettings(workers=1, threads=cores), folder, folder)

        return executor

    def driver(self) -> str:
        return DRIVER
