"""Predictions, curves and weights as content-addressed files: npz, safetensors; never pickle.

An artifact's name is the sha256 of its bytes, so it is written once, cannot change unnoticed, and can be written by
any process without asking. It is on the disk (fsync) before its digest is known to anybody.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from probatum.errors import StorageError

NAME = re.compile(r"[0-9a-f]{64}\.[a-z]+")
"""Of an artifact: the sha256 of its bytes, and their kind."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ArtifactStore:
    """A folder of content-addressed files.

    Args:
        folder: created where it does not exist.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def write_arrays(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Stores named arrays as npz.

        Returns:
            the artifact's name, '<sha256>.npz'.

        Raises:
            StorageError: the folder cannot be written or the disk is full; nothing is left behind.
        """
        for name, array in arrays.items():
            if array.dtype.hasobject:
                raise TypeError(f"array '{name}' holds Python objects, which cannot be stored")
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return self._write(buffer.getbuffer(), "npz")

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of an npz artifact.

        Raises:
            StorageError: the file is missing or is not what it was.
        """
        with np.load(io.BytesIO(self._read(name)), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def write_tensors(self, tensors: Mapping[str, np.ndarray]) -> str:
        """Stores weights as safetensors; returns '<sha256>.safetensors'."""
        from safetensors.numpy import save

        return self._write(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}), "safetensors")

    def read_tensors(self, name: str) -> dict[str, np.ndarray]:
        """The weights of a safetensors artifact."""
        from safetensors.numpy import load

        return load(self._read(name))

    def put(self, name: str, content: bytes) -> None:
        """Stores an artifact that another store wrote.

        Raises:
            StorageError: the content is not what the name says, or cannot be written.
        """
        digest, _, suffix = name.partition(".")
        if hashlib.sha256(content).hexdigest() != digest:
            raise StorageError(
                "artifact is not what was sent: its checksum differs",
                where=name,
                remedy="run again; if it happens again, test the network and the memory of both machines",
            )
        self._write(content, suffix)

    def read(self, name: str) -> bytes:
        """The bytes of an artifact.

        Raises:
            StorageError: the file is missing or is not what it was.
        """
        return self._read(name)

    def path(self, name: str) -> Path:
        """Where an artifact lies.

        Raises:
            StorageError: it is no name that this store gives; who can write the ledger could name any file.
        """
        if not NAME.fullmatch(name):
            raise StorageError(
                f"'{name[:80]}' is no name of an artifact",
                where=str(self.folder),
                remedy="restore the ledger from a copy",
            )
        return self.folder / name[:2] / name

    def sweep(self, age: float = 0.0) -> int:
        """Removes what killed processes left half-written; returns how many files.

        Args:
            age: seconds since they were touched, below which they stay: another process may be writing them.
        """
        left = []
        for file in self.folder.glob("*/.partial-*"):
            with contextlib.suppress(FileNotFoundError):  # it has got its name, or was swept by another process
                if time.time() - file.stat().st_mtime >= age:
                    file.unlink()
                    left.append(file)
        return len(left)

    def _write(self, content: bytes | memoryview, suffix: str) -> str:
        name = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        target = self.path(name)
        if target.exists() and target.stat().st_size == len(content):
            return name
        with storage_errors(target.parent):
            target.parent.mkdir(exist_ok=True)
            # Not mkstemp: its files are readable by their owner alone, and colleagues share folders.
            partial = target.with_name(f".partial-{secrets.token_hex(8)}")
            try:
                with open(partial, "xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(partial, target)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(partial)
                raise
            _sync_folder(target.parent)
        return name

    def _read(self, name: str) -> bytes:
        try:
            content = self.path(name).read_bytes()
        except OSError as error:
            raise StorageError(
                f"artifact cannot be read: {error.strerror}",
                where=str(self.path(name)),
                remedy="restore the file, or delete the campaign's state folder and run again",
            ) from error
        if hashlib.sha256(content).hexdigest() != name.partition(".")[0]:
            raise StorageError(
                "artifact is not what was written: its checksum differs",
                where=str(self.path(name)),
                remedy="restore the file, or delete the campaign's state folder and run again",
            )
        return content


@contextlib.contextmanager
def storage_errors(folder: Path):
    """Turns the system's complaints about a folder into one-line errors with a remedy."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise StorageError(
                "the disk is full", where=str(folder), remedy="free space and run again; what is recorded is kept"
            ) from error
        raise StorageError(
            f"cannot be written: {error.strerror or error}", where=str(folder), remedy="make the folder writable"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Makes a rename durable where the system knows how to."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
