"""A package of somebody else brings models, losses, proposers and checks; one that is broken harms nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.small_lab import PROGRAM, lab_table
from probatum import plug_ins
from probatum.campaigns.fit import code_versions
from probatum.campaigns.recipe import Recipe
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.learning.learner import learner_kind
from probatum.learning.losses import loss
from probatum.learning.vocabulary import loss_choice, own_loss
from probatum.problems import registry
from probatum.problems.table import Table

MODULE = '''
"""What the package `lime-kiln` brings."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from probatum.audit.finding import Alarm, check
from probatum.planning.proposal import Proposal


class Median(RegressorMixin, BaseEstimator):
    """Predicts the median of its training rows."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        self.median_ = np.median(y, axis=0) + self.shift
        return self

    def predict(self, X):
        return np.tile(self.median_, (len(X), 1)) if np.ndim(self.median_) else np.full(len(X), self.median_)


def fourth_power(predictions, targets, numbers):
    return (predictions - targets) ** 4


class Shifter:
    name = "shifter"

    def propose(self, history, k):
        return [Proposal("median", {"model": {"shift": 0.01}}, hypothesis="a little more")]


@check("LK101", "few rows", "note", "history", remedy="measure more", detects="fewer than 1000 rows")
def few_rows(history, level):
    """A campaign of few rows."""
    yield Alarm("24 of 1000 rows", {"rows": 24.0})


@check("LK102", "breaks", "error", "history", remedy="none", detects="nothing")
def breaks(history, level):
    """A check with a fault."""
    raise ZeroDivisionError("a fault of the package")


NUMBER = 7
'''
ENTRIES = {
    "probatum.learners": {"median": "quarry_kit:Median", "ridge": "quarry_kit:Median", "seven": "quarry_kit:NUMBER",
                          "ruin": "quarry_ruin:Model"},
    "probatum.losses": {"fourth": "quarry_kit:fourth_power", "mse": "quarry_kit:fourth_power",
                        "no_loss": "quarry_kit:NUMBER"},
    "probatum.proposers": {"shifter": "quarry_kit:Shifter", "silent": "quarry_kit:NUMBER"},
    "probatum.checks": {"LK101": "quarry_kit:few_rows", "LK102": "quarry_kit:breaks", "LK103": "quarry_ruin:check",
                        "PB101": "quarry_kit:few_rows"},
    "probatum.problems": {"ruined": "quarry_ruin:Problem", "catechol": "quarry_ruin:Problem"},
}  # fmt: skip
CAMPAIGN = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
baseline = "median"

[audit]
ignore = { LK101 = "it is a test" }

[run]
cores = 1

[[experiment]]
name = "median"
model.kind = "median"
"""
Install = Callable[..., Path]


