"""Scores that somebody else gave experiments, beside the campaign's own."""

from __future__ import annotations

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.experiment import PROBES
from probatum.campaigns.ledgers.files import open_ledger
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.evidence.calibration import LEAST, Calibration, calibrate
from probatum.laboratory.scorer import Scorer
from probatum.learning.metrics import metric

Pair = tuple[str, float, float]
"""(experiment, internal score, external score)."""


def submit(campaign: Campaign, experiment: str, score: float, measure: str) -> None:
    """Records the score that somebody else gave an experiment.

    Args:
        campaign: opened.
        experiment: finished.
        score: external.
        measure: its metric's name.

    Raises:
        UnknownNameError: an experiment or metric that nobody knows.
        CampaignFileError: a score that is not finite, or an experiment that is not finished.
    """
    where = campaign.file.path.name
    if not np.isfinite(score):
        raise CampaignFileError(f"score {score} is not finite", where=where, remedy="give the number you were told")
    name = metric(measure, where=where).name
    ledger = open_ledger(campaign.file.path, read_only=False)
    try:
        records = {r.name: r for r in ledger.experiments() if not r.name.startswith(PROBES)}
        if experiment not in records:
            raise UnknownNameError.of("experiment", experiment, records, where=where)
        if records[experiment].status != "done":
            what = f"experiment '{experiment}' is not finished, so it has no score of its own to set beside"
            raise CampaignFileError(what, where=where, remedy=f"probatum run {where}")
        ledger.submit(experiment, name, float(score))
    finally:
        ledger.close()


def submitted_pairs(scorer: Scorer, measure: str | None = None) -> tuple[str, list[Pair]]:
    """The recorded external scores beside the campaign's own.

    Args:
        scorer: of the campaign.
        measure: metric of the external scores; needed where several were recorded.

    Returns:
        the metric, and (experiment, internal score, external score) of each submission.

    Raises:
        CampaignFileError: there are none, or of several metrics.
    """
    where = scorer.campaign.file.path.name
    submissions = scorer.campaign.ledger.submissions()
    if not submissions:
        remedy = "record some: probatum submit EXPERIMENT --score S --metric M, or give --pairs FILE.csv"
        raise CampaignFileError("no submissions yet", where=where, remedy=remedy)
    known = sorted({s.metric for s in submissions})
    if measure is None and len(known) > 1:
        what = f"submissions in {len(known)} metrics ({', '.join(known)})"
        raise CampaignFileError(what, where=where, remedy="choose one: --metric M")
    chosen = measure or known[0]
    if chosen not in known:
        raise UnknownNameError.of("metric of the submissions", chosen, known, where=where)
    internal = {s.experiment: scorer.score(s.experiment).score for s in submissions}
    return chosen, [(s.experiment, internal[s.experiment], s.score) for s in submissions if s.metric == chosen]


def pairs_of_one_metric(scorer: Scorer) -> list[Pair]:
    """All submissions where they are of one metric; [] where there are none, or of several."""
    if len({s.metric for s in scorer.campaign.ledger.submissions()}) != 1:
        return []
    return submitted_pairs(scorer)[1]


def calibration(scorer: Scorer) -> Calibration | None:
    """The external scores against the campaign's own; None where they are too few, or of many metrics."""
    pairs = pairs_of_one_metric(scorer)
    if len({x for _, x, _ in pairs}) < LEAST:
        return None
    return calibrate([x for _, x, _ in pairs], [y for _, _, y in pairs])
