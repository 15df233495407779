"""What is known of scores without comparing them."""

from __future__ import annotations

from pathlib import Path

import pytest

from probatum.evidence.noise import NoiseFloor
from probatum.laboratory import Laboratory
from probatum.laboratory.scorer import Scorer
from probatum.learning.metrics import metric


def test_noise_floors_are_in_the_metrics_unit(path: Path, monkeypatch: pytest.MonkeyPatch):
    scorer = Laboratory.open(path).scorer
    floor = NoiseFloor("table", 0.04, {"yield": 0.04}, 3, 4)
    monkeypatch.setattr(Scorer, "floors", lambda _: (floor,))
    assert scorer.score_floors() == []  # a mean absolute error has none that is known
    for measure, least in (("mse", 0.04), ("rmse", 0.2)):
        monkeypatch.setattr(Scorer, "metric", metric(measure))
        assert scorer.score_floors() == [("table", pytest.approx(least))]
