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
from probatum.errors import CampaignFileError, IncomparableError, UnknownNameError
from probatum.evidence.noise import NoiseFloor
from probatum.laboratory import Laboratory
from probatum.learning.metrics import metric

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


# ---------------------------------------------------------------------- what the results add up to


def test_an_effect_is_the_difference_of_its_pair(path: Path):
    laboratory = Laboratory.open(path)
    results = laboratory.results()
    (effect,) = laboratory.effects(results)
    assert effect.mutation == "model.alpha: none -> 1000000.0"
    assert effect.mean == pytest.approx(results.arm("stiff").score - results.arm("ridge").score)
    assert effect.units == 4


def test_four_groups_make_no_champion(path: Path):
    """No sign pattern of four groups is rarer than 1 in 8."""
    laboratory = Laboratory.open(path)
    assert laboratory.champion(laboratory.results()) is None
    with pytest.raises(
        IncomparableError, match=r"lab\.toml: no champion to confirm: no experiment is better than 'mean'"
    ):
        laboratory.confirm()


def test_external_scores_stand_beside_the_campaigns_own(copy: Path):
    laboratory = Laboratory.open(copy)
    assert laboratory.calibration() is None
    for name, score in (("ridge", 0.1), ("mean", 0.5), ("ridge", 0.2)):
        laboratory.submit(name, score, "rmse")
    own = {name: laboratory.score(name).score for name in ("ridge", "mean")}
    expected = [("ridge", own["ridge"], 0.1), ("mean", own["mean"], 0.5), ("ridge", own["ridge"], 0.2)]
    assert laboratory.submitted_pairs() == ("rmse", expected)
    assert laboratory.calibration() is None  # two different internal scores fit nothing
    laboratory.submit("stiff", 0.45, "rmse")
    calibration = laboratory.calibration()
    assert calibration is not None
    assert calibration.y.tolist() == [0.1, 0.5, 0.2, 0.45]
    with pytest.raises(CampaignFileError, match="not finite"):
        laboratory.submit("ridge", float("nan"), "rmse")


def test_noise_floors_are_in_the_metrics_unit(path: Path, monkeypatch: pytest.MonkeyPatch):
    laboratory = Laboratory.open(path)
    floor = NoiseFloor("table", 0.04, {"yield": 0.04}, 3, 4)
    monkeypatch.setattr(Laboratory, "floors", lambda _: (floor,))
    assert laboratory.score_floors() == []  # a mean absolute error has none that is known
    for measure, least in (("mse", 0.04), ("rmse", 0.2)):
        monkeypatch.setattr(Laboratory, "metric", metric(measure))
        assert laboratory.score_floors() == [("table", pytest.approx(least))]


def test_the_group_mean_is_an_arm_where_labels_stand_on_both_sides(tmp_path: Path):
    """A code is left out; others of its shape are not."""
    file = tmp_path / "codes.toml"
    file.write_text(
        'problem = { kind = "analog_codes", codes = 30 }\n[protocol]\nrepeats = 2\n[run]\ncores = 1\n'
        '[[experiment]]\nname = "ridge"\nmodel.kind = "ridge"\n',
        encoding="utf-8",
    )
    laboratory = Laboratory.open(file)
    results = laboratory.run()
    name = "trivial: mean of k,m"
    assert name in [a.name for a in results.arms]
    assert name not in [v.arm for v in results.verdicts]
    assert name not in [r.name for r in results.records]
    assert results.best is not None
    assert not results.best.name.startswith("trivial")
    assert results.arm(name).score < results.arm("trivial: mean").score
    (verdict,) = laboratory.compare([name], "trivial: mean")
    assert verdict.difference < 0
    assert set(laboratory.by_group(name)) == set(laboratory.by_group("ridge"))
