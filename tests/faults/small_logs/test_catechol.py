"""The loop of 26 experiments on catechol yields, in small: measured rows, small models, and what the loop did wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from faults.conftest import Place
from faults.small_logs.conftest import Found
from faults.small_logs.write_up import written
from probatum.audit import inspect
from probatum.audit.campaign_history import campaign_history
from probatum.audit.contradictions import predictions_of
from probatum.audit.history import Run
from probatum.audit.inspection import Audit
from probatum.laboratory import Laboratory
from probatum.problems.catechol.data import FULL, YIELDS

pytestmark = pytest.mark.real

CAMPAIGN = """
problem = { kind = "catechol", folder = "FOLDER" }
task = "full"
[protocol]
splits = "leave-one-group-out"
baseline = "mixed 10"
[run]
cores = 2
[audit]
target = TARGET
[[experiment]]
name = "joint"
features = ["spange", "drfp", "kinetics"]
model = { kind = "faults.small_logs.learners:Yields", hidden = [32, 16], lawful = LAWFUL }
[[experiment]]
name = "per target"
parent = "joint"
model.apart = true
MORE
[[experiment]]
name = "both ways"
parent = "mixed 10"
model.BOTH
"""
MIXED = """
[[experiment]]
name = "mixed {0:g}"
features = ["solvents_apart"]
model = {{ kind = "faults.small_logs.learners:Mixed", alpha = {0}, lawful = LAWFUL }}
"""
ALPHAS = (1.0, 10.0, 100.0, 1000.0, 3000.0)
FLAWED = {
    "TARGET": "0.01727",
    "LAWFUL": "false",
    "MORE": "model.hidden = [64, 32]\nmodel.restore_best = false",
    "BOTH": "both_ways = true",
}
REPAIRED = {"TARGET": "0.01", "LAWFUL": "true", "MORE": "", "BOTH": "alpha = 30.0"}
SCATTER = (1.01, 0.99, 1.013, 0.987, 1.0, 1.008, 0.995, 1.003)
"""Of the leaderboard about what it follows: 1.3 %, as in the log."""
DIVIDED_TWICE = ("Ethanol", "THF [Tetrahydrofuran]")


def folder_copy(data: Path, folder: Path, divided: bool) -> Path:
    """The measured rows of all ramps; the fractions of one ramp divided by 100 once more, or not."""
    folder.mkdir()
    for name in ("spange_descriptors_lookup.csv", "acs_pca_descriptors_lookup.csv", "drfps_catechol_lookup.csv"):
        shutil.copy(data / "catechol" / name, folder)
    rows = pd.read_csv(data / "catechol" / FULL)
    ramp = rows["SOLVENT A NAME"].isin(DIVIDED_TWICE) & rows["SOLVENT B NAME"].isin(DIVIDED_TWICE)
    if divided:
        rows.loc[ramp, "SolventB%"] /= 100
    rows.to_csv(folder / FULL, index=False)
    return folder


def loop(place: Place, folder: Path, words: dict[str, str]) -> Laboratory:
    text = CAMPAIGN + "".join(map(MIXED.format, ALPHAS))
    for word, meant in {"FOLDER": str(folder), **words}.items():
        text = text.replace(word, meant)
    return place.laboratory(text, pd.DataFrame(), "")


def submit(laboratory: Laboratory, measure: str, factor: float, power: float) -> None:
    arms = [arm for arm in laboratory.results().arms if not arm.name.startswith("trivial:")]
    for arm, scatter in zip(arms, SCATTER, strict=True):
        laboratory.submit(arm.name, factor * scatter * arm.score**power, measure)


@pytest.fixture(scope="module")
def flawed(place, data, tmp_path_factory) -> Laboratory:
    laboratory = loop(place, folder_copy(data, tmp_path_factory.mktemp("twice") / "data", True), FLAWED)
    submit(laboratory, "rmse", 0.96, 0.5)
    return laboratory


@pytest.fixture(scope="module")
def repaired(place, data, tmp_path_factory) -> Laboratory:
    laboratory = loop(place, folder_copy(data, tmp_path_factory.mktemp("once") / "data", False), REPAIRED)
    submit(laboratory, "mse", 1.05, 1.0)
    return laboratory


@pytest.fixture(scope="module")
def of_flawed(flawed) -> Audit:
    return flawed.audit(flawed.results())


@pytest.fixture(scope="module")
def alarms_of_flawed(of_flawed, found) -> Found:
    return found(of_flawed)


def run_of(laboratory: Laboratory, name: str) -> Run:
    history = campaign_history(laboratory.campaign, laboratory.results().arms)
    return next(run for run in history.runs if run.name == name)


def by_target(laboratory: Laboratory, name: str) -> dict[str, float]:
    """Mean squared error of each yield."""
    truth, prediction = predictions_of(run_of(laboratory, name))
    return dict(zip(YIELDS, ((prediction - truth) ** 2).mean(axis=0).tolist(), strict=True))


def subjects(alarms: Found, code: str) -> set[str | None]:
    return {subject for found, subject in alarms if found == code}


def test_fractions_that_were_divided_by_100_twice_are_found(alarms_of_flawed):
    (warning,) = (f for (code, _), f in alarms_of_flawed.items() if code == "PB105")
    assert "'conditions[2]' is on another scale" in warning.message, "the fraction of solvent B"
    assert warning.figures["factor"] == 100


def test_the_target_lies_below_the_noise_floor(flawed, alarms_of_flawed):
    (floor,) = flawed.results().floors
    figures = alarms_of_flawed["PB305", None].figures
    assert figures["needed"] == pytest.approx((0.01727 / 0.96) ** 2, rel=0.05)
    assert figures["needed"] < floor.variance
    assert f"{floor.variance:.4g}" in alarms_of_flawed["PB305", None].message


def test_the_leaderboard_is_a_root(alarms_of_flawed):
    figures = alarms_of_flawed["PB306", None].figures
    assert (figures["pairs"], figures["ratio"]) == (len(SCATTER), pytest.approx(0.96, abs=0.01))


def test_exchanging_the_solvents_of_a_linear_mixture_changes_nothing(alarms_of_flawed):
    assert subjects(alarms_of_flawed, "PB403") == {"both ways"}
    assert alarms_of_flawed["PB403", "both ways"].figures == {"fits": 13}


def test_the_models_per_target_also_grew(alarms_of_flawed):
    assert subjects(alarms_of_flawed, "PB404") == {"per target"}
    assert alarms_of_flawed["PB404", "per target"].figures == {"changes": 3}


def test_the_larger_model_of_the_starting_material_over_fits(flawed, of_flawed):
    """One group at a time is watched, so that what is certain at 1 % is said, as a note at least."""
    (finding,) = (f for f in of_flawed.findings if (f.code, f.subject) == ("PB203", "per target"))
    losses = np.mean([t.curves["validation loss"] for t in run_of(flawed, "per target").trainings], axis=0)
    assert finding.figures["best"] == pytest.approx(1 + losses.argmin(), abs=4)
    assert finding.figures["p"] < 0.01


def test_yields_that_sum_to_more_than_one_are_counted(flawed, alarms_of_flawed):
    truth, prediction = predictions_of(run_of(flawed, "mixed 10"))
    usual, beyond = (np.maximum(yields.sum(axis=1) - 1, 0) for yields in (truth, prediction))
    spread = np.subtract(*np.quantile(truth, [0.95, 0.05], axis=0)).max()
    share = (beyond > max(np.quantile(usual, 0.99), spread / 50)).mean()
    assert "the yields sum to at most 1" in alarms_of_flawed["PB602", "mixed 10"].message
    assert alarms_of_flawed["PB602", "mixed 10"].figures["share"] == pytest.approx(share)
    assert "per target" in subjects(alarms_of_flawed, "PB602")


def test_no_other_check_raises_an_alarm(alarms_of_flawed):
    codes = {code for code, _ in alarms_of_flawed} - {"PB203"}
    assert codes == {"PB105", "PB305", "PB306", "PB403", "PB404", "PB602"}


def test_a_baseline_that_somebody_estimated_is_found_in_the_write_up(flawed, found):
    alone = by_target(flawed, "per target")["SM"]
    lines = [
        {"name": "joint SM", "score": "~0.012 (est)", "metric": "mse"},
        {"name": "per target SM", "parent": "joint SM", "score": alone, "metric": "mse"},
    ]
    assert found(inspect(written(flawed, lines))).keys() == {("PB504", "joint SM")}
    lines[0]["score"] = by_target(flawed, "joint")["SM"]
    assert found(inspect(written(flawed, lines))) == {}


def test_the_repaired_campaign_is_silent(repaired, found):
    assert found(repaired.audit(repaired.results())) == {}
