"""An audit sees of a campaign what was run: recipes, rows, predictions, scores, failures."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from probatum.audit.campaign_history import campaign_history
from probatum.audit.history import History
from probatum.laboratory import Laboratory, Results

CAMPAIGN = """\
problem = { kind = "table", path = "mixed.csv", target = ["yield", "purity"], group = "batch" }
[protocol]
splits = "leave-one-group-out"
seeds = 2
baseline = "ridge"
held_out = 0.2
[run]
cores = 1
keep_weights = true
[audit]
target = 0.001
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "stiff"
parent = "ridge"
hypothesis = "fewer wiggles"
model.alpha = 100.0
[[experiment]]
name = "net"
model = { kind = "mlp", hidden = [4] }
training = { epochs = 3 }
[[experiment]]
name = "idle"
model = { kind = "own_history_learners:Idle", tag = 3 }
[[experiment]]
name = "broken"
model.kind = "own_history_learners:Broken"
[[experiment]]
name = "both"
components = ["ridge", "net"]
model = { kind = "blend", weights = [0.5, 0.5] }
"""
LEARNERS = """\
import numpy as np
from sklearn.base import BaseEstimator
class Idle(BaseEstimator):
    def __init__(self, tag=0, random_state=None):
        self.tag, self.random_state = tag, random_state
    def fit(self, X, y):
        self.mean_ = y.mean(axis=0)
        return self
    def predict(self, X):
        return np.tile(self.mean_, (len(X), 1))
class Broken(Idle):
    def fit(self, X, y):
        raise RuntimeError("no convergence")
