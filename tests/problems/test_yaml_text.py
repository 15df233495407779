"""YAML of strangers is read, or refused in time."""

from __future__ import annotations

import pytest

from probatum.errors import DataError
from probatum.problems.yaml_text import DEEPEST, parse_yaml

LAUGHS = "a0: &a0 [ha, ha]\n" + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(9))
"""A kilobyte that would hold a billion values (https://en.wikipedia.org/wiki/Billion_laughs_attack)."""


def test_what_a_text_says():
    assert parse_yaml("a: [1, 2.5]\nb: {c: text}", "one.yaml", "") == {"a": [1, 2.5], "b": {"c": "text"}}
    assert parse_yaml("a: &one [1, 2]\nb: *one", "one.yaml", "") == {"a": [1, 2], "b": [1, 2]}
    assert parse_yaml("", "one.yaml", "") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "while parsing"),
        ("{" * 60_000 + "}" * 60_000, "more than 100 brackets are open"),
        ("- " * 60_000, "recursion"),
        ("day: 2026-02-31", "day is out of range"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: &a [*a]", "aliases hold one another"),
        (LAUGHS, "aliases hold one another"),
        ("\x01", "special characters are not allowed"),
    ],
    ids=["open", "brackets", "lists", "date", "python", "itself", "laughs", "control"],
)
def test_what_is_none_is_refused_with_its_name(text: str, says: str):
    with pytest.raises(DataError, match=says) as caught:
        parse_yaml(text, "one.yaml", "write another")
    assert (caught.value.where, caught.value.remedy) == ("one.yaml", "write another")


def test_brackets_as_deep_as_they_may_be_are_read():
    read = parse_yaml("[" * DEEPEST + "]" * DEEPEST, "one.yaml", "")
    depth = 1
    while read:
        (read,), depth = read, depth + 1
    assert depth == DEEPEST
