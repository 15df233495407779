"""Equal records have one name, and records that differ anywhere have another."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.audit.content import Contents
from probatum.audit.history import History, Partition, Run, Side, Training
from probatum.evidence.verdict import Verdict

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def name(value: Any) -> str | None:
    return Contents().name(value)


def training(**other: Any) -> Training:
    made = Training("table", "b0", 0, {"training loss": np.arange(3.0)}, np.ones((2, 1)), np.ones((2, 1)))
    return replace(made, **other)


def run(**other: Any) -> Run:
    return replace(Run("a", recipe={"model.alpha": 1.0}, score=0.5, trainings=(training(),), round=1), **other)


@given(one=PLAIN, other=PLAIN)
def test_plain_values_have_one_name_where_they_are_one(one: Any, other: Any):
    assert (name(one) == name(other)) == (repr(one) == repr(other))


def test_records_made_apart_have_one_name():
    assert name(run()) == name(run()) is not None
    assert name(History("h", (run(),))) == name(History("h", (run(),)))


OTHER_RUNS = {
    "name": "b",
    "parent": "p",
    "recipe": {"model.alpha": 2.0},
    "changed": (),
    "metric": "mse",
    "scored_on": {"rows": "all"},
    "score": np.nextafter(0.5, 1),
    "scores": np.ones(2),
    "seed_scores": np.ones(2),
    "metrics": {"R2": 0.1},
    "trainings": (),
    "deterministic": True,
    "trivial": True,
    "estimated": True,
    "claims": ("better",),
    "unread": (),
    "retrained_difference": 0.0,
    "poisoned_difference": 0.0,
    "round": 2,
}


@pytest.mark.parametrize("field", [field.name for field in fields(Run)])
def test_every_field_of_a_run_counts(field: str):
    assert name(run(**{field: OTHER_RUNS[field]})) not in (name(run()), None)


@pytest.mark.parametrize(
    "other",
    [
        {"curves": {"training loss": np.array([0.0, 1.0, 3.0])}},
        {"prediction": np.array([[1.0], [np.nan]])},
        {"prediction": np.ones((1, 2))},
        {"prediction": np.ones((2, 1), dtype=np.float32)},
        {"prediction": None},
        {"seed": 1},
    ],
)
def test_every_prediction_of_every_fit_counts(other: dict[str, Any]):
    assert name(run(trainings=(training(**other),))) not in (name(run()), None)


def test_a_run_within_a_history_counts():
    verdict = Verdict("a", "b", 0.5, "better")
    histories = [
        History("h"),
        History("h", (run(),)),
        History("h", (run(score=0.6),)),
        History("h", (run(), run(name="b"))),
        History("h", (run(),), verdicts=(verdict,)),
        History("h", (run(),), verdicts=(replace(verdict, p=0.01),)),
        History("h", partitions=(Partition("p", Side(np.ones((2, 2))), Side(np.ones((2, 2)))),)),
        History("h", partitions=(Partition("p", Side(np.ones((2, 2))), Side(np.zeros((2, 2)))),)),
    ]
    assert len({name(h) for h in histories}) == len(histories)


def test_order_and_layout_of_arrays():
    table = np.arange(12.0).reshape(3, 4)
    assert name(table) == name(np.asfortranarray(table)) == name(np.vstack([table, table])[:3])
    assert len({name(table), name(table.T), name(table.reshape(4, 3)), name(table[::-1])}) == 4
    assert name(np.array(["a", "b"])) != name(np.array(["ab", ""]))
    assert name(np.array(["a", None], dtype=object)) == name(np.array(["a", None], dtype=object)) is not None


# ---------------------------------------------------------------------- functions


def bounded(limit: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda y: np.maximum(y - limit, 0)


def above(y: np.ndarray, limit: float = 1.0) -> np.ndarray:
    return np.maximum(y - limit, 0)


def below(y: np.ndarray, limit: float = 1.0) -> np.ndarray:
    return np.maximum(limit - y, 0)


@dataclass(frozen=True)
class Law:
    limit: float

    def __call__(self, y: np.ndarray) -> np.ndarray:
        return np.maximum(y - self.limit, 0)

    def broken(self, y: np.ndarray) -> np.ndarray:
        return self(y)


def test_functions_are_told_apart_by_what_they_are_made_of():
    laws = [bounded(1.0), bounded(2.0), above, below, functools.partial(above, limit=2.0), Law(1.0), Law(2.0)]
    laws += [Law(1.0).broken, Law(2.0).broken, np.abs, np.sign, len]
    names = [name(law) for law in laws]
    assert None not in names
    assert len(set(names)) == len(names)
    assert name(bounded(1.0)) == name(bounded(1.0))


def test_what_has_no_content_has_no_name():
    assert name(sys.stdin) is None
    assert name([1, {"a": object()}]) is None
    assert name(run(recipe={"stream": object()})) is None
    assert name(History("h", (run(recipe={"stream": object()}),))) is None
    assert name(bounded(object())) is None  # type: ignore[arg-type]
