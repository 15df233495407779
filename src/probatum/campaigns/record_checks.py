"""Whether the rows of a ledger agree with one another, with the artifacts that they name, and with the data.

Much of what a row says stands somewhere else too, or follows from what cannot change unnoticed: digests from recipes
and from the rows of splits, counters from fits, scores from predictions and truth. Whoever changes all of that together
is not found here; `reproduction` trains again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import groupby

import numpy as np

from probatum.campaigns.artifact_arrays import stored_prediction, stored_rows
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.execution import fit_scores
from probatum.campaigns.ledgers.ledger import (
    DONE,
    FAILED,
    PLANNED,
    SCORED,
    TIMED_OUT,
    CampaignRecord,
    ExperimentRecord,
    FitRecord,
    Ledger,
)
from probatum.campaigns.manifest import data_label
from probatum.campaigns.splits import Split
from probatum.errors import StorageError, UnknownNameError
from probatum.learning.metrics import metric
from probatum.problems.problem import Problem

NO_PLACE = (KeyError, IndexError, TypeError, ValueError)
"""What a place raises that a row names and its artifact does not have."""
ROUNDING = 1e-9
"""Relative difference of scores that another machine may find, which sums up in another order."""

Fits = Mapping[str, Sequence[FitRecord]]
"""Experiment to its fits."""


def wrong_experiments(before: Sequence[ExperimentRecord], fits: Fits, ledger: Ledger) -> Iterator[str]:
    """Recipes that are not those of their digests, and counters that are not those of the fits.

    Args:
        before: all experiments, read before their fits. A campaign that runs meanwhile changes counters and fits
            together: counters are compared only where they have not changed since.
        fits: of all of them.
        ledger: to be read again.
    """
    after = {record.name: record for record in ledger.experiments()}
    for record in before:
        if hashlib.sha256(json.dumps(record.recipe, sort_keys=True).encode()).hexdigest() != record.digest:
            yield f"experiment '{record.name}': its recipe is not the one that its digest names"
        if after.get(record.name) == record:
            yield from _wrong_counters(record, fits[record.name])


def _wrong_counters(record: ExperimentRecord, fits: Sequence[FitRecord]) -> Iterator[str]:
    states = [fit.status for fit in fits]
    counted = {"fits": len(fits), "done": states.count(DONE), "failed": states.count(FAILED) + states.count(TIMED_OUT)}
    for name, count in counted.items():
        if getattr(record, name) != count:
            yield f"experiment '{record.name}': {getattr(record, name)} {name} by its own row, {count} by those of fits"
    seconds = math.fsum(fit.seconds or 0.0 for fit in fits)
    if not math.isclose(record.seconds, seconds, rel_tol=1e-6, abs_tol=1e-6):
        yield f"experiment '{record.name}': {record.seconds:g} seconds by its own row, {seconds:g} by those of fits"


class FitChecks:
    """Checks what the ledger says of fits that were trained here, and of their splits.

    Args:
        ledger: that says it.
        store: of the artifacts. What cannot be read there is told elsewhere.
        frozen: what the campaign froze at its first run.
        fits: experiment to its fits.
    """

    def __init__(self, ledger: Ledger, store: ArtifactStore, frozen: CampaignRecord, fits: Fits):
        self.ledger, self.frozen, self.fits = ledger, frozen, fits
        self._store = store
        self._arrays = lru_cache(maxsize=8)(self._read)

    def rows(self) -> Iterator[str]:
        """What rows of fits and splits say that other rows or their artifacts deny; no data is needed."""
        for name, fits in self.fits.items():
            if not _every_split_has_every_seed([fit for fit in fits if fit.role == SCORED]):
                yield f"experiment '{name}': its splits were not all trained with the same seeds, each once"
        every = self._in_order()
        splits = {digest: self._split(digest) for digest in sorted({fit.split for fit in every})}
        for digest, split in splits.items():
            if isinstance(split, str):
                yield f"split {digest[:12]}: {split}"
        for fit in every:
            split = splits[fit.split]
            wrong = _wrong_status(fit) or self._wrong_predictions(fit, split if isinstance(split, Split) else None)
            if wrong:
                yield f"fit {fit.key[:12]}: {wrong}"

    def scores(self, problem: Problem) -> Iterator[str]:
        """Scores that are not those of the stored predictions, or data that are not those of the first run.

        Args:
            problem: that has the truth.

        Raises:
            ProbatumError: the data cannot be read.
        """
        measure = metric(str(self.frozen.protocol["metric"]))
        recorded: dict[str, dict[str, float]] = {}
        for name in self.fits:
            for key, quantity, value in self.ledger.scores(name):
                recorded.setdefault(key, {})[quantity] = value
        done = [fit for fit in self._in_order() if fit.status == DONE]
        for (task, draw), fits in groupby(done, lambda fit: (fit.task, fit.draw)):
            dataset = problem.dataset(task, draw)
            if self.frozen.data.get(data_label(task, draw)) != dataset.digest:
                yield f"data of '{data_label(task, draw)}': they are not those of the first run"
                continue
            for fit in fits:
                stored = self._prediction(fit)
                found = {} if stored is None else fit_scores(measure, dataset, *stored)
                yield from _wrong_scores(fit, recorded.get(fit.key, {}), found)

    def _in_order(self) -> list[FitRecord]:
        """Every fit once, so that no dataset and few artifacts are read twice."""
        every = {fit.key: fit for fits in self.fits.values() for fit in fits}
        return sorted(every.values(), key=lambda fit: (fit.task, fit.draw, fit.artifact or "", fit.key))

    def _wrong_predictions(self, fit: FitRecord, split: Split | None) -> str | None:
        """What is wrong with a fit's predictions; None where nothing is, or where they cannot be read."""
        if fit.artifact is None or self._arrays(fit.artifact) is None:
            return None
        stored = self._prediction(fit)
        if stored is None:
            return "its artifact holds no predictions in the place that its row names"
        if split is not None and not np.array_equal(stored[0], split.test):
            return "its predictions are of other cases than its split's"
        return None

    def _prediction(self, fit: FitRecord) -> tuple[np.ndarray, np.ndarray] | None:
        """Cases and predictions that a fit's row names; None where there are none."""
        arrays = None if fit.artifact is None else self._arrays(fit.artifact)
        if arrays is None:
            return None
        with suppress(*NO_PLACE):
            if int(fit.position or 0) >= 0:
                return stored_prediction(arrays, int(fit.position or 0))
        return None

    def _split(self, digest: str) -> Split | str | None:
        """The split that a digest names; what is wrong with it; None where its artifact cannot be read."""
        try:
            record = self.ledger.split(digest)
        except UnknownNameError:
            return "its row is gone"
        arrays = self._arrays(record.artifact)
        if arrays is None:
            return None
        try:
            train, test = stored_rows(arrays, int(record.position))
        except NO_PLACE:
            return "its artifact holds no cases in the place that its row names"
        data = self.frozen.data.get(data_label(record.task, record.draw), "")
        split = Split(record.task, record.draw, record.name, train, test, data)
        if split.digest != digest:
            return "its cases, or the data, are not those that its digest names"
        if (len(train), len(test)) != (record.train_rows, record.test_rows):
            return "it has another number of cases than its row says"
        return split

    def _read(self, artifact: str) -> dict[str, np.ndarray] | None:
        try:
            return self._store.read_arrays(artifact)
        except (StorageError, ValueError):
            return None


