"""Runs that differ in seed and fold alone are one experiment; what was taken for what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.foreign_runs import runs_of, table_of_scores
from probatum.errors import DataError, UnknownNameError
from probatum.interop.foreign_run import ForeignRun, number, plain
from probatum.interop.grouping import DEFAULT_KEYS, Choice, clean_name, group_runs

RMSE = Choice("rmse")


def run(
    name: str, /, *, inside: str | None = None, parent: str | None = None, state="finished", **values
) -> ForeignRun:
    metrics = {"rmse": values.pop("rmse")} if "rmse" in values else {}
    return ForeignRun(name, name, state, parameters=values, metrics=metrics, inside=inside, parent=parent)


def test_runs_that_differ_in_seed_and_fold_are_repeats_of_one_experiment():
    runs = [*runs_of("a", table_of_scores(1, 0), lr=0.1), *runs_of("b", table_of_scores(2, 1), lr=0.2)]
    grouped = group_runs(runs, RMSE, "here")
    assert [(g.name, len(g.repeats), dict(g.parameters)) for g in grouped.groups] == [
        ("a", 10, {"lr": 0.1}),
        ("b", 10, {"lr": 0.2}),
    ]
    assert grouped.folds == ("0", "1", "2", "3", "4")
    assert "seed: 'seed', which 20 of 20 runs have" in grouped.remarks
    assert "fold: 'fold', which 20 of 20 runs have" in grouped.remarks


def test_folds_are_in_the_order_of_their_numbers():
    runs = [run(f"r{fold}", fold=f"fold {fold}", rmse=1.0, lr=1) for fold in (10, 9, 2)]
    assert group_runs(runs, RMSE, "here").folds == ("fold 2", "fold 9", "fold 10")


def test_runs_that_hold_others_lend_them_their_parameters_and_are_no_runs():
    runs = [run("sweep", lr=0.1, rmse=9.0), *(run(f"c{i}", inside="sweep", fold=i, rmse=1.0) for i in range(3))]
    (group,) = group_runs(runs, RMSE, "here").groups
    assert (group.name, group.parameters, [r.score for r in group.repeats]) == ("sweep", {"lr": 0.1}, [1.0] * 3)


def test_a_failed_run_that_was_repeated_with_success_does_not_count():
    runs = [
        run("a", state="failed", lr=1, seed=3),
        run("b", lr=1, seed=3, rmse=0.5),
        run("c", lr=1, seed=4, state="failed"),
    ]
    (group,) = group_runs(runs, RMSE, "here").groups
    assert [(r.run.name, r.score) for r in group.repeats] == [("b", 0.5), ("c", None)]


def test_one_run_with_a_metric_for_each_fold_is_several_repeats():
    one = ForeignRun("x", "x", metrics={"rmse_fold_0": 1.0, "rmse_fold_1": 2.0, "rmse": 1.5})
    (group,) = group_runs([one], Choice("rmse_fold_{fold}"), "here").groups
    assert [(r.fold, r.score) for r in group.repeats] == [("0", 1.0), ("1", 2.0)]


def test_a_run_without_the_metric_is_kept_with_the_reason():
    (group,) = group_runs([run("a", lr=1, seed=0, rmse=1.0), run("b", lr=1, seed=1)], RMSE, "here").groups
    assert group.repeats[1].error == "the run ended without the metric 'rmse'"


def test_a_metric_that_no_run_has_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="did you mean 'rmse'"):
        group_runs([run("a", rmse=1.0)], Choice("rmsd"), "here")


def test_a_key_that_was_named_and_no_run_has_is_refused():
    with pytest.raises(UnknownNameError, match="'random_seed'"):
        group_runs(
            [run("a", rmse=1.0, random_seed=3)], Choice("rmse", {**DEFAULT_KEYS, "seed": ("randomseed",)}), "here"
        )


def test_parents_in_a_circle_are_refused_by_name():
    runs = [
        run("a", lr=1, rmse=1.0, parent="b"),
        run("b", lr=2, rmse=1.0, parent="c"),
        run("c", lr=3, rmse=1.0, parent="a"),
    ]
    with pytest.raises(DataError, match="in a circle: 'a' from 'b' from 'c' from 'a'"):
        group_runs(runs, RMSE, "here")


def test_runs_nested_in_one_another_in_a_circle_are_refused():
    with pytest.raises(DataError, match="circle"):
        group_runs([run("a", inside="b", rmse=1.0), run("b", inside="a", rmse=1.0)], RMSE, "here")


def test_a_parent_that_is_not_there_is_left_out_and_said():
    grouped = group_runs([run("a", lr=1, rmse=1.0, parent="gone")], RMSE, "here")
    assert grouped.groups[0].parent is None
    assert any("'gone'" in remark for remark in grouped.remarks)


def test_runs_without_parameters_are_told_apart_by_their_names():
    assert len(group_runs([run("a", rmse=1.0), run("b", rmse=1.0)], RMSE, "here").groups) == 2


def test_no_runs_are_refused():
    with pytest.raises(DataError, match="holds no runs"):
        group_runs([], RMSE, "here")


@given(st.text())
def test_a_name_becomes_one_line_that_is_not_reserved(name: str):
    found = clean_name(name)
    assert found
    assert len(found) <= 200
    assert found.isprintable()
    assert not found.startswith(("trivial:", "held out:", "fresh seeds:", "control:", "raced:"))
    assert clean_name(found) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.10", 0.1),
        ("3", 3),
        ("True", True),
        ("[1, 2]", [1, 2]),
        ("adam", "adam"),
        ("None", None),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_parameters_that_are_text_become_plain_values(text, value):
    assert plain(text) == value


def test_the_largest_number_of_a_database_is_infinity():
    assert number("1.7976931348623157e308") == float("inf")
    assert number("fast") is None
