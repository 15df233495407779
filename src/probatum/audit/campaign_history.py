"""A campaign as an audit looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from probatum.audit.history import History, Partition, Run, Side, Training
from probatum.audit.retraining import rescored
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.experiment import PROBES, TRIVIAL, Mutation
from probatum.campaigns.ledgers.ledger import DONE, ExperimentRecord
from probatum.campaigns.recipe import Recipe, flat
from probatum.campaigns.splits import Split, group_name
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import ProbatumError
from probatum.evidence.noise import NoiseFloor
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict

SOURCE = "source"
"""The grouping that says which data set a row was taken from."""


def campaign_history(
    campaign: Campaign,
    arms: Sequence[ArmScores],
    verdicts: Sequence[Verdict] = (),
    *,
    floors: Sequence[NoiseFloor] = (),
    chosen: str | None = None,
    confirmed: bool = False,
    external: Sequence[tuple[float, float]] = (),
    target: float | None = None,
) -> History:
    """The history of what a campaign has run so far.

    Args:
        campaign: opened.
        arms: scores of its finished experiments.
        verdicts: of these against the baseline.
        floors: noise floors of its tasks.
        chosen: the champion, where there is one.
        confirmed: whether the champion was confirmed.
        external: (internal score, external score) of what was submitted somewhere.
        target: the score that is wanted.
    """
    scored = {arm.name: arm for arm in arms}
    records = [r for r in campaign.ledger.experiments() if not r.name.startswith(PROBES)]
    recipes = {r.name: Recipe.model_validate(r.recipe) for r in records}
    quantities = next(iter(campaign.datasets.values())).quantities
    return History(
        name=campaign.file.path.name,
        runs=tuple(_run(campaign, record, recipes, scored.get(record.name)) for record in records),
        partitions=_partitions(campaign),
        quantities=quantities,
        constraints=campaign.file.problem.constraints,
        sensitivities=tuple(s for task in campaign.datasets for s in campaign.file.problem.sensitivities(task)),
        better=next(iter(scored.values())).metric.better if scored else "lower",
        baseline=campaign.baseline,
        verdicts=tuple(verdicts),
        chosen=chosen,
        confirmed=confirmed,
        floors={floor.task: floor.variance for floor in floors},
        external=tuple(external),
        target=target,
        repeats=len(next(iter(scored.values())).units) if scored else None,
    )


def _run(campaign: Campaign, record: ExperimentRecord, recipes: Mapping[str, Recipe], arm: ArmScores | None) -> Run:
    recipe = recipes[record.name]
    parent = recipes.get(record.parent) if record.parent else None
    changed = None if parent is None else tuple(c.path for c in Mutation.between(parent, recipe).chosen)
    protocol = campaign.file.protocol
    predictions, trainings = _trainings(campaign, record)
    return Run(
        name=record.name,
        parent=record.parent,
        recipe=flat(recipe.canonical()),
        changed=changed,
        metric=str(protocol.metric),
        scored_on={"scoring": protocol.scoring, "splits": protocol.splits},
        score=None if arm is None else arm.score,
        scores=np.zeros(0) if arm is None else arm.by_unit,
        seed_scores=np.zeros(0) if arm is None or arm.seeds < 2 else arm.values.mean(axis=2) @ arm.weights,
        trainings=trainings,
        deterministic=recipe.deterministic,
        trivial=record.name.startswith(TRIVIAL),
        claims=(record.hypothesis,) if record.hypothesis else (),
        unread=_unread(recipe, predictions),
        round=record.round,
    )


def _trainings(campaign: Campaign, record: ExperimentRecord) -> tuple[list[StoredPrediction], tuple[Training, ...]]:
    """What its fits predicted, and its fits, those that failed included."""
    try:
        predictions = campaign.predictions(record.name)
    except ProbatumError:
        predictions = []
    found = [_finished(campaign, p) for p in predictions]
    if predictions:
        found[0] = replace(found[0], rescored=rescored(campaign, record, predictions[0]))
    fits = campaign.ledger.fits(record.name) if record.failed else []
    failed = [f for f in fits if f.status != DONE and f.error]
    return predictions, (*found, *(Training(f.task, f.split_name, f.seed, error=f.error) for f in failed))


def _unread(recipe: Recipe, predictions: Sequence[StoredPrediction]) -> tuple[str, ...] | None:
    """Keys that the recipe sets and that no fit's estimator looked at."""
    if not predictions or recipe.is_blend:
        return None
    idle = set.intersection(*(set(p.unread) for p in predictions))
    return tuple(f"{part}.{key}" for part in ("model", "training") for key in sorted(idle & set(getattr(recipe, part))))


def _finished(campaign: Campaign, p: StoredPrediction) -> Training:
    dataset = campaign.draws[p.task, p.draw]
    name = group_name(dataset, campaign.file.protocol)
    return Training(
        p.task,
        p.split,
        p.seed,
        p.curves,
        dataset.truth.open_for_scoring()[p.rows],
        p.prediction,
        None if name is None else dataset.groups[name][p.rows],
    )


def partition_name(split: Split) -> str:
    """What findings call a split of a campaign."""
    return f"{split.task} / {split.name}"


def _partitions(campaign: Campaign) -> tuple[Partition, ...]:
    inputs: dict[tuple[str, int], np.ndarray] = {}
    columns: dict[tuple[str, int], tuple[str, ...]] = {}
    problem = campaign.file.problem
    looked_at = dict.fromkeys((*problem.default_features, *problem.plain_features))
    features = {name: problem.features[name] for name in looked_at}
    for key, dataset in campaign.draws.items():
        blocks = {
            name: np.asarray(feature.compute(dataset), dtype=np.float64).reshape(len(dataset), -1)
            for name, feature in features.items()
        }
        inputs[key] = np.concatenate(list(blocks.values()), axis=1)
        columns[key] = tuple(
            name if block.shape[1] == 1 else f"{name}[{i}]"
            for name, block in blocks.items()
            for i in range(block.shape[1])
        )
    return tuple(
        _partition(campaign, split, inputs[split.task, split.draw], columns[split.task, split.draw])
        for split in campaign.splits
    )


def _partition(campaign: Campaign, split: Split, inputs: np.ndarray, columns: tuple[str, ...]) -> Partition:
    dataset = campaign.draws[split.task, split.draw]
    truth = dataset.truth.open_for_scoring()
    name = group_name(dataset, campaign.file.protocol)

    def side(rows: np.ndarray) -> Side:
        sources = dataset.groups.get(SOURCE)
        return Side(
            inputs[rows],
            truth[rows],
            {n: labels[rows] for n, labels in dataset.groups.items()},
            None if sources is None else sources[rows],
            columns,
        )

    rows = np.concatenate([split.train, split.test])
    return Partition(
        partition_name(split),
        side(split.train),
        side(split.test),
        () if name is None else (name,),
        None if dataset.replicates is None else dataset.replicates[rows],
        dataset.quantities,
        int((~dataset.scorable).sum()),
        split.task,
        split.draw,
    )
