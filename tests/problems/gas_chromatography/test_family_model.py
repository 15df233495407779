"""The model that answers for a run: trained once, kept, and the same when it is read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.problems import model_file
from probatum.problems.gas_chromatography import family_model as subject
from probatum.problems.gas_chromatography.family_model import COMPONENTS, FamilyModel, family_model, trained
from probatum.problems.gas_chromatography.observed_runs import observed
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography

pytestmark = pytest.mark.real
SMALL = GasChromatography(runs=20, blocks=2)


@pytest.fixture
def quick(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One small network, two epochs."""
    logistic, spectra = COMPONENTS
    components = (logistic, {**spectra, "members": 1, "epochs": 2, "embedding": [8], "hidden": [8]})
    monkeypatch.setattr(subject, "COMPONENTS", components)
    monkeypatch.setattr(subject, "LEARNER", {**subject.LEARNER, "components": components})
    monkeypatch.setattr(subject, "SIMULATED", SMALL)


def test_a_model_predicts_the_same_after_it_was_written_and_read(quick: None, tmp_path: Path):
    model = trained(SMALL.dataset(TASK))
    model_file.write(tmp_path / "model.npz", model)
    again = model_file.read(tmp_path / "model.npz")
    runs = [SMALL.stream().run(number)[0] for number in (20, 21, 22)]
    found = model.predict(runs)
    assert isinstance(again, FamilyModel)
    np.testing.assert_array_equal(again.predict(runs), found)
    np.testing.assert_array_equal(model.predict_observed(observed(runs)), found)
    assert found.shape == (3, 9)
    assert ((found > 0) & (found < 1)).all()


def test_it_is_trained_once(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    SMALL.dataset(TASK)  # kept outside the folder that stands for the cache
    monkeypatch.setattr(model_file.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    times = []

    def counted(dataset):
        times.append(len(dataset))
        return trained(dataset)

    monkeypatch.setattr(subject, "trained", counted)
    first, second = family_model(), family_model()
    assert times == [20]
    run = SMALL.stream().run(23)[0]
    np.testing.assert_array_equal(first.predict([run]), second.predict([run]))
