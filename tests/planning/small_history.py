"""A campaign on a table that nothing was trained for: its scores are made up, so that the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.campaign_file import CampaignFile, read_campaign_file
from probatum.campaigns.experiment import Experiment
from probatum.campaigns.experiment_tables import child_of
from probatum.evidence.scores import ArmScores, Unit
from probatum.learning.metrics import metric
from probatum.planning.proposal import History
from probatum.planning.standing import Standing, standings
from probatum.problems.problem import Scoring

FOLDS = 12
CAMPAIGN = """
problem = { kind = "table", path = "rows.csv", target = ["y", "z"], group = "batch" }
[protocol]
splits = "leave-one-group-out"
[[experiment]]
name = "net"
features = ["q"]
model = { kind = "mlp", hidden = [32, 16], dropout = 0.1 }
training = { epochs = 100, rate = 1e-3, weight_decay = 1e-4 }
[[experiment]]
name = "trees"
features = ["q"]
model = { kind = "lightgbm", num_leaves = 7 }
[[experiment]]
name = "line"
features = ["q"]
model.kind = "ridge"
"""


def campaign_file(folder: Path, text: str = CAMPAIGN) -> CampaignFile:
    """The campaign and its table, written and read."""
    lines = ["q,x,w,batch,y,z", *(f"{i % 11},{i},{i % 5},b{i % FOLDS},{i % 7},{i % 3}" for i in range(3 * FOLDS))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "small.toml").write_text(text, encoding="utf-8")
    return read_campaign_file(folder / "small.toml")


def arm(name: str, values: Sequence[float] | np.ndarray, seeds: int = 1, better: str = "mse") -> ArmScores:
    """Scores of an experiment on left-out groups, [fold]."""
    units = tuple(Unit("table", 0, f"fold {i}", f"d{i}", 3, 3, 33, f"g{i}") for i in range(len(values)))
    table = np.repeat(np.asarray(values, dtype=float)[None, :, None], seeds, axis=0)
    return ArmScores(name, metric(better), Scoring("pooled"), ("y",), units, seeds, table)


def grown(file: CampaignFile, *entries: Mapping[str, Any]) -> tuple[Experiment, ...]:
    """The file's experiments and more of them."""
    found = {e.name: e for e in file.experiments}
    for entry in entries:
        found[str(entry["name"])] = child_of(entry, found, file.problem, "test")
    return tuple(found.values())


def history(
    file: CampaignFile, scores: Mapping[str, float] | None = None, experiments: Sequence[Experiment] = (), **more: Any
) -> History:
    """A history with the given scores, all known exactly; default: the file's experiments, 1, 2 and 3."""
    known = tuple(experiments) or file.experiments
    given = scores if scores is not None else {e.name: float(i + 1) for i, e in enumerate(known)}
    exact = {name: Standing(name, score, 0.01, score, 0.0) for name, score in given.items()}
    champion = min(given, key=lambda n: given[n])
    values: dict[str, Any] = {
        "problem": file.problem, "experiments": known, "standings": exact, "better": "lower", "baseline": "net",
        "champion": champion, "quantities": ("y", "z"),
    }  # fmt: skip
    return History(**(values | more))


def standings_of(arms: Mapping[str, np.ndarray]) -> dict[str, Standing]:
    return standings([arm(name, values) for name, values in arms.items()], "leave-one-group-out")
