"""A look that was taken is remembered for as long as what was looked at stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probatum.audit.finding import Alarm, Check
from probatum.audit.memory import Memory
from probatum.audit.subjects import Subject


class Looks:
    """A check that raises what it is given, and counts."""

    def __init__(self, *alarms: Alarm):
        self.alarms, self.count = alarms, 0

    def __call__(self, _: Any, __: float) -> Iterator[Alarm]:
        self.count += 1
        yield from self.alarms


def check(look: Looks, code: str = "PB1") -> Check:
    return Check(code, "odd", "error", "run", "", "", "", True, look)


def subject(*parts: Any) -> Subject:
    return Subject("a", parts, parts, 1.0)


ALARM = Alarm("1 of 3", {"rows": np.float32(0.1), "share": float("nan"), "count": 1}, "b", "note")  # type: ignore[arg-type]


def test_what_was_raised_is_read_back_to_the_last_bit(tmp_path: Path):
    look, memory = Looks(ALARM, Alarm("none")), Memory()
    fresh = memory.look(check(look), subject(1, 2), 0.1)
    memory.write(tmp_path / "audit.json")
    kept = Memory.read(tmp_path / "audit.json").look(check(look), subject(1, 2), 0.1)
    assert look.count == 1
    assert repr(kept) == repr(fresh)
    assert fresh[0].figures["rows"] == float(np.float32(0.1))


@pytest.mark.parametrize(
    ("code", "parts", "level"), [("PB2", (1, 2), 0.1), ("PB1", (1, 3), 0.1), ("PB1", (1, 2), 0.2), ("PB1", (12,), 0.1)]
)
def test_another_check_subject_or_level_is_another_look(code: str, parts: tuple[int, ...], level: float):
    look, memory = Looks(), Memory()
    memory.look(check(look), subject(1, 2), 0.1)
    memory.look(check(look, code), subject(*parts), level)
    assert look.count == 2


def test_what_has_no_content_is_looked_at_each_time(tmp_path: Path):
    look, memory = Looks(), Memory()
    for _ in range(2):
        memory.look(check(look), subject(object()), 0.1)
    assert look.count == 2


def test_what_is_no_longer_looked_at_is_forgotten(tmp_path: Path):
    file, look = tmp_path / "audit.json", Looks()
    for value in (1, 2):
        memory = Memory.read(file)
        memory.look(check(look), subject(value), 0.1)
        memory.write(file)
    Memory.read(file).look(check(look), subject(2), 0.1)
    assert look.count == 2
    Memory.read(file).look(check(look), subject(1), 0.1)
    assert look.count == 3


def test_a_file_is_not_written_again_where_nothing_is_new(tmp_path: Path):
    file, look = tmp_path / "audit.json", Looks(ALARM)
    memory = Memory()
    memory.look(check(look), subject(1), 0.1)
    memory.write(file)
    before = file.stat()
    again = Memory.read(file)
    again.look(check(look), subject(1), 0.1)
    again.write(file)
    assert file.stat().st_ino == before.st_ino
    assert [f.name for f in tmp_path.iterdir()] == ["audit.json"]


def test_a_folder_that_is_not_there_is_not_fatal(tmp_path: Path):
    memory = Memory.read(tmp_path / "none" / "audit.json")
    memory.look(check(Looks()), subject(1), 0.1)
    memory.write(tmp_path / "none" / "audit.json")
    assert not list(tmp_path.iterdir())
