"""Damages to a file's bytes: what disks, networks, editors, instruments and malice do to them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy], object]
Damage = Callable[..., bytes]

NUMBER = re.compile(rb"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
NUMBERS = (
    b"nan", b"-nan", b"inf", b"-inf", b"1e308", b"-1e308", b"1e309", b"5e-324", b"-1", b"0", b"-0.0", b"1",
    b"2147483647",
    b"2147483648", b"4294967296", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"1e18",
    b"1e400", b"9" * 400, b"9" * 5000, b"0x10", b"1_000", b"1,5", b"", b"NA", b"true", b"1/0", b"--1", b"1e",
    b"\xd9\xa1",
)  # fmt: skip
"""What may stand where a number was: beyond every type's range, no number at all, or one that only Python takes."""
INTEGERS = (0, 1, -1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**31, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
LAYOUTS = ("<b", "<H", ">H", "<I", ">I", "<Q", ">Q")
TEXTS = (
    b"\x00", b"\r", b"\n", b"\r\n", b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b'"', b"'", b"`", b"\\", b"\\u0000", b"\\ud800", b",", b";",
    b"\t",
    b"=", b":", b"#", b"##", b"$$", b"*", b"&", b"&amp;", b"&#0;", b"&x;", b"<", b">", b"<!--", b"<![CDATA[",
    b"<?", b"]]>",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"[", b"]", b"{", b"}", b"(", b")", b"[]", b"{}", b"null", b"true",
    b"../../etc/passwd",
    b"/etc/passwd", b"%s%n", b"{0}", b"!!python/object/apply:os.system", b"<<: *a", b"NaN", b"Infinity", b"\xcc\x81",
    b"os:system", b"pathlib:Path",
)  # fmt: skip
BOMBS = (
    (b"[", b"]"), (b"(", b")"), (b"{", b"}"), (b'{"a":', b"}"), (b"a = {", b"}"), (b"<a>", b"</a>"), (b"[[", b"]]"),
    (b"a.", b""), (b"- ", b""), (b"a = [", b"]"), (b"-", b""), (b'"', b'"'), (b"<apply>", b"</apply>"), (b"&a", b""),
)  # fmt: skip
DEPTHS = (150, 3_000, 60_000)
LARGEST = 1 << 21
"""Bytes beyond which a damaged file is cut."""


def spot(draw, content: bytes) -> int:
    """A place in the content, its ends included."""
    return draw(st.integers(0, len(content)))


def span(draw, content: bytes) -> tuple[int, int]:
    """A stretch of the content, often a short one."""
    start = spot(draw, content)
    length = draw(st.one_of(st.integers(0, 16), st.integers(0, len(content))))
    return start, min(start + length, len(content))


def cut(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """The file ends too soon."""
    return content[: spot(draw, content)]


def lose(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A stretch is missing."""
    start, stop = span(draw, content)
    return content[:start] + content[stop:]


def repeat(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A stretch stands there again and again."""
    start, stop = span(draw, content)
    return content[:start] + content[start:stop] * draw(st.sampled_from((2, 3, 50, 2000))) + content[stop:]


def splice(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A stretch of another file, or of this one, stands in the middle."""
    donor = draw(st.sampled_from([content, *donors]))
    start, stop = span(draw, donor)
    first, last = span(draw, content)
    return content[:first] + donor[start:stop] + content[last:]


def flip(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """One bit."""
    if not content:
        return content
    at, bit = draw(st.integers(0, len(content) - 1)), draw(st.integers(0, 7))
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def scribble(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """Any bytes over some of the content."""
    written, at = draw(st.binary(max_size=24)), spot(draw, content)
    return content[:at] + written + content[at + len(written) :]


def insert(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A text that means something to some format."""
    at = spot(draw, content)
    return content[:at] + draw(st.sampled_from(TEXTS)) + content[at:]


def change_number(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A number that is written out becomes one that nobody expects."""
    return _changed(draw, content, NUMBER, st.sampled_from(NUMBERS))


def change_word(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A word becomes another word of these files, or a text that means something."""
    words = sorted({word for text in (content, *donors) for word in WORD.findall(text[:4096])})
    return _changed(draw, content, WORD, st.sampled_from([*words, *TEXTS]))


def change_integer(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A binary integer, such as a count in a header, becomes zero, negative or huge."""
    layout = draw(st.sampled_from(LAYOUTS))
    written = struct.pack(layout.upper(), draw(st.sampled_from(INTEGERS)) % 256 ** struct.calcsize(layout))
    at = draw(st.integers(0, min(len(content), 4096)))
    return content[:at] + written + content[at + len(written) :]


def move_lines(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """Lines in another order, twice, or without one."""
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return content
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one:one] = draw(st.sampled_from((lines[other : other + 1], lines[other : other + 5], [])))
    if draw(st.booleans()):
        del lines[other]
    return b"".join(lines)


def encode(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """The same text in another encoding."""
    text = content.decode("latin-1")
    return text.encode(draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-7"))))


def nest(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """Brackets in brackets in brackets."""
    opening, closing = draw(st.sampled_from(BOMBS))
    depth = draw(st.sampled_from(DEPTHS))
    first, last = span(draw, content)
    inside = content[first:last] if draw(st.booleans()) else b""
    return content[:first] + opening * depth + inside + closing * depth + content[last:]


def change_kind(draw, content: bytes, donors: Sequence[bytes]) -> bytes:
    """A file of another kind under this name."""
    heads = (
        b"", b"\n", b" ", b"\x00" * 64, b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00", b"PK\x03\x04", b"PAR1PAR1",
        b"SQLite format 3\x00", b"\x93NUMPY\x01\x00", b"CDF\x01", b"\x89HDF\r\n\x1a\n", b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7\n",
        b"<!doctype html><title>404</title>", b"{}", b"[]", b"null", b"<?xml version='1.0'?><a/>",
        b"\x80\x04cos\nsystem\n",
    )  # fmt: skip
    return draw(st.sampled_from([*heads, *donors])) + draw(st.binary(max_size=64))


def _changed(draw, content: bytes, pattern: re.Pattern[bytes], strategy: st.SearchStrategy[bytes]) -> bytes:
    places = [found.span() for found in pattern.finditer(content[: 1 << 16])]
    if not places:
        return content
    start, stop = places[draw(st.integers(0, len(places) - 1))]
    return content[:start] + draw(strategy) + content[stop:]


DAMAGES: tuple[Damage, ...] = (
    change_number, change_number, change_word, insert, flip, cut, lose, splice, scribble, change_integer, move_lines,
    repeat, encode, nest, change_kind,
)  # fmt: skip
"""What may happen to a file; numbers twice, since readers trust them most."""


@st.composite
def damaged(draw, content: bytes, donors: Sequence[bytes] = ()) -> bytes:
    """The content after up to four damages; stretches of the donors may come into it."""
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.sampled_from(DAMAGES))(draw, content, donors)[:LARGEST]
    return content
