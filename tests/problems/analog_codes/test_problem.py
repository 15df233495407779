"""The problem yields cases that are named, grouped by code, labelled exactly and the same everywhere."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.problems import registry
from probatum.problems.analog_codes.heights import height_profiles
from probatum.problems.analog_codes.problem import AnalogCodes
from probatum.problems.problem import Dataset, Ragged

TWO = AnalogCodes(distribution="integer", codes=40)


def test_tasks_are_the_dimensions_and_cases_the_pairs_of_code_and_m():
    problem = AnalogCodes(codes=10)
    assert problem.tasks == ("k=4", "k=5", "k=6")
    assert [len(problem.dataset(task)) for task in problem.tasks] == [40, 30, 20]
    dataset = problem.dataset("k=5")
    assert len(set(dataset.cases)) == 30
    assert dataset.default_group == "code"
    assert len(set(dataset.groups["code"])) == 10
    assert set(dataset.groups["k,m"]) == {"(5,2)", "(5,3)", "(5,4)"}
    assert dataset.origin.generator == "analog_codes/uniform/1"


def test_truth_is_log2_of_the_exact_height_and_infinite_heights_stay():
    for task in TWO.tasks:
        dataset = TWO.dataset(task)
        P, m = dataset.observations["P"], dataset.observations["m"]
        assert isinstance(P, np.ndarray)
        assert isinstance(m, np.ndarray)
        heights = height_profiles(P)[np.arange(len(m)), m.astype(int) - 1]
        np.testing.assert_allclose(dataset.targets()[:, 0], np.log2(heights), rtol=1e-12)
    dataset = AnalogCodes(distribution="integer", codes=300).dataset("k=4")
    unscorable = ~dataset.scorable
    assert 0 < unscorable.sum() < len(dataset)
    assert (dataset.targets()[unscorable] == np.inf).all()


def test_all_heights_of_a_code_carry_its_label():
    dataset = TWO.dataset("k=4")
    codes = np.array([case.split("-")[2] for case in dataset.cases.tolist()])
    labels = dataset.groups["code"]
    assert len(set(labels.tolist())) == len(set(codes.tolist())) == len(set(zip(codes, labels, strict=True))) == 40


def test_a_profile_is_one_case_with_a_quantity_for_every_m_asked():
    profiles = AnalogCodes(distribution="integer", codes=40, cases="profiles")
    assert profiles.tasks == TWO.tasks
    dataset = profiles.dataset("k=5")
    assert dataset.quantity_names == ("log2 h_2", "log2 h_3", "log2 h_4")
    assert len(dataset) == 40
    assert set(dataset.observations) == {"P"}
    of_cases = TWO.dataset("k=5")
    np.testing.assert_array_equal(dataset.targets(), of_cases.targets().reshape(40, 3))
    assert dataset.groups["code"].tolist() == of_cases.groups["code"][::3].tolist()
    values = dataset.targets()
    assert (values[:, 1:] >= values[:, :-1]).all()
    assert (dataset.scorable == np.isfinite(values).all(axis=1)).all()


def test_all_groups_together_are_the_cases_of_the_tasks():
    together = AnalogCodes(distribution="integer", codes=40, cases="all")
    assert together.tasks == ("all",)
    dataset = together.dataset("all")
    assert len(dataset) == 40 * 9
    for task in TWO.tasks:
        apart = TWO.dataset(task)
        place = {case: i for i, case in enumerate(dataset.cases.tolist())}
        rows = np.array([place[case] for case in apart.cases.tolist()])
        taken = dataset.take(rows)
        P = taken.observations["P"]
        assert isinstance(P, Ragged)
        np.testing.assert_array_equal(P.values, np.asarray(apart.observations["P"]).ravel())
        np.testing.assert_array_equal(taken.targets(), apart.targets())
        assert taken.groups["code"].tolist() == apart.groups["code"].tolist()
        assert taken.groups["k,m"].tolist() == apart.groups["k,m"].tolist()
        np.testing.assert_array_equal(np.asarray(taken.observations["k"]), int(task[2:]))


@pytest.mark.parametrize("cases", ["profiles", "all"])
def test_streams_of_every_kind_of_case_do_not_depend_on_their_cut(cases: str):
    problem = AnalogCodes(distribution="integer", codes=7, cases=cases)  # type: ignore[arg-type]
    task = problem.tasks[0]
    whole = problem.dataset(task)
    for rows in (1, 4, 1000):
        shards = list(problem.shards(task, len(whole), rows))
        assert np.concatenate([s.cases for s in shards]).tolist() == whole.cases.tolist()
        np.testing.assert_array_equal(np.concatenate([s.targets() for s in shards]), whole.targets())
        np.testing.assert_array_equal(np.concatenate([entries(s) for s in shards]), entries(whole))
        for name, feature in problem.features.items():
            parts = np.concatenate([feature.compute(shard) for shard in shards])
            np.testing.assert_array_equal(parts, feature.compute(whole), name)


def entries(dataset: Dataset) -> np.ndarray:
    P = dataset.observations["P"]
    return P.values if isinstance(P, Ragged) else P.ravel()


@pytest.mark.parametrize("rows", [1, 7, 160, 1000])
def test_shards_are_the_stream_however_it_is_cut(rows: int):
    shards = list(TWO.shards("k=4", 160, rows, draw=0))
    whole = TWO.dataset("k=4")
    assert max(len(shard) for shard in shards) <= rows
    assert np.concatenate([shard.cases for shard in shards]).tolist() == whole.cases.tolist()
    assert np.concatenate([shard.targets() for shard in shards]).tobytes() == whole.targets().tobytes()
    assert np.concatenate([shard.observations["P"] for shard in shards]).tobytes() == whole.observations["P"].tobytes()  # type: ignore[union-attr, arg-type]
    assert np.concatenate([shard.groups["code"] for shard in shards]).tolist() == whole.groups["code"].tolist()


def test_draws_seeds_and_distributions_share_no_code():
    problems = [AnalogCodes(codes=50), AnalogCodes(codes=50, seed=1), AnalogCodes(codes=50, distribution="integer")]
    labels = [set(p.dataset("k=4", draw).groups["code"]) for p in problems for draw in (0, 1)]
    assert len(set().union(*labels)) == sum(map(len, labels))


def test_digests_are_the_same_in_a_fresh_process():
    program = (
        "from probatum.problems.analog_codes.problem import AnalogCodes as A\n"
        "print([A(distribution=d, codes=30, seed=5).dataset('k=6', 1).digest for d in ('uniform', 'integer')])"
    )
    fresh = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    here = [AnalogCodes(distribution=d, codes=30, seed=5).dataset("k=6", 1).digest for d in ("uniform", "integer")]  # type: ignore[arg-type]
    assert fresh == str(here)


def test_opening_the_problem_does_not_import_numba():
    program = (
        "import sys\nfrom probatum.problems import registry\n"
        "registry.build('analog_codes', {})\nprint('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_options_come_from_a_campaign_file():
    problem = registry.build("analog_codes", {"codes": 5, "n": 6, "groups": [[3, 1], [3, 3], [2, 1]], "seed": 4})
    assert problem == AnalogCodes(codes=5, n=6, groups=((3, 1), (3, 3), (2, 1)), seed=4)
    assert problem.tasks == ("k=3", "k=2")
    with pytest.raises(UnknownNameError):
        problem.dataset("k=4")


@pytest.mark.parametrize(
    "options",
    [
        {"codes": 0},
        {"seed": -1},
        {"n": 1},
        {"n": 99},
        {"groups": []},
        {"groups": [[4, 9]]},
        {"groups": [[9, 1]]},
        {"groups": [[4, 2], [4, 2]]},
        {"distribution": "gaussian"},
        {"cases": "rows"},
    ],
)
def test_impossible_options_are_refused(options: dict):
    with pytest.raises(DataError):
        AnalogCodes(**options)
    with pytest.raises((DataError, CampaignFileError), match="problem"):
        registry.build("analog_codes", options)


def test_impossible_streams_are_refused():
    with pytest.raises(DataError):
        TWO.dataset("k=4", -1)
    with pytest.raises(DataError):
        TWO.shards("k=4", 10, 0)
    with pytest.raises(UnknownNameError):
        TWO.shards("k=3", 10, 5)
