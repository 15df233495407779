"""The loop from Python: run, judge, compare, look at the held-out cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import probatum
from laboratory.conftest import campaign
from probatum.campaigns.events import ExperimentFinished, RoundStarted
from probatum.errors import IncomparableError, UnknownNameError
from probatum.laboratory import Laboratory


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


def test_an_effect_is_the_difference_of_its_pair(path: Path):
    laboratory = Laboratory.open(path)
    results = laboratory.results()
    (effect,) = laboratory.effects(results)
    assert effect.mutation == "model.alpha: none -> 1000000.0"
    assert effect.mean == pytest.approx(results.arm("stiff").score - results.arm("ridge").score)
    assert effect.units == 4


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
