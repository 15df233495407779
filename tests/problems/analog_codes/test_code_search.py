"""The search finds the known constructions of its size, and continues where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, StorageError
from probatum.problems.analog_codes.code_search import Search, continued, resumed
from probatum.problems.analog_codes.commands import search
from probatum.problems.analog_codes.constructions import constructions
from probatum.problems.analog_codes.heights import height_profile


@pytest.mark.parametrize(
    ("n", "k", "m", "rounds"),
    [
        (3, 2, 1, 2),
        (5, 1, 4, 2),
        (4, 3, 1, 2),
        (4, 2, 2, 3),
        (5, 2, 3, 2),
        (5, 3, 2, 3),
        (6, 3, 2, 4),
        (6, 3, 3, 4),
        (10, 7, 3, 6),
    ],
)
def test_known_constructions_are_found_again(n: int, k: int, m: int, rounds: int):
    known = min(float(height_profile(code.G)[m - 1]) for code in constructions(n) if len(code.G) == k)
    found = continued(Search(n, k, m), rounds)
    assert found.height <= known * (1 + 1e-7)
    assert found.height >= found.bound * (1 - 1e-9)
    G = np.hstack([np.eye(k), found.P])
    assert height_profile(G)[m - 1] == pytest.approx(found.height, rel=1e-9)


def test_integers_stay_in_their_range_and_find_the_parity_check():
    found = continued(Search(5, 4, 1, (-3, 3)), 2)
    assert found.height == 4.0
    P = np.array(found.P)
    assert (np.floor(P) == P).all()
    assert np.abs(P).max() <= 3
    assert height_profile(np.hstack([np.eye(4), P]))[0] == 4.0


def test_the_bound_holds_for_random_codes():
    rng = np.random.default_rng(0)
    for k in (1, 2, 3, 4):
        for _ in range(20):
            P = rng.normal(size=(k, 6 - k))
            assert height_profile(np.hstack([np.eye(k), P]))[-1] >= Search(6, k, 6 - k).bound - 1e-9


def test_a_search_continued_from_its_file_is_the_search_done_at_once(tmp_path: Path):
    state = tmp_path / "state.json"
    asked = Search(7, 4, 3, (-8, 8), seed=5)
    assert resumed(asked, state) == asked
    continued(asked, 2, state)
    begun = resumed(asked, state)
    assert begun.rounds == 2
    assert continued(begun, 2, state) == continued(asked, 4)
    assert resumed(asked, state).rounds == 4
    assert not list(tmp_path.glob("*.part"))


def test_more_rounds_never_lose_what_was_found():
    asked = Search(8, 4, 4, (-5, 5), seed=1)
    few = continued(asked, 1)
    assert continued(few, 3).height <= few.height


def test_files_of_other_searches_are_refused(tmp_path: Path):
    state = tmp_path / "state.json"
    continued(Search(4, 2, 2, (-2, 2)), 1, state)
    for other in (
        Search(4, 2, 1, (-2, 2)),
        Search(4, 2, 2, (-3, 3)),
        Search(4, 2, 2),
        Search(4, 2, 2, (-2, 2), seed=1),
    ):
        with pytest.raises(DataError, match="another search"):
            resumed(other, state)
    for content in ("no json", "[]", "{}", json.dumps({"n": 4})):
        state.write_text(content)
        with pytest.raises(DataError, match="no state of a search"):
            resumed(Search(4, 2, 2), state)
    with pytest.raises(StorageError):
        continued(Search(3, 2, 1, (-1, 1)), 1, tmp_path / "missing" / "state.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 4, "k": 4, "m": 1}, "no h_1"),
        ({"n": 4, "k": 2, "m": 3}, "no h_3"),
        ({"n": 40, "k": 2, "m": 3}, "no h_3"),
        ({"n": 4, "k": 2, "m": 1, "entries": (3, 3)}, "no range"),
        ({"n": 4, "k": 2, "m": 1, "entries": (0, 9999)}, "no range"),
    ],
)
def test_impossible_searches_are_refused(options: dict, message: str):
    with pytest.raises(DataError, match=message):
        Search(**options)


def test_the_command_names_what_is_known_and_what_is_possible(tmp_path: Path):
    state = tmp_path / "state.json"
    first = search(n=3, k=2, entries="-2..2", rounds=1, state=state)
    assert first.values["m"] == 1
    assert first.values["known"] == {"single parity check": pytest.approx(2.0)}
    assert first.values["lower_bound"] == 2.0
    again = search(n=3, k=2, entries="-2..2", rounds=1, state=state)
    assert again.values["rounds"] == 2
    assert again.values["height"] == 2.0
    with pytest.raises(DataError, match="no range of integers"):
        search(n=3, k=2, entries="8")
