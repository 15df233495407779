"""Errors say what, where and what to do, and their tree is the one that is drawn."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from probatum import errors
from probatum.errors import CampaignFileError, ProbatumError, UnknownNameError, nearest

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, ProbatumError)]


def test_the_drawn_tree_names_every_error_under_its_parent():
    drawn: list[tuple[int, str]] = []
    parents: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│ ]*(?:[├└]── )?)(\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            while drawn and drawn[-1][0] >= depth:
                drawn.pop()
            parents[found[2]] = drawn[-1][1] if drawn else ""
            drawn.append((depth, found[2]))
    assert set(parents) == {c.__name__ for c in CLASSES}
    for c in CLASSES:
        if c is not ProbatumError:
            assert c.__bases__[0].__name__ == parents[c.__name__], c


@pytest.mark.parametrize("kind", CLASSES)
def test_a_message_is_one_line_with_place_and_remedy(kind: type[ProbatumError]):
    error = kind("it is wrong", where="file.toml:3", remedy="put it right")
    assert str(error) == "file.toml:3: it is wrong; put it right"


def test_errors_are_the_built_in_ones_that_fit_too():
    assert issubclass(UnknownNameError, KeyError)
    assert issubclass(CampaignFileError, ValueError)
    assert str(UnknownNameError.of("feature", "spagne", ["spange", "acs"])) == (
        "unknown feature 'spagne'; did you mean 'spange'?"
    )


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(CampaignFileError("a", where="b", remedy="c")))
    assert (error.what, error.where, error.remedy) == ("a", "b", "c")


def test_a_name_that_is_near_nothing_gets_the_list():
    assert nearest("zzz", ["ridge", "mlp"]) == "valid: mlp, ridge"
    assert nearest("zzz", []) == "there is none here"
