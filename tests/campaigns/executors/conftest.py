"""What Dask leaves behind: where a connection fails, tornado lets go of a socket that nobody closes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(scope="module", autouse=True)
def _sockets_are_collected_here() -> Iterator[None]:
    """And not in a later test, which would fail."""
    yield
    gc.collect()
