"""Runs of training and of scoring share no compound, whichever blocks train; a run does not depend on its company."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems.gas_chromatography import observed_runs
from probatum.problems.gas_chromatography.challenge_folder import SUBMISSION
from probatum.problems.gas_chromatography.families import FAMILIES, families_of
from probatum.problems.gas_chromatography.observed_runs import PORTION, binned, both_blocks, looked_at
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography
from probatum.problems.gas_chromatography.samples import PREVALENCE
from probatum.problems.gas_chromatography.simulated_folder import write_folder
from probatum.problems.gas_chromatography.simulated_runs import SimulatedPortion
from probatum.problems.gas_chromatography.spectra import LIBRARY

SMALL = GasChromatography(runs=60, blocks=3)


@pytest.mark.real
def test_runs_of_different_blocks_share_no_compound(real_data: Path):
    stream = SMALL.stream()
    held: Mapping[int, set[str]] = {block: set() for block in range(3)}
    for number in range(60):
        injection, labels, _ = stream.injection(number)
        held[stream.block(number)] |= {s.compound for s in (*injection.spectra, *injection.carried_over)}
        known = [families_of(spectrum.smiles) for spectrum in injection.spectra]
        expected = np.any(known, axis=0) if known else np.zeros(len(FAMILIES), dtype=bool)
        np.testing.assert_array_equal(labels[:-1], expected[:-1])
        assert labels[-1] == injection.minerals
    assert all(held.values())
    assert sum(map(len, held.values())) == len(set.union(*held.values()))


@pytest.mark.real
def test_the_group_of_a_run_is_its_block(real_data: Path):
    dataset = SMALL.dataset(TASK)
    assert dataset.default_group == "compounds"
    assert dataset.groups["compounds"][:4].tolist() == ["block 1", "block 2", "block 3", "block 1"]
    assert dataset.groups["run"].tolist() == dataset.cases.tolist()


@pytest.mark.real
def test_a_run_does_not_depend_on_how_many_there_are(real_data: Path):
    few, many = GasChromatography(runs=7, blocks=3).dataset(TASK), SMALL.dataset(TASK)
    np.testing.assert_array_equal(few.observations["images"], np.asarray(many.observations["images"])[:7])
    np.testing.assert_array_equal(few.targets(), many.targets()[:7])


@pytest.mark.real
def test_what_is_kept_of_a_run_is_what_the_run_shows(real_data: Path):
    dataset, (run, families, derivatised) = SMALL.dataset(TASK), SMALL.stream().run(53)
    blocks, images = (np.asarray(dataset.observations[name]) for name in ("seven_blocks", "images"))
    np.testing.assert_allclose(blocks[53], both_blocks(run), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(images[53], binned(run), rtol=1e-6)
    np.testing.assert_array_equal(dataset.targets()[53], families)
    assert dataset.groups["derivatised"][53] == ("derivatised" if derivatised else "as it is")


@pytest.mark.real
def test_families_are_about_as_common_as_in_the_challenge(real_data: Path):
    problem = GasChromatography(runs=1)
    labels = np.array([problem.stream(draw).injection(n)[1] for draw in range(2) for n in range(600)])
    shares = np.array(list(PREVALENCE.values()))
    assert (np.abs(labels.mean(axis=0) - shares) < 4 * np.sqrt(shares * (1 - shares) / len(labels))).all()


@pytest.mark.real
def test_runs_are_looked_at_once(real_data: Path, monkeypatch: pytest.MonkeyPatch):
    _ = SMALL.stream(5).observed(0, 60)
    monkeypatch.setattr(SimulatedPortion, "look", lambda _: pytest.fail("looked at again"))
    assert len(SMALL.stream(5).observed(10, 60)) == 50


@pytest.mark.real
def test_other_code_or_another_stream_is_looked_at_again(real_data: Path, monkeypatch: pytest.MonkeyPatch):
    portions = [SimulatedPortion(GasChromatography(seed=s, blocks=b).stream(), 0) for s, b in ((0, 2), (0, 3), (1, 2))]
    assert len({portion.key for portion in portions} | {SimulatedPortion(portions[0].stream, PORTION).key}) == 4
    before = observed_runs._name(portions[0])
    monkeypatch.setattr(observed_runs, "CODE", observed_runs.CODE[1:])
    assert observed_runs._name(portions[0]) != before


@pytest.mark.real
def test_labelled_runs_of_a_challenge_are_cases(real_data: Path, tmp_path: Path):
    library = real_data / "gas_chromatography" / LIBRARY
    samples = write_folder(tmp_path / "challenge", library, {"train": 6, "validation": 2, "test": 2})
    problem = GasChromatography(challenge=str(tmp_path / "challenge"))
    dataset = problem.dataset(TASK)
    assert dataset.cases.tolist() == [sample.name for sample in samples if sample.split == "train"]
    known = [sample.families for sample in samples if sample.split == "train"]
    np.testing.assert_array_equal(dataset.targets(), np.array(known, dtype=float))
    assert dataset.default_group == "run"
    assert "metadata.csv" in dataset.origin.files
    assert (tmp_path / "challenge" / SUBMISSION).is_file()
    with pytest.raises(DataError, match="fixed number of cases"):
        list(problem.shards(TASK, 3, 3))


@pytest.mark.real
def test_a_changed_run_of_a_challenge_is_refused(real_data: Path, tmp_path: Path):
    library = real_data / "gas_chromatography" / LIBRARY
    (sample,) = write_folder(tmp_path / "challenge", library, {"train": 1}, seed=3)
    sample.path.write_bytes(sample.path.read_bytes()[:-20])
    with pytest.raises(DataError, match="has the md5"):
        GasChromatography(challenge=str(tmp_path / "challenge")).dataset(TASK)


@pytest.mark.parametrize("options", [{"runs": 0}, {"blocks": 1}, {"seed": -1}, {"runs": 10**7}])
def test_options_that_cannot_be_are_refused(options: Mapping[str, int]):
    with pytest.raises(DataError, match=f"{next(iter(options))} is .*; choose"):
        GasChromatography(**options)


def test_a_library_that_is_nowhere_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(DataMissingError, match="no such folder"):
        GasChromatography(folder=str(tmp_path / "nowhere")).dataset(TASK)


def test_progress_and_order_of_portions():
    class Counted:
        def __init__(self, number: int):
            self.number = number

        @property
        def key(self) -> str:
            return f"test {self.number}"

        def look(self) -> observed_runs.ObservedRuns:
            one = observed_runs.observed([])
            return observed_runs.ObservedRuns(
                np.full((1, *one.seven_blocks.shape[1:]), self.number, dtype=np.float32),
                np.zeros((1, *one.images.shape[1:]), dtype=np.float32),
                np.zeros((1, 9), dtype=bool),
                np.zeros(1, dtype=bool),
            )

    found = looked_at([Counted(3), Counted(1)])
    assert found.seven_blocks[:, 0, 0, 0].tolist() == [3.0, 1.0]
