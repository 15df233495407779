"""What the small logs share: their problems, as if they were installed, and what an audit finds, by code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import real_data_folder
from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit

PROBLEMS = {
    "small_rocking_curve": "faults.small_logs.rocking_curve:SmallRockingCurve",
    "small_metabolism": "faults.small_logs.metabolism:SmallMetabolism",
}

Found = dict[tuple[str, str | None], Finding]


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The problems as plug-ins: their metadata where Python looks for it, here and in workers."""
    site = tmp_path_factory.mktemp("site")
    metadata = site / "small_logs-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: small-logs\nVersion: 0.1\n")
    lines = [f"{name} = {path}" for name, path in PROBLEMS.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[probatum.problems]", *lines, ""]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(site), *sys.path])
        patch.setenv("PYTHONPATH", os.pathsep.join((str(site), str(Path(__file__).parents[2]))))
        yield


@pytest.fixture(scope="module")
def data() -> Path:
    """The folder of real data; where it is absent tests are skipped, or fail if PROBATUM_REQUIRE_DATA=1."""
    folder = real_data_folder()
    if folder is None and os.environ.get("PROBATUM_REQUIRE_DATA") == "1":
        pytest.fail("real data is absent: set PROBATUM_DATA to its folder")
    if folder is None:
        pytest.skip("real data is absent: set PROBATUM_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def found() -> Callable[[Audit], Found]:
    """(code, subject) to the errors and warnings of an audit; of two of one code, the first."""

    def by_code(audit: Audit) -> Found:
        alarms = [f for f in audit.findings if f.severity != "note" and not f.ignored]
        return {(f.code, f.subject): f for f in reversed(alarms)}

    return by_code
