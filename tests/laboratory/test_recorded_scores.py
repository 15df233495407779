"""The score of an experiment in the ledger is that of its predictions, or it is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from campaigns.small_campaigns import Workplace
from probatum.campaigns.verification import verify
from probatum.laboratory.loop import Laboratory
from probatum.laboratory.recorded_scores import wrong_recorded_scores

CAMPAIGN = """
[protocol]
splits = "leave-one-group-out"
[run]
cores = 1
[[experiment]]
name = "line"
features = ["a", "b"]
model.kind = "ridge"
"""


def test_a_score_that_was_made_better_in_the_ledger_is_told(tmp_path: Path):
    campaign = Workplace(tmp_path).open(CAMPAIGN)
    Laboratory(campaign).run()
    campaign.ledger.close()
    path = campaign.file.path
    assert list(wrong_recorded_scores(path)) == []
    db = sqlite3.connect(path.with_suffix(".probatum") / "ledger.sqlite")
    with db:
        changed = db.execute("UPDATE experiment SET score = score / 2 WHERE name = 'line'").rowcount
    db.close()
    assert changed == 1
    (told,) = wrong_recorded_scores(path)
    assert told.startswith("experiment 'line': its score is ")
    assert verify(path).whole  # which does not know how the protocol sums up scores
