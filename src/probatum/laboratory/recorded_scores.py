"""Whether the scores that a ledger holds of experiments are those of their stored predictions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.record_checks import same_score
from probatum.laboratory.results import records_of
from probatum.laboratory.scorer import Scorer


def wrong_recorded_scores(path: Path) -> Iterator[str]:
    """What `verify` says of scores of experiments, which the protocol sums up from all their fits.

    Args:
        path: of a campaign file whose fits and artifacts are whole. No code that its recipes name is loaded.
    """
    campaign = Campaign(read_campaign_file(path, experiments=False))
    scorer = Scorer(campaign)
    try:
        for record in records_of(campaign):
            if record.score is not None and record.status == "done":
                score = scorer.score(record.name).score
                if not same_score(record.score, score):
                    said = f"its score is {record.score:.6g} by its row"
                    yield f"experiment '{record.name}': {said}, {score:.6g} by its predictions"
    finally:
        campaign.ledger.close()
