"""What all tests share: where real data lies, and that no test reaches the network by accident."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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

if os.environ.get("PROBATUM_UNCHECKED") != "1":
    jaxtyping.install_import_hook(contracts.CHECKED, "contracts.checked")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBATUM_OFFLINE", "1")


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
