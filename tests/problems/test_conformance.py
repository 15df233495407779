"""Every problem keeps the contract: the registered ones, and one fake of each shape the contract has to carry."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError, HiddenTruthError, UnknownNameError
from probatum.pictures import new_figure
from probatum.problems.picture import Picture
from probatum.problems.problem import Dataset, Problem, Ragged, Truth
from probatum.problems.registry import build, names
from problems.fakes import FAKES, Curves, Rows, Runs, Trajectories

TABLE = "mass (mg),solvent,batch,sample,yield [%]\n" + "".join(
    f"{i % 5}.5,{'water' if i % 2 else 'ethanol'},b{i % 3},s{i // 2},{(7 * i) % 11}\n" for i in range(12)
)
OPTIONS = {
    "analog_codes": {"codes": 5, "groups": [[3, 2], [3, 3], [4, 2]]},
    "gas_chromatography": {"runs": 20, "blocks": 2},
    "rocking_curve": {"curves": 20, "points": 32},
    "table": {"path": "table.csv", "target": "yield [%]", "group": "batch", "replicate": "sample"},
}
REAL = {"catechol", "gas_chromatography"}


class SealedTruth(Truth):
    """A truth that nothing may look at."""

    def open_for_scoring(self) -> np.ndarray:
        raise AssertionError("the truth was opened outside scoring")


def parameters() -> list:
    registered = [pytest.param(name, id=name, marks=[pytest.mark.real] * (name in REAL)) for name in names()]
    return registered + [pytest.param(fake, id=fake.name) for fake in FAKES]


@pytest.fixture(params=parameters())
def problem(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Problem:
    if isinstance(request.param, Problem):
        return request.param
    if request.param in REAL:
        request.getfixturevalue("real_data")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(TABLE)
    return build(request.param, OPTIONS.get(request.param, {}))


def datasets(problem: Problem) -> Iterator[Dataset]:
    for task in problem.tasks:
        yield problem.dataset(task)


def parts(observation: np.ndarray | Ragged) -> tuple[np.ndarray, ...]:
    return (observation.values, observation.offsets) if isinstance(observation, Ragged) else (observation,)


def same_cases(one: Dataset, other: Dataset) -> bool:
    return (
        one.cases.tolist() == other.cases.tolist()
        and one.observations.keys() == other.observations.keys()
        and all(
            np.array_equal(a, b)
            for name in one.observations
            for a, b in zip(parts(one.observations[name]), parts(other.observations[name]), strict=True)
        )
        and np.array_equal(one.truth.open_for_scoring(), other.truth.open_for_scoring())
    )


def test_a_problem_says_what_it_is(problem: Problem):
    assert problem.name
    assert problem.question.endswith("?")
    assert problem.tasks
    assert len(set(problem.tasks)) == len(problem.tasks)
    assert {"pooled", "macro"} <= set(problem.scorings)


def test_every_case_has_an_identifier_of_its_own(problem: Problem):
    for dataset in datasets(problem):
        assert dataset.cases.dtype.kind == "U"
        assert len(set(dataset.cases.tolist())) == len(dataset) > 0


def test_columns_have_one_entry_for_each_case(problem: Problem):
    for dataset in datasets(problem):
        for observation in dataset.observations.values():
            assert len(observation) == len(dataset)
        assert set(dataset.units) == set(dataset.observations)
        assert all(quantity.name and quantity.unit for quantity in dataset.quantities)
        truth = dataset.truth.open_for_scoring()
        assert truth.shape == (len(dataset), len(dataset.quantities))
        assert truth.dtype == np.float64
        assert dataset.scorable.any()


def test_labels_are_there_for_each_case_and_never_empty(problem: Problem):
    for dataset in datasets(problem):
        optional = [] if dataset.dependence is None else [dataset.dependence]
        for labels in [*dataset.groups.values(), *optional]:
            assert labels.shape == (len(dataset),)
            assert all(labels.tolist())
            assert labels.dtype.kind == "U"
        if dataset.replicates is not None:
            assert dataset.replicates.shape == (len(dataset),)
            assert dataset.replicates.dtype.kind == "i"


def test_cases_say_where_they_come_from(problem: Problem):
    for dataset in datasets(problem):
        origin = dataset.origin
        assert (dataset.problem, dataset.draw) == (problem.name, 0)
        assert origin.files or (origin.generator and origin.seed is not None and origin.count == len(dataset))
        assert all(len(sha256) == 64 for sha256 in origin.files.values())


def test_the_digest_is_the_same_for_a_second_problem_with_equal_options(problem: Problem):
    again = replace(problem)
    for task in problem.tasks:
        assert again.dataset(task).digest == problem.dataset(task).digest


def test_the_digest_changes_with_any_value(problem: Problem):
    for dataset in datasets(problem):
        truth = dataset.truth.open_for_scoring().copy()
        truth[-1, -1] = 12345.0
        changed = [replace(dataset, truth=Truth(truth)), dataset.take(np.arange(len(dataset))[::-1])]
        changed += [
            replace(dataset, observations={**dataset.observations, name: _altered(dataset, name)})
            for name in dataset.observations
        ]
        assert len({dataset.digest, *(other.digest for other in changed)}) == len(changed) + 1


def _altered(dataset: Dataset, name: str) -> np.ndarray | Ragged:
    observation = dataset.observations[name]
    block = (observation.values if isinstance(observation, Ragged) else observation).copy()
    block.reshape(-1)[-1] = "z" if block.dtype.kind == "U" else block.reshape(-1)[-1] + 1
    return replace(observation, values=block) if isinstance(observation, Ragged) else block


def test_features_are_finite_numbers_for_each_case(problem: Problem):
    assert set(problem.default_features) | set(problem.plain_features) <= set(problem.features)
    assert problem.default_features
    for dataset in datasets(problem):
        for name, feature in problem.features.items():
            values = feature.compute(dataset)
            assert feature.name == name
            assert feature.description
            assert values.dtype == np.float64
            assert values.ndim >= 2
            assert len(values) == len(dataset)
            assert np.isfinite(values).all(), name


def test_a_feature_of_a_case_does_not_depend_on_its_company(problem: Problem):
    for dataset in datasets(problem):
        some = np.random.default_rng(0).permutation(len(dataset))[: max(1, len(dataset) // 3)]
        for name, feature in problem.features.items():
            np.testing.assert_array_equal(feature.compute(dataset.take(some)), feature.compute(dataset)[some], name)


def test_features_never_look_at_the_truth(problem: Problem):
    for dataset in datasets(problem):
        sealed = replace(dataset, truth=SealedTruth(np.zeros(0)))  # raises when it is opened
        for name, feature in problem.features.items():
            np.testing.assert_array_equal(feature.compute(sealed), feature.compute(dataset), name)


def test_targets_are_open_to_learners_in_supervised_tasks_alone(problem: Problem):
    for dataset in datasets(problem):
        if dataset.supervised:
            assert dataset.targets().shape == (len(dataset), len(dataset.quantities))
        else:
            with pytest.raises(HiddenTruthError, match="only scoring opens the truth"):
                dataset.targets()


def test_taking_cases_takes_all_that_belongs_to_them(problem: Problem):
    for dataset in datasets(problem):
        taken = dataset.take(np.array([len(dataset) - 1, 0]))
        assert taken.cases.tolist() == [dataset.cases[-1], dataset.cases[0]]
        assert taken.truth.open_for_scoring().shape == (2, len(dataset.quantities))
        assert all(len(observation) == 2 for observation in taken.observations.values())
        assert all(len(labels) == 2 for labels in taken.groups.values())
        assert len(dataset.take(np.array([], dtype=int))) == 0


def predicted(dataset: Dataset) -> np.ndarray:
    """[case, quantity] float64: the truth with an error of a fifth of its spread, as a fair model would make."""
    truth = dataset.truth.open_for_scoring()
    finite = np.where(np.isfinite(truth), truth, 0.0)
    spread = finite.std(axis=0) + 1e-3
    return finite + 0.2 * spread * np.random.default_rng(0).normal(size=truth.shape)


def drawing(picture: Picture) -> bytes:
    """The picture as one SVG document."""
    document = io.BytesIO()
    with new_figure(picture.width, picture.height) as figure:
        picture.draw(figure)
        figure.savefig(document, format="svg", metadata={"Date": None})
    return document.getvalue()


def test_pictures_of_predictions_say_what_they_show_and_can_be_drawn(problem: Problem):
    for dataset in datasets(problem):
        predictions, before = predicted(dataset), dataset.digest
        pictures = problem.pictures(dataset, np.arange(len(dataset)), predictions)
        assert len({picture.name for picture in pictures}) == len(pictures)
        for picture in pictures:
            assert picture.title
            assert picture.caption.endswith(".")
            assert len(drawing(picture)) > 5_000
        assert dataset.digest == before


def test_a_picture_is_drawn_the_same_twice(problem: Problem):
    dataset = problem.dataset(problem.tasks[0])
    for picture in problem.pictures(dataset, np.arange(len(dataset)), predicted(dataset))[:1]:
        assert drawing(picture) == drawing(picture)


@pytest.mark.parametrize("unusual", ["no rows", "one row", "some rows", "far away"])
def test_pictures_of_unusual_predictions_can_be_drawn(problem: Problem, unusual: str):
    dataset = problem.dataset(problem.tasks[0])
    rows, predictions = np.arange(len(dataset)), predicted(dataset)
    if unusual == "far away":
        predictions *= 1e9
    else:
        predictions[::2] = np.nan
        rows = {"no rows": rows[:0], "one row": rows[1:2], "some rows": rows[::-1]}[unusual]
    pictures = problem.pictures(dataset, rows, predictions[rows])
    assert unusual != "no rows" or not pictures
    for picture in pictures:
        with new_figure(picture.width, picture.height) as figure:
            picture.draw(figure)
            figure.draw_without_rendering()
        assert figure.axes or figure.subfigs


def test_an_unknown_task_is_refused_by_name(problem: Problem):
    with pytest.raises(UnknownNameError, match="unknown task 'no such task'"):
        problem.dataset("no such task")


def test_draws_differ_where_data_is_generated_and_are_refused_where_it_is_fixed(problem: Problem):
    for dataset in datasets(problem):
        if dataset.origin.generator is None:
            with pytest.raises(DataError, match="no draw 1; use draw = 0"):
                problem.dataset(dataset.task, draw=1)
            continue
        second = problem.dataset(dataset.task, draw=1)
        assert second.draw == 1
        assert second.digest != dataset.digest
        assert not set(second.cases.tolist()) & set(dataset.cases.tolist())


def test_a_stream_does_not_depend_on_the_size_of_its_shards(problem: Problem):
    for task in problem.tasks:
        if type(problem).shards is Problem.shards:
            with pytest.raises(DataError, match=r"use dataset\(task\)"):
                list(problem.shards(task, count=13, rows=13))
            continue
        whole = list(problem.shards(task, count=13, rows=13))
        assert [len(shard) for shard in whole] == [13]
        for rows in (1, 5, 12):
            shards = list(problem.shards(task, count=13, rows=rows))
            assert max(map(len, shards)) <= rows
            first = 0
            for shard in shards:
                assert same_cases(shard, whole[0].take(np.arange(first, first + len(shard))))
                first += len(shard)
            assert first == 13


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.real] * (n in REAL)) for n in names()])
def test_a_fresh_process_finds_the_same_digests(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if name in REAL:
        request.getfixturevalue("real_data")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(TABLE)
    options = OPTIONS.get(name, {})
    code = (
        "import json, sys; from probatum.problems.registry import build\n"
        "problem = build(sys.argv[1], json.loads(sys.argv[2]))\n"
        "print(json.dumps({task: problem.dataset(task).digest for task in problem.tasks}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, name, json.dumps(options)],
        capture_output=True,
        text=True,
        check=True,
        # Sets of strings iterate in another order in every process unless someone sorts them.
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    here = build(name, options)
    assert json.loads(found.stdout) == {task: here.dataset(task).digest for task in here.tasks}


def test_the_five_shapes_are_all_there():
    shapes = {fake.name: fake.dataset(fake.tasks[0]) for fake in FAKES}
    assert len(shapes) == 5
    assert shapes[Rows.name].replicates is not None
    assert not shapes[Curves.name].supervised
    assert isinstance(shapes[Runs.name].observations["run"], Ragged)
    assert shapes[Trajectories.name].observations["concentration"].ndim == 3


def test_no_compound_is_in_two_blocks():
    dataset = Runs().dataset("mixtures")
    blocks: dict[int, set[str]] = {}
    for i, block in enumerate(dataset.groups["block"]):
        for compound in dataset.observations["compounds"][i]:
            blocks.setdefault(int(compound), set()).add(str(block))
    assert all(len(found) == 1 for found in blocks.values())


@given(st.lists(st.lists(st.integers(-9, 9), max_size=5), min_size=1, max_size=8), st.data())
def test_ragged_cases_come_out_as_they_went_in(lists: list[list[int]], data: st.DataObject):
    ragged = Ragged.of([np.array(items, dtype=np.int64) for items in lists])
    chosen = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8))
    taken = ragged.take(np.array(chosen, dtype=int))
    assert [taken[i].tolist() for i in range(len(taken))] == [lists[i] for i in chosen]
