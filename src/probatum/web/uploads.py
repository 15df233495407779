"""What a browser sends with a question: checked, and put into a folder of its own under names that are given here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from starlette.datastructures import FormData, UploadFile

from probatum.errors import DataError, UsageError
from probatum.problems.packed_files import opened, read_from
from probatum.web.answer_process import QUESTION
from probatum.web.questions import XML, Field, Question, Value, suffix_of, value_of

LARGEST_UNPACKED = 512 * 2**20
"""Bytes of a file as it is read; a small packed file can hold any number of them."""
LARGEST_TABLE = 2**17
"""Characters of a table that is typed in."""
CHUNK = 2**20


def save_question(asked: Question, form: FormData, folder: Path) -> None:
    """Writes what was asked where `answering` finds it.

    Args:
        asked: the question.
        form: as the browser sent it.
        folder: of the process that will answer.

    Raises:
        UsageError, DataError: naming the field, what is wrong with it, and what may stand there.
    """
    arguments: dict[str, Value] = {}
    files: dict[str, str] = {}
    for field in asked.fields:
        sent = form.get(field.name)
        if field.kind in ("file", "table"):
            name = _saved(field, sent, form.get(f"{field.name}_text"), folder)
            if name is not None:
                files[field.name] = name
            elif field.required or field.kind == "table":
                raise UsageError("is missing", where=field.label, remedy="choose a file")
        elif isinstance(sent, UploadFile):
            raise UsageError("is a file", where=field.label, remedy="write a value")
        elif (value := value_of(field, sent or "")) is not None:
            arguments[field.name] = value
    record = {"question": asked.slug, "arguments": arguments, "files": files}
    (folder / QUESTION).write_text(json.dumps(record), encoding="utf-8")


def _saved(field: Field, sent: object, typed: object, folder: Path) -> str | None:
    """The name under which a file was saved; None where none was sent."""
    if isinstance(sent, UploadFile) and sent.filename:
        name = (field.stored or field.name) + suffix_of(field, sent.filename)
        with (folder / name).open("xb") as file:
            while chunk := sent.file.read(CHUNK):
                file.write(chunk)
        check_content(folder / name, field.label)
        return name
    if field.kind == "table" and isinstance(typed, str) and typed.strip():
        if len(typed) > LARGEST_TABLE:
            raise UsageError(f"is longer than {LARGEST_TABLE} characters", where=field.label, remedy="send a file")
        name = f"{field.stored or field.name}.csv"
        (folder / name).write_text(typed, encoding="utf-8")
        return name
    return None


def check_content(path: Path, label: str) -> None:
    """Refuses a file that unpacks to more than is read, and XML that declares entities.

    Entities can name files of this machine, or grow without end; no instrument writes them.

    Args:
        path: of the saved file.
        label: of its field.

    Raises:
        DataError: what is wrong with it, without its place on this machine.
    """
    try:
        with opened(path) as stream:
            _check(stream, path, label)
    except DataError as error:
        raise DataError(error.what, where=label, remedy=error.remedy) from None


def _check(stream: IO[bytes], path: Path, label: str) -> None:
    parser = None
    if any(suffix in XML for suffix in path.suffixes):
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_doctype
    size = 0
    for chunk in _chunks(stream, path):
        size += len(chunk)
        if size > LARGEST_UNPACKED:
            what = f"holds more than {LARGEST_UNPACKED >> 20} MB when it is unpacked"
            raise DataError(what, where=label, remedy="use the command line for such files")
        if parser is not None:
            try:
                parser.Parse(chunk, False)
            except (expat.ExpatError, ValueError, LookupError) as error:  # the latter for unknown encodings
                raise DataError(f"is no XML ({error})", where=label, remedy="copy or export it again") from None
    if not size:
        raise DataError("is empty", where=label, remedy="choose another file")


def _chunks(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    while chunk := read_from(stream, path, CHUNK):
        yield chunk


def _refuse_doctype(*_: object) -> None:
    remedy = "remove the DOCTYPE from the file"
    raise DataError("declares a document type, which may hide entities", remedy=remedy)
