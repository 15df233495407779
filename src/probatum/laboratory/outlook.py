"""A campaign between two rounds, and what planning is told of it: tree, standings, findings, effects, principles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probatum.audit.inspection import Audit
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, RoundRecord
from probatum.evidence.scores import ArmScores
from probatum.laboratory.champion import champion_to_start_from
from probatum.laboratory.loop import Laboratory
from probatum.laboratory.results import Results
from probatum.laboratory.round_record import given_up_of
from probatum.planning.families import family_effects
from probatum.planning.knowledge import from_record
from probatum.planning.matrix import Matrix
from probatum.planning.proposal import History
from probatum.planning.space import space_of
from probatum.planning.standing import standings

MATRICES = 6
"""Best experiments whose scores are looked at group by group."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """A campaign between two rounds.

    Attributes:
        laboratory: of it, all of its file run.
        results, audit: what it shows, and what is wrong with it.
        history: as proposers see it.
        rounds: that were planned so far.
    """

    laboratory: Laboratory
    results: Results
    audit: Audit
    history: History
    rounds: tuple[RoundRecord, ...]


def outlook_of(laboratory: Laboratory, results: Results, audit: Audit) -> Outlook:
    """A campaign before its next round, with all that its ledger says of earlier ones.

    Args:
        laboratory: of the campaign.
        results, audit: what it shows, and what is wrong with it.

    Raises:
        CampaignFileError, UnknownNameError: the declared space cannot be used, or its runs were imported.
    """
    laboratory.campaign.require_trainable()
    rounds = tuple(laboratory.campaign.ledger.rounds())
    return Outlook(laboratory, results, audit, _history(laboratory, results, audit, rounds), rounds)


def _history(laboratory: Laboratory, results: Results, audit: Audit, rounds: Sequence[RoundRecord]) -> History:
    file = laboratory.campaign.file
    names = [e.name for e in file.experiments]
    arms = {a.name: a for a in results.arms if a.name in names}
    protocol = file.protocol
    standing = standings(list(arms.values()), protocol.splits)
    scored = {name: arms[name] for name in standing}
    trivial = {r.name for r in results.records} - set(names)
    floors = [value for _, value in laboratory.score_floors()]
    best = sorted(standing.values(), key=lambda s: s.score if laboratory.metric.better == "lower" else -s.score)
    records = {r.name: r for r in results.records}
    return History(
        problem=file.problem,
        experiments=file.experiments,
        standings=standing,
        better=laboratory.metric.better,
        baseline=results.baseline,
        champion=champion_to_start_from(laboratory.campaign, results, audit, rounds),
        floor=float(np.mean(floors)) if floors else None,
        margin=protocol.margin,
        round=next_number(rounds),
        verdicts=results.verdicts,
        findings=tuple(f for f in audit.findings if f.subject not in trivial),
        effects=family_effects(
            file.experiments, scored, splits=protocol.splits, margin=protocol.margin, alpha=protocol.alpha
        ),
        principles=tuple(from_record(r) for r in laboratory.campaign.ledger.principles()),
        matrices={s.name: matrix_of(laboratory, s.name, scored) for s in best[:MATRICES]},
        quantities=next(iter(laboratory.campaign.datasets.values())).quantity_names,
        space=space_of(file.path, file.space),
        seconds={name: r.seconds / r.done for name, r in records.items() if name in names and r.done},
        limit=file.run.limit,
        given_up=frozenset(digest for r in rounds for digest in given_up_of(r)),
        fixed=file.planning.fixed,
    )


def next_number(rounds: Sequence[RoundRecord]) -> int:
    """The number of the round that comes next, or that waits to be judged.

    Args:
        rounds: that were planned so far.
    """
    return sum(r.state == ROUND_JUDGED for r in rounds) + 1


def matrix_of(laboratory: Laboratory, name: str, arms: Mapping[str, ArmScores]) -> Matrix:
    """An experiment's scores, group by quantity; its tasks where no grouping is small enough to be read."""
    quantities = arms[name].quantities
    groupings = laboratory.groupings()
    cells = laboratory.by_group(name) if groupings else {}
    if not cells:
        return Matrix((("", "all"),), {}, quantities, arms[name].by_quantity[None])
    return Matrix(tuple(cells), groupings, quantities, np.array(list(cells.values())))
