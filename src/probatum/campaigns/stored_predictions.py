"""What finished fits have left: their predictions, and their trained weights where these were kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from probatum.campaigns.artifact_arrays import (
    Arrays,
    stored_curves,
    stored_prediction,
    stored_spread,
    stored_unread,
    weights_artifact,
)
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.ledgers.ledger import DONE, SCORED, FitRecord, Ledger
from probatum.errors import IncomparableError, UnknownNameError


@dataclass(frozen=True, eq=False)
class StoredPrediction:
    """One finished fit's predictions.

    Attributes:
        task, draw, split, split_digest, seed: of the fit.
        rows: [row] indices into the dataset.
        prediction: [row, quantity] float64.
        curves: name to [epoch] float32, NaN after the training stopped; {} where the learner has none.
        spread: [row, quantity] float64 predictive standard deviations; None where the learner has none.
        unread: parameters that the estimator did not look at.
        key: of the fit.
    """

    task: str
    draw: int
    split: str
    split_digest: str
    seed: int
    rows: np.ndarray
    prediction: np.ndarray
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    spread: np.ndarray | None = None
    unread: tuple[str, ...] = ()
    key: str = ""


def read_predictions(ledger: Ledger, store: ArtifactStore, experiment: str, *, where: str) -> list[StoredPrediction]:
    """Out-of-fold predictions of an experiment's finished fits.

    Args:
        ledger: that names them.
        store: that holds them.
        experiment: name.
        where: what an error message names as the place.

    Raises:
        UnknownNameError: no such experiment was run.
        IncomparableError: some of its fits are not finished.
    """
    records = ledger.fits(experiment, SCORED)
    if not records:
        raise UnknownNameError.of("experiment", experiment, [e.name for e in ledger.experiments()])
    missing = [r for r in records if r.status != DONE]
    if missing:
        states = ", ".join(sorted({r.status for r in missing}))
        raise IncomparableError(
            f"{len(missing)} of {len(records)} fits of '{experiment}' have no result ({states})",
            where=where,
            remedy="run the campaign to its end; 'probatum show' prints why fits failed",
        )
    read: dict[str, Arrays] = {}
    found = []
    for r in records:
        assert r.artifact is not None
        if r.artifact not in read:
            read[r.artifact] = store.read_arrays(r.artifact)
        found.append(_stored(r, read[r.artifact]))
    return found


def read_weights(ledger: Ledger, store: ArtifactStore, key: str) -> dict[str, np.ndarray]:
    """The trained weights of a fit, as its learner names them; {} where none were kept (`run.keep_weights`).

    Raises:
        UnknownNameError: the fit is not finished.
    """
    record = ledger.fit_states([key]).get(key)
    if record is None or record.artifact is None:
        raise UnknownNameError(f"fit '{key[:12]}' has no result", remedy="run the campaign to its end")
    kept = weights_artifact(store.read_arrays(record.artifact))
    tensors = {} if kept is None else store.read_tensors(kept)
    return {name.partition("/")[2]: a for name, a in tensors.items() if name.startswith(f"{key}/")}


def _stored(record: FitRecord, arrays: Arrays) -> StoredPrediction:
    assert record.position is not None
    rows, prediction = stored_prediction(arrays, record.position)
    return StoredPrediction(
        record.task,
        record.draw,
        record.split_name,
        record.split,
        record.seed,
        rows,
        prediction,
        stored_curves(arrays, record.position),
        stored_spread(arrays, record.position),
        stored_unread(arrays),
        record.key,
    )
