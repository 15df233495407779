"""Runs that another program made, as a problem: there are scores, and no data to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from probatum.errors import DataError
from probatum.problems.problem import Dataset, Feature, Problem

TASK = "runs"
"""The only task: the runs themselves."""


@dataclass(frozen=True)
class Imported(Problem):
    """Runs of another program. 'probatum import' writes these options, and they stay what they were.

    Attributes:
        importer: what they were read with: mlflow, optuna, wandb or table.
        source: the store, folder or file; never a password.
        metric: the number that runs are judged by, under the source's name.
        better: which way it goes.
        experiment: of the store; None where the source holds one.
        seeds: 'training', seeds change the training alone, so they are averaged; 'data', each seed drew its own data or
            split, so that seeds are independent repeats.
        keys: role (seed, fold, parent) to the parameters or tags that were looked for.
        same: what makes runs repeats of one experiment: 'parameters' or 'name'.
        parameters: columns of a wide table that are parameters; () where the program told them apart.
    """

    importer: str
    source: str
    metric: str
    better: Literal["lower", "higher"] = "lower"
    experiment: str | None = None
    seeds: Literal["training", "data"] = "training"
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    same: Literal["parameters", "name"] = "parameters"
    parameters: tuple[str, ...] = ()

    name: ClassVar[str] = "imported"
    question: ClassVar[str] = "Which of the runs that another program made are better than the baseline?"
    hidden_truth: ClassVar[bool] = True
    recorded: ClassVar[bool] = True

    @property
    def tasks(self) -> tuple[str, ...]:
        return (TASK,)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        """There is none.

        Raises:
            UnknownNameError: for another task.
            DataError: always.
        """
        self._check_task(task)
        remedy = "train in the program that made them, then import again"
        raise DataError("imported runs come without the data that they were trained on", remedy=remedy)

    @property
    def features(self) -> Mapping[str, Feature]:
        return {}

    @property
    def default_features(self) -> tuple[str, ...]:
        return ()
