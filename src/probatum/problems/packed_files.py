"""Files that may be packed: .gz, .bz2 and .xz are opened on the way."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from pathlib import Path
from typing import IO, cast

from probatum.errors import DataError, DataMissingError, nearest

OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def opened(path: Path) -> IO[bytes]:
    """The file's content, unpacked on the way.

    Raises:
        DataMissingError: there is no such file.
        DataError: it cannot be read.
    """
    try:
        return cast("IO[bytes]", OPENERS.get(path.suffix.lower(), open)(path, "rb"))
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
