"""Finding and downloading a problem's data files.

A folder named after the problem is looked for in `$PROBATUM_DATA`, then in `../shared/data`, then in the user's cache,
which is filled from the public address. What is downloaded is checked against its sha256; a copy of the user's own may
differ from the published files, and `Origin.files` then says so, for it records the sha256 of what was read.

A file that is not published in the form that is used is rebuilt from one that is, which is read as a stream; its sha256
is that of its unpacked content, since how well content is packed differs between machines.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import platformdirs

from probatum.errors import DataError, DataMissingError, StorageError
from probatum.problems.packed_files import opened, read_from
from probatum.problems.registry import problem_class

FOLDER_VARIABLE = "PROBATUM_DATA"
OFFLINE_VARIABLE = "PROBATUM_OFFLINE"
_TIMEOUT_S = 20.0

Progress = Callable[[str, int, int], None]
"""Called with a file's name, its position from 1 and the number of files, before each file is fetched."""
Rebuild = Callable[[IO[bytes], str], bytes]
"""From what is downloaded, as a stream, and its address, for errors, to the file's bytes."""
LARGEST_DOWNLOAD = 2 * 2**30
"""Bytes of what a file is rebuilt from."""


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        name: as it lies in the local folder.
        sha256: of its bytes, in hexadecimal; of its unpacked content where it is rebuilt.
        paths: where it lies below the source's address; tried in order.
        rebuild: makes the file from what lies there; None where that is the file itself.
    """

    name: str
    sha256: str
    paths: tuple[str, ...]
    rebuild: Rebuild | None = None


@dataclass(frozen=True)
class DataSource:
    """Where the files of a problem are published.

    Attributes:
        problem: its registered name, also the local folder's.
        url: public address below which the files lie.
        url_variable: environment variable that replaces `url` by a mirror's address.
        licence: as the publisher states it.
        files: what is published there.
    """

    problem: str
    url: str
    url_variable: str
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def cache(self) -> Path:
        """The folder of the user's cache that downloads go to."""
        return platformdirs.user_cache_path("probatum") / "data" / self.problem

    @property
    def remedy(self) -> str:
        return (
            f"run 'probatum data fetch {self.problem}', or set {FOLDER_VARIABLE} to a folder that holds {self.problem}/"
        )


def locate(source: DataSource, folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder that a problem's files are read from, downloading them into the cache where they are nowhere.

    Args:
        source: the problem's published files.
        folder: the user's own copy, which then is the only place looked at; the caller reports files it lacks.

    Raises:
        DataMissingError: the files are nowhere and cannot be downloaded.
        DataError: a file in the cache is not the published one.
    """
    if folder is not None:
        own = Path(folder).expanduser().resolve()
        if not own.is_dir():
            raise DataMissingError("there is no such folder", where=str(own), remedy=source.remedy)
        return own
    for place in _local_places():
        found = place / source.problem
        if found.is_dir():
            for file in source.files:
                if not (found / file.name).is_file():
                    raise DataMissingError("there is no such file", where=str(found / file.name), remedy=source.remedy)
            return found.resolve()
    if not all((source.cache / file.name).is_file() for file in source.files):
        if os.environ.get(OFFLINE_VARIABLE):
            raise DataMissingError(
                f"the data of {source.problem} is not on this machine and {OFFLINE_VARIABLE} is set",
                remedy=source.remedy,
            )
        return _download(source, None)[0].parent
    for file in source.files:
        _check(source.cache / file.name, file, source)
    return source.cache


@dataclass(frozen=True)
class LocalFiles:
    """What lies on this machine of a problem's published files.

    Attributes:
        folder: they are read from; None where no file lies anywhere.
        missing: published and not there.
        other: there, and not the published ones; a copy of the user's own may differ.
    """

    folder: Path | None
    missing: tuple[str, ...]
    other: tuple[str, ...]


def local_files(source: DataSource) -> LocalFiles:
    """Looks at a problem's files where `locate` would find them, and downloads nothing."""
    places = [place / source.problem for place in _local_places()]
    folder = next((place for place in places if place.is_dir()), source.cache)
    there = [file for file in source.files if (folder / file.name).is_file()]
    return LocalFiles(
        folder.resolve() if there else None,
        tuple(file.name for file in source.files if file not in there),
        tuple(file.name for file in there if _digest(folder / file.name, file) != file.sha256),
    )


def fetch(problem: str, progress: Progress | None = None) -> list[Path]:
    """Downloads a problem's files into the user's cache; those already there and intact stay as they are.

    Args:
        problem: registered name.
        progress: told of every file before it is fetched.

    Returns:
        The files in the cache.

    Raises:
        UnknownNameError: for the problem.
        DataMissingError: a file cannot be downloaded.
        DataError: the problem publishes no files, or one that was downloaded has another sha256.
        StorageError: the cache cannot be written.
    """
    source = problem_class(problem).data_source
    if source is None:
        raise DataError(f"{problem} has no data files to fetch", remedy="just use it")
    return _download(source, progress)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _local_places() -> list[Path]:
    named = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(named).expanduser()] if named else []), Path.cwd().parent / "shared" / "data"]