def _every_split_has_every_seed(fits: Sequence[FitRecord]) -> bool:
    seeds: dict[str, list[int]] = {}
    for fit in fits:
        seeds.setdefault(fit.split, []).append(fit.seed)
    return len({tuple(sorted(own)) for own in seeds.values()}) <= 1 and all(
        len(set(own)) == len(own) for own in seeds.values()
    )


def _wrong_status(fit: FitRecord) -> str | None:
    if fit.status not in (PLANNED, DONE, FAILED, TIMED_OUT):
        return f"'{fit.status}' is no state of a fit"
    if fit.status == DONE and fit.artifact is None:
        return "it is said to be done, and names no predictions"
    if fit.status != DONE and fit.artifact is not None:
        return f"it is said to be {fit.status}, and names predictions"
    return None


def _wrong_scores(fit: FitRecord, recorded: Mapping[str, float], found: Mapping[str, float]) -> Iterator[str]:
    for quantity, score in found.items():
        if quantity not in recorded:
            yield f"fit {fit.key[:12]}: its score of {quantity} is gone"
        elif not same_score(recorded[quantity], score):
            said = f"its score of {quantity} is {recorded[quantity]:.6g} by its row"
            yield f"fit {fit.key[:12]}: {said}, {score:.6g} by its predictions"


def same_score(one: float, other: float) -> bool:
    """Whether two scores are the same but for rounding; NaN is NaN."""
    return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=1e-15) or (math.isnan(one) and math.isnan(other))
