"""What an agent may say, whatever it says; and how often."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import ProbatumError, UsageError
from probatum.mcp_server.input_checks import (
    FIXED_KEYS,
    check_edit,
    check_name,
    check_text,
    refuse_import_paths,
    sentence,
    shown,
)
from probatum.mcp_server.json_values import plain
from probatum.mcp_server.limits import Limits, Pace

LIMITS = Limits()
PATHS = st.from_regex(r"[A-Za-z_][A-Za-z_.]{0,8}:[A-Za-z_]{1,8}", fullmatch=True)


@given(PATHS, st.sampled_from(["model", "training", "ensemble", "recipe"]))
def test_an_import_path_is_found_however_deep_it_lies(path: str, key: str):
    for value in (path, [path], {"kind": path}, {path: 1.0}, {"stages": [{"loss": {"kind": path}}]}):
        with pytest.raises(ProbatumError):
            check_edit({key: value}, LIMITS, where="here")


@given(PATHS)
def test_an_import_path_of_a_campaign_file_is_found_before_the_file_is_opened(path: str):
    for entry in ({"model": {"kind": path}}, {"model": path}, {"training": {"stages": [{"loss": path}]}}):
        with pytest.raises(ProbatumError, match="import path"):
            refuse_import_paths({"experiment": [{"name": "a"}, entry]}, where="lab.toml")


def test_names_of_columns_and_groups_may_look_like_anything():
    check_edit({"features": ["ratio A:B", "mass [g/l]"]}, LIMITS, where="here")
    check_edit({"group_weights": {"batch": {"a:b": 2.0}}}, LIMITS, where="here")
    refuse_import_paths({"experiment": [{"name": "a:b", "features": ["a:b"], "hypothesis": "x:y"}]}, where="here")


@given(st.text())
def test_a_name_that_is_taken_is_one_printable_line(name: str):
    try:
        kept = check_name(name, LIMITS, where="here")
    except UsageError:
        return
    assert kept
    assert kept == kept.strip()
    assert len(kept.splitlines()) == 1
    assert not set(kept) & set("<>\x1b\u202e\u200b")


@given(st.text(max_size=3000))
def test_a_text_that_is_taken_holds_no_control_characters(text: str):
    try:
        kept = check_text(text, LIMITS, where="here")
    except UsageError:
        return
    assert len(kept) <= LIMITS.text
    assert not any(ord(c) < 32 and c != "\n" for c in kept)


def test_nothing_of_the_protocol_is_a_key_of_a_recipe():
    assert {"protocol", "problem", "task", "audit", "splits", "metric", "margin", "held_out", "seeds"} <= FIXED_KEYS
    assert not FIXED_KEYS & {"model", "features", "training", "ensemble"}


@given(st.text(max_size=5000))
def test_what_is_told_is_one_short_printable_line(text: str):
    for said in (sentence(UsageError(text, where=text, remedy=text)), shown(text)):
        assert len(said) <= 900
        assert said.isprintable()


@given(st.recursive(st.floats() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_plain_values_hold_no_number_that_json_has_not(value: Any):
    import json

    json.dumps(plain(value), allow_nan=False)


def test_a_pace_lets_so_many_through_in_any_minute():
    now = [0.0]
    pace = Pace(3, "calls", clock=lambda: now[0])
    for _ in range(3):
        pace.spend()
    for at in (0.0, 30.0, 59.9):
        now[0] = at
        with pytest.raises(UsageError, match=r"more than 3 calls in a minute; wait \d+ s"):
            pace.spend()
    now[0] = 60.0
    pace.spend()