"""


def table() -> str:
    """30 rows of 10 batches from two sources, two quantities."""
    rng = np.random.default_rng(5)
    lines = ["temperature,time,batch,yield,purity"]
    for row in range(30):
        heat, time = rng.uniform(20, 90), rng.uniform(1, 5)
        lines.append(f"{heat:.3f},{time:.3f},b{row % 10},{0.01 * heat + rng.normal(0, 0.02):.4f},{rng.normal():.4f}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Laboratory, Results]]:
    folder = tmp_path_factory.mktemp("history")
    (folder / "mixed.csv").write_text(table(), encoding="utf-8")
    (folder / "own_history_learners.py").write_text(LEARNERS, encoding="utf-8")
    (folder / "lab.toml").write_text(CAMPAIGN, encoding="utf-8")
    before = list(sys.path)
    laboratory = Laboratory.open(folder / "lab.toml")
    results = laboratory.run()
    laboratory.score_held_out("ridge")
    yield laboratory, results
    sys.path[:] = before
    sys.modules.pop("own_history_learners", None)


@pytest.fixture(scope="module")
def history(ran: tuple[Laboratory, Results]) -> History:
    laboratory, results = ran
    return campaign_history(
        laboratory.campaign,
        results.arms,
        results.verdicts,
        floors=results.floors,
        chosen="net",
        external=[(0.1, 0.3)],
        target=0.001,
    )


def test_all_experiments_are_there_and_nothing_that_only_confirms(history: History):
    assert {"ridge", "stiff", "net", "idle", "broken", "both"} == {r.name for r in history.runs if not r.trivial}
    assert any(r.trivial for r in history.runs)
    assert not any("held" in r.name for r in history.runs)


def test_scores_are_those_of_the_results(ran: tuple[Laboratory, Results], history: History):
    _, results = ran
    for arm in results.arms:
        run = history.run(arm.name)
        if run is None:  # group means train nothing
            continue
        assert run.score == arm.score
        assert np.array_equal(run.scores, arm.by_unit)
        assert run.metric == "mse"
    net = history.run("net")
    assert net is not None
    assert net.seed_scores.shape == (2,)
    assert net.seed_scores.mean() == pytest.approx(net.score)
    assert history.run("broken").score is None  # type: ignore[union-attr]
    assert history.repeats == 8


def test_a_run_says_what_it_changed_and_why(history: History):
    stiff, ridge = history.run("stiff"), history.run("ridge")
    assert stiff is not None
    assert ridge is not None
    assert (stiff.parent, stiff.changed, stiff.claims) == ("ridge", ("model.alpha",), ("fewer wiggles",))
    assert (ridge.parent, ridge.changed, ridge.claims) == (None, None, ())
    assert stiff.recipe["model.alpha"] == 100.0
    assert ridge.deterministic


def test_partitions_are_the_splits_with_their_rows(ran: tuple[Laboratory, Results], history: History):
    laboratory, _ = ran
    splits = laboratory.campaign.splits
    assert len(history.partitions) == len(splits) == 8
    (dataset,) = laboratory.campaign.draws.values()
    truth = dataset.truth.open_for_scoring()
    for partition, split in zip(history.partitions, splits, strict=True):
        assert np.array_equal(partition.test.targets, truth[split.test])
        assert np.array_equal(partition.train.targets, truth[split.train])
        assert len(partition.train) + len(partition.test) == 24
        assert partition.separated == ("batch",)
        assert not {*partition.train.groups["batch"]} & {*partition.test.groups["batch"]}
        assert partition.train.inputs.shape[1] == len(partition.train.columns) == 2
        assert [q.name for q in partition.quantities] == ["yield", "purity"]


def test_every_fit_is_there_with_what_it_predicted(ran: tuple[Laboratory, Results], history: History):
    laboratory, _ = ran
    for name in ("ridge", "net", "both"):
        run = history.run(name)
        assert run is not None
        predictions = laboratory.campaign.predictions(name)
        assert len(run.trainings) == len(predictions)
        for training, prediction in zip(run.trainings, predictions, strict=True):
            assert (training.split, training.seed) == (prediction.split, prediction.seed)
            assert np.array_equal(training.prediction, prediction.prediction)
            assert training.truth is not None
            assert training.truth.shape == training.prediction.shape  # type: ignore[union-attr]
            assert {*training.groups} == {prediction.split}  # type: ignore[misc]
    assert "training loss" in history.run("net").trainings[0].curves  # type: ignore[union-attr]


def test_fits_that_failed_say_why(history: History):
    broken = history.run("broken")
    assert broken is not None
    assert broken.trainings
    assert all("no convergence" in (t.error or "") and t.prediction is None for t in broken.trainings)


def test_a_key_that_no_fit_read_is_named(history: History):
    assert history.run("idle").unread == ("model.tag",)  # type: ignore[union-attr]
    assert history.run("ridge").unread == ()  # type: ignore[union-attr]
    assert history.run("both").unread is None  # type: ignore[union-attr]


def test_saved_weights_predict_again_what_was_scored(history: History):
    net = history.run("net")
    assert net is not None
    first = net.trainings[0]
    assert first.rescored is not None
    np.testing.assert_allclose(first.rescored, first.prediction, rtol=1e-5, atol=1e-6)
    assert all(t.rescored is None for t in net.trainings[1:])
    assert history.run("both").trainings[0].rescored is None  # type: ignore[union-attr]


def test_what_the_laboratory_knows_is_passed_on(ran: tuple[Laboratory, Results], history: History):
    _, results = ran
    assert history.baseline == "ridge"
    assert history.verdicts == results.verdicts
    assert history.better == "lower"
    assert (history.chosen, history.confirmed) == ("net", False)
    assert history.external == ((0.1, 0.3),)
    assert history.target == 0.001
    assert history.source == "campaign"


def test_the_laboratory_audits_this_history(ran: tuple[Laboratory, Results]):
    laboratory, results = ran
    found = {(f.code, f.subject) for f in laboratory.audit(results).findings}
    assert ("PB401", "idle") in found
    assert not any(code == "PB401" and subject != "idle" for code, subject in found)
    assert {f.code for f in laboratory.audit(results, codes=["PB401"]).findings} == {"PB401"}
    assert not laboratory.audit(results, only=["ridge"], codes=["PB401"]).findings
