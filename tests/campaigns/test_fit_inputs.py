"""What a fit sees of its inputs: columns drawn by the member's seed, rows that count by their sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probatum.campaigns.fit_inputs import feature_blocks, inputs_of, member_columns, row_weights, sample_weights
from probatum.campaigns.recipe import Ensemble, Recipe
from probatum.errors import DataError, UnknownNameError
from probatum.problems.problem import Feature
from problems.fakes import Rows

WIDTHS = {"descriptors": 18, "kinetics": 5}


def recipe(**ensemble: object) -> Recipe:
    return Recipe(features=tuple(WIDTHS), ensemble=Ensemble(**ensemble))  # type: ignore[arg-type]


def test_without_a_subspace_every_column_is_seen():
    assert member_columns(recipe(members=3), WIDTHS, 1) is None


def test_a_member_sees_its_share_and_what_is_always_seen():
    seen = member_columns(recipe(subspace=1 / 3, always="kinetics"), WIDTHS, 1)
    assert seen is not None
    assert seen[18:].all()
    assert seen[:18].sum() == 6


def test_members_see_other_columns_and_all_are_seen_by_some():
    seen = [member_columns(recipe(subspace=0.3), WIDTHS, seed) for seed in range(40)]
    assert len({s.tobytes() for s in seen if s is not None}) > 30
    assert np.any(seen, axis=0).all()
    again = member_columns(recipe(subspace=0.3), WIDTHS, 7)
    assert again is not None
    np.testing.assert_array_equal(again, seen[7])


def test_at_least_one_column_is_left():
    seen = member_columns(recipe(subspace=0.01), WIDTHS, 1)
    assert seen is not None
    assert seen.sum() == 1


def test_measurements_of_one_sample_count_together_as_one():
    data = replace(Rows().dataset("rows"), replicates=None)
    assert sample_weights(data, np.arange(4)) is None
    repeated = replace(data, replicates=np.arange(len(data)) // 3)
    weights = sample_weights(repeated, np.array([0, 1, 2, 3, 6, 7]))
    np.testing.assert_allclose(weights, [1 / 3, 1 / 3, 1 / 3, 1, 1 / 2, 1 / 2])


def test_rows_count_by_their_group_and_the_unnamed_count_once():
    data = Rows().dataset("rows")
    grouping, labels = next(iter(data.groups.items()))
    heavy = str(labels[0])
    some = np.arange(len(data))[::-1]
    weighted = Recipe(features=("x",), group_weights={grouping: {heavy: 3.0}})
    np.testing.assert_array_equal(row_weights(weighted, data, some), np.where(labels[some] == heavy, 3.0, 1.0))
    assert row_weights(Recipe(features=("x",)), data, some) is None
    assert row_weights(Recipe(features=("x",), group_weights={grouping: {}}), data, some) is None


def test_weights_of_groups_and_of_repeated_measurements_multiply():
    data = Rows().dataset("rows")
    repeated = replace(
        data, replicates=np.arange(len(data)) // 3, groups={"g": np.array(["a", "b"] * len(data))[: len(data)]}
    )
    both = Recipe(features=("x",), repeats="as one", group_weights={"g": {"b": 2.0}})
    np.testing.assert_allclose(row_weights(both, repeated, np.arange(4)), [1 / 3, 2 / 3, 1 / 3, 2])


def test_weights_of_groups_that_do_not_exist_are_refused():
    data = Rows().dataset("rows")
    grouping = next(iter(data.groups))
    with pytest.raises(UnknownNameError, match="unknown grouping"):
        row_weights(Recipe(features=("x",), group_weights={"nothing": {"a": 2.0}}), data, np.arange(3))
    with pytest.raises(DataError, match="its groups"):
        row_weights(Recipe(features=("x",), group_weights={grouping: {"no such": 2.0}}), data, np.arange(3))


def test_features_stand_side_by_side_in_the_order_asked_for():
    problem = Rows()
    data = problem.dataset(problem.tasks[0])
    blocks = feature_blocks(problem, data, ("red", "x"))
    assert list(blocks) == ["red", "x"]
    np.testing.assert_array_equal(inputs_of(problem, data, ("red", "x")), np.hstack([blocks["red"], blocks["x"]]))


def test_a_feature_that_is_not_finite_names_the_case(monkeypatch: pytest.MonkeyPatch):
    class Holed(Rows):
        @property
        def features(self):
            return {"holes": Feature("holes", "", lambda data: np.where(np.arange(len(data)) == 2, np.nan, 1.0))}

    data = Rows().dataset(Rows().tasks[0])
    with pytest.raises(DataError, match=f"'holes' is not finite for case '{data.cases[2]}'"):
        inputs_of(Holed(), data, ("holes",))
