"""The rows of a fold are used for nothing but its score: noise in their place changes no prediction for them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.laboratory import Laboratory

SOLVENTS = ("Cyclohexane", "Ethanol", "Ethyl Acetate", "Methanol", "THF", "Water.Acetonitrile")
LEFT_OUT = "Ethanol"
CAMPAIGN = """
problem = {{ kind = "catechol", folder = "{folder}" }}
[protocol]
splits = "leave-one-group-out"
seeds = 1
[[experiment]]
name = "headline"
recipe = "physics-and-statistics"
[[experiment]]
name = "ridge"
recipe = "ridge"
[[experiment]]
name = "trees"
recipe = "extra-trees"
model.n_estimators = 20
[[experiment]]
name = "inner weights"
components = ["ridge", "trees"]
model.weights = "inner"
[[experiment]]
name = "stack"
components = ["ridge", "trees"]
model.weights = "stack"
"""


def predictions(folder: Path, data: Path, poison: bool) -> dict[str, dict[str, StoredPrediction]]:
    """Experiment and fold to predictions, on six solvents, the yields of one being noise or not."""
    (folder / "data").mkdir(parents=True)
    for lookup in data.glob("*_lookup.csv"):
        shutil.copy(lookup, folder / "data")
    noise = np.random.default_rng(0)
    with open(data / "catechol_single_solvent_yields.csv", newline="", encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["SOLVENT NAME"] in SOLVENTS]
    for row in rows:
        if poison and row["SOLVENT NAME"] == LEFT_OUT:
            row.update({name: str(noise.uniform(0, 1)) for name in ("SM", "Product 2", "Product 3")})
    with open(folder / "data" / "catechol_single_solvent_yields.csv", "w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "c.toml").write_text(CAMPAIGN.format(folder="data"), encoding="utf-8")
    laboratory = Laboratory.open(folder / "c.toml")
    results = laboratory.run()
    assert len(results.tried) == 5
    names = [arm.name for arm in results.tried]
    return {name: {p.split: p for p in laboratory.campaign.predictions(name)} for name in names}


@pytest.mark.real
def test_noise_in_the_scored_rows_changes_no_prediction_for_them(real_data: Path, tmp_path: Path):
    clean, poisoned = (
        predictions(tmp_path / name, real_data / "catechol", poison)
        for name, poison in (("clean", False), ("poisoned", True))
    )
    for experiment, folds in clean.items():
        fold = next(split for split in folds if LEFT_OUT in split)
        ours, theirs = folds[fold], poisoned[experiment][fold]
        np.testing.assert_array_equal(ours.prediction, theirs.prediction, err_msg=experiment)
        if ours.spread is not None:
            np.testing.assert_array_equal(ours.spread, theirs.spread, err_msg=experiment)
        other = next(split for split in folds if LEFT_OUT not in split)
        assert (folds[other].prediction != poisoned[experiment][other].prediction).any(), "training rows do count"
    assert next(iter(clean["headline"].values())).spread is not None
