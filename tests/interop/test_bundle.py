"""A bundle predicts what the model predicted that it was made of, alone, and refuses to be anything else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import probatum
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.fit_inputs import inputs_of
from probatum.campaigns.new_cases import predict_new
from probatum.errors import CampaignFileError, DataError, DataMissingError, ProbatumError, UnknownNameError
from probatum.interop.bundle import ABOUT, ARRAYS, digest_of, load_bundle
from probatum.interop.write_bundle import write_bundle

KEPT = ("ridge", "trees", "forest", "boosted", "squares", "mean", "net", "process")
CASES = [{"temperature": 35.5, "solvent": "water"}, {"temperature": 71.0, "solvent": "ethanol"}]
ALONE = """
import json, sys
import probatum
print(json.dumps(probatum.load_bundle(sys.argv[1]).predict(json.loads(sys.argv[2])).tolist()))
"""


@pytest.fixture(scope="module")
def campaign(lab: Path) -> Campaign:
    return Campaign.open(lab / "lab.toml")


@pytest.fixture(scope="module")
def bundles(campaign: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of each model that can be kept."""
    folder = tmp_path_factory.mktemp("bundles")
    for name in KEPT:
        write_bundle(campaign, name, folder / name)
    return folder


def changed(folder: Path, target: Path, **about) -> Path:
    """A bundle whose description says something else, with a digest that fits."""
    shutil.copytree(folder, target)
    said = json.loads((target / ABOUT).read_text(encoding="utf-8")) | about
    said["digest"] = digest_of(said)
    (target / ABOUT).write_text(json.dumps(said), encoding="utf-8")
    return target


@pytest.mark.parametrize("name", KEPT)
def test_a_bundle_predicts_what_the_campaign_predicts_for_new_cases(campaign: Campaign, bundles: Path, name: str):
    recipe = next(e.recipe for e in campaign.experiments if e.name == name)
    expected = predict_new(campaign, name, CASES).mean
    bundle = load_bundle(bundles / name)
    found = bundle.predict(CASES)
    if not recipe.deterministic:  # the campaign averages the seeds of its protocol
        other = write_bundle(campaign, name, bundles / f"{name} again", seed=1)
        found = (found + other.predict(CASES)) / 2
    # Networks are trained to the same bits and predict in float32; the others differ by the order of sums.
    assert found == pytest.approx(expected, rel=1e-5 if name == "net" else 1e-9)


def test_a_bundle_predicts_to_the_bit_in_a_process_without_the_campaign(bundles: Path, tmp_path: Path):
    for name in KEPT:
        alone = Path(shutil.copytree(bundles / name, tmp_path / name))
        command = [sys.executable, "-c", ALONE, str(alone), json.dumps(CASES)]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert np.array_equal(json.loads(ran.stdout), load_bundle(bundles / name).predict(CASES)), name


def test_a_bundle_makes_the_inputs_that_the_campaign_makes(campaign: Campaign, bundles: Path):
    (dataset,) = campaign.datasets.values()
    cases = [
        {"temperature": float(t), "solvent": str(s)}
        for t, s in zip(dataset.observations["temperature"], dataset.observations["solvent"], strict=True)
    ]
    bundle = probatum.load_bundle(str(bundles / "ridge"))
    assert np.array_equal(bundle.inputs(cases), inputs_of(campaign.file.problem, dataset, bundle.recipe.features))
    assert not any(bundle.outside(cases))
    assert bundle.outside([{"temperature": 500.0, "solvent": "water"}]) == [("temperature",)]


def test_a_bundle_names_inputs_units_ranges_and_hashes(campaign: Campaign, bundles: Path):
    about = load_bundle(bundles / "ridge").about
    assert [o["name"] for o in about["observations"]] == ["temperature", "solvent"]
    assert about["observations"][1]["levels"] == ["ethanol", "water"]
    assert about["observations"][0]["low"] < about["observations"][0]["high"]
    assert about["quantities"][0]["name"] == "yield"
    (dataset,) = campaign.datasets.values()
    assert about["data"] == {"digest": dataset.digest, "rows": 24, "files": dict(dataset.origin.files)}
    assert "path" not in about["problem"]["options"]


def test_a_bundle_that_was_changed_is_refused(bundles: Path, tmp_path: Path):
    for file in (ABOUT, ARRAYS):
        folder = Path(shutil.copytree(bundles / "ridge", tmp_path / file))
        content = bytearray((folder / file).read_bytes())
        content[-20] ^= 1
        (folder / file).write_bytes(content)
        with pytest.raises(DataError):
            load_bundle(folder)


def test_a_bundle_that_names_code_of_others_is_refused(bundles: Path, tmp_path: Path):
    recipe = load_bundle(bundles / "ridge").recipe.canonical()
    evil = changed(bundles / "ridge", tmp_path / "evil", recipe=recipe | {"model": {"kind": "os:system"}})
    with pytest.raises(ProbatumError, match="code that is not this program's"):
        load_bundle(evil)


def test_what_is_no_bundle_says_so(bundles: Path, tmp_path: Path):
    with pytest.raises(DataMissingError, match=r"no bundle\.json"):
        load_bundle(tmp_path)
    with pytest.raises(DataError, match="schema 99"):
        load_bundle(changed(bundles / "ridge", tmp_path / "newer", schema=99))
    with pytest.raises(DataError, match="is no bundle"):
        load_bundle(changed(bundles / "ridge", tmp_path / "odd", columns=[{"name": "x"}]))


def test_cases_that_are_wrong_say_what_is(bundles: Path):
    bundle = load_bundle(bundles / "ridge")
    with pytest.raises(UnknownNameError, match="'temperatur'"):
        bundle.predict([{"temperatur": 1.0, "solvent": "water"}])
    with pytest.raises(DataError, match="no 'solvent'"):
        bundle.predict([{"temperature": 1.0}])
    with pytest.raises(DataError, match="is not a number"):
        bundle.predict([{"temperature": "hot", "solvent": "water"}])
    with pytest.raises(DataError, match="columns"):
        bundle.predict_inputs(np.zeros((2, 9)))
    with pytest.raises(DataError, match="not finite"):
        bundle.predict_inputs(np.full((1, 3), np.nan))


def test_models_that_cannot_be_kept_are_refused_by_name(campaign: Campaign, tmp_path: Path):
    with pytest.raises(UnknownNameError, match="did you mean 'ridge'"):
        write_bundle(campaign, "rigde", tmp_path / "x")
    (tmp_path / "mine").write_text("", encoding="utf-8")
    with pytest.raises(CampaignFileError, match="holds other files"):
        write_bundle(campaign, "ridge", tmp_path)
