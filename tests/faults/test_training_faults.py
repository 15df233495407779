"""PB201-PB206 in small real campaigns: each fault is found under its own code, and its clean twin is silent."""

from __future__ import annotations

import pytest

from faults.conftest import Ran
from faults.table import line_table
from probatum.audit.finding import Finding
from probatum.audit.inspection import inspect

HEAD = """
problem = { kind = "table", path = "table.csv", target = "y" }

[protocol]
splits = "repeated-k-fold"
folds = 5
repeats = 2
seeds = 2
baseline = "old"

[run]
cores = 2
"""
LEARNERS = '''
import jax
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from probatum.learning.learner import FitOutcome
from probatum.learning.networks.mlp_regressor import MLPRegressor


class AllZero(MLPRegressor):
    """Starts with all weights zero, so that no hidden layer ever gets a gradient."""

    def initial_network(self, columns, outputs, generator):
        return jax.tree.map(np.zeros_like, super().initial_network(columns, outputs, generator))


class Own(MLPRegressor):
    """The same, as it should start."""


class Descending(RegressorMixin, BaseEstimator):
    """A line by gradient descent, which watches a fifth of the rows: the easiest ones, or any."""

    def __init__(self, easy=False, random_state=0):
        self.easy = easy
        self.random_state = random_state

    def fit(self, X, y):
        self.outcome = self.trained(X, y.reshape(len(y), -1))
        return self

    def predict(self, X):
        return X @ self.outcome

    def program(self):
        return "descending", self.easy

    @classmethod
    def fit_many(cls, estimators, inputs, targets, row_sets, cores):
        return [e.one(inputs, targets, rows) for e, rows in zip(estimators, row_sets, strict=True)]

    def one(self, inputs, targets, rows):
        generator = np.random.default_rng(rows.seed)
        train = generator.permutation(rows.train)
        if self.easy:
            best, *_ = np.linalg.lstsq(inputs[train], targets[train], rcond=None)
            train = train[np.argsort(((inputs[train] @ best - targets[train]) ** 2).sum(axis=1))]
        aside, train = train[: len(train) // 5], train[len(train) // 5 :]
        weights = np.zeros((inputs.shape[1], targets.shape[1]))
        curves = {"training loss": [], "validation loss": []}
        for _ in range(60):
            error = inputs[train] @ weights - targets[train]
            weights = weights - 0.1 * inputs[train].T @ error / len(train)
            curves["training loss"].append((error**2).mean())
            curves["validation loss"].append(((inputs[aside] @ weights - targets[aside]) ** 2).mean())
        return FitOutcome(inputs[rows.predict] @ weights, 0.0, curves=curves)


class Shifted(RegressorMixin, BaseEstimator):
    """A line whose predictions are off by what its seed says, and by an offset of its own."""

    def __init__(self, offset=0.0, luck=0.0, random_state=0):
        self.offset = offset
        self.luck = luck
        self.random_state = random_state

    def fit(self, X, y):
        columns = np.column_stack([np.ones(len(X)), X])
        self.weights_, *_ = np.linalg.lstsq(columns, y, rcond=None)
        return self

    def predict(self, X):
        shift = self.offset + self.luck * (self.random_state % 2) + 1e-6 * self.random_state
        return np.column_stack([np.ones(len(X)), X]) @ self.weights_ + shift
'''


def own(name: str, of: str, training: str = "") -> str:
    """An experiment with a learner of the campaign's own."""
    return f'[[experiment]]\nname = "{name}"\nmodel = {{ kind = "MODULE:{of} }}\n{training}\n'


def net(name: str, hidden: str, training: str) -> str:
    model = f'{{ kind = "mlp", hidden = {hidden}, norm = "none", activation = "tanh" }}'
    return f'[[experiment]]\nname = "{name}"\nmodel = {model}\ntraining = {{ {training} }}\n'


WATCHED = "batch = 16, rate = 3e-3, validation_fraction = 0.4"
FAULTY = {
    "PB201": net("PB201", "[16]", 'epochs = 20, batch = 16, rate = 1e4, optimiser = "sgd", clip_norm = 1e9'),
    "PB202": own("PB202", 'AllZero", hidden = [8], norm = "none"', "training = { epochs = 60, rate = 1e-2 }"),
    "PB203": net("PB203", "[64, 64]", f"epochs = 150, restore_best = false, {WATCHED}"),
    "PB204": net("PB204", "[16]", f"epochs = 8, {WATCHED}"),
    "PB205": own("PB205", 'Descending", easy = true'),
    "PB206": own("old", 'Shifted", offset = 0.3, luck = 3.0') + own("PB206", 'Shifted", offset = 0.28, luck = 3.0'),
}
CLEAN = {
    "PB201": net("PB201", "[16]", "epochs = 60, batch = 16, rate = 1e-2"),
    "PB202": own("PB202", 'Own", hidden = [8], norm = "none"', "training = { epochs = 60, rate = 1e-2 }"),
    "PB203": net("PB203", "[64, 64]", f"epochs = 150, {WATCHED}"),
    "PB204": net("PB204", "[16]", f"epochs = 150, {WATCHED}"),
    "PB205": own("PB205", 'Descending", easy = false'),
    "PB206": own("old", 'Shifted", offset = 0.3, luck = 0.01') + own("PB206", 'Shifted", offset = 0.01, luck = 0.01'),
}


def audited(ran: Ran, experiments: dict[str, str], module: str) -> tuple[Finding, ...]:
    campaign = (HEAD + "".join(experiments.values())).replace("MODULE", module)
    files = {"table.csv": line_table(120, 1.5, idle=6), f"{module}.py": LEARNERS}
    return inspect(ran(campaign, files)).findings


@pytest.fixture(scope="module")
def faulty(ran: Ran) -> tuple[Finding, ...]:
    return audited(ran, FAULTY, "faulty_trainings")


@pytest.fixture(scope="module")
def clean(ran: Ran) -> tuple[Finding, ...]:
    return audited(ran, CLEAN, "clean_trainings")


@pytest.mark.parametrize("code", FAULTY)
def test_a_planted_fault_is_found_under_its_code(faulty, code):
    of_it = [f for f in faulty if f.subject == code and f.severity != "note"]
    assert code in {f.code for f in of_it}, [(f.code, f.message) for f in faulty]


@pytest.mark.parametrize("code", CLEAN)
def test_its_clean_twin_is_silent(clean, code):
    assert not [(f.code, f.message) for f in clean if f.subject in (code, None, "old") and f.severity != "note"]


def test_the_whole_clean_campaign_is_silent(clean):
    assert not [(f.code, f.subject, f.message) for f in clean if f.severity != "note"]
