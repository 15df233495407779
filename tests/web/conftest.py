"""Small campaigns behind the dashboard, and a client that asks it as a browser does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from probatum.laboratory import Laboratory
from probatum.web.access import Access
from probatum.web.application import application
from web.small_dashboard import PORT, TOKEN, client_of, write_lab


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that has been run to its end. Not to be changed."""
    path = write_lab(tmp_path_factory.mktemp("finished"))
    Laboratory.open(path).run()
    return path


@pytest.fixture
def lab(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished campaign, to be changed."""
    return Path(shutil.copytree(finished.parent, tmp_path / "lab")) / finished.name


@pytest.fixture(scope="session")
def reader(finished: Path) -> Iterator[TestClient]:
    """Reads the finished campaign, whose results are computed, without a token."""
    with client_of(finished) as client:
        client.app.state.dashboard.observer.wait(120)  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def access() -> Access:
    """Of a server on this machine."""
    return Access.of("127.0.0.1", PORT, TOKEN)


@pytest.fixture
def person(lab: Path) -> Iterator[TestClient]:
    """A browser that has opened the link with the token; its campaign may be changed."""
    with client_of(lab) as client:
        client.get(f"/?token={TOKEN}")
        client.app.state.dashboard.observer.wait(120)  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def small(lab: Path) -> Iterator[TestClient]:
    """The same with room for posts of 1,000 bytes."""
    app = application(lab, Access.of("127.0.0.1", PORT, TOKEN), largest=1000)
    with TestClient(app, base_url=f"http://127.0.0.1:{PORT}", follow_redirects=True) as client:
        client.get(f"/?token={TOKEN}")
        yield client
