"""The problem yields cases that are named, grouped by code, labelled exactly and the same everywhere."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.problems import registry
from probatum.problems.analog_codes.heights import height_profiles
from probatum.problems.analog_codes.problem import AnalogCodes, _label

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


def test_one_code_has_one_label_up_to_signed_permutations():
    P = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    assert _label(P) == _label(-P[::-1][:, [2, 0, 1]])
    assert _label(P) != _label(P.T)
    assert _label(P) != _label(P + 1)


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
