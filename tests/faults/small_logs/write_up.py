"""What an author writes of a campaign: a table of runs, which is audited by import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from probatum.audit.history import History
from probatum.audit.importers import read_runs
from probatum.laboratory import Laboratory
from probatum.learning.probes import TRAINING, VALIDATION

Said = Mapping[str, Mapping[str, Any]]
"""Name of a run to what its line says beside its score."""


def of_one_fit(laboratory: Laboratory, said: Said) -> History:
    """The write-up of somebody who trained each arm once, and reports the best epoch of its validation curve."""
    lines = []
    for name, more in said.items():
        curves = laboratory.campaign.predictions(name)[0].curves
        shown = {n: np.asarray(curves[n], dtype=np.float64).tolist() for n in (TRAINING, VALIDATION)}
        lines.append({"name": name, "score": min(shown[VALIDATION]), "curves": shown, **more})
    return written(laboratory, lines)


def of_all_repeats(laboratory: Laboratory, said: Said) -> History:
    """The write-up of somebody who reports the score of every split."""
    results = laboratory.results()
    return written(
        laboratory,
        [{"name": name, "score": score, **more} for name, more in said.items() for score in results.arm(name).by_unit],
    )


def written(laboratory: Laboratory, lines: list[dict[str, Any]]) -> History:
    """A table of runs beside the campaign file, read as anybody's."""
    path = Path(laboratory.campaign.file.path.parent / "write_up.jsonl")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return read_runs(path, better=laboratory.metric.better)
