"""How experiments are judged: splits, seeds, metric, scoring, margin, baseline, held-out set. Frozen once it ran."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from probatum.errors import CampaignFileError, ProtocolFrozenError, UnknownNameError
from probatum.learning.metrics import metric
from probatum.problems.problem import Problem

FRESH_DRAWS = "fresh-draws"
SPLITS = ("leave-one-group-out", "grouped-k-fold", "repeated-k-fold", "stratified-hold-out", FRESH_DRAWS)


class Protocol(BaseModel):
    """What every experiment of a campaign is judged by.

    Attributes: see the fields' descriptions (`probatum explain protocol` prints them).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    splits: Literal[
        "leave-one-group-out", "grouped-k-fold", "repeated-k-fold", "stratified-hold-out", "fresh-draws"
    ] = Field(
        "repeated-k-fold",
        description="how cases are split into training and test; 'fresh-draws' generates new data for every repeat",
    )
    group: str | None = Field(None, description="grouping that splits keep apart; default: the problem's first")
    folds: int = Field(5, ge=2, description="folds of k-fold splits")
    repeats: int = Field(
        5, ge=1, description="repeats of k-fold and hold-out splits, each with another partition; draws of fresh-draws"
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="share of the cases in the test set of a hold-out, or of a draw"
    )
    stratify: str | None = Field(
        None,
        description="grouping whose shares hold-outs and k-folds keep; 'quantities' in k-folds: those of all labels",
    )
    seeds: int = Field(1, ge=1, le=10_000, description="trainings of each split that differ only by their seed")
    metric: str | None = Field(None, description="what is measured; default: the problem's")
    scoring: str = Field(
        "pooled", description="'pooled' (all rows weigh the same), 'macro' (all folds), or a problem's own"
    )
    margin: float = Field(0.0, ge=0, description="differences smaller than this do not matter, in the metric's unit")
    baseline: str | None = Field(None, description="experiment that the others are compared with; default: the first")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="error rate of the verdicts, over all arms together")
    held_out: float = Field(
        0.0, ge=0, lt=0.9, description="share of the groups (or rows) set aside; every look is counted"
    )
    split_seed: int = Field(0, ge=0, description="seed of random partitions")
    minimum_group_rows: int = Field(2, ge=1, description="smallest group that may be a fold of its own")

    def digest(self) -> str:
        """sha256 of the protocol."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()

    def completed(self, problem: Problem, *, where: str) -> Protocol:
        """The protocol with the problem's defaults filled in, checked against the problem.

        Raises:
            UnknownNameError: a metric or scoring that nobody knows.
            CampaignFileError: a metric that the scoring cannot sum up.
        """
        chosen = self.metric or problem.default_metric
        try:
            measure = metric(chosen)
        except UnknownNameError as error:
            raise UnknownNameError(error.what, where=where, remedy=error.remedy) from None
        if measure.recorded != problem.recorded:
            of = "imported runs alone" if measure.recorded else "what is trained here"
            remedy = "'probatum import' writes it" if problem.recorded else "choose mse, mae, r2, ..."
            raise CampaignFileError(f"metric '{chosen}' is for {of}", where=where, remedy=remedy)
        if self.scoring not in problem.scorings:
            raise UnknownNameError.of("scoring", self.scoring, problem.scorings, where=where)
        if self.splits == FRESH_DRAWS and self.held_out:
            raise CampaignFileError(
                "held_out with fresh-draws", where=where, remedy="leave it out: new draws are untouched anyway"
            )
        if not measure.additive and problem.scorings[self.scoring].weighting == "pooled":
            raise CampaignFileError(
                f"'{chosen}' is no mean over rows, so it cannot be pooled",
                where=where,
                remedy="set scoring = 'macro', or a metric that is one (mse, mae, log_loss)",
            )
        return self.model_copy(update={"metric": chosen})

    def require_same(self, frozen: dict[str, Any], *, where: str) -> None:
        """Refuses a protocol that differs from the one of the first run.

        Raises:
            ProtocolFrozenError: naming the first key that differs, with both values.
        """
        now = self.model_dump()
        for key, before in frozen.items():
            if now.get(key) != before:
                raise ProtocolFrozenError(
                    f"protocol.{key} was {before!r} at the first run and is {now.get(key)!r} now",
                    where=where,
                    remedy="put it back, or save the file under a new name to start a new campaign",
                )
