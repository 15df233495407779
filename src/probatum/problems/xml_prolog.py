"""What stands before the root element of an XML file: a document type there may declare entities.

Entities can name files of this machine, or grow without end. No instrument writes them, so whoever reads measured XML
refuses the file before a parser sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.parsers import expat

from probatum.errors import DataError

PIECE = 1 << 14
"""Bytes that are looked at between two questions whether the root has begun."""


def refuse_document_type(chunks: Iterable[bytes], where: str) -> None:
    """Reads chunks until the root element begins.

    What comes after is not looked at: a document type cannot stand there.

    Args:
        chunks: of the file, from its beginning.
        where: what an error names as the place.

    Raises:
        DataError: the file declares a document type, or is no XML up to its root.
    """
    begun = False

    def declared(*_: object) -> None:
        what = "declares a document type, which may hide entities"
        raise DataError(what, where=where, remedy="remove the DOCTYPE from the file")

    def opened(*_: object) -> None:
        nonlocal begun
        begun = True

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = declared, opened
    try:
        for chunk in chunks:
            for start in range(0, len(chunk), PIECE):
                parser.Parse(chunk[start : start + PIECE], False)
                if begun:
                    return
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two for encodings that expat lacks
        if isinstance(error, DataError):
            raise
        if not begun:
            raise DataError(f"is no XML ({error})", where=where, remedy="copy or export it again") from None
