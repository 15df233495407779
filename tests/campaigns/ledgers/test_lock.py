"""One process at a time works on a campaign; a dead one stands in nobody's way."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from campaigns.small_campaigns import python
from probatum.campaigns.ledgers.lock import HOLDER as HOLDER_FILE
from probatum.campaigns.ledgers.lock import CampaignLock, holder_of
from probatum.errors import CampaignLockedError, StorageError

HOLDER = """
import sys
from pathlib import Path
from probatum.campaigns.ledgers.lock import CampaignLock
with CampaignLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
print("freed", flush=True)
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with python(HOLDER, folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def free(folder: Path) -> None:
    with CampaignLock(folder):
        pass


def test_a_live_holder_is_not_pushed_aside_and_is_named(tmp_path: Path):
    with holder(tmp_path) as process:
        with pytest.raises(CampaignLockedError) as raised, CampaignLock(tmp_path):
            pass
        assert f"pid {process.pid} on {socket.gethostname()}" in str(raised.value)
        assert str(raised.value).startswith(str(tmp_path))
        with pytest.raises(CampaignLockedError):
            free(tmp_path)


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path):
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        free(tmp_path)


def test_a_holder_that_is_done_frees_the_lock(tmp_path: Path):
    with holder(tmp_path) as process:
        assert process.communicate("\n", timeout=30)[0] == "freed\n"
        free(tmp_path)
        free(tmp_path)


def test_a_holder_that_fails_frees_the_lock(tmp_path: Path):
    with pytest.raises(ArithmeticError), CampaignLock(tmp_path):
        raise ArithmeticError
    free(tmp_path)


def test_two_campaigns_do_not_wait_for_each_other(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with CampaignLock(tmp_path / "one"), CampaignLock(tmp_path / "two"):
        pass


def test_the_same_process_does_not_get_the_lock_twice(tmp_path: Path):
    with CampaignLock(tmp_path), pytest.raises(CampaignLockedError):
        free(tmp_path)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError) as raised:
        free(tmp_path / "file")
    assert "\n" not in str(raised.value)


def test_whoever_looks_sees_who_holds_the_lock_without_taking_it(tmp_path: Path):
    assert holder_of(tmp_path) is None
    with holder(tmp_path) as process:
        said = holder_of(tmp_path)
        assert said is not None
        assert said.startswith(f"pid {process.pid} on {socket.gethostname()} since ")
        process.kill()
        process.wait(timeout=30)
        assert (tmp_path / HOLDER_FILE).exists()  # nobody was left to take it away
        assert holder_of(tmp_path) is None
    with CampaignLock(tmp_path):
        found = holder_of(tmp_path)
        assert found is not None
        assert found.startswith(f"pid {os.getpid()} ")
    assert holder_of(tmp_path) is None


def test_a_holder_on_another_machine_is_believed(tmp_path: Path):
    said = "pid 1 on elsewhere.example since 2026-01-01T00:00:00+00:00"
    (tmp_path / HOLDER_FILE).write_text(said, encoding="utf-8")
    assert holder_of(tmp_path) == said
