"""The loop from Python: run, judge, compare, look at the held-out cases."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import probatum
from cli.small_lab import lab_table
from probatum.campaigns.events import ExperimentFinished, RoundStarted
from probatum.errors import IncomparableError, UnknownNameError
from probatum.laboratory import Laboratory

CAMPAIGN = """
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }
[protocol]
splits = "leave-one-group-out"
metric = "METRIC"
scoring = "macro"
baseline = "mean"
held_out = 0.34
[[experiment]]
name = "mean"
model.kind = "mean"
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "stiff"
parent = "ridge"
model.alpha = 1e6
"""


@pytest.fixture(autouse=True)
def _same_import_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def campaign(folder: Path, name: str, measure: str = "mae") -> Path:
    (folder / "lab.csv").write_text(lab_table(), encoding="utf-8")
    path = folder / f"{name}.toml"
    path.write_text(CAMPAIGN.replace("METRIC", measure), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that was run once. Not to be changed."""
    found = campaign(tmp_path_factory.mktemp("run"), "lab")
    Laboratory.open(found).run()
    return found


@pytest.fixture
def copy(path: Path, tmp_path: Path) -> Path:
    shutil.copytree(path.parent, tmp_path / "copy")
    return tmp_path / "copy" / path.name


def test_a_run_tells_what_happens_and_records_what_it_found(tmp_path: Path):
    events: list[object] = []
    results = probatum.open(str(campaign(tmp_path, "lab"))).run(events.append)
    assert isinstance(events[0], RoundStarted)
    finished = [e.name for e in events if isinstance(e, ExperimentFinished)]
    assert sorted(finished) == ["mean", "ridge", "stiff", "trivial: mean"]
    assert [a.name for a in results.arms] == ["trivial: mean", "mean", "ridge", "stiff"]
    assert {r.name: r.score for r in results.records} == {a.name: a.score for a in results.arms}


def test_the_score_is_that_of_the_predictions(path: Path):
    laboratory = Laboratory.open(path)
    (dataset,) = laboratory.campaign.datasets.values()
    truth = dataset.truth.open_for_scoring()
    for name in ("mean", "ridge"):
        folds = [np.abs(truth[p.rows] - p.prediction).mean() for p in laboratory.campaign.predictions(name)]
        assert len(folds) == 4
        assert laboratory.score(name).score == pytest.approx(np.mean(folds))
    for p in laboratory.campaign.predictions("mean"):  # four groups are open: one is left out, three train
        train = np.flatnonzero(~np.isin(dataset.groups["batch"], dataset.groups["batch"][p.rows]))
        assert laboratory.score("mean").units[0].train_rows == 12 < len(train)


def test_verdicts_leave_the_baseline_and_the_trivial_out(path: Path):
    results = Laboratory.open(path).results()
    assert results.baseline == "mean"
    assert [v.arm for v in results.verdicts] == ["ridge", "stiff"]
    assert results.best is results.arm("ridge")
    with pytest.raises(UnknownNameError, match="rigde"):
        results.arm("rigde")


def test_the_best_is_the_highest_where_higher_is_better(tmp_path: Path):
    results = Laboratory.open(campaign(tmp_path, "lab", "r2")).run()
    assert results.best is results.arm("ridge")
    assert results.arm("ridge").score > 0 > results.arm("mean").score


def test_trivial_arms_are_judged_where_they_are_named(path: Path):
    laboratory = Laboratory.open(path)
    (verdict,) = laboratory.compare(["trivial: mean"])
    assert (verdict.arm, verdict.baseline, verdict.difference) == ("trivial: mean", "mean", 0)
    both = laboratory.compare(["ridge", "stiff", "ridge"], "trivial: mean")
    assert [v.arm for v in both] == ["ridge", "stiff"]
    with pytest.raises(IncomparableError, match="nothing to compare"):
        laboratory.compare(["mean"])


def test_arms_of_campaigns_under_other_protocols_are_refused(path: Path, tmp_path: Path):
    other = campaign(tmp_path, "other", "mse")
    Laboratory.open(other).run()
    with pytest.raises(IncomparableError, match="metrics mse and mae"):
        Laboratory.open(path).compare([f"{other}:ridge"])


def test_looks_at_the_held_out_cases_are_counted_and_score_those_alone(copy: Path):
    laboratory = Laboratory.open(copy)
    before = laboratory.results()
    first, second = (laboratory.score_held_out("ridge") for _ in range(2))
    assert first == second > 0
    looks = laboratory.campaign.ledger.held_out_accesses()
    assert [(look.experiment, look.score) for look in looks] == [("ridge", first)] * 2
    (held,) = laboratory.campaign.predictions("held out: ridge")
    seen = np.concatenate([p.rows for p in laboratory.campaign.predictions("ridge")])
    assert len(held.rows) == 8
    assert not set(held.rows) & set(seen)
    after = Laboratory.open(copy).results()
    assert [r.name for r in after.records] == [r.name for r in before.records]


def test_groups_are_scored_where_they_were_left_out(path: Path):
    laboratory = Laboratory.open(path)
    groups = laboratory.by_group("ridge")
    assert len(groups) == 4
    assert np.mean(list(groups.values())) == pytest.approx(laboratory.score("ridge").score)
