"""A campaign that has been run, and an MLflow folder that MLflow wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.small_lab import program, write_lab
from interop.campaign_texts import NETWORK, START, TWO

MORE = """
[[experiment]]
name = "trees"
model = { kind = "extra_trees", n_estimators = 5 }

[[experiment]]
name = "forest"
model = { kind = "random_forest", n_estimators = 7 }
ensemble.members = 2

[[experiment]]
name = "boosted"
model = { kind = "lightgbm", n_estimators = 7, min_child_samples = 3 }

[[experiment]]
name = "squares"
parent = "ridge"
model.interactions = true

[[experiment]]
name = "mean"
model.kind = "mean"
"""
COMBINED = """
[[experiment]]
name = "process"
model = { kind = "gaussian_process", restarts = 0 }

[[experiment]]
name = "both"
components = ["ridge", "trees"]
model = { kind = "blend", weights = [0.5, 0.5] }
"""
CAMPAIGN = START + "\n[run]\ncores = 2\n" + TWO + MORE + NETWORK + COMBINED

MLFLOW = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("cross validation")
for lr in (0.1, 0.01):
    with mlflow.start_run(run_name=f"lr {lr}"):
        mlflow.log_params({"lr": lr, "wide": True})
        for fold in range(3):
            with mlflow.start_run(nested=True, run_name=f"fold {fold}"):
                mlflow.log_param("fold", fold)
                for step in range(3):
                    mlflow.log_metric("train_loss", 1 / (step + 1), step=step)
                mlflow.log_metric("accuracy", 0.8 + lr + 0.01 * fold**2 * lr)
with mlflow.start_run(run_name="<b>diverged</b>/x"):
    mlflow.log_params({"lr": 5})
    mlflow.log_metric("accuracy", float("nan"))
try:
    with mlflow.start_run(run_name="crashed"):
        mlflow.log_params({"lr": 7})
        raise RuntimeError
except RuntimeError:
    pass
mlflow.create_experiment("another")
"""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose campaign has been run to its end. Not to be changed."""
    folder = write_lab(tmp_path_factory.mktemp("lab"), CAMPAIGN)
    said = program(folder, "run", "lab.toml", "--json")
    assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="session")
def mlflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder 'mlruns' with two experiments. Not to be changed."""
    folder = tmp_path_factory.mktemp("mlflow") / "mlruns"
    environment = os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-c", MLFLOW, folder.as_uri()]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder.parent)
    assert ran.returncode == 0, ran.stderr
    return folder
