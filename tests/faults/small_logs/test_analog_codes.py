"""Run 5 on the heights of analog codes, in small: its data through a table, its networks through the problem."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from faults.small_logs.conftest import Found
from probatum.audit.inspection import Audit
from probatum.laboratory import Laboratory
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profiles

K, LENGTH, ASKED = 6, 9, (2, 3)
SIZE = 24
"""Codes that a source adds to the one before."""

NETWORKS = """
problem = { kind = "analog_codes", distribution = "DISTRIBUTION", codes = 120, groups = [[6, 2], [6, 3]] }
task = "k=6"
[protocol]
splits = "repeated-k-fold"
folds = 5
repeats = 4
baseline = "run 2"
margin = 10.0
[run]
cores = 2
[[experiment]]
name = "run 2"
features = ["by_m"]
model = { kind = "ridge", alpha = 10.0 }
[[experiment]]
name = "run 4"
features = ["by_m"]
model = { kind = "residual_mlp", widths = [16], dropout = 0.1 }
training = { epochs = 30, batch = 32, rate = 1e-2 }
[[experiment]]
name = "run 5"
parent = "run 4"
CHANGES
"""
EIGHT = """
model = { widths = [8, 8], norm = "batch", dropout = 0.3 }
training = { epochs = 10, rate = 1e-6, edge_copies = 1, schedule = "exponential", clip_norm = 1.0 }
"""

DATA = """
problem = { kind = "table", path = "TABLE", target = "log2 height", group = "source", replicate = "sample" }
[protocol]
splits = "leave-one-group-out"
baseline = "line"
[[experiment]]
name = "line"
model = { kind = "ridge", alpha = 10.0 }
"""


def rows_of(P: np.ndarray, label: str) -> pd.DataFrame:
    """A row for each code and m: entries of P, m, and the exact height."""
    heights = np.log2(height_profiles(P))
    entries = [f"p{i}{j}" for i in range(K) for j in range(LENGTH - K)]
    frames = []
    for m in ASKED:
        frame = pd.DataFrame(P.reshape(len(P), -1), columns=pd.Index(entries))
        names = [f"{label}{i}-m{m}" for i in range(len(P))]
        frames.append(frame.assign(m=m, sample=names, **{"log2 height": heights[:, m - 1]}))
    return pd.concat(frames, ignore_index=True)


def three_sources(nested: bool) -> pd.DataFrame:
    """Three data sets of codes. Nested: each holds the one before, and the last has noisy copies of the first."""
    P = random_codes("uniform", LENGTH, K, 0, 3 * SIZE)
    new = [rows_of(P[i * SIZE : (i + 1) * SIZE], f"code{i}-") for i in range(3)]
    if not nested:
        sets = new
    else:
        copies = new[0].copy()
        entries = [name for name in copies if name.startswith("p")]
        copies[entries] += np.random.default_rng(5).normal(0, 0.5, (len(copies), len(entries)))
        sets = [new[0], pd.concat(new[:2]), pd.concat([*new, copies])]
    return pd.concat([frame.assign(source=f"set {i + 1}") for i, frame in enumerate(sets)], ignore_index=True)


@pytest.fixture(scope="module")
def nested(place) -> Laboratory:
    return place.laboratory(DATA, three_sources(nested=True), "")


@pytest.fixture(scope="module")
def disjoint(place) -> Laboratory:
    return place.laboratory(DATA, three_sources(nested=False), "")


@pytest.fixture(scope="module")
def run_5(place) -> Laboratory:
    text = NETWORKS.replace("DISTRIBUTION", "integer").replace("CHANGES", EIGHT)
    return place.laboratory(text, pd.DataFrame(), "")


@pytest.fixture(scope="module")
def repaired_run_5(place) -> Laboratory:
    text = NETWORKS.replace("DISTRIBUTION", "uniform").replace("CHANGES", "training.rate = 5e-3")
    return place.laboratory(text, pd.DataFrame(), "")


@pytest.fixture(scope="module")
def alarms_of_data(nested, found) -> Found:
    return found(nested.audit(nested.results()))


@pytest.fixture(scope="module")
def of_run_5(run_5) -> Audit:
    return run_5.audit(run_5.results())


def test_what_is_wrong_with_the_data_is_found_and_nothing_else(alarms_of_data):
    assert {code for code, _ in alarms_of_data} == {"PB101", "PB102", "PB103", "PB104"}


def test_all_rows_of_a_nested_data_set_stand_on_both_sides(alarms_of_data):
    (error,) = (f for (code, _), f in alarms_of_data.items() if code == "PB101")
    assert error.figures == {"rows": 2 * len(ASKED) * SIZE, "share": 1.0}


def test_noisy_copies_of_codes_are_found_across_the_split(alarms_of_data):
    warning = alarms_of_data["PB102", "table / set 3"]
    assert warning.figures["rows"] == len(ASKED) * SIZE
    # Noise of 0.5 beside entries that are uniform from -100 to 100; the column m does not differ.
    entries = K * (LENGTH - K)
    expected = 0.5 / (100 / np.sqrt(3)) * np.sqrt(entries / (entries + 1))
    assert warning.figures["distance"] == pytest.approx(expected, rel=0.1)


def test_codes_on_both_sides_are_counted(alarms_of_data):
    (warning,) = (f for (code, _), f in alarms_of_data.items() if code == "PB103")
    assert warning.figures["groups"] == 2 * len(ASKED) * SIZE


def test_three_nested_data_sets_overlap_in_pairs(alarms_of_data):
    (warning,) = (f for (code, _), f in alarms_of_data.items() if code == "PB104")
    assert (warning.figures["share"], warning.figures["pairs"]) == (1.0, 3)


def test_infinite_heights_are_counted(run_5, of_run_5):
    """A height h_m is infinite where some n - m columns of [I | P] have a rank below k."""
    P = random_codes("integer", LENGTH, K, 0, 120)
    G = np.concatenate([np.broadcast_to(np.eye(K), (len(P), K, K)), P], axis=2)
    infinite = 0
    for m in ASKED:
        columns = [list(c) for c in combinations(range(LENGTH), LENGTH - m)]
        ranks = np.stack([np.linalg.matrix_rank(G[:, :, some]) for some in columns])
        infinite += int((ranks < K).any(axis=0).sum())
    (note,) = (f for f in of_run_5.findings if f.code == "PB106")
    assert note.figures == {"rows": infinite, "share": infinite / (len(ASKED) * len(P))}
    assert infinite > 0


def test_a_network_at_the_variance_of_the_target_is_found(run_5, of_run_5, found):
    figures = found(of_run_5)["PB304", "run 5"].figures
    arm, trivial = run_5.results().arm("run 5"), run_5.results().arm("trivial: m")
    assert (figures["score"], figures["trivial"]) == (pytest.approx(arm.score), pytest.approx(trivial.score))
    assert arm.score > run_5.results().arm("trivial: mean").score


def test_eight_changes_at_once_are_counted(of_run_5, found):
    assert found(of_run_5)["PB404", "run 5"].figures == {"changes": 8}
    assert found(of_run_5).keys() == {("PB304", "run 5"), ("PB404", "run 5")}


def test_the_repaired_campaigns_are_silent(disjoint, repaired_run_5, found):
    for laboratory in (disjoint, repaired_run_5):
        assert found(laboratory.audit(laboratory.results())) == {}
