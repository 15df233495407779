"""Trees of every library, models of single quantities and blends of them all predict without their campaign."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.new_cases import predict_new
from probatum.errors import CampaignFileError, DataError
from probatum.interop.bundle import load_bundle
from probatum.interop.write_bundle import write_bundle
from probatum.learning.blends import simplex_weights
from probatum.learning.ensembles import Stack

CAMPAIGN = """\
problem = { kind = "table", path = "batches.csv", target = ["rate", "selectivity"], group = "batch" }

[protocol]
splits = "leave-one-group-out"

[[experiment]]
name = "xgboost"
model = { kind = "xgboost", n_estimators = 6, max_depth = 3 }

[[experiment]]
name = "sampled xgboost"
model = { kind = "xgboost", n_estimators = 6, subsample = 0.7 }
ensemble.members = 2

[[experiment]]
name = "lightgbm"
model = { kind = "lightgbm", n_estimators = 6, min_child_samples = 3 }

[[experiment]]
name = "forest"
model = { kind = "random_forest", n_estimators = 6 }

[[experiment]]
name = "forest a quantity"
parent = "forest"
per_target = true

[[experiment]]
name = "forest of some columns"
parent = "forest"
ensemble = { members = 3, subspace = 0.5 }

[[experiment]]
name = "line"
features = ["flow", "temperature"]
model.kind = "ridge"

[[experiment]]
name = "net"
model = { kind = "mlp", hidden = [3] }
training.epochs = 2
features = ["numbers"]

[[experiment]]
name = "all, evenly"
components = ["xgboost", "lightgbm", "forest", "forest a quantity", "line", "net"]
model.kind = "blend"

[[experiment]]
name = "two, 3 to 1"
components = ["lightgbm", "line"]
model = { kind = "blend", weights = [3, 1] }

[[experiment]]
name = "by inner folds"
components = ["lightgbm", "line"]
model = { kind = "blend", weights = "inner", inner_folds = 3 }
per_target = true

[[experiment]]
name = "stack"
components = ["forest", "line"]
model = { kind = "blend", weights = "stack", inner_folds = 3 }

[[experiment]]
name = "blend of blends"
components = ["two, 3 to 1", "stack", "xgboost"]
model = { kind = "blend", weights = "equal" }

[[experiment]]
name = "foreign"
model.kind = "sklearn.linear_model:Lasso"

[[experiment]]
name = "blend with a foreign one"
components = ["line", "foreign"]
model.kind = "blend"
"""
LEARNED = ("by inner folds", "stack", "blend of blends")
KEPT = (
    "xgboost", "sampled xgboost", "lightgbm", "forest", "forest a quantity", "forest of some columns", "all, evenly",
    "two, 3 to 1", *LEARNED,
)  # fmt: skip
CASES = [
    {"temperature": 41.5, "flow": 0.3, "solvent": "water"},
    {"temperature": 78.0, "flow": -1.2, "solvent": "toluene"},
    {"temperature": 60.0, "flow": 0.0, "solvent": "ethanol"},
]
ALONE = """
import json, sys
import probatum
cases = json.loads(sys.argv[1])
for folder in sys.argv[2:]:
    print(probatum.load_bundle(folder).predict(cases).tobytes().hex())
