"""Who trains and who is predicted: complete, disjoint, nothing torn apart, reproducible, and named by its content."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probatum.campaigns.protocol import SPLITS, Protocol
from probatum.campaigns.splits import Split, held_out_rows, held_out_split, inner_splits, make_splits
from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.problems.problem import Dataset, Truth
from problems.fakes import Codes, Rows


def dataset(
    groups: Any = None, replicates: Any = None, infinite: Any = (), rows: int | None = None, **more: Any
) -> Dataset:
    """Rows with the given labels; the truth of the `infinite` ones is not finite."""
    count = rows or len(groups if groups is not None else replicates)
    truth = np.arange(count, dtype=np.float64)[:, None]
    truth[list(infinite)] = np.inf
    return replace(
        Rows(rows=count).dataset("rows"),
        truth=Truth(truth),
        groups={} if groups is None else {"batch": np.array(groups).astype(str)} | more,
        replicates=None if replicates is None else np.array(replicates),
    )


def members(splits: tuple[Split, ...]) -> list[tuple[str, list[int], list[int]]]:
    return [(s.name, s.train.tolist(), s.test.tolist()) for s in splits]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Dataset, Protocol]:
    """Any rows in any groups or replicates, under any protocol that such rows allow."""
    unit = st.integers(0, draw(st.integers(4, 9)))
    units = draw(st.lists(unit, min_size=12, max_size=40))
    grouped = draw(st.booleans())
    infinite = draw(st.sets(st.integers(0, len(units) - 1), max_size=4))
    data = dataset(units if grouped else None, None if grouped else units, infinite)
    kinds = SPLITS if grouped else ("repeated-k-fold", "stratified-hold-out")
    protocol = Protocol(
        splits=draw(st.sampled_from(kinds)),
        folds=draw(st.integers(2, 3)),
        repeats=draw(st.integers(1, 3)),
        test_fraction=draw(st.sampled_from([0.1, 0.3, 0.5])),
        held_out=draw(st.sampled_from([0.0, 0.0, 0.25])),
        split_seed=draw(st.integers(0, 99)),
        minimum_group_rows=1,
    )
    labels = np.array(units)[data.scorable]
    assume(len(np.unique(labels)) >= 6)
    return data, protocol


def units_of(data: Dataset) -> np.ndarray:
    return data.groups["batch"] if data.groups else np.asarray(data.replicates)


@given(cases())
def test_training_and_test_are_disjoint_and_together_everything_open(case: tuple[Dataset, Protocol]):
    data, protocol = case
    open_rows = np.setdiff1d(np.flatnonzero(data.scorable), held_out_rows(data, protocol))
    for split in make_splits(data, protocol):
        assert len(split.train)
        assert len(split.test)
        assert np.array_equal(np.sort(np.concatenate([split.train, split.test])), open_rows)
        assert np.all(np.diff(split.train) > 0)
        assert np.all(np.diff(split.test) > 0)


@given(cases())
def test_groups_and_repeated_measurements_are_never_torn_apart(case: tuple[Dataset, Protocol]):
    data, protocol = case
    units = units_of(data)
    for split in make_splits(data, protocol):
        assert not set(units[split.train]) & set(units[split.test])


@given(cases())
def test_every_open_row_is_predicted_once_a_repeat(case: tuple[Dataset, Protocol]):
    data, protocol = case
    splits = make_splits(data, protocol)
    if protocol.splits in ("stratified-hold-out", "fresh-draws"):
        assert len(splits) == (protocol.repeats if protocol.splits == "stratified-hold-out" else 1)  # of this draw
        return
    folds = len(splits) if protocol.splits == "leave-one-group-out" else protocol.folds
    repeats = 1 if protocol.splits == "leave-one-group-out" else protocol.repeats
    assert len(splits) == folds * repeats
    open_rows = np.setdiff1d(np.flatnonzero(data.scorable), held_out_rows(data, protocol))
    for repeat in range(repeats):
        predicted = np.concatenate([s.test for s in splits[repeat * folds : (repeat + 1) * folds]])
        assert np.array_equal(np.sort(predicted), open_rows)


@given(cases())
def test_cases_without_a_finite_truth_are_on_neither_side(case: tuple[Dataset, Protocol]):
    data, protocol = case
    hopeless = set(np.flatnonzero(~data.scorable))
    for split in make_splits(data, protocol):
        assert not hopeless & {*split.train, *split.test}
    assert not hopeless & set(held_out_rows(data, protocol))


@given(cases())
def test_held_out_rows_are_in_no_split_and_whole_units(case: tuple[Dataset, Protocol]):
    data, protocol = case
    held = held_out_rows(data, protocol)
    assert bool(len(held)) == bool(protocol.held_out)
    units = units_of(data)
    for split in make_splits(data, protocol):
        assert not set(held) & {*split.train, *split.test}
        assert not set(units[held]) & {*units[split.train], *units[split.test]}


@given(cases())
def test_the_held_out_split_predicts_the_held_out_rows_from_all_others(case: tuple[Dataset, Protocol]):
    data, protocol = case
    assume(protocol.held_out)
    split = held_out_split(data, protocol)
    assert np.array_equal(split.test, held_out_rows(data, protocol))
    assert np.array_equal(np.sort([*split.train, *split.test]), np.flatnonzero(data.scorable))


@given(cases(), st.integers(2, 3))
def test_inner_splits_stay_inside_the_training_fold(case: tuple[Dataset, Protocol], folds: int):
    data, protocol = case
    units = units_of(data)
    split = make_splits(data, protocol)[0]
    assume(len(set(units[split.train])) >= folds)
    inner = inner_splits(split, data, protocol, folds)
    assert len(inner) == folds
    assert np.array_equal(np.sort(np.concatenate([s.test for s in inner])), split.train)
    for part in inner:
        assert not set(split.test) & {*part.train, *part.test}
        assert np.array_equal(np.sort([*part.train, *part.test]), split.train)
        assert not set(units[part.train]) & set(units[part.test])


@given(cases())
def test_the_same_protocol_makes_the_same_splits(case: tuple[Dataset, Protocol]):
    data, protocol = case
    again = make_splits(data, protocol)
    assert members(make_splits(data, protocol)) == members(again)
    for split in again[:1]:
        assert members(inner_splits(split, data, protocol, 2)) == members(inner_splits(split, data, protocol, 2))


sides = st.lists(st.integers(0, 7), unique=True, max_size=8).map(sorted)


@given(sides, sides, sides, sides, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]))
def test_the_digest_changes_if_and_only_if_membership_or_data_change(
    train: list[int], test: list[int], other_train: list[int], other_test: list[int], data: str, other_data: str
):
    def split(train: list[int], test: list[int], data: str, name: str) -> Split:
        return Split("rows", 0, name, np.array(train, dtype=np.int64), np.array(test, dtype=np.int64), data)

    one, other = split(train, test, data, "one"), split(other_train, other_test, other_data, "other")
    same = (train, test, data) == (other_train, other_test, other_data)
    assert (one.digest == other.digest) == same
    assert split(train, test, data, "renamed").digest == one.digest


def test_a_changed_value_changes_the_digest_of_every_split():
    protocol = Protocol(repeats=1, folds=2)
    before = make_splits(Rows().dataset("rows"), protocol)
    after = make_splits(Rows(slope=2.1).dataset("rows"), protocol)
    assert members(before) == members(after)
    assert not {s.digest for s in before} & {s.digest for s in after}


def test_another_split_seed_makes_other_partitions():
    data = dataset(rows=40)
    one, other = (make_splits(data, Protocol(split_seed=seed, repeats=1)) for seed in (0, 1))
    assert members(one) != members(other)


def test_each_repeat_is_another_partition():
    splits = make_splits(dataset(rows=40), Protocol(repeats=3, folds=2))
    assert len({tuple(s.test) for s in splits}) == 6


def test_folds_hold_about_the_same_number_of_rows():
    splits = make_splits(dataset(groups=np.repeat(np.arange(8), [9, 9, 2, 2, 2, 2, 1, 1])), Protocol(folds=2))
    assert {len(s.test) for s in splits} == {14}


def test_one_group_is_left_out_at_a_time_and_names_its_split():
    data = dataset(groups=["b", "b", "a", "a", "c", "c", "a"])
    splits = make_splits(data, Protocol(splits="leave-one-group-out"))
    assert members(splits) == [
        ("a", [0, 1, 4, 5], [2, 3, 6]),
        ("b", [2, 3, 4, 5, 6], [0, 1]),
        ("c", [0, 1, 2, 3, 6], [4, 5]),
    ]


def test_the_protocol_may_name_another_grouping():
    data = dataset(groups=["a", "b"] * 6, site=np.repeat(["u", "v", "w"], 4))
    splits = make_splits(data, Protocol(splits="leave-one-group-out", group="site"))
    assert [s.name for s in splits] == ["u", "v", "w"]


@given(st.integers(0, 50))
def test_a_stratified_hold_out_keeps_the_shares(seed: int):
    kind = np.repeat(["rare", "common"], [10, 30])
    data = dataset(groups=np.arange(40), kind=kind)
    protocol = Protocol(splits="stratified-hold-out", stratify="kind", test_fraction=0.2, repeats=2, split_seed=seed)
    for split in make_splits(data, protocol):
        assert sorted(kind[split.test]) == ["common"] * 6 + ["rare"] * 2


def test_a_hold_out_without_strata_holds_out_its_share_of_the_groups():
    data = dataset(groups=np.arange(40) // 2)
    for split in make_splits(data, Protocol(splits="stratified-hold-out", test_fraction=0.3)):
        assert len(split.test) == 12


def test_generated_cases_with_an_infinite_truth_are_left_out():
    data = Codes(count=30).dataset("square")
    assert not data.scorable.all()
    for split in make_splits(data, Protocol(folds=2, repeats=1)):
        assert data.scorable[[*split.train, *split.test]].all()


@pytest.mark.parametrize(
    ("data", "values", "kind", "says"),
    [
        (dataset(rows=8), {"splits": "leave-one-group-out"}, CampaignFileError, "needs groups"),
        (dataset(rows=8), {"splits": "grouped-k-fold"}, CampaignFileError, "needs groups"),
        (dataset(groups=[1, 1, 2, 2]), {"splits": "leave-one-group-out"}, DataError, "at least 3"),
        (
            dataset(groups=[1, 1, 2, 2, 3]),
            {"splits": "leave-one-group-out"},
            DataError,
            "group '3' of 'batch' has 1 row",
        ),
        (dataset(groups=[1, 1, 2, 2]), {"folds": 3}, DataError, "use at most 2 folds"),
        (dataset(groups=[1, 1, 1]), {"splits": "stratified-hold-out"}, DataError, "cannot be held out"),
        (dataset(groups=[1, 2, 3]), {"group": "bach"}, UnknownNameError, "did you mean 'batch'?"),
        (
            dataset(groups=[1, 2, 3]),
            {"splits": "stratified-hold-out", "stratify": "bach"},
            UnknownNameError,
            "did you mean 'batch'?",
        ),
        (dataset(groups=[1, 2, 3]), {"held_out": 0.1, "folds": 2}, DataError, "leaves nothing"),
        (dataset(groups=[1, 2, 3]), {"held_out": 0.8, "folds": 2}, DataError, "leaves nothing"),
        (
            dataset(groups=[1, 2, 3, 4], kind=np.array(["a", "a", "a", "b"])),
            {"splits": "stratified-hold-out", "stratify": "kind"},
            DataError,
            "strata cannot be kept",
        ),
    ],
)
def test_groups_that_cannot_be_split_are_refused(
    data: Dataset, values: dict[str, Any], kind: type[Exception], says: str
):
    with pytest.raises(kind) as raised:
        make_splits(data, Protocol(**values), where="here")
    assert str(raised.value).startswith("here: ")
    assert says in str(raised.value)


def test_a_small_group_may_be_left_out_where_the_protocol_says_so():
    data = dataset(groups=[1, 1, 2, 2, 3])
    splits = make_splits(data, Protocol(splits="leave-one-group-out", minimum_group_rows=1))
    assert len(splits) == 3


def test_nothing_is_held_out_unless_the_protocol_says_so():
    with pytest.raises(CampaignFileError, match="no cases are held out"):
        held_out_split(dataset(rows=8), Protocol())


def labelled(units: Any, labels: np.ndarray) -> Dataset:
    """Rows in units, whose quantities are labels of 0 and 1."""
    data = dataset(units)
    quantities = tuple(replace(data.quantities[0], name=f"label {i}") for i in range(labels.shape[1]))
    return replace(data, truth=Truth(labels.astype(np.float64)), quantities=quantities)


def counts_by_fold(splits: tuple[Split, ...], labels: np.ndarray) -> np.ndarray:
    """[fold, label] ones among the test rows."""
    return np.array([labels[split.test].sum(axis=0) for split in splits])


STRATIFIED = Protocol(splits="grouped-k-fold", folds=10, repeats=1, stratify="quantities")


@pytest.mark.parametrize("seed", range(3))
def test_folds_of_single_rows_keep_the_shares_of_all_labels_as_well_as_the_published_method(seed: int):
    reference = pytest.importorskip("iterstrat.ml_stratifiers").MultilabelStratifiedKFold
    generator = np.random.default_rng(seed)
    labels = (generator.random((400, 6)) < [0.33, 0.14, 0.1, 0.05, 0.03, 0.02]).astype(float)
    ours = make_splits(labelled(np.arange(400), labels), STRATIFIED)
    theirs = reference(10, shuffle=True, random_state=seed).split(labels, labels)
    found, expected = counts_by_fold(ours, labels), np.array([labels[test].sum(axis=0) for _, test in theirs])
    assert (found.std(axis=0) <= expected.std(axis=0) + 0.1).all()
    assert np.ptp([len(split.test) for split in ours]) <= 2
    assert np.ptp(found, axis=0).max() <= 2


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_stratified_folds_tear_no_unit_apart_and_leave_no_fold_empty(seed: int, folds: int):
    generator = np.random.default_rng(seed)
    units = np.concatenate([np.arange(folds + 2), generator.integers(0, folds + 2, 30)])
    data = labelled(units, generator.random((len(units), 3)) < 0.2)
    splits = make_splits(data, STRATIFIED.model_copy(update={"folds": folds}))
    assert len(splits) == folds
    assert np.array_equal(np.sort(np.concatenate([split.test for split in splits])), np.arange(len(units)))
    for split in splits:
        assert len(split.test)
        assert not set(units[split.train]) & set(units[split.test])


def test_stratified_folds_of_groups_are_nearer_to_equal_shares_than_folds_that_look_at_rows_alone():
    generator = np.random.default_rng(0)
    units = generator.integers(0, 60, 600)
    labels = (generator.random(60) < 0.2)[units][:, None] & (generator.random((600, 2)) < 0.9)
    spreads = [
        counts_by_fold(make_splits(labelled(units, labels), protocol), labels).std(axis=0).max()
        for protocol in (STRATIFIED, STRATIFIED.model_copy(update={"stratify": None}))
    ]
    assert spreads[0] < 0.5 * spreads[1]


def test_folds_can_keep_the_shares_of_a_grouping():
    kind = np.array(["a"] * 30 + ["b"] * 10)
    data = dataset(np.arange(40), kind=kind)
    for split in make_splits(data, Protocol(splits="grouped-k-fold", folds=5, repeats=2, stratify="kind")):
        assert (kind[split.test] == "b").sum() == 2
        assert len(split.test) == 8


def test_quantities_that_are_no_labels_are_no_strata():
    with pytest.raises(DataError, match="are not all 0 or 1"):
        make_splits(dataset(np.arange(20)), STRATIFIED.model_copy(update={"folds": 2}))
    with pytest.raises(UnknownNameError, match="quantitys"):
        make_splits(dataset(np.arange(20)), STRATIFIED.model_copy(update={"stratify": "quantitys"}))
