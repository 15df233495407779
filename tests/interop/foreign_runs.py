"""Runs of another program, made up: two configurations on folds and with seeds, whose scores a test can compute."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from probatum.interop.foreign_run import ForeignRun, Source
from probatum.interop.grouping import Choice
from probatum.interop.import_campaign import ImportResult, import_runs
from probatum.interop.import_request import Wanted

FOLDS, SEEDS = 5, 2


def table_of_scores(mean: float, seed: int) -> np.ndarray:
    """[fold, seed] of scores around a mean; folds are hard and easy for all runs alike."""
    generator = np.random.default_rng(seed)
    return mean + 0.1 * np.arange(FOLDS)[:, None] + generator.normal(0, 0.02, (FOLDS, SEEDS))


def runs_of(name: str, scores: np.ndarray, **parameters: Any) -> list[ForeignRun]:
    """A run for each fold and seed."""
    return [
        ForeignRun(
            f"{name}-{fold}-{seed}",
            name,
            parameters={**parameters, "fold": fold, "seed": seed},
            metrics={"rmse": float(score)},
            started=1000.0 + fold,
            ended=1002.0 + fold,
        )
        for (fold, seed), score in np.ndenumerate(scores)
    ]


def source(runs: Iterable[ForeignRun], **about: Any) -> Source:
    """Runs as a reader gives them."""
    return Source("table", "runs.csv", None, iter(list(runs)), **about)


def bring(runs: Iterable[ForeignRun], path: Path, **wanted: Any) -> ImportResult:
    """Imports runs that are judged by their rmse."""
    choice = wanted.pop("choice", Choice("rmse"))
    return import_runs(source(runs), path, Wanted(choice, wanted.pop("better", "lower"), **wanted))
