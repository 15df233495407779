"""What the tests of campaigns share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from postgresql_fixture import server  # noqa: F401

pytest.register_assert_rewrite(
    "campaigns.ledgers.ledger_conformance", "campaigns.executors.executor_conformance", "campaigns.small_campaigns"
)
# How long an example takes says more about the machine's other work than about ours.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

from campaigns.small_campaigns import SMALL, Workplace  # noqa: E402  rewritten first


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A small finished campaign; tests only look at it."""
    place = Workplace(tmp_path_factory.mktemp("small"))
    place.run(SMALL)
    return place


@pytest.fixture
def small(finished_once: Workplace, tmp_path: Path) -> Iterator[Workplace]:
    """A copy of a small finished campaign, free to be changed; its learners may be imported anew."""
    shutil.copytree(finished_once.folder, tmp_path / "copy")
    table = tmp_path / "copy" / "batches.csv"
    before = table.read_bytes()
    place = Workplace(tmp_path / "copy", finished_once.learners)
    assert table.read_bytes() == before
    yield place
    sys.path[:] = [p for p in sys.path if p != str(place.folder)]
