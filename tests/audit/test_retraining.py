"""A fit that is trained again gives the same bits, whatever the targets are that it is scored on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from probatum.audit.history import Run
from probatum.audit.retraining import retrained
from probatum.laboratory import Laboratory, Results

CAMPAIGN = """\
problem = { kind = "table", path = "table.csv", target = "yield" }
[protocol]
splits = "repeated-k-fold"
folds = 3
repeats = 1
seeds = 1
baseline = "ridge"
[run]
cores = 1
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "trees"
model = { kind = "extra_trees", n_estimators = 5 }
[[experiment]]
name = "net"
model = { kind = "mlp", hidden = [4], dropout = 0.1 }
training = { epochs = 4, patience = 2, validation_fraction = 0.25 }
[[experiment]]
name = "both"
components = ["ridge", "trees"]
model = { kind = "blend", weights = [0.5, 0.5] }
[[experiment]]
name = "unseeded"
model.kind = "own_retraining_learners:Unseeded"
[[experiment]]
name = "peeking"
model.kind = "own_retraining_learners:Peeking"
"""
LEARNERS = """\
import numpy as np
from sklearn.linear_model import Ridge
from probatum.learning.learner import FitOutcome
class Unseeded(Ridge):
    def predict(self, X):
        return super().predict(X) + np.random.default_rng().normal(0, 0.01, len(X))
class Peeking(Ridge):
    @classmethod
    def fit_many(cls, estimators, inputs, targets, row_sets, cores=1):
        outcomes = []
        for estimator, rows in zip(estimators, row_sets):
            estimator.fit(inputs[rows.train], targets[rows.train][:, 0])
            own = estimator.predict(inputs[rows.predict])[:, None]
            outcomes.append(FitOutcome(0.9 * own + 0.1 * targets[rows.predict], 0.0))
        return outcomes
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Laboratory, Results]]:
    folder: Path = tmp_path_factory.mktemp("retraining")
    rng = np.random.default_rng(3)
    heat, time = rng.uniform(20, 90, 24), rng.uniform(1, 5, 24)
    rows = np.column_stack([heat, time, 0.01 * heat + rng.normal(0, 0.02, 24)])
    lines = ["temperature,time,yield", *(",".join(f"{v:.5f}" for v in row) for row in rows)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "own_retraining_learners.py").write_text(LEARNERS, encoding="utf-8")
    (folder / "lab.toml").write_text(CAMPAIGN, encoding="utf-8")
    before = list(sys.path)
    laboratory = Laboratory.open(folder / "lab.toml")
    yield laboratory, laboratory.run()
    sys.path[:] = before
    sys.modules.pop("own_retraining_learners", None)


@pytest.fixture(scope="module")
def again(ran: tuple[Laboratory, Results]) -> dict[str, Run]:
    laboratory, results = ran
    history = laboratory.auditor.history(results)
    return {run.name: run for run in retrained(laboratory.campaign, history.runs)}


@pytest.mark.parametrize("name", ["ridge", "trees", "net", "trivial: mean"])
def test_an_honest_fit_is_the_same_to_the_last_bit(again: dict[str, Run], name: str):
    assert again[name].retrained_difference == 0.0
    assert again[name].poisoned_difference == 0.0


def test_a_blend_trains_nothing(again: dict[str, Run]):
    assert again["both"].retrained_difference is None
    assert again["both"].poisoned_difference is None


def test_what_is_never_the_same_is_not_compared_with_poisoned_targets(again: dict[str, Run]):
    difference = again["unseeded"].retrained_difference
    assert difference is not None
    assert 1e-4 < difference < 0.5
    assert again["unseeded"].poisoned_difference is None


def test_a_learner_that_sees_scored_targets_is_seen(again: dict[str, Run]):
    assert again["peeking"].retrained_difference == 0.0
    assert (again["peeking"].poisoned_difference or 0.0) > 0.01


def test_the_audit_names_both_under_their_codes(ran: tuple[Laboratory, Results]):
    laboratory, results = ran
    chosen = ["ridge", "unseeded", "peeking"]
    found = laboratory.audit(results, only=chosen, codes=["PB402", "PB501"], retrain=True)
    assert {(f.code, f.subject) for f in found.findings if f.severity == "error"} >= {("PB501", "peeking")}
    assert ("PB402", "unseeded") in {(f.code, f.subject) for f in found.findings}
    assert not any(f.subject == "ridge" for f in found.findings)


def test_only_what_is_asked_for_is_trained_again(ran: tuple[Laboratory, Results], monkeypatch: pytest.MonkeyPatch):
    laboratory, results = ran
    asked: list[str] = []

    def noting(campaign, runs):
        asked.extend(r.name for r in runs)
        return tuple(runs)

    monkeypatch.setattr("probatum.laboratory.auditor.retrained", noting)
    laboratory.audit(results, only=["ridge"], retrain=True)
    assert asked == ["ridge"]


def test_nothing_recorded_changes(ran: tuple[Laboratory, Results], again: dict[str, Run]):
    laboratory, results = ran
    assert again
    for arm in laboratory.results().arms:
        assert arm.score == results.arm(arm.name).score
