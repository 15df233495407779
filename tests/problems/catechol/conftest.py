"""A small part of the published rows, and the yield model of it: two ramps and two solvents at one temperature."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import real_data_folder
from probatum.problems import model_file
from probatum.problems.catechol import calibration, rate_regression
from probatum.problems.catechol.data import FULL
from probatum.problems.catechol.yield_model import Published, YieldModel, trained

RAMPS = {
    ("Methanol", "Ethylene Glycol [1,2-Ethanediol]"),
    ("Water.Acetonitrile", "Acetonitrile"),
    ("MTBE [tert-Butylmethylether]", "Butanone [MEK]"),
}
EVERY = 6
"""Of these rows every sixth is kept."""


@dataclass(frozen=True, eq=False)
class SmallLaboratory:
    """Data and model.

    Attributes:
        data_folder: what `PROBATUM_DATA` names.
        cache: of the user; the trained model lies in it.
        data, model: read and trained.
    """

    data_folder: Path
    cache: Path
    data: Published
    model: YieldModel


@pytest.fixture(scope="session")
def small_session(tmp_path_factory: pytest.TempPathFactory) -> SmallLaboratory:
    published = real_data_folder()
    if published is None:
        pytest.skip("real data is absent")
    folder = tmp_path_factory.mktemp("published")
    small = Path(shutil.copytree(published / "catechol", folder / "catechol"))
    with (published / "catechol" / FULL).open(newline="", encoding="utf-8") as stream:
        header, *lines = list(csv.reader(stream))
    a, b = header.index("SOLVENT A NAME"), header.index("SOLVENT B NAME")
    kept = [line for line in lines if (line[a], line[b]) in RAMPS][::EVERY]
    (small / FULL).chmod(0o644)
    with (small / FULL).open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *kept])
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROBATUM_DATA", str(folder))
        # One regression in place of thirty-six: what is tested here is what is made of its errors.
        patch.setattr(rate_regression, "LENGTHS", (1.0,))
        patch.setattr(rate_regression, "STRENGTHS", (1.0,))
        patch.setattr(calibration, "RUN_FOLDS", 2)
        patch.setattr(model_file.platformdirs, "user_cache_path", lambda name: cache / name)
        data = Published.found()
        model = trained(data, cores=1, progress=lambda done, of: None)
    return SmallLaboratory(folder, cache, data, model)


@pytest.fixture
def small(small_session: SmallLaboratory, monkeypatch: pytest.MonkeyPatch) -> SmallLaboratory:
    """The small laboratory, where the program finds it too."""
    monkeypatch.setenv("PROBATUM_DATA", str(small_session.data_folder))
    monkeypatch.setattr(model_file.platformdirs, "user_cache_path", lambda name: small_session.cache / name)
    return small_session
