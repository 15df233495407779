"""What an audit looks at, wherever it comes from: partitions of rows, runs, and the history that they make up.

A campaign, a table of somebody's runs, or a pair of arrays become these records (`campaign_history`, `importers`,
`partitions`). What a source does not know is None or empty, and checks that need it are silent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from probatum.evidence.verdict import Verdict
from probatum.problems.problem import Constraint, Quantity, Sensitivity


@dataclass(frozen=True, eq=False)
class Side:
    """The rows on one side of a partition.

    Attributes:
        inputs: [row, column] float64.
        targets: [row, quantity] float64; None where they are hidden or not given.
        groups: name of a grouping to [row] str.
        sources: [row] str: the data set that a row was taken from; None where all come from one.
        columns: names of the inputs' columns; () where they have none.
        origins: [row] str: what a row was drawn from, a trajectory or a simulation with its seed; None where unknown.
    """

    inputs: np.ndarray
    targets: np.ndarray | None = None
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)
    sources: np.ndarray | None = None
    columns: tuple[str, ...] = ()
    origins: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, eq=False)
class Partition:
    """A split into rows that train and rows that are scored.

    Attributes:
        name: of the split.
        train, test: its sides.
        separated: groupings that the protocol promises to keep apart.
        replicates: [train rows + test rows] int, equal for repeated measurements; None where unknown.
        quantities: what the columns of the targets are; () where unknown.
        unscorable: cases of the data that stand on neither side, for they have no finite truth.
        task, draw: the data set that is split; None where there is only one.
    """

    name: str
    train: Side
    test: Side
    separated: tuple[str, ...] = ()
    replicates: np.ndarray | None = None
    quantities: tuple[Quantity, ...] = ()
    unscorable: int = 0
    task: str | None = None
    draw: int | None = None


@dataclass(frozen=True, eq=False)
class Training:
    """One fit of a run.

    Attributes:
        task, split, seed: of the fit.
        curves: name to [epoch] float64, NaN after it stopped; names as in `probatum.learning.probes`.
        truth, prediction: [row, quantity] float64 of the scored rows; None where they were not kept.
        groups: [row] str of the scored rows; None where there are none.
        error: why it failed; None if it did not.
        rescored: [row, quantity] what its saved weights predict for the scored rows; None where none were kept.
    """

    task: str
    split: str
    seed: int
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    truth: np.ndarray | None = None
    prediction: np.ndarray | None = None
    groups: np.ndarray | None = None
    error: str | None = None
    rescored: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """One experiment, or one line of somebody's table of runs.

    Attributes:
        name, parent: as it is called, and what it was made from.
        recipe: its configuration by dotted paths.
        changed: dotted paths that differ from the parent's; None where there is no parent.
        metric: what its score measures; None where it is not said.
        scored_on: what it was scored by, all that has to be equal for two runs to be comparable: loss, weights, rows.
        score: the one number; None where it is not known.
        scores: of its independent repeats (splits, seeds or draws), in an order that all runs share; [] for one run.
        seed_scores: of each seed alone, over all splits; [] where the seed changes nothing or there is one.
        metrics: further metrics of the same run, by name.
        trainings: its fits; () for imported runs.
        deterministic: whether its learner says that the seed changes nothing.
        trivial: whether it is one of the baselines that run with every campaign.
        estimated: whether its score is marked as an estimate.
        claims: sentences that its author drew from it.
        unread: keys of its configuration that nothing read; None where that was not watched.
        retrained_difference: largest difference of its predictions, over their size, when one fit is trained again.
        poisoned_difference: the same when the targets of the scored rows are replaced by noise meanwhile.
        round: in which it was run, from 1; None where runs are looked at once, all together.
    """

    name: str
    parent: str | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] | None = None
    metric: str | None = None
    scored_on: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    scores: np.ndarray = field(default_factory=lambda: np.zeros(0))
    seed_scores: np.ndarray = field(default_factory=lambda: np.zeros(0))
    metrics: Mapping[str, float] = field(default_factory=dict)
    trainings: tuple[Training, ...] = ()
    deterministic: bool = False
    trivial: bool = False
    estimated: bool = False
    claims: tuple[str, ...] = ()
    unread: tuple[str, ...] | None = None
    retrained_difference: float | None = None
    poisoned_difference: float | None = None
    round: int | None = None


@dataclass(frozen=True, eq=False)
class History:
    """All runs of a campaign, or of a table.

    Attributes:
        name: of the campaign or file.
        runs: in the order in which they were made.
        partitions: the splits that they share; () where the rows are not known.
        quantities: what is predicted, with physical limits.
        constraints: laws between the quantities, by name.
        sensitivities: how observations respond to parameters, where somebody computed it.
        better: which way the score goes.
        baseline: the run that others are compared with.
        verdicts: of the runs against it.
        chosen: the run that is named the best; None where none is.
        confirmed: whether the chosen run was confirmed on rows or seeds that chose nothing.
        floors: task to the pooled variance of replicate measurements.
        external: (internal score, external score) pairs.
        target: the score that is wanted; None where none is said.
        repeats: independent repeats that each verdict rests on; None where it is not known.
        source: 'campaign', 'table' or 'arrays'.
    """

    name: str
    runs: tuple[Run, ...] = ()
    partitions: Sequence[Partition] = ()
    quantities: tuple[Quantity, ...] = ()
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    sensitivities: tuple[Sensitivity, ...] = ()
    better: Literal["lower", "higher"] = "lower"
    baseline: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    chosen: str | None = None
    confirmed: bool = False
    floors: Mapping[str, float] = field(default_factory=dict)
    external: tuple[tuple[float, float], ...] = ()
    target: float | None = None
    repeats: int | None = None
    source: Literal["campaign", "table", "arrays"] = "campaign"

    def run(self, name: str | None) -> Run | None:
        """The run of that name; None where there is none."""
        return next((run for run in self.runs if run.name == name), None)