def install(site: Path, name: str = "lime-kiln", entries: dict[str, dict[str, str]] = ENTRIES) -> Path:
    """The package as an installer leaves it."""
    site.mkdir(exist_ok=True)
    (site / "quarry_kit.py").write_text(MODULE, encoding="utf-8")
    (site / "quarry_ruin.py").write_text("import sys\nsys.exit('the kiln has collapsed')\n", encoding="utf-8")
    metadata = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n", encoding="utf-8")
    text = "".join(f"[{g}]\n" + "".join(f"{n} = {v}\n" for n, v in e.items()) for g, e in entries.items())
    (metadata / "entry_points.txt").write_text(text, encoding="utf-8")
    return site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    for module in ("quarry_kit", "quarry_ruin"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return tmp_path / "site"


@pytest.mark.usefixtures("site")
def test_a_learner_of_a_plug_in_is_a_learner_like_any_other():
    kind = learner_kind("median")
    assert kind.parameters() == ("shift",)
    assert kind.deterministic({})
    assert "lime-kiln" in kind.libraries
    with pytest.raises(CampaignFileError, match="unknown key 'shfit' of model 'median'; did you mean 'shift'"):
        kind.check({"shfit": 1.0})


@pytest.mark.usefixtures("site")
def test_the_source_of_a_plug_in_is_a_part_of_what_a_fit_knows(tmp_path: Path):
    (tmp_path / "lab.csv").write_text(lab_table(), encoding="utf-8")
    table = Table(str(tmp_path / "lab.csv"), "yield", "batch")
    of_plug_in = code_versions(Recipe(features=("numbers",), model={"kind": "median"}), table)
    assert of_plug_in["learner"][2]
    assert "lime-kiln" in of_plug_in["libraries"]
    of_loss = code_versions(Recipe(features=("numbers",), model={"kind": "mlp"}, training={"loss": "fourth"}), table)
    assert list(of_loss["own code"]) == ["quarry_kit:fourth_power"]
    plain = code_versions(Recipe(features=("numbers",), model={"kind": "ridge"}), table)
    assert plain["learner"][2] is None
    assert plain["own code"] == {}


@pytest.mark.usefixtures("site")
def test_a_loss_of_a_plug_in_trains():
    import numpy as np

    assert loss_choice("fourth").outputs == "units"
    predictions, targets = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    assert np.allclose(loss("fourth").rows(predictions, targets, {}), [[1.0], [16.0]])
    kind = learner_kind("mlp")
    kind.check({"loss": "fourth"})
    kind.check({"penalties": {"fourth": 0.1}})
    fitted = kind.build({"loss": "fourth", "epochs": 2, "hidden": [2]}, 0).fit(targets, targets)
    assert np.isfinite(fitted.predict(targets)).all()


@pytest.mark.usefixtures("site")
def test_names_of_the_program_stay_the_programs():
    assert learner_kind("ridge").path.startswith("probatum.")
    assert loss_choice("mse").outputs == "scaled"
    assert registry.problem_class("catechol").__module__.startswith("probatum.")
    shadowed = plug_ins.shadowed(plug_ins.LEARNERS, {"ridge"})
    assert [(p.name, p.package) for p in shadowed] == [("ridge", "lime-kiln 0.1.0")]


@pytest.mark.usefixtures("site")
def test_a_plug_in_that_ends_the_program_or_is_something_else_is_an_error_that_names_its_package():
    with pytest.raises(
        CampaignFileError, match=r"lime-kiln 0\.1\.0, quarry_ruin:Model: model 'ruin' cannot be loaded: Sys"
    ):
        learner_kind("ruin")
    with pytest.raises(
        CampaignFileError, match=r"lime-kiln 0\.1\.0, .* model 'seven' is no class with fit and predict"
    ):
        learner_kind("seven")
    with pytest.raises(CampaignFileError, match=r"loss 'no_loss' is no function"):
        own_loss("no_loss")
    with pytest.raises(CampaignFileError, match=r"lime-kiln 0\.1\.0, .*problem 'ruined' cannot be loaded"):
        registry.problem_class("ruined")
    with pytest.raises(UnknownNameError, match="unknown model 'medain'; did you mean 'median'"):
        learner_kind("medain")


def test_two_packages_that_claim_one_name_are_both_named(site: Path):
    other = install(site.with_name("other"), "lime-quarry", {"probatum.learners": {"median": "quarry_kit:Median"}})
    sys.path.insert(0, str(other))  # taken away with the fixture's
    with pytest.raises(CampaignFileError, match=r"brought by lime-\w+ 0\.1\.0 and by lime-\w+ 0\.1\.0; uninstall one"):
        learner_kind("median")


def program(folder: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site)}
    return subprocess.run(
        [PROGRAM, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_a_campaign_of_plug_ins_runs_and_a_broken_one_harms_no_command(site: Path, tmp_path: Path):
    (tmp_path / "lab.csv").write_text(lab_table(), encoding="utf-8")
    (tmp_path / "lab.toml").write_text(CAMPAIGN, encoding="utf-8")
    ran = program(tmp_path, site, "next", "lab.toml", "--run", "--proposer", "shifter", "--sampler", "none", "--json")
    assert ran.returncode == 0, ran.stderr
    (result,) = json.loads(ran.stdout)["rounds"]
    assert "median" in {p["parent"] for p in result["proposals"] if p["proposer"] == "shifter"}
    audited = program(tmp_path, site, "audit", "-C", "lab.toml", "--json")
    found = {f["code"]: f for f in json.loads(audited.stdout)["findings"]}
    assert found["LK101"]["ignored"] == "it is a test"
    assert "the check of lime-kiln 0.1.0 failed: ZeroDivisionError" in found["LK102"]["message"]
    assert found["LK102"]["severity"] == found["LK103"]["severity"] == "warning"
    assert "cannot be loaded: SystemExit: the kiln has collapsed" in found["LK103"]["message"]
    listed = program(tmp_path, site, "problems", "--json")
    assert listed.returncode == 0, listed.stderr
    ruined = next(p for p in json.loads(listed.stdout)["problems"] if p["name"] == "ruined")
    assert "the kiln has collapsed" in ruined["unavailable"]


def test_plug_ins_are_listed_with_what_is_wrong_with_them(site: Path, tmp_path: Path):
    said = program(tmp_path, site, "plug-ins", "--json")
    assert said.returncode == 1
    found = {(p["kind"], p["name"]): p["wrong"] for p in json.loads(said.stdout)["plug_ins"]}
    assert found["model", "median"] is found["loss", "fourth"] is found["proposer", "shifter"] is None
    assert found["check", "LK101"] is None
    assert "rename it" in found["model", "ridge"]
    assert "rename it" in found["check", "PB101"]
    assert "the kiln has collapsed" in found["problem", "ruined"]
    assert "has no propose(history, k)" in found["proposer", "silent"]