"""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign that nobody has run: bundles are trained on their own."""
    folder = tmp_path_factory.mktemp("trees")
    generator = np.random.default_rng(11)
    lines = ["temperature,flow,solvent,batch,rate,selectivity"]
    for row in range(48):
        temperature, flow = generator.uniform(30, 90), generator.normal()
        solvent = ("water", "ethanol", "toluene")[row % 3]
        rate = 0.1 * temperature + flow**2 + (solvent == "water") + 0.1 * generator.normal()
        selectivity = 0.5 + 0.1 * np.tanh(flow) - 0.002 * temperature
        lines.append(f"{temperature:.4f},{flow:.4f},{solvent},b{row // 8},{rate:.4f},{selectivity:.5f}")
    (folder / "batches.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "trees.toml").write_text(CAMPAIGN, encoding="utf-8")
    return Campaign.open(folder / "trees.toml")


@pytest.fixture(scope="module")
def bundles(campaign: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    for name in KEPT:
        write_bundle(campaign, name, folder / name)
    return folder


def test_bundles_predict_to_the_bit_in_a_process_that_never_saw_the_campaign(bundles: Path, tmp_path: Path):
    moved = Path(shutil.copytree(bundles, tmp_path / "moved"))
    command = [sys.executable, "-c", ALONE, json.dumps(CASES), *(str(moved / name) for name in KEPT)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    here = [load_bundle(bundles / name).predict(CASES).tobytes().hex() for name in KEPT]
    assert ran.stdout.split() == here
    assert len(set(here)) == len(KEPT)  # no two models are the same


@pytest.mark.parametrize("name", [name for name in KEPT if name not in LEARNED])
def test_bundles_predict_what_the_campaign_predicts_for_new_cases(name: str, campaign: Campaign, bundles: Path):
    expected = predict_new(campaign, name, CASES).mean
    tolerance = 1e-6 if name == "all, evenly" else 1e-12  # its network computes in float32
    np.testing.assert_allclose(load_bundle(bundles / name).predict(CASES), expected, rtol=tolerance)


def test_a_blend_is_the_weighted_mean_of_the_bundles_of_its_components(campaign: Campaign, bundles: Path):
    def predicted(name: str) -> np.ndarray:
        folder = bundles / name
        bundle = load_bundle(folder) if folder.exists() else write_bundle(campaign, name, folder)
        return bundle.predict(CASES)

    mean = (3 * predicted("lightgbm") + predicted("line")) / 4
    np.testing.assert_allclose(predicted("two, 3 to 1"), mean, rtol=1e-14)
    nested = (predicted("two, 3 to 1") + predicted("stack") + predicted("xgboost")) / 3
    np.testing.assert_allclose(predicted("blend of blends"), nested, rtol=1e-14)


def test_weights_that_are_learned_lie_between_the_components_and_differ_by_quantity(bundles: Path):
    weights = load_bundle(bundles / "by inner folds").part.by
    assert isinstance(weights, np.ndarray)
    assert weights.shape == (2, 2)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert (weights >= 0).all()
    assert abs(weights[0, 0] - weights[0, 1]) > 0.01
    assert isinstance(load_bundle(bundles / "stack").part.by, Stack)


def test_a_learned_weight_is_that_of_predictions_for_rows_that_were_not_seen(campaign: Campaign, tmp_path: Path):
    """Trees that know their rows by heart would take all of the weight, were it learned on these rows."""
    bundle = write_bundle(campaign, "by inner folds", tmp_path / "inner")
    (dataset,) = campaign.datasets.values()
    inputs = bundle.inputs([
        {name: o[i].item() for name, o in dataset.observations.items()} for i in range(len(dataset))
    ])  # fmt: skip
    assert bundle.part.parts
    seen = np.stack([part.predict(inputs) for part in bundle.part.parts])
    of_seen = simplex_weights(seen[:, :, :1], dataset.targets()[:, :1])
    assert abs(bundle.part.by[0, 0] - of_seen[0]) > 0.01


def test_a_blend_knows_the_inputs_of_all_its_components(bundles: Path):
    bundle = load_bundle(bundles / "two, 3 to 1")
    assert [c.name for c in bundle.columns] == [
        "temperature", "flow", "solvent = ethanol", "solvent = toluene", "solvent = water", "flow", "temperature"
    ]  # fmt: skip
    outside = [case | {"temperature": 500.0} for case in CASES]
    assert bundle.outside(outside) == [("temperature",)] * 3
    assert not any(bundle.outside(CASES))


def test_a_blend_is_refused_for_a_component_that_is_code(campaign: Campaign, tmp_path: Path):
    with pytest.raises(CampaignFileError, match=r"'sklearn\.linear_model:Lasso' of 'blend with a foreign one' is code"):
        write_bundle(campaign, "blend with a foreign one", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_blend_whose_arrays_are_of_another_recipe_is_refused(bundles: Path, tmp_path: Path):
    folder = Path(shutil.copytree(bundles / "stack", tmp_path / "mixed"))
    shutil.copy(bundles / "forest" / "arrays.safetensors", folder / "arrays.safetensors")
    with pytest.raises(DataError):
        load_bundle(folder)


def test_xgboost_that_is_not_installed_is_asked_for(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    bundle = load_bundle(bundles / "blend of blends")
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(DataError, match=r"pip install 'probatum\[xgboost\]'"):
        bundle.predict(CASES)
