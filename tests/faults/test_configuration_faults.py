"""PB4 and PB5 on small real campaigns: each fault planted, and its clean twin."""

import numpy as np
import pandas as pd
import pytest

LEARNERS = '''
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from probatum.learning.learner import FitOutcome
from probatum.learning.networks.mlp_regressor import MLPRegressor


class Line(RegressorMixin, BaseEstimator):
    """Least squares with a ridge, jittered by its seed."""

    def __init__(self, alpha=1.0, seed=0, jitter=0.01, random_state=None):
        self.alpha, self.seed, self.jitter, self.random_state = alpha, seed, jitter, random_state

    def fit(self, X, y):
        rng = self.generator()
        penalty = self.alpha * np.eye(X.shape[1])
        self.w_ = np.linalg.solve(X.T @ X + penalty, X.T @ (y - y.mean())) + self.jitter * rng.normal(size=X.shape[1])
        self.b_ = y.mean()
        return self

    def predict(self, X):
        return X @ self.w_ + self.b_

    def generator(self):
        return np.random.default_rng([self.seed, self.random_state])


class IgnoresItsKey(Line):
    """Takes a seed of its own and never looks at it."""

    def generator(self):
        return np.random.default_rng(self.random_state)


class IgnoresTheSeed(Line):
    """One generator for all."""

    def generator(self):
        return np.random.default_rng([self.seed, 7 if self.random_state is None else 7])


class Unseeded(Line):
    """Draws from the operating system."""

    def generator(self):
        return np.random.default_rng([self.seed, self.random_state, np.random.SeedSequence().entropy])


class Cheating(Line):
    """Looks at the targets of the rows that it is scored on."""

    @classmethod
    def fit_many(cls, estimators, inputs, targets, row_sets, cores=1):
        outcomes = []
        for estimator, rows in zip(estimators, row_sets):
            estimator.fit(inputs[rows.train], targets[rows.train][:, 0])
            own = estimator.predict(inputs[rows.predict])[:, None]
            outcomes.append(FitOutcome(own + 0.2 * (targets[rows.predict] - own), 0.0))
        return outcomes


class SavesTooEarly(MLPRegressor):
    """Tunes after it has saved."""

    @classmethod
    def fit_many(cls, estimators, inputs, targets, row_sets, cores=1):
        from dataclasses import replace

        outcomes = super().fit_many(estimators, inputs, targets, row_sets, cores)
        return [replace(o, prediction=0.9 * o.prediction + 0.1 * targets[r.train].mean()) for o, r in
                zip(outcomes, row_sets)]
'''

HEAD = """
problem = { kind = "table", path = "TABLE", target = "y" }
[protocol]
splits = "repeated-k-fold"
folds = 4
repeats = 2
seeds = 2
baseline = "line"
[[experiment]]
name = "line"
model.kind = "LEARNERS:Line"
"""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    inputs = rng.normal(size=(60, 4))
    y = inputs @ [1.0, -0.5, 0.3, 0.0] + 0.4 * rng.normal(size=60)
    return pd.DataFrame(inputs, columns=list("abcd")).assign(y=y)


def experiment(name: str, model: str, parent: str = "", **more: object) -> str:
    lines = [f'name = "{name}"', *([f'parent = "{parent}"'] if parent else []), model]
    return "\n[[experiment]]\n" + "\n".join(lines) + "\n" + "".join(f"{k} = {v}\n" for k, v in more.items())


CLEAN_CHILD = experiment("child", "model.alpha = 5.0", "line")


def test_a_campaign_that_changes_one_thing_is_clean(place, table, alarms):
    assert alarms(place.audit(HEAD + CLEAN_CHILD, table, LEARNERS, retrain=True)) == []


@pytest.mark.parametrize(
    ("code", "added", "retrain"),
    [
        ("PB401", experiment("faulty", 'model = { kind = "LEARNERS:IgnoresItsKey", seed = 42 }'), False),
        ("PB402", experiment("faulty", 'model.kind = "LEARNERS:IgnoresTheSeed"'), False),
        ("PB402", experiment("faulty", 'model.kind = "LEARNERS:Unseeded"'), True),
        ("PB403", experiment("faulty", "model.alpha = 1", "line"), False),
        ("PB404", experiment("faulty", 'features = ["b"]\nmodel.alpha = 5.0', "line"), False),
        ("PB501", experiment("faulty", 'model.kind = "LEARNERS:Cheating"'), True),
        ("PB503", experiment("faulty", "model.alpha = 5.0", "line", hypothesis='"p < .001"'), False),
    ],
)
def test_a_planted_fault_is_found_under_its_own_code(place, table, alarms, code, added, retrain):
    text = HEAD + added
    if code == "PB503":  # one run an arm: the claim has nothing to rest on
        text = text.replace("folds = 4\nrepeats = 2\nseeds = 2", "repeats = 1\nseeds = 1").replace(
            "repeated-k-fold", "stratified-hold-out"
        )
    assert alarms(place.audit(text, table, LEARNERS, retrain=retrain)) == [(code, "faulty")]


NET = """
[run]
keep_weights = true
[[experiment]]
name = "net"
model = { kind = "KIND", hidden = [4], norm = "none" }
training = { epochs = 60, batch = 16, rate = 0.02 }
"""


@pytest.mark.parametrize(("kind", "expected"), [("mlp", []), ("LEARNERS:SavesTooEarly", [("PB405", "net")])])
def test_saved_weights_are_loaded_and_scored_again(place, table, alarms, kind, expected):
    text = HEAD.replace("seeds = 2", "seeds = 1") + NET.replace("KIND", kind)
    found = [alarm for alarm in alarms(place.audit(text, table, LEARNERS)) if alarm[0] == "PB405"]
    assert found == expected


def test_a_champion_of_many_asks_for_confirmation_until_it_has_it(place, table, alarms):
    text = HEAD.replace('"LEARNERS:Line"', '{ kind = "LEARNERS:Line", alpha = 1e6 }', 1).replace(
        "model.kind =", "model ="
    )
    laboratory = place.laboratory(text + experiment("good", "model.alpha = 1.0", "line"), table, LEARNERS)
    assert alarms(laboratory.audit(laboratory.results())) == [("PB502", "good")]
    laboratory.confirm()
    assert alarms(laboratory.audit(laboratory.results())) == []
