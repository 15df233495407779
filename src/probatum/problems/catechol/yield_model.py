"""The trained and calibrated model that answers a chemist: yields with 90 % intervals, for any solvent or mixture.

The kinetic learner on all published rows, and what `probatum.problems.catechol.calibration` found of its errors.
Trained once from the data, then kept in the user's cache (`probatum.problems.model_file`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float, Real

from probatum.problems import model_file
from probatum.problems.catechol.calibration import GUESSED, Known, LeftOut, Progress, Situation, interval, left_out
from probatum.problems.catechol.data import FULL, SOURCE, Measurements, full_measurements
from probatum.problems.catechol.imputation import Structures, structures
from probatum.problems.catechol.learners import KineticRegressor
from probatum.problems.catechol.problem import Catechol
from probatum.problems.catechol.solvents import Solvent, inputs
from probatum.problems.data_files import locate
from probatum.problems.text_table import read
from probatum.version import __version__

LEVEL = 0.9
"""Of all intervals."""
FEATURE = "solvents_apart"
_NOT_CODE = ("chemist.py", "commands.py", "figures.py", "pictures.py", "queries.py", "remarks.py")
"""Modules here that ask and show, and change no number."""


@dataclass(frozen=True, eq=False)
class Published:
    """The published data.

    Attributes:
        folder: of the tables.
        rows: all measured rows, single solvents and mixtures.
        digest: of everything that was read.
        structures: what guesses descriptors from structure; None where rdkit is not installed.
    """

    folder: Path
    rows: Measurements
    digest: str
    structures: Structures | None

    @classmethod
    def found(cls) -> Published:
        """The data on this machine, downloaded where it is nowhere.

        Raises:
            DataMissingError: it is nowhere and cannot be downloaded.
            DataError: a file is not the published one, or cannot be read.
        """
        folder = locate(SOURCE)
        known = structures(folder) if find_spec("rdkit") is not None else None
        return cls(folder, full_measurements(read(folder / FULL)), Catechol(str(folder)).dataset("full").digest, known)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Predicted yields of [row] questions.

    Attributes:
        value, low, high: [row, 3] float64, fractions of SM, Product 2, Product 3, with their intervals.
        situation: [row] what is known of the solvent there.
    """

    value: Float[np.ndarray, "row 3"]
    low: Float[np.ndarray, "row 3"]
    high: Float[np.ndarray, "row 3"]
    situation: tuple[Situation, ...]


@dataclass(frozen=True, eq=False)
class YieldModel:
    """What a chemist asks.

    Attributes:
        learner: trained on all rows.
        known: which solvents and pairs these rows measured.
        left_out: for every situation the rows that its intervals are calibrated by.
        guessed: how much of each descriptor's variance between solvents a guess from structure explains (R2), leaving
            each solvent out; empty where nothing was guessed.
    """

    learner: KineticRegressor
    known: Known
    left_out: Mapping[Situation, LeftOut]
    guessed: Mapping[str, float]

    def estimate(
        self,
        a: Solvent,
        b: Solvent,
        fraction_b: float,
        celsius: Real[np.ndarray, " row"],
        minutes: Real[np.ndarray, " row"],
        guessed: bool,
    ) -> Estimate:
        """Yields with intervals of one mixture at [row] conditions.

        Args:
            a, b: the solvents with their descriptors, the same one twice where it is pure.
            fraction_b: volume fraction of b, 0 to 1.
            celsius, minutes: [row] float64.
            guessed: whether descriptors of one that was never measured are guesses.
        """
        asked = inputs((FEATURE,), a, b, np.full(len(celsius), fraction_b), celsius, minutes)
        value, spread = self.learner.predict(asked), self.learner.predict_spread(asked)
        situations = [self.known.situation(a.name, b.name, fraction_b, float(t)) for t in celsius]
        situations = [GUESSED.get(s, s) if guessed else s for s in situations]
        factors = {s: self.factors(s) for s in dict.fromkeys(situations)}
        low, high = interval(value, spread, np.stack([factors[s] for s in situations]))
        return Estimate(value, low, high, tuple(situations))

    def factors(self, situation: Situation) -> Float[np.ndarray, " 3"]:
        """[3] half widths in units of the spread; infinite where no left-out row stands for the situation.

        A guess of a descriptor knows no more than a table, so its intervals are at least as wide as with tables: other
        solvents calibrate the two, for those that are mixtures themselves have no structure to guess from.
        """
        known = [s for s in (situation, *(t for t, g in GUESSED.items() if g is situation)) if s in self.left_out]
        if situation not in known:
            return np.full(3, np.inf)
        return np.max([self.left_out[s].factors(LEVEL) for s in known], axis=0)


def trained(
    data: Published, *, cores: int = 1, starting: Callable[[Path], None] = lambda path: None, progress: Progress
) -> YieldModel:
    """The model of these data, from the cache or trained now.

    Args:
        data: published.
        cores: trainings at once.
        starting: told where the model will be kept, before it is trained.
        progress: told after every training.
    """
    code = [path for path in Path(__file__).parent.glob("*.py") if path.name not in _NOT_CODE]
    key = model_file.key_of(__version__, data.digest, f"structures: {data.structures is not None}", code=code)

    def train() -> YieldModel:
        starting(model_file.path_of("catechol/yields", key))
        return train_model(data, cores=cores, progress=progress)

    return model_file.cached("catechol/yields", key, train)


def train_model(data: Published, *, cores: int, progress: Progress) -> YieldModel:
    """Trains and calibrates it, without the cache."""
    problem = Catechol(str(data.folder))
    features = problem.features[FEATURE].compute(problem.dataset("full"))
    everything = np.ones(len(features), dtype=bool)
    return YieldModel(
        learner=KineticRegressor().fit(features, data.rows.yields),
        known=Known.of(data.rows, everything),
        left_out=left_out(data.rows, features, data.structures, cores=cores, progress=progress),
        guessed={} if data.structures is None else data.structures.explained(),
    )
