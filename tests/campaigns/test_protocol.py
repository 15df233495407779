"""A protocol is completed from its problem, checked, and frozen at its first run."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from probatum.campaigns.protocol import Protocol
from probatum.errors import CampaignFileError, ProtocolFrozenError, UnknownNameError
from problems.fakes import Rows

OTHERS: dict[str, Any] = {
    "splits": "grouped-k-fold",
    "group": "colour",
    "folds": 3,
    "repeats": 2,
    "test_fraction": 0.3,
    "stratify": "colour",
    "seeds": 4,
    "metric": "mae",
    "scoring": "macro",
    "margin": 0.1,
    "baseline": "ridge",
    "alpha": 0.01,
    "held_out": 0.2,
    "split_seed": 1,
    "minimum_group_rows": 1,
}


def completed(**values: Any) -> Protocol:
    return Protocol(**values).completed(Rows(), where="here")


def test_a_protocol_that_names_no_metric_takes_the_problems():
    assert completed().metric == "mse"
    assert completed(metric="mae").metric == "mae"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"metric": "mes"}, "here: unknown metric 'mes'; did you mean 'mse'"),
        ({"scoring": "poled"}, "here: unknown scoring 'poled'; did you mean 'pooled'?"),
    ],
)
def test_a_metric_or_scoring_that_nobody_knows_is_refused(values: dict[str, Any], says: str):
    with pytest.raises(UnknownNameError) as raised:
        completed(**values)
    assert says in str(raised.value)


@pytest.mark.parametrize("name", ["rmse", "r2"])
def test_a_metric_that_is_no_mean_over_rows_cannot_be_pooled(name: str):
    with pytest.raises(CampaignFileError, match="cannot be pooled"):
        completed(metric=name)
    assert completed(metric=name, scoring="macro").metric == name


@pytest.mark.parametrize(
    "values",
    [
        {"splits": "leave-two-out"},
        {"folds": 1},
        {"repeats": 0},
        {"test_fraction": 0.0},
        {"test_fraction": 1.0},
        {"seeds": 0},
        {"margin": -1e-9},
        {"alpha": 0.5},
        {"held_out": 0.9},
        {"split_seed": -1},
        {"seed": 5},
    ],
)
def test_values_that_cannot_be_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        Protocol(**values)


def test_every_key_of_a_protocol_is_frozen_and_in_its_digest():
    assert OTHERS.keys() == Protocol.model_fields.keys()
    first = Protocol()
    for key, value in OTHERS.items():
        other = Protocol(**{key: value})
        assert other.digest() != first.digest(), key
        with pytest.raises(ProtocolFrozenError) as raised:
            other.require_same(first.model_dump(), where="here")
        assert f"here: protocol.{key} was {getattr(first, key)!r}" in str(raised.value)
        assert repr(value) in str(raised.value)


def test_the_same_protocol_is_not_refused():
    Protocol(**OTHERS).require_same(Protocol(**OTHERS).model_dump(), where="here")
    assert Protocol(**OTHERS).digest() == Protocol(**OTHERS).digest()
