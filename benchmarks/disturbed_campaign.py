"""The small campaign that is killed and otherwise disturbed: four experiments on a table, one of them slow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from probatum.campaigns.campaign import Campaign

EXPERIMENTS = ("ridge", "slow", "mlp", "blend")
FILE = "disturbed.toml"
RUN = [sys.executable, "-c", "from probatum.cli.main import run_and_exit; run_and_exit()", "run", FILE]
"""Command of a driver, in the folder of the campaign."""
GROUPS = 8
FOREST = '{ kind = "random_forest", n_estimators = 120 }'
CAMPAIGN = """
problem = {{ kind = "table", path = "table.csv", target = ["y", "z"], group = "group" }}
[protocol]
splits = "leave-one-group-out"
seeds = {seeds}
baseline = "ridge"
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "slow"
model = {slow}
[[experiment]]
name = "mlp"
model = {{ kind = "mlp", hidden = [16] }}
training = {{ epochs = 40 }}
[[experiment]]
name = "blend"
components = ["mlp", "ridge"]
model = {{ kind = "blend", weights = "inner", inner_folds = 3 }}
[run]
{run}
"""

Predictions = dict[tuple[str, str, int], np.ndarray]
"""(experiment, split, seed) to what was predicted."""


def write_campaign(folder: Path, *, seeds: int = 2, slow: str = FOREST, run: str = "") -> Path:
    """Writes a table of 8 groups and 2 targets, and the campaign file.

    Args:
        folder: for both.
        seeds: of all experiments that have any.
        slow: the model of the slow experiment, as TOML.
        run: lines of [run].

    Returns:
        the campaign file.
    """
    generator = np.random.default_rng(5)
    x = generator.normal(size=(160, 6))
    y = np.column_stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * x[:, 3]]) + 0.1 * generator.normal(size=(160, 2))
    lines = [",".join([*(f"{v:.5f}" for v in (*x[i], *y[i])), f"g{i % GROUPS}"]) for i in range(160)]
    header = ",".join([*(f"x{i}" for i in range(6)), "y", "z", "group"])
    (folder / "table.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
    file = folder / FILE
    file.write_text(CAMPAIGN.format(seeds=seeds, slow=slow, run=run), encoding="utf-8")
    return file


def predictions(campaign: Campaign) -> Predictions:
    """Everything that was predicted."""
    return {(name, p.split_digest, p.seed): p.prediction for name in EXPERIMENTS for p in campaign.predictions(name)}


def differing(expected: Predictions, found: Predictions) -> int:
    """How many predictions have other bits, are missing, or are there although none was expected."""
    return sum(
        key not in expected or key not in found or not np.array_equal(expected[key], found[key])
        for key in expected.keys() | found.keys()
    )
