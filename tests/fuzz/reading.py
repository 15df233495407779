"""Gives a reader damaged files, and holds it to its word: what it cannot use it refuses, with an error of this package.

In continuous integration each reader sees the same examples every time. FUZZ_SECONDS=600 gives each reader that many
seconds of new ones.
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fuzz.damage import damaged
from fuzz.watching import watched
from probatum.errors import ProbatumError

Made = TypeVar("Made")
EXAMPLES = 150
"""Damaged files that a reader sees in continuous integration."""
ROUND = 300
"""Examples of a round of the long profile; rounds have seeds of their own."""
SHOWN = 3000
"""Bytes of a damaged file that a failure shows."""
LONG = float(os.environ.get("FUZZ_SECONDS", "0"))


@dataclass(frozen=True)
class Sample:
    """Files that are sound.

    Attributes:
        files: path below a folder, with '/', to content.
        entry: what the reader is given; '.' is the folder itself.
        damage: those of them that are damaged; () is all.
    """

    files: Mapping[str, bytes]
    entry: str
    damage: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, content: bytes | str) -> Sample:
        """One file."""
        return cls({name: content.encode() if isinstance(content, str) else content}, name)

    @property
    def damageable(self) -> tuple[str, ...]:
        return self.damage or tuple(self.files)


@dataclass(frozen=True)
class Reader:
    """What is tested.

    Attributes:
        name: for messages.
        read: of a path; whatever lazily read parts there are, too.
        samples: at least one, all of which it reads.
        allowed: errors that it may raise.
        sound: looks at what was read of a damaged file, and fails if it is none that a reader may give.
        examples: in continuous integration.
        writes: whether it may write into the folder of its file.
    """

    name: str
    read: Callable[[Path], Any]
    samples: Sequence[Sample]
    allowed: tuple[type[Exception], ...] = (ProbatumError,)
    sound: Callable[[Any], None] = lambda _: None
    examples: int = EXAMPLES
    writes: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Damaged:
    """Files of which one is damaged, or missing (None)."""

    entry: str
    name: str
    files: Mapping[str, bytes | None]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis shows it."""
        printer.text(repr(self))

    def __repr__(self) -> str:
        """Short: what a failure shows is for people."""
        content = self.files[self.name]
        size = "missing" if content is None else f"{len(content)} bytes"
        shown = content if content is None or len(content) <= SHOWN else content[:SHOWN]
        return f"{self.entry}: {self.name}, {size}: {shown!r}"


@st.composite
def damaged_samples(draw, samples: Sequence[Sample]) -> Damaged:
    """One of the samples with one of its files damaged."""
    sample = draw(st.sampled_from(list(samples)))
    name = draw(st.sampled_from(sample.damageable))
    donors = [other.files[part] for other in samples for part in other.damageable]
    files: dict[str, bytes | None] = dict(sample.files)
    files[name] = draw(damaged(sample.files[name], donors))
    if draw(st.integers(0, 40)) == 40:
        files[name] = None
    return Damaged(sample.entry, name, files)


def holds(reader: Reader) -> None:
    """Reads the samples, which must succeed, then damaged ones, which may fail with the allowed errors alone."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    number = itertools.count()

    def attempt(entry: str, files: Mapping[str, bytes | None]) -> None:
        folder = root / str(next(number))  # a name of its own: some readers remember files by their path
        try:
            refused = read_written(reader, folder, entry, files)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if refused is not None:
            check_message(refused)

    try:
        for sample in reader.samples:
            # Outside the watch, too: libraries are imported and compiled at the first reading.
            folder = root / str(next(number))
            write(folder, sample.files)
            reader.sound(reader.read(folder / sample.entry))
            attempt(sample.entry, sample.files)
        tried(damaged_samples(reader.samples), lambda made: attempt(made.entry, made.files), reader.examples)
        gc.collect()  # files that were left open are this reader's, not the next one's
    finally:
        shutil.rmtree(root, ignore_errors=True)


def tried(made: st.SearchStrategy[Made], attempt: Callable[[Made], None], examples: int) -> None:
    """Attempts so many examples, the same ones every time; with FUZZ_SECONDS new ones for that long.

    Args:
        made: how an example is made.
        attempt: that fails where an example shows a fault.
        examples: in continuous integration.
    """
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    common: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": quiet}
    if not LONG:
        settings(max_examples=examples, derandomize=True, **common)(given(made)(attempt))()
        return
    end = time.monotonic() + LONG
    for one in itertools.count(int(time.time())):
        seed(one)(settings(max_examples=ROUND, **common)(given(made)(attempt)))()
        if time.monotonic() > end:
            return


def read_written(reader: Reader, folder: Path, entry: str, files: Mapping[str, bytes | None]) -> Exception | None:
    """Writes the files and reads them under watch; gives the allowed error, or None where they were read."""
    write(folder, files)
    try:
        with watched(folder if reader.writes else None):
            found = reader.read(folder / entry)
    except reader.allowed as error:
        return error
    reader.sound(found)
    return None


def write(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """Writes the files below the folder; those without content are left out."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)


def check_message(error: Exception) -> None:
    """An error says something, and no library's traceback stands in it."""
    said = str(error)
    assert said.strip(), type(error)
    assert "Traceback (most recent call last)" not in said