def _download(source: DataSource, progress: Progress | None) -> list[Path]:
    # pooch brings requests: half a second that only a download should cost.
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    base = os.environ.get(source.url_variable, source.url).rstrip("/")
    fetched = []
    for position, file in enumerate(source.files, start=1):
        if progress is not None:
            progress(file.name, position, len(source.files))
        urls = [f"{base}/{path}" for path in file.paths]
        try:
            if file.rebuild is not None:
                fetched.append(_rebuilt(urls, file, source))
                continue
            # pooch writes beside the destination and moves the file there only when it is whole and right.
            found = pooch.retrieve(
                urls[0], f"sha256:{file.sha256}", file.name, source.cache, downloader=_FirstOf(urls, file, source)
            )
        except requests.RequestException as error:
            raise DataMissingError(
                f"cannot be downloaded ({_brief(error)})",
                where=urls[0],
                remedy=f"when online, {source.remedy}",
            ) from None
        except OSError as error:
            raise StorageError(
                f"cannot be written: {error.strerror or error}",
                where=str(source.cache),
                remedy="make room there or make it writable",
            ) from error
        fetched.append(Path(found))
    return fetched


def _rebuilt(urls: list[str], file: RemoteFile, source: DataSource) -> Path:
    """The file in the cache, made again from the first address where something lies unless it is there and right."""
    import requests

    assert file.rebuild is not None
    target = source.cache / file.name
    if target.is_file() and _digest(target, file) == file.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    for url in urls:
        with requests.get(url, timeout=_TIMEOUT_S, stream=True) as response:
            if response.status_code == 404 and url != urls[-1]:
                continue
            response.raise_for_status()
            content = file.rebuild(io.BufferedReader(_Body(response.iter_content(2**16), url)), url)
        # Its name ends as the target's, so that it is unpacked in the same way.
        part = target.with_name(f".part-{os.getpid()}-{target.name}")
        try:
            part.write_bytes(content)
            _check(part, file, source, where=url)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        break
    return target


class _Body(io.RawIOBase):
    """The body of an answer as a file that is read once, so that errors of the network stay those of requests."""

    def __init__(self, chunks: Iterator[bytes], where: str):
        self.chunks, self.where = chunks, where
        self.left, self.total = b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            self.left = next(self.chunks, b"")
            self.total += len(self.left)
            if self.total > LARGEST_DOWNLOAD:
                raise DataError(f"has more than {LARGEST_DOWNLOAD} bytes", where=self.where, remedy="check the address")
        taken = min(len(buffer), len(self.left))
        buffer[:taken], self.left = self.left[:taken], self.left[taken:]
        return taken


class _FirstOf:
    """A pooch downloader: tries addresses in turn, passing on where a file is not there (HTTP 404)."""

    def __init__(self, urls: list[str], file: RemoteFile, source: DataSource):
        self.urls, self.file, self.source = urls, file, source

    def __call__(
        self, fname: str, action: str | os.PathLike[str] | None, pooch: object, *, check_only: bool | None = False
    ) -> None:
        import requests

        assert action is not None, "pooch names the temporary file"
        target = Path(action)

        for candidate in self.urls:
            response = requests.get(candidate, timeout=_TIMEOUT_S)
            if response.status_code == 404 and candidate != self.urls[-1]:
                continue
            response.raise_for_status()
            target.write_bytes(response.content)
            # Checked here because pooch's own message does not say what to do.
            _check(target, self.file, self.source, where=candidate)
            return


def _check(path: Path, file: RemoteFile, source: DataSource, where: str | None = None) -> None:
    found = _digest(path, file)
    if found != file.sha256:
        remedy = (
            f"check {source.url_variable} or the network in between"
            if where
            else f"delete it and run 'probatum data fetch {source.problem}'"
        )
        raise DataError(
            f"{file.name} is not the published file: expected sha256 {file.sha256}, found {found}",
            where=where or str(path),
            remedy=remedy,
        )


def _digest(path: Path, file: RemoteFile) -> str:
    """The sha256 that `RemoteFile.sha256` is compared with."""
    if file.rebuild is None:
        return sha256_of(path)
    try:
        with opened(path) as stream:
            return hashlib.sha256(read_from(stream, path)).hexdigest()
    except DataError:
        return "nothing that can be unpacked"


def _brief(error: Exception) -> str:
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(error).__name__
