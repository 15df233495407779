"""What the published catechol files hold, and what the problem makes of them."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probatum.problems.catechol.data import SOURCE, clusters
from probatum.problems.catechol.problem import Catechol
from probatum.problems.data_files import sha256_of
from probatum.problems.problem import Dataset

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("real_data")]


@pytest.fixture
def single() -> Dataset:
    return Catechol().dataset("single")


@pytest.fixture
def full() -> Dataset:
    return Catechol().dataset("full")


def in_order(labels: np.ndarray) -> dict[str, int]:
    """Labels and how often each occurs, in the order of first appearance."""
    return dict(Counter(labels.tolist()))


def pooled_replicate_variance(dataset: Dataset) -> float:
    assert dataset.replicates is not None
    truth = dataset.targets()
    counts = np.bincount(dataset.replicates)
    means = np.stack([np.bincount(dataset.replicates, y) / counts for y in truth.T], axis=1)
    return float(((truth - means[dataset.replicates]) ** 2).sum(axis=0).mean() / (counts - 1).sum())


def measurements(dataset: Dataset, impurity: float) -> Counter:
    """Rows in one solvent, but for a fraction of `impurity`, as (solvent, T, t, yields); 9 decimals, as printed."""
    b = np.asarray(dataset.observations["fraction_b"])
    solvent = np.where(b > 0.5, dataset.observations["solvent_b"], dataset.observations["solvent_a"])
    pure = np.minimum(b, 1 - b) <= impurity
    conditions = [np.asarray(dataset.observations[name]) for name in ("temperature", "residence_time")]
    numbers = np.column_stack([*conditions, dataset.targets()])[pure].round(9)
    return Counter((name, *row) for name, row in zip(solvent[pure].tolist(), numbers.tolist(), strict=True))


def test_local_files_are_the_published_ones(real_data: Path):
    for file in SOURCE.files:
        assert sha256_of(real_data / "catechol" / file.name) == file.sha256


def test_there_are_24_solvents_in_656_rows(single: Dataset):
    assert len(single) == 656
    assert len(in_order(single.groups["solvent"])) == 24
    assert list(single.groups) == ["solvent"]


def test_there_are_13_ramps_of_these_sizes_in_file_order(full: Dataset):
    sizes = list(in_order(full.groups["ramp"]).values())
    assert sizes == [122, 124, 104, 125, 125, 124, 125, 110, 127, 36, 34, 36, 35]
    assert full.default_group == "ramp"
    assert len(in_order(full.groups["run"])) == 87


def test_a_run_belongs_to_one_ramp(full: Dataset):
    assert len(set(zip(full.groups["run"].tolist(), full.groups["ramp"].tolist(), strict=True))) == 87


def test_all_single_rows_recur_in_the_full_file(single: Dataset, full: Dataset):
    assert measurements(single, 0) == measurements(full, impurity=0.006)


def test_eighteen_single_rows_are_in_the_full_file_as_mixtures_with_a_trace(single: Dataset, full: Dataset):
    assert (measurements(single, 0) - measurements(full, impurity=0)).total() == 18


def test_solvents_connected_by_ramps_form_eleven_clusters_in_both_tasks(single: Dataset, full: Dataset):
    assert single.dependence is not None
    assert full.dependence is not None
    assert set(single.dependence.tolist()) == set(full.dependence.tolist())
    assert len(set(single.dependence.tolist())) == 11
    for dataset in (single, full):
        folds = dataset.groups[dataset.default_group or ""].tolist()
        pairs = set(zip(folds, np.asarray(dataset.dependence).tolist(), strict=True))
        assert len(pairs) == len(set(folds)), "a fold lies in one cluster"


def test_acetonitrile_and_methf_sit_in_two_ramps_each(full: Dataset):
    ramps = [set(ramp.split(" | ")) for ramp in in_order(full.groups["ramp"])]
    often = {name for name, count in Counter(name for ramp in ramps for name in ramp).items() if count > 1}
    assert often == {"Acetonitrile", "2-Methyltetrahydrofuran [2-MeTHF]"}


def test_repeated_measurements_set_a_noise_floor(single: Dataset, full: Dataset):
    assert single.replicates is not None
    assert full.replicates is not None
    assert single.replicates.max() + 1 == 319
    assert full.replicates.max() + 1 == 810
    assert pooled_replicate_variance(single) == pytest.approx(0.00051, abs=5e-6)
    assert pooled_replicate_variance(full) == pytest.approx(0.00041, abs=5e-6)


def test_yields_are_fractions_that_do_not_sum_to_one(single: Dataset, full: Dataset):
    for dataset in (single, full):
        assert 0 <= dataset.targets().min() < dataset.targets().max() < 1.1
    total = single.targets().sum(axis=1)
    assert np.median(total) == pytest.approx(0.85, abs=0.005)
    assert (total > 1).mean() == pytest.approx(0.021, abs=0.001)
    assert (full.targets().sum(axis=1) > 1).mean() == pytest.approx(0.049, abs=0.001)


def test_published_tables_score_21_solvents_and_11_ramps(single: Dataset, full: Dataset):
    left_out = Catechol().scorings["paper-without-acetonitrile"].leave_out
    assert left_out is not None
    assert sum(left_out not in label for label in in_order(single.groups["solvent"])) == 21
    assert sum(left_out not in label for label in in_order(full.groups["ramp"])) == 11


def test_features_have_the_published_widths(single: Dataset, full: Dataset):
    widths = {"spange": 13, "acs": 5, "drfp": 122, "fragprints": 144, "kinetics": 5, "conditions": 3} | {
        "spange_interactions": 13,
        "acs_interactions": 5,
        "solvents_apart": 39,
    }
    for dataset in (single, full):
        found = {name: feature.compute(dataset).shape[1] for name, feature in Catechol().features.items()}
        assert found == widths


def test_mixtures_lie_between_their_solvents(full: Dataset):
    spange = Catechol().features["spange"]
    b = np.asarray(full.observations["fraction_b"])
    mixed = spange.compute(full)
    ramp = full.groups["ramp"] == "Decanol | DMA [N,N-Dimethylacetamide]"
    if not ramp.any():
        ramp = full.groups["ramp"] == "DMA [N,N-Dimethylacetamide] | Decanol"
    pure_a, pure_b = mixed[ramp & (b == 0)][0], mixed[ramp & (b == 1)][0]
    weights = b[ramp][:, None]
    np.testing.assert_allclose(mixed[ramp], (1 - weights) * pure_a + weights * pure_b, rtol=1e-14)
    assert pure_a[0] == 37.8, "dielectric constant of DMA"
    assert pure_b[0] == 12.5, "dielectric constant of decanol"


def test_swapping_the_solvents_changes_no_feature_that_mixes_them(full: Dataset):
    o = full.observations
    swapped = replace(
        full,
        observations={**o, "solvent_a": o["solvent_b"], "solvent_b": o["solvent_a"]}
        | {"fraction_b": 1 - np.asarray(o["fraction_b"])},
    )
    for name, feature in Catechol().features.items():
        same = np.allclose(feature.compute(full), feature.compute(swapped), rtol=1e-12, atol=1e-12)
        assert same == (name not in ("conditions", "solvents_apart")), name


def test_interactions_vanish_in_pure_solvents(single: Dataset, full: Dataset):
    for name in ("spange_interactions", "acs_interactions"):
        feature = Catechol().features[name]
        assert not feature.compute(single).any()
        assert feature.compute(full).any()


def test_kinetic_features_are_what_an_arrhenius_law_is_linear_in(single: Dataset):
    first = Catechol().features["kinetics"].compute(single)[0]
    celsius, minutes = 175.0, 2.001019108286073
    inverse = 1000 / (celsius + 273.15)
    np.testing.assert_allclose(first, [celsius, minutes, inverse, np.log(minutes), inverse * np.log(minutes)])


def test_a_second_look_at_the_data_takes_next_to_no_time():
    problem = Catechol()
    began = time.perf_counter()
    for _ in range(2):
        for task in problem.tasks:
            dataset = problem.dataset(task)
            for feature in problem.features.values():
                feature.compute(dataset)
    assert time.perf_counter() - began < 3.0, "0.1 s on an idle machine"
    assert problem.dataset("full") is problem.dataset("full")


def test_clusters_join_whatever_a_chain_of_ramps_connects():
    found = clusters("abcdef", [("b", "a"), ("c", "d"), ("d", "b")])
    assert found == {"a": "a", "b": "a", "c": "a", "d": "a", "e": "e", "f": "f"}
