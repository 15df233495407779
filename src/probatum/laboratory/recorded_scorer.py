"""Imported scores, compared as predictions would be: paired by fold, seeds averaged first.

Runs of another program need not all stand on the same folds. So verdicts and effects are made of those that were scored
where the baseline was; the others are no evidence, and each says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NoReturn

import numpy as np

from probatum.campaigns.ledgers.ledger import DONE
from probatum.campaigns.ledgers.recorded_ledger import RecordedScore
from probatum.campaigns.recorded_campaign import RecordedCampaign
from probatum.campaigns.splits import Split
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import CampaignFileError, IncomparableError, UnknownNameError
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.scores import ArmScores, Unit
from probatum.evidence.verdict import Verdict
from probatum.laboratory.scorer import Scorer

FRESH = "fresh-draws"


class RecordedScorer(Scorer):
    """Scores what a campaign has imported.

    Args:
        campaign: of imported runs.
    """

    def __init__(self, campaign: RecordedCampaign):
        super().__init__(campaign)
        self.runs = campaign

    @cached_property
    def group_means(self) -> dict[str, str]:
        """None: nobody here knows the cases."""
        return {}

    def score(self, name: str) -> ArmScores:
        """An experiment's imported scores.

        Args:
            name: of a finished experiment.

        Raises:
            UnknownNameError: it is not there, or none of its runs is finished.
            IncomparableError: some of its runs failed or go on; those that survive are no fair sample.
        """
        where = self.runs.file.path.name
        if name not in self.runs.scores:
            raise UnknownNameError.of("finished experiment", name, self.runs.scores, where=where)
        if missing := self._missing(name):
            states = ", ".join(sorted(set(missing)))
            raise IncomparableError(
                f"{len(missing)} of {len(self.runs.repeats[name])} repeats of '{name}' have no score ({states})",
                where=where,
                remedy="repeat them and import again; 'probatum show' says why",
            )
        return self._arm(name, self.runs.scores[name])

    def scored(
        self, name: str, predictions: Sequence[StoredPrediction], held_out: Mapping[str, int] | None = None
    ) -> ArmScores:
        """The scores of repeats that are at hand, each standing in the place of a prediction."""
        found = [RecordedScore(name, p.key, p.split_digest, p.seed, float(p.prediction[0, 0])) for p in predictions]
        return self._arm(name, found)

    def judge(self, judged: Sequence[ArmScores], baseline: ArmScores, *, splits: str | None = None) -> list[Verdict]:
        """Verdicts of arms, judged together; those that cannot be paired with the baseline are no evidence.

        Args:
            judged: arms.
            baseline: that they are compared with.
            splits: kind of the splits that they were scored on; default: the protocol's.

        Raises:
            IncomparableError: another metric, as arms of another campaign may have.
        """
        why = {arm.name: self._unpaired(arm, baseline) for arm in judged}
        paired = [arm for arm in judged if why[arm.name] is None]
        verdicts = {v.arm: v for v in super().judge(paired, baseline, splits=splits)} if paired else {}
        method = next((v.method for v in verdicts.values()), "")
        for arm in judged:
            if said := why[arm.name]:
                difference = arm.score - baseline.score
                verdicts[arm.name] = Verdict(
                    arm.name, baseline.name, arm.score, "no evidence", difference,
                    units=len(arm.units), seeds=arm.seeds, needed=said, method=method,
                )  # fmt: skip
        return [verdicts[arm.name] for arm in judged]

    def judged_pairs(self, pairs: Sequence[tuple[ArmScores, ArmScores]]) -> list[tuple[ArmScores, ArmScores]]:
        """The pairs of which both were scored on the folds of the campaign's baseline."""
        baseline = self.campaign.baseline
        if baseline not in self.runs.scores or self._missing(baseline):
            return []
        folds = _folds(self.score(baseline))
        return [pair for pair in pairs if all(_folds(arm) == folds for arm in pair)]

    def rows_by_group(self, name: str, grouping: str | None = None) -> NoReturn:
        """There are no rows.

        Raises:
            CampaignFileError: always.
        """
        raise CampaignFileError(
            "imported runs come without predictions",
            where=self.campaign.file.path.name,
            remedy="look at scores: probatum compare, probatum export table",
        )

    # ------------------------------------------------------------------ one arm

    def _missing(self, name: str) -> list[str]:
        """States of an experiment's repeats that have no score."""
        return [repeat.status for repeat in self.runs.repeats[name] if repeat.status != DONE]

    def _arm(self, name: str, scores: Sequence[RecordedScore]) -> ArmScores:
        by_split: dict[str, dict[int, float]] = {}
        for score in scores:
            by_split.setdefault(score.split, {})[score.seed] = score.score
        splits = [split for digest, split in self.runs.splits_by_digest.items() if digest in by_split]
        units = tuple(self._unit(split) for split in splits)
        seeds = {tuple(sorted(by_split[split.digest])) for split in splits}
        table = [[by_split[s.digest][seed] for seed in sorted(by_split[s.digest])] for s in splits]
        if len(seeds) > 1:  # folds with different seeds: their means stand for them
            table = [[float(np.mean(np.where(np.isfinite(row), row, np.nan)))] for row in table]
        values = np.array(table, dtype=np.float64).T[:, :, None]
        values = np.where(np.isfinite(values), values, np.nan)
        metric = self.runs.problem.metric
        return ArmScores(name, self.metric, self.scoring, (metric,), units, len(values), values, None)

    def _unit(self, split: Split) -> Unit:
        count = len(split.train) + 1
        return Unit(
            split.task, split.draw, split.name, split.digest, 1, 1, max(count - 1, 1),
            f"{split.task}/{split.draw}/{split.name}", "",
        )  # fmt: skip

    def _unpaired(self, arm: ArmScores, baseline: ArmScores) -> str | None:
        """Why two arms cannot be judged; None where they can."""
        if why := next((why for one in (arm, baseline) if (why := why_not_scored(one))), None):
            return why.partition(": choose a metric")[0]
        mine, theirs = _folds(arm), _folds(baseline)
        if mine == theirs:
            return self._alone(arm, baseline)
        if missing := [u.name for u in baseline.units if u.digest not in mine]:
            on = f"{len(mine & theirs)} of the baseline's {len(theirs)} folds"
            return f"scored on {on} (not on '{missing[0]}'): repeat it there"
        more = [u.name for u in arm.units if u.digest not in theirs]
        return f"the baseline was not scored on {len(more)} of its {len(mine)} folds ('{more[0]}', say)"

    def _alone(self, arm: ArmScores, baseline: ArmScores) -> str | None:
        """Why what was scored on one fold is no evidence; None where there are several."""
        if len({u.draw for u in arm.units} if self._fresh else arm.units) > 1:
            return None
        runs = min(len(self.runs.scores.get(one.name, ())) for one in (arm, baseline))
        if runs < 2:
            return "one run is no evidence: repeat it with other folds, or with seeds that draw their own data"
        said = "seeds on one split are no new data"
        return f"{said}: repeat it on other folds, or import with '--seeds data' where each seed drew its own"

    @property
    def _fresh(self) -> bool:
        return self.campaign.file.protocol.splits == FRESH


def _folds(arm: ArmScores) -> frozenset[str]:
    return frozenset(unit.digest for unit in arm.units)
