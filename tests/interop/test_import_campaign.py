"""Imported runs are judged as native ones are, stay what they were, and cannot be trained."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from interop.foreign_runs import FOLDS, SEEDS, bring, runs_of, table_of_scores
from probatum.campaigns.campaign import Campaign
from probatum.errors import CampaignFileError, DataError, IncomparableError, ProtocolFrozenError, UnknownNameError
from probatum.interop.foreign_run import ForeignRun
from probatum.interop.grouping import Choice
from probatum.laboratory import Laboratory

A, B = table_of_scores(1.0, 0), table_of_scores(1.15, 1)


def two() -> list[ForeignRun]:
    return [*runs_of("base", A, lr=0.1), *runs_of("slow", B, lr=0.01)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.toml"


def test_a_verdict_is_the_corrected_t_test_of_nadeau_and_bengio_over_folds(path: Path):
    bring(two(), path)
    (verdict,) = Laboratory.open(path).results().verdicts
    difference = (B - A).mean(axis=1)  # seeds are no new data
    error = difference.std(ddof=1) * math.sqrt(1 / FOLDS + 1 / (FOLDS - 1))
    t = difference.mean() / error
    assert verdict.difference == pytest.approx(difference.mean())
    assert verdict.p == pytest.approx(2 * stats.t.sf(abs(t), FOLDS - 1))
    assert (verdict.units, verdict.seeds, verdict.outcome) == (FOLDS, SEEDS, "worse")


def test_a_metric_that_goes_up_turns_the_verdict(path: Path):
    bring(two(), path, better="higher")
    assert Laboratory.open(path).results().verdicts[0].outcome == "better"


def test_seeds_that_drew_their_own_data_are_independent_repeats(path: Path):
    scores = np.random.default_rng(3).normal(1, 0.1, (2, 6))
    runs = [
        ForeignRun(f"{name}{seed}", name, parameters={"lr": name, "seed": seed}, metrics={"rmse": float(s)})
        for name, row in zip(("base", "slow"), (scores[0], scores[1] + 0.5), strict=True)
        for seed, s in enumerate(row)
    ]
    bring(runs, path, seeds="data")
    (verdict,) = Laboratory.open(path).results().verdicts
    paired = stats.ttest_rel(scores[1] + 0.5, scores[0])
    assert (verdict.units, verdict.p) == (6, pytest.approx(paired.pvalue))


def test_seeds_alone_and_single_runs_are_no_evidence_and_say_so(path: Path):
    runs = [
        ForeignRun(f"{n}{s}", n, parameters={"lr": n, "seed": s}, metrics={"rmse": 1.0 + s})
        for n in "ab"
        for s in (0, 1)
    ]
    runs.append(ForeignRun("c", "c", parameters={"lr": "c"}, metrics={"rmse": 0.1}))
    bring(runs, path)
    seeds, alone = Laboratory.open(path).results().verdicts
    assert seeds.outcome == alone.outcome == "no evidence"
    assert "seeds on one split are no new data" in str(seeds.needed)
    assert "one run is no evidence" in str(alone.needed)


def test_an_experiment_on_fewer_folds_is_no_evidence_and_keeps_its_score(path: Path):
    part = [r for r in runs_of("part", B, lr=7) if r.parameters["fold"] < 3]
    bring([*two(), *part], path)
    verdict = next(v for v in Laboratory.open(path).results().verdicts if v.arm == "part")
    assert verdict.outcome == "no evidence"
    assert verdict.score == pytest.approx(B[:3].mean())
    assert "3 of the baseline's 5 folds (not on 'fold 3')" in str(verdict.needed)


def test_folds_with_different_seeds_are_averaged_each(path: Path):
    bring([r for r in two() if r.id != "slow-2-1"], path)
    arm = Laboratory.open(path).score("slow")
    expected = [B[fold].mean() if fold != 2 else B[2, 0] for fold in range(FOLDS)]
    assert arm.by_unit == pytest.approx(expected)


def test_diverged_failed_pruned_and_running_runs_stay_what_they_are(path: Path):
    states = [
        ForeignRun("n", "nan", parameters={"lr": 1}, metrics={"rmse": math.nan}),
        ForeignRun("i", "inf", parameters={"lr": 2}, metrics={"rmse": math.inf}),
        ForeignRun("f", "dead", "failed", parameters={"lr": 3}, error="out of memory"),
        ForeignRun("p", "cut", "pruned", parameters={"lr": 4}, error="pruned at step 3"),
        ForeignRun("r", "going", "running", parameters={"lr": 5}),
    ]
    found = bring([*two(), *states], path)
    assert found.states == {"finished": 20, "diverged": 2, "failed": 1, "pruned": 1, "running": 1}
    laboratory = Laboratory.open(path)
    status = {r.name: r.status for r in laboratory.campaign.ledger.experiments()}
    assert status["nan"] == status["inf"] == "done"
    assert (status["dead"], status["cut"], status["going"]) == ("failed", "failed", "planned")
    verdicts = {v.arm: v for v in laboratory.results().verdicts}
    assert verdicts["nan"].outcome == verdicts["inf"].outcome == "no evidence"
    assert {f.subject for f in laboratory.audit(laboratory.results()).findings if f.code == "PB201"} >= {"nan", "inf"}
    assert laboratory.campaign.ledger.fits("dead")[0].error == "out of memory"


def test_what_survives_of_an_experiment_is_no_fair_sample_of_it(path: Path):
    more = table_of_scores(0.5, 9)
    broken = runs_of("broken", more, lr=3)
    bring([*two(), replace(broken[0], state="failed", metrics={}), *broken[1:]], path)
    laboratory = Laboratory.open(path)
    assert {v.arm for v in laboratory.results().verdicts} == {"slow"}
    with pytest.raises(IncomparableError, match="1 of 10 repeats of 'broken' have no score \\(failed\\)"):
        laboratory.compare(["broken"])


def test_importing_again_changes_nothing(path: Path):
    bring(two(), path)
    before = path.read_bytes(), Laboratory.open(path).results().verdicts
    again = bring(two(), path)
    assert (again.new, again.finished, again.changed) == (0, 0, 0)
    assert (path.read_bytes(), Laboratory.open(path).results().verdicts) == before


def test_importing_again_brings_repeats_of_finished_experiments(path: Path):
    bring([r for r in two() if r.parameters["seed"] == 0], path)
    assert bring(two(), path).new == FOLDS * 2
    assert Laboratory.open(path).score("slow").by_unit == pytest.approx(B.mean(axis=1))
    record = next(r for r in Campaign.open(path).ledger.experiments() if r.name == "slow")
    assert record.score == pytest.approx(B.mean())


def test_a_run_that_ended_since_is_recorded_and_one_that_changed_is_not(path: Path):
    going = replace(two()[-1], state="running", metrics={})
    bring([*two()[:-1], going], path)
    changed = replace(two()[0], metrics={"rmse": 99.0})
    found = bring([changed, *two()[1:]], path)
    assert (found.new, found.finished, found.changed) == (0, 1, 1)
    assert Laboratory.open(path).score("base").score == pytest.approx(A.mean())


def test_a_run_that_is_gone_from_the_store_is_kept(path: Path):
    bring(two(), path)
    bring(two()[:-3], path)
    assert len(Laboratory.open(path).campaign.predictions("slow")) == FOLDS * SEEDS


def test_experiments_of_one_name_are_numbered_and_keep_their_numbers(path: Path):
    runs = [*runs_of("same", A, lr=0.1), *runs_of("same ", B, lr=0.2)]
    bring(runs, path)
    bring(runs[::-1], path)
    names = {e.name: e.recipe.training["lr"] for e in Campaign.open(path).experiments}
    assert names == {"same": 0.1, "same (2)": 0.2}


def test_names_with_markup_and_path_separators_are_names(path: Path):
    bring([*two(), *runs_of("[red]../../etc/passwd[/red] <b>", A, lr=3)], path)
    assert "[red]../../etc/passwd[/red] <b>" in Laboratory.open(path).campaign.scores


def test_a_mutation_is_the_difference_from_the_parent_or_from_the_baseline(path: Path):
    child = [replace(r, parent="slow") for r in runs_of("child", A, lr=0.01, depth=3)]
    bring([*two(), *child], path)
    records = {r.name: r for r in Campaign.open(path).ledger.experiments()}
    assert (records["slow"].parent, records["slow"].mutation) == ("base", "training.lr: 0.1 -> 0.01")
    assert (records["child"].parent, records["child"].mutation) == ("slow", "training.depth: none -> 3")
    effects = {e.mutation: e for e in Laboratory.open(path).effects(Laboratory.open(path).results())}
    assert effects["training.depth: none -> 3"].mean == pytest.approx((A - B).mean())


def test_nothing_can_be_trained(path: Path):
    bring(two(), path)
    laboratory = Laboratory.open(path)
    for refused in (laboratory.run, laboratory.confirm, lambda: laboratory.score_held_out("slow")):
        with pytest.raises(CampaignFileError, match="read-only"):
            refused()
    with pytest.raises(CampaignFileError, match="read-only"):
        laboratory.audit(laboratory.results(), retrain=True)


def test_another_import_under_the_same_name_is_refused(path: Path):
    bring(two(), path)
    with pytest.raises(ProtocolFrozenError, match="better"):
        bring(two(), path, better="higher")
    with pytest.raises(ProtocolFrozenError, match="metric"):
        bring([replace(r, metrics={"mae": 1.0}) for r in two()], path, choice=Choice("mae"))
    with pytest.raises(ProtocolFrozenError, match="the baseline is 'base'"):
        bring(two(), path, baseline="slow")


def test_a_campaign_of_ones_own_is_not_overwritten(tmp_path: Path):
    own = tmp_path / "own.toml"
    own.write_text('problem = "analog_codes"\n[[experiment]]\nname = "a"\nmodel.kind = "ridge"\n', encoding="utf-8")
    before = own.read_bytes()
    with pytest.raises(CampaignFileError, match="campaign of its own"):
        bring(two(), own)
    assert own.read_bytes() == before


def test_what_cannot_be_imported_says_why(path: Path):
    with pytest.raises(DataError, match="lower or higher 'rmse'"):
        bring(two(), path, better=None)
    with pytest.raises(UnknownNameError, match="did you mean 'slow'"):
        bring(two(), path, baseline="slew")
    with pytest.raises(DataError, match="no run names its seed"):
        bring([ForeignRun("a", "a", parameters={"lr": 1}, metrics={"rmse": 1.0})], path, seeds="data")
    with pytest.raises(DataError, match="no run has finished"):
        bring([ForeignRun("a", "a", "running", parameters={"lr": 1})], path)
    assert not path.exists()


def test_a_native_metric_and_an_imported_one_are_not_mixed_up(tmp_path: Path, path: Path):
    bring(two(), path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("recorded_lower", "mse"), encoding="utf-8")
    with pytest.raises(CampaignFileError, match="metric 'mse' is for what is trained here"):
        Campaign.open(path)
    own = tmp_path / "own.toml"
    own.write_text(
        'problem = "analog_codes"\n[protocol]\nmetric = "recorded_lower"\n'
        '[[experiment]]\nname = "a"\nmodel.kind = "ridge"\n',
        encoding="utf-8",
    )
    with pytest.raises(CampaignFileError, match="for imported runs alone"):
        Campaign.open(own)


def test_learning_curves_come_along(path: Path):
    steps = np.array([1.0, 2.0, 4.0])
    curves = {"train_loss": (steps, 1 / steps), "val_loss": (steps[:2], np.array([1.0, 0.5]))}
    found = bring([*two()[1:], replace(two()[0], curves=curves)], path)
    assert "'train_loss' is the training loss" in found.remarks
    kept = next(p.curves for p in Laboratory.open(path).campaign.predictions("base") if p.curves)
    assert kept["training loss"] == pytest.approx(1 / steps)
    assert kept["validation loss"][:2] == pytest.approx([1.0, 0.5])
    assert np.isnan(kept["validation loss"][2])
