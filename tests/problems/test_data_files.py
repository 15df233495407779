"""Where data files are found, and what happens on the way from the public address."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from probatum.errors import DataError, DataMissingError, StorageError, UnknownNameError
from probatum.problems.catechol.problem import Catechol
from probatum.problems.data_files import DataSource, RemoteFile, fetch, locate

CONTENT = {"a.csv": b"x,y\n1,2\n", "b.csv": b"name\nwater\n"}


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """What the server offers: one file in a folder, the other at the top."""
    folder = tmp_path / "published"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.csv").write_bytes(CONTENT["a.csv"])
    (folder / "b.csv").write_bytes(CONTENT["b.csv"])
    return folder


@pytest.fixture
def source(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataSource]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(published)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PROBATUM_CATECHOL_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.delenv("PROBATUM_OFFLINE", raising=False)
    monkeypatch.delenv("PROBATUM_DATA", raising=False)
    elsewhere = tmp_path / "work" / "here"
    elsewhere.mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    made = DataSource(
        problem="catechol",
        url="http://127.0.0.1:9/never-asked",
        url_variable="PROBATUM_CATECHOL_URL",
        licence="MIT",
        files=tuple(
            RemoteFile(name, hashlib.sha256(content).hexdigest(), (f"deep/{name}", name))
            for name, content in CONTENT.items()
        ),
    )
    monkeypatch.setattr(Catechol, "data_source", made)
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def test_fetched_files_are_the_published_ones(source: DataSource):
    told = []
    files = fetch("catechol", lambda *what: told.append(what))
    assert {file.name: file.read_bytes() for file in files} == CONTENT
    assert {file.parent for file in files} == {source.cache}
    assert told == [("a.csv", 1, 2), ("b.csv", 2, 2)]


def test_files_already_there_are_not_fetched_again(source: DataSource, monkeypatch: pytest.MonkeyPatch):
    first = fetch("catechol")
    monkeypatch.setenv("PROBATUM_CATECHOL_URL", "http://127.0.0.1:9/")
    assert fetch("catechol") == first
    assert locate(source) == source.cache


def test_the_first_use_fetches(source: DataSource):
    folder = locate(source)
    assert (folder / "a.csv").read_bytes() == CONTENT["a.csv"]


def test_another_content_than_the_published_is_refused_and_leaves_nothing_behind(source: DataSource, published: Path):
    (published / "deep" / "a.csv").write_bytes(b"<html>please log in</html>")
    with pytest.raises(DataError) as raised:
        fetch("catechol")
    said = str(raised.value)
    assert "a.csv is not the published file: expected sha256" in said
    assert source.files[0].sha256 in said
    assert hashlib.sha256(b"<html>please log in</html>").hexdigest() in said
    assert "check PROBATUM_CATECHOL_URL" in said
    assert list(source.cache.glob("*")) == []


def test_a_damaged_file_in_the_cache_is_named_and_fetching_repairs_it(source: DataSource):
    damaged = fetch("catechol")[0]
    damaged.write_bytes(b"half a fi")
    with pytest.raises(DataError, match="delete it and run 'probatum data fetch catechol'"):
        locate(source)
    assert fetch("catechol")[0].read_bytes() == CONTENT["a.csv"]
    assert locate(source) == source.cache


def test_a_file_that_is_nowhere_on_the_server_is_named(source: DataSource, published: Path):
    (published / "b.csv").unlink()
    with pytest.raises(
        DataMissingError, match=r"b\.csv: cannot be downloaded \(HTTP 404\); when online, run 'probatum"
    ):
        fetch("catechol")


def test_without_network_one_line_says_what_to_do(source: DataSource, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROBATUM_CATECHOL_URL", "http://127.0.0.1:9")
    with pytest.raises(DataMissingError) as raised:
        locate(source)
    assert "\n" not in str(raised.value)
    assert "run 'probatum data fetch catechol', or set PROBATUM_DATA" in str(raised.value)
    monkeypatch.setenv("PROBATUM_OFFLINE", "1")
    with pytest.raises(DataMissingError, match=r"not on this machine and PROBATUM_OFFLINE is set; run 'probatum data"):
        locate(source)


def test_a_cache_that_cannot_be_written_is_named(source: DataSource, tmp_path: Path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match=r"cannot be written: .*; make room there or make it writable"):
        fetch("catechol")


def test_the_named_folder_comes_first_and_may_differ_from_the_published_files(
    source: DataSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fetch("catechol")
    for place in (tmp_path / "work" / "shared" / "data", tmp_path / "named"):
        (place / "catechol").mkdir(parents=True)
        for name in CONTENT:
            (place / "catechol" / name).write_text("x\n")
        if place.name == "named":
            monkeypatch.setenv("PROBATUM_DATA", str(place))
        assert locate(source) == (place / "catechol").resolve()


def test_a_named_folder_without_this_problem_is_passed_over(
    source: DataSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path / "named"))
    assert locate(source) == source.cache


def test_a_local_folder_that_lacks_a_file_is_not_mixed_with_another(
    source: DataSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "named" / "catechol").mkdir(parents=True)
    (tmp_path / "named" / "catechol" / "a.csv").write_text("x\n")
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path / "named"))
    with pytest.raises(DataMissingError, match=r"b\.csv: there is no such file"):
        locate(source)


def test_a_problem_without_files_has_nothing_to_fetch():
    with pytest.raises(DataError, match="table has no data files to fetch"):
        fetch("table")
    with pytest.raises(UnknownNameError, match="unknown problem 'catecol'"):
        fetch("catecol")


def test_the_published_sources_are_pinned_to_a_commit():
    from probatum.problems.catechol.data import SOURCE

    assert "/0d8e3f41/" in SOURCE.url
    assert len(SOURCE.files) == 10
    assert replace(SOURCE) == SOURCE
    assert all(len(file.sha256) == 64 and file.paths[-1] == file.name for file in SOURCE.files)
