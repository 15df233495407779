"""Workers of a Dask cluster keep what every executor promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from campaigns.executors.executor_conformance import ExecutorConformance
from campaigns.small_campaigns import python
from probatum.campaigns.executors.dask_executor import DaskExecutor
from probatum.campaigns.executors.dask_settings import DaskSettings
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import Setup

DRIVER = """
import sys
from pathlib import Path
from probatum.campaigns.executors.dask_executor import DaskExecutor
from probatum.campaigns.executors.dask_settings import DaskSettings
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


def test_what_dask_logs_does_not_reach_the_terminal(tmp_path: Path):
    """In a process that has not imported Dask before, which sends its log there when it is imported."""
    code = """
import sys
from pathlib import Path
from probatum.campaigns.executors.dask_executor import DaskExecutor
from probatum.campaigns.executors.dask_settings import DaskSettings
from probatum.campaigns.jobs import Setup
folder = Path(sys.argv[1])
DaskExecutor(Setup(str(folder), {}, "mse"), DaskSettings(workers=1), folder, folder).close()
"""
    with python(code, tmp_path) as process:
        said, complained = process.communicate()
    assert (process.returncode, said, complained) == (0, "", "")
