"""An experiment trained again from its record, beside the campaign, and compared with what was recorded.

Nothing of the campaign is written or read but the recipe and the predictions to compare with: the fits run in a folder
of their own that is thrown away. The same code, libraries and kind of machine give the same bits.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Listener
from probatum.campaigns.executors.local_executor import LocalExecutor
from probatum.campaigns.experiment import TRIVIAL, Experiment
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import UnknownNameError

TOLERANCE = 1e-3
"""Largest root mean squared difference, in standard deviations of the recorded predictions of a quantity, that other
machines and versions are allowed: rounding grows along a training, chance between seeds is far larger."""


@dataclass(frozen=True)
class Reproduction:
    """Recorded predictions against those of the repetition.

    Attributes:
        experiment: its name.
        fits: compared.
        identical: of them, to the bit.
        difference: root mean squared, largest over quantities, in standard deviations of the recorded predictions.
        largest: absolute difference of any prediction, in the quantity's unit.
        changed: what is not as it was, as 'name: then -> now'; () where the repetition had the same conditions.
    """

    experiment: str
    fits: int
    identical: int
    difference: float
    largest: float
    changed: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the repetition gives the same: to the bit, or within `TOLERANCE` where conditions changed."""
        return self.identical == self.fits or (bool(self.changed) and self.difference <= TOLERANCE)


def reproduce(
    campaign: Campaign, experiment: str, tell: Listener = lambda _: None, *, cores: int | None = None
) -> Reproduction:
    """Trains all fits of a finished experiment again.

    Args:
        campaign: that was run.
        experiment: name.
        tell: called with every event of the repetition.
        cores: that may be used; default: all.

    Raises:
        UnknownNameError: no such experiment was run.
        IncomparableError: it is not finished, or fits of the repetition failed.
        ProtocolFrozenError: data or protocol are not those it was run on.
    """
    records = {record.name: record for record in campaign.ledger.experiments()}
    if experiment not in records:
        raise UnknownNameError.of("experiment", experiment, list(records), where=campaign.file.path.name)
    campaign.require_trainable()
    recorded = campaign.predictions(experiment)
    campaign.require_unchanged()
    then = campaign.ledger.manifest(recorded[0].key)
    again = Experiment(experiment, Recipe.model_validate(records[experiment].recipe))
    with tempfile.TemporaryDirectory(prefix="reproduction-", dir=campaign.folder) as folder:
        path = Path(folder) / campaign.file.path.name
        experiments = () if experiment.startswith(TRIVIAL) else (again,)
        copy = Campaign(replace(campaign.file, path=path, experiments=experiments, ledger=None))
        copy.folder.mkdir()
        # A recipe may name a module beside the campaign's own file.
        setup = replace(copy.setup, import_path=(str(campaign.file.path.resolve().parent),))
        executor = LocalExecutor(setup, cores or os.cpu_count() or 1, copy.folder)
        try:
            copy.run(tell, executor=executor)
        finally:
            executor.close()
        repeated = copy.predictions(experiment)
        now = copy.conditions()
        copy.ledger.close()
    return _compared(experiment, recorded, repeated, _changes(then, now))


def _compared(
    experiment: str, recorded: list[StoredPrediction], repeated: list[StoredPrediction], changed: tuple[str, ...]
) -> Reproduction:
    by_place = {(p.task, p.draw, p.split, p.seed): p for p in repeated}
    pairs = [(p.prediction, by_place[p.task, p.draw, p.split, p.seed].prediction) for p in recorded]
    identical = sum(a.tobytes() == b.tobytes() for a, b in pairs)
    before, after = (np.concatenate([pair[side] for pair in pairs]).astype(np.float64) for side in (0, 1))
    steps = after - before
    spread = before.std(axis=0)
    relative = np.sqrt((steps**2).mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Reproduction(
        experiment, len(pairs), identical, float(relative.max()), float(np.abs(steps).max(initial=0.0)), changed
    )


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between two manifests, as text; the first one also says of which fit it is."""
    old, new = _flat(then), _flat(now)
    return tuple(
        f"{name}: {_short(old.get(name))} -> {_short(new[name])}" for name in sorted(new) if old.get(name) != new[name]
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 20 else f"{text[:12]}..."
