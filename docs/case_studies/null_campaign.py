"""A loop in which nothing works, run as a campaign: eight columns of noise, each tried by itself on a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from probatum.evidence.selection import expected_optimism
from probatum.laboratory import Laboratory

TRIED = 8


@dataclass(frozen=True)
class NullCampaign:
    """What a loop concludes from it, and what Probatum says.

    Attributes:
        baseline: score of the line without any of the columns.
        best: the experiment with the best score.
        score: of it.
        naive_p: of a paired t-test over the 25 folds, as a loop would do it.
        outcome: the verdict on it.
        p: the verdict's, adjusted for all eight.
        outcomes: verdict to number of experiments.
        optimism: how much better the best of these is expected to look if all are equal.
    """

    baseline: float
    best: str
    score: float
    naive_p: float
    outcome: str
    p: float
    outcomes: dict[str, int]
    optimism: float


def run(folder: Path, seed: int = 0, rows: int = 60) -> NullCampaign:
    """Writes the table and the campaign into a folder and runs it.

    Args:
        folder: empty.
        seed: of the table.
        rows: of the table.
    """
    generator = np.random.default_rng(seed)
    columns = {"signal": generator.normal(size=rows)}
    columns |= {f"noise{i}": generator.normal(size=rows) for i in range(1, TRIED + 1)}
    target = columns["signal"] + generator.normal(size=rows)
    pd.DataFrame({**columns, "y": target}).to_csv(folder / "loop.csv", index=False)
    (folder / "loop.toml").write_text(campaign(), encoding="utf-8")
    laboratory = Laboratory.open(folder / "loop.toml")
    results = laboratory.run()
    tried = [arm for arm in results.arms if arm.name.startswith("line+")]
    best = min(tried, key=lambda arm: arm.score)
    line = results.arm("line")
    verdict = next(v for v in results.verdicts if v.arm == best.name)
    difference = np.asarray(best.by_unit) - np.asarray(line.by_unit)
    outcomes = [v.outcome for v in results.verdicts]
    return NullCampaign(
        line.score,
        best.name,
        best.score,
        float(stats.ttest_1samp(difference, 0).pvalue),
        verdict.outcome,
        float(verdict.p_adjusted if verdict.p_adjusted is not None else 1.0),
        {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
        float(expected_optimism(tried, "repeated-k-fold").amount or 0),
    )


def campaign() -> str:
    """Its file."""
    head = """problem = { kind = "table", path = "loop.csv", target = "y" }

[protocol]
splits = "repeated-k-fold"
folds = 5
repeats = 5
metric = "mse"
baseline = "line"

[run]
cores = 2

[[experiment]]
name = "line"
features = ["signal"]
model.kind = "ridge"
"""
    return head + "".join(
        f'\n[[experiment]]\nname = "line+noise{i}"\nparent = "line"\nfeatures.add = ["noise{i}"]\n'
        for i in range(1, TRIED + 1)
    )
