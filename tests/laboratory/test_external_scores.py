"""External scores are kept beside the campaign's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from probatum.errors import CampaignFileError
from probatum.laboratory import Laboratory


def test_external_scores_stand_beside_the_campaigns_own(copy: Path):
    laboratory = Laboratory.open(copy)
    assert laboratory.calibration() is None
    for name, score in (("ridge", 0.1), ("mean", 0.5), ("ridge", 0.2)):
        laboratory.submit(name, score, "rmse")
    own = {name: laboratory.score(name).score for name in ("ridge", "mean")}
    expected = [("ridge", own["ridge"], 0.1), ("mean", own["mean"], 0.5), ("ridge", own["ridge"], 0.2)]
    assert laboratory.submitted_pairs() == ("rmse", expected)
    assert laboratory.calibration() is None  # two different internal scores fit nothing
    laboratory.submit("stiff", 0.45, "rmse")
    calibration = laboratory.calibration()
    assert calibration is not None
    assert calibration.y.tolist() == [0.1, 0.5, 0.2, 0.45]
    with pytest.raises(CampaignFileError, match="not finite"):
        laboratory.submit("ridge", float("nan"), "rmse")
