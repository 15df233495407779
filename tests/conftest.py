"""What all tests share: where real data lies, and that no test reaches the network by accident."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no fault of the code: no example fails by the clock.
settings.register_profile("probatum", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("probatum")

TESTS = Path(__file__).parent
# So that tests of any folder may write `from problems.fakes import ...`.
sys.path.insert(0, str(TESTS))
import contracts  # noqa: E402
from preloaded_workers import Processes  # noqa: E402

if os.environ.get("PROBATUM_UNCHECKED") != "1":
    jaxtyping.install_import_hook(contracts.CHECKED, "contracts.checked")

from probatum.campaigns.executors import worker_process  # noqa: E402 - once the hook is in place

AS_USERS_START_THEM = ("campaigns/executors", "crash")
"""Folders of tests whose subject is the processes themselves."""
LONGEST = (
    "learning/test_scikit_learn_checks.py",
    "learning/networks/test_architecture_regressors.py",
    "crash/test_kills.py",
    "crash/test_chaos.py",
    "test_document_blocks.py",
    "faults/small_logs/test_analog_codes.py",
    "faults/small_logs/test_catechol.py",
    "faults/small_logs/test_gas_chromatography.py",
    "laboratory/test_autopilot_interruptions.py",
    "cli/test_audit.py",
)
"""Files that take longest although some hold few tests: one of them alone at the end would keep one worker waiting.
pytest-xdist keeps this order with --no-loadscope-reorder; without, it starts those of the fewest tests last."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBATUM_OFFLINE", "1")


@pytest.fixture(scope="session", autouse=True)
def _preloaded_workers() -> Iterator[None]:
    """Workers of campaigns fork from one that has imported what they need; elsewhere than on Linux they do not."""
    if sys.platform != "linux":
        yield
        return
    processes = Processes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_process, "subprocess", processes.module())
        yield
    processes.close()


@pytest.fixture(autouse=True)
def _workers_as_users_start_them(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processes themselves are the subject."""
    if any(request.path.is_relative_to(TESTS / folder) for folder in AS_USERS_START_THEM):
        monkeypatch.setattr(worker_process, "subprocess", subprocess)


@pytest.fixture(scope="module", autouse=True)
def _memory_is_given_back() -> Iterator[None]:
    """After each module: compiled programs, and freed memory that the allocator keeps; gigabytes in the end."""
    yield
    compilation = sys.modules.get("probatum.learning.compilation")
    if compilation is not None:
        compilation._programs.clear()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
        if trim is not None:
            trim(0)


@pytest.fixture(scope="module")
def _unoptimised_programs() -> OrderedDict[Any, Any]:
    return OrderedDict()


@pytest.fixture
def unoptimised(_unoptimised_programs: OrderedDict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs compiled several times faster into slower code, for trainings that are short and say nothing of bits."""
    from probatum.learning import compilation  # slow to import

    quick = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
    monkeypatch.setattr(compilation, "ONE_THREAD", compilation.ONE_THREAD | quick)
    monkeypatch.setattr(compilation, "_programs", _unoptimised_programs)


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real data, one folder a problem, which `PROBATUM_DATA` names while the test runs.

    Where it is absent the test is skipped, or fails if PROBATUM_REQUIRE_DATA=1 (continuous integration).
    """
    folder = real_data_folder()
    if folder is None:
        message = "real data is absent: set PROBATUM_DATA to its folder, or put it into ../shared/data"
        if os.environ.get("PROBATUM_REQUIRE_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    monkeypatch.setenv("PROBATUM_DATA", str(folder))
    return folder


def real_data_folder() -> Path | None:
    """`PROBATUM_DATA`, else `../shared/data` beside the repository; None where neither is a folder."""
    named = os.environ.get("PROBATUM_DATA")
    places = [*([Path(named).expanduser()] if named else []), TESTS.parent.parent / "shared" / "data"]
    return next((place.resolve() for place in places if place.is_dir()), None)
