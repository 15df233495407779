"""Files that may be packed: .gz, .bz2 and .xz are opened on the way."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path
from typing import IO, Any, cast

from probatum.errors import DataError, DataMissingError, nearest

OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
LARGEST = 4 << 30
"""Bytes that a packed file may unpack to: a thousandth of that can be made to hold any number of them."""


def opened(path: Path) -> IO[bytes]:
    """The file's content, unpacked on the way.

    Raises:
        DataMissingError: there is no such file.
        DataError: it cannot be read; or, while it is read, it unpacks to more than `LARGEST` bytes.
    """
    opener = OPENERS.get(path.suffix.lower())
    try:
        if opener is None:
            return path.open("rb")
        return io.BufferedReader(_Unpacked(cast("IO[bytes]", opener(path, "rb")), path))
    except FileNotFoundError:
        beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        raise DataMissingError("there is no such file", where=str(path), remedy=nearest(path.name, beside)) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path), remedy="name a readable file") from None


def read_from(stream: IO[bytes], path: Path, most: int = -1) -> bytes:
    """The next bytes of a file, all of them by default.

    Raises:
        DataError: it cannot be unpacked.
    """
    try:
        return stream.read(most)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"is no whole {path.suffix} file ({error})",
            where=str(path),
            remedy="it was cut short or is damaged; copy it again",
        ) from None


class _Unpacked(io.RawIOBase):
    """The content of a packed file, up to `LARGEST` bytes."""

    def __init__(self, content: IO[bytes], path: Path):
        self._content, self._path = content, path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._content.readinto(buffer)  # type: ignore[attr-defined]  every opener's file has it
        if self._content.tell() > LARGEST:
            raise DataError(
                f"unpacks to more than {LARGEST / 2**30:g} GB", where=str(self._path), remedy="give it unpacked"
            )
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        return self._content.tell()

    def close(self) -> None:
        self._content.close()
        super().close()
