"""The trained and calibrated model that answers which families are in a run.

A logistic regression on mean intensities and networks that look at single spectra, their log-odds averaged and
calibrated on runs of compounds that they were not trained on. Trained once, then kept in the user's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from probatum.learning.learner import learner_kind
from probatum.problems import model_file
from probatum.problems.data_files import sha256_of
from probatum.problems.gas_chromatography.calibrated_blend import CalibratedBlend
from probatum.problems.gas_chromatography.calibration import Calibration, log_odds_of
from probatum.problems.gas_chromatography.features import ALL, FEATURES, STRONGEST
from probatum.problems.gas_chromatography.library import library_path
from probatum.problems.gas_chromatography.observed_runs import CODE, ObservedRuns, observed
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography, dataset_of
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.samples import PREVALENCE
from probatum.problems.problem import Dataset, Origin
from probatum.version import __version__

SIMULATED = GasChromatography(runs=1000, seed=1)
"""What it is trained on; reported scores are of other seeds."""
SEEN = ("mean-intensities", "strongest-spectra")
MASSES = len(ALL)
COMPONENTS: tuple[dict[str, Any], ...] = (
    {
        "kind": "probatum.problems.gas_chromatography.logistic:FamilyLogistic",
        "columns": [0, MASSES],
        "C": 0.1,
    },
    {
        "kind": "probatum.problems.gas_chromatography.family_network_regressor:SpectraRegressor",
        "columns": [MASSES, MASSES * (1 + STRONGEST)],
        "members": 2,
        "shape": [STRONGEST, MASSES],
        "prior": [float(share) for share in PREVALENCE.values()],
        "output": "sigmoid",
        "loss": "bce",
        "dropout": 0.3,
        "epochs": 50,
        "optimiser": "adamw",
        "rate": 2e-3,
        "weight_decay": 1e-3,
        "schedule": "cosine",
    },
)
LEARNER: dict[str, Any] = {"components": COMPONENTS, "calibration": "temperature", "inner_folds": 2}
_CODE = ("calibrated_blend", "calibration", "features", "logistic", "family_network", "family_network_regressor",
         "spectra_network", "family_model")  # fmt: skip


@dataclass(frozen=True, eq=False)
class FittedPart:
    """A component of the blend, trained.

    Attributes:
        kind: of its learner.
        columns: of the inputs that it sees, first one and one past the last.
        parameters: of the learner.
        weight: of its log-odds.
        fitted: each member: an estimator, or the kept weights of a network by name.
    """

    kind: str
    columns: tuple[int, int]
    parameters: dict[str, Any]
    weight: float
    fitted: tuple[Any, ...]

    def log_odds(self, inputs: Float[np.ndarray, "run column"]) -> Float[np.ndarray, "run family"]:
        """[run, family] mean log-odds of the members."""
        seen = np.ascontiguousarray(inputs[:, slice(*self.columns)])
        return np.mean([log_odds_of(one.predict(seen)) for one in map(self._estimator, self.fitted)], axis=0)

    def _estimator(self, kept: Any) -> Any:
        if not isinstance(kept, dict):
            return kept
        return learner_kind(self.kind).build(self.parameters, 0).restore(kept)


@dataclass(frozen=True, eq=False)
class FamilyModel:
    """What is asked for the families of a run.

    Attributes:
        parts: whose log-odds are averaged.
        calibration: of the mean.
    """

    parts: tuple[FittedPart, ...]
    calibration: Calibration

    def predict(self, runs: Sequence[Run]) -> Float[np.ndarray, "run family"]:
        """Calibrated probabilities [run, family] float64, in the order of `families.FAMILIES`."""
        return self.predict_observed(observed(runs))

    def predict_observed(self, runs: ObservedRuns) -> Float[np.ndarray, "run family"]:
        """The same for runs that were looked at already."""
        names = np.array([f"run {place}" for place in range(len(runs))], dtype=str)
        inputs = _inputs(dataset_of(runs, names, {}, Origin(generator="asked", seed=0, count=len(runs))))
        weights = np.array([part.weight for part in self.parts])
        log_odds = np.stack([part.log_odds(inputs) for part in self.parts])
        return self.calibration(np.tensordot(weights / weights.sum(), log_odds, axes=1))


def family_model() -> FamilyModel:
    """The model that was trained on simulated runs; from the user's cache, or trained now, which takes minutes.

    Raises:
        DataMissingError: the library of spectra is nowhere.
        UsageError: RDKit, which tells the families of structures, is not installed.
        FitError: the training failed.
    """
    folder = Path(__file__).parent
    code = (*CODE, *(folder / f"{name}.py" for name in _CODE))
    key = model_file.key_of(__version__, repr(SIMULATED), sha256_of(library_path()), repr(LEARNER), code=code)
    return model_file.cached("gas_chromatography/families", key, lambda: trained(SIMULATED.dataset(TASK)))


def trained(dataset: Dataset, cores: int = 2) -> FamilyModel:
    """A model trained on all runs of a data set.

    Args:
        dataset: of `GasChromatography`, simulated or a challenge's; its first grouping is kept apart in inner folds.
        cores: threads to use.

    Raises:
        FitError: the training failed.
    """
    group = dataset.default_group
    groups = None if group is None else dataset.groups[group]
    learner = CalibratedBlend(**LEARNER).fit_grouped(_inputs(dataset), dataset.targets(), groups, cores)
    parts = []
    for given, members in zip(COMPONENTS, learner.fitted_, strict=True):
        parameters = {key: value for key, value in given.items() if key not in ("kind", "columns", "members", "weight")}
        fitted = tuple(getattr(one, "weights_", one) for one in members)
        first, stop = given["columns"]
        parts.append(FittedPart(given["kind"], (first, stop), parameters, float(given.get("weight", 1.0)), fitted))
    return FamilyModel(tuple(parts), learner.calibration_)


def _inputs(dataset: Dataset) -> Float[np.ndarray, "run column"]:
    return np.concatenate([FEATURES[name].compute(dataset) for name in SEEN], axis=1)
