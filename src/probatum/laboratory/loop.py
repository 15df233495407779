"""The loop: a round of experiments is run, scored, judged against the baseline and audited."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledgers.ledger import Confirmation
from probatum.campaigns.recorded_campaign import RecordedCampaign
from probatum.errors import IncomparableError
from probatum.evidence.calibration import Calibration
from probatum.evidence.cells import Cell
from probatum.evidence.effects import Effect, effects_of
from probatum.evidence.mutation_pairs import mutation_pairs
from probatum.evidence.noise import NoiseFloor
from probatum.evidence.row_table import RowTable
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict
from probatum.laboratory import external_scores
from probatum.laboratory.auditor import Auditor
from probatum.laboratory.champion import Champion, blocked_by, champion_of, why_no_champion
from probatum.laboratory.confirmation import confirm_champion, held_out_arm
from probatum.laboratory.recorded_scorer import RecordedScorer
from probatum.laboratory.results import Results, records_of
from probatum.laboratory.scorer import Scorer
from probatum.learning.metrics import Metric
from probatum.problems.problem import Scoring


class Laboratory:
    """A campaign, run, judged and audited.

    Args:
        campaign: opened.

    Attributes:
        scorer: scores what the campaign has stored.
        auditor: says what is wrong with it.

    Raises:
        UnknownNameError, CampaignFileError: the file tells the audit what it cannot do.
    """

    def __init__(self, campaign: Campaign):
        self.campaign = campaign
        self.scorer = RecordedScorer(campaign) if isinstance(campaign, RecordedCampaign) else Scorer(campaign)
        self.auditor = Auditor(self.scorer)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Laboratory:
        """The laboratory of a campaign file.

        Raises:
            CampaignFileError, UnknownNameError: the file cannot be used.
        """
        return cls(Campaign.open(Path(path)))

    def _repr_html_(self) -> str:
        """As a notebook shows it: its campaign."""
        return self.campaign._repr_html_()  # pyright: ignore[reportPrivateUsage]  the name is that of notebooks

    # ------------------------------------------------------------------ run and judge

    def run(self, tell: Listener = lambda _: None, *, retry_failed: bool = False) -> Results:
        """Runs what has not been run, records the scores, and judges.

        Args:
            tell: called with every event.
            retry_failed: whether fits that failed before are tried again.
        """
        self.auditor.check_ignored_subjects()
        self.campaign.run(tell, retry_failed=retry_failed)
        results = self.results()
        recorded = {r.name for r in results.records}
        for arm in results.arms:
            if arm.name in recorded:
                self.campaign.ledger.set_score(arm.name, arm.score)
        return replace(results, records=records_of(self.campaign))

    def results(self) -> Results:
        """What the recorded predictions show."""
        records = records_of(self.campaign)
        names = [*(self.group_means if records else ()), *(r.name for r in records if r.status == "done")]
        arms = {name: self.score(name) for name in names}
        baseline = self.campaign.baseline
        judged = [a for name, a in arms.items() if name != baseline and not name.startswith(TRIVIAL)]
        verdicts = self.scorer.judge(judged, arms[baseline]) if baseline in arms else []
        return Results(records, tuple(arms.values()), tuple(verdicts), baseline, self.floors())

    def compare(self, names: Sequence[str], baseline: str | None = None) -> list[Verdict]:
        """Judges some experiments against a baseline, trivial arms included if named.

        Args:
            names: experiments of this campaign, or 'other.toml:NAME' of another.
            baseline: default: the protocol's.

        Raises:
            UnknownNameError, IncomparableError.
        """
        chosen = baseline or self.campaign.baseline
        arms = [self._arm_of(name) for name in dict.fromkeys(names) if name != chosen]
        if not arms:
            raise IncomparableError(f"nothing to compare with '{chosen}'", remedy="name another experiment")
        return self.scorer.judge(arms, self._arm_of(chosen))

    def effects(self, results: Results) -> list[Effect]:
        """What every mutation of the tree does: what worked, what failed, what is undecided.

        Args:
            results: of this campaign.
        """
        protocol = self.campaign.file.protocol
        arms = {a.name: a for a in results.arms}
        pairs = {
            mutation: self.scorer.judged_pairs([(arms[parent], arms[child]) for parent, child in names])
            for mutation, names in mutation_pairs(results.records).items()
        }
        return effects_of(pairs, splits=protocol.splits, margin=protocol.margin, alpha=protocol.alpha)

    def _arm_of(self, name: str) -> ArmScores:
        file, _, experiment = name.rpartition(":")
        if file.endswith(".toml"):
            return Laboratory.open(file).score(experiment)
        return self.score(name)

    # ------------------------------------------------------------------ scores

    @property
    def metric(self) -> Metric:
        """The protocol's."""
        return self.scorer.metric

    @property
    def scoring(self) -> Scoring:
        """The protocol's, of those that the problem has."""
        return self.scorer.scoring

    @property
    def group_means(self) -> dict[str, str]:
        """Name of a trivial arm to the grouping whose means it predicts; see `Scorer.group_means`."""
        return self.scorer.group_means

    def score(self, name: str) -> ArmScores:
        """An experiment's scores under the campaign's protocol."""
        return self.scorer.score(name)

    def by_group(self, name: str, grouping: str | None = None) -> dict[tuple[str, str], np.ndarray]:
        """(task, group) to the metric for each quantity, by one grouping or by those of `groupings`."""
        return self.scorer.by_group(name, grouping)

    def by_cell(self, name: str, baseline: str, grouping: str | None = None) -> list[Cell]:
        """Two arms' difference in every group and quantity, with exploratory intervals."""
        return self.scorer.by_cell(name, baseline, grouping)

    def rows_by_group(self, name: str, grouping: str | None = None) -> dict[tuple[str, str, int], RowTable]:
        """(task, group, draw) to truth and predictions of its rows; see `Scorer.rows_by_group`."""
        return self.scorer.rows_by_group(name, grouping)

    def groupings(self) -> dict[str, str]:
        """Task to the grouping that tables show."""
        return self.scorer.groupings()

    def floors(self) -> tuple[NoiseFloor, ...]:
        """The noise floor of each task that has repeated measurements; needs no run."""
        return self.scorer.floors()

    def score_floors(self) -> list[tuple[str, float]]:
        """(task, least score) that repeated measurements allow, for metrics of squared errors."""
        return self.scorer.score_floors()

    # ------------------------------------------------------------------ the audit and the champion

    def audit(
        self,
        results: Results,
        *,
        only: Sequence[str] | None = None,
        codes: Sequence[str] | None = None,
        target: float | None = None,
        retrain: bool = False,
    ) -> Audit:
        """What is wrong with the campaign; see `Auditor.audit`, which looks only at what changed.

        Args:
            results: of this campaign.
            only: experiments to look at; default: all.
            codes: checks to be made; default: all.
            target: the external score that is wanted; default: the file's.
            retrain: whether one fit of each of them is trained again, once as it was and once with poisoned targets.

        Raises:
            UnknownNameError: an experiment or a code that does not exist.
        """
        return self.auditor.audit(results, only=only, codes=codes, target=target, retrain=retrain)

    def champion(self, results: Results) -> Champion | None:
        """What judged rounds promoted, or else the best that is better than the baseline; without errors; if any.

        Args:
            results: of this campaign.
        """
        return champion_of(self.campaign, results, self.auditor.of_champions(results))

    def why_no_champion(self, results: Results) -> tuple[str, str]:
        """What stands against there being one, and what to do.

        Args:
            results: of this campaign.
        """
        return why_no_champion(self.campaign, results, self.auditor.of_champions(results))

    def blocked(self, results: Results) -> dict[str, tuple[Finding, ...]]:
        """Experiments that are better than the baseline and cannot be champion, to the errors against each.

        Args:
            results: of this campaign.
        """
        return blocked_by(results, self.auditor.of_champions(results))

    def confirm(self, tell: Listener = lambda _: None) -> tuple[Confirmation, bool]:
        """Confirms the champion against the baseline, once; see `probatum.laboratory.confirmation`.

        Args:
            tell: called with every event.

        Returns:
            The confirmation, and whether it was made now: a second call returns the first one's result, also where
            what it confirmed is champion no more and nothing else is.

        Raises:
            IncomparableError: no champion, or the held-out set has confirmed another one.
        """
        self.campaign.require_trainable()
        results = self.results()
        champion = self.champion(results)
        if champion is None:
            known = [c for c in self.campaign.ledger.confirmations() if c.baseline == self.campaign.baseline]
            if known:
                return known[-1], False
            what, remedy = self.why_no_champion(results)
            where = self.campaign.file.path.name
            raise IncomparableError(f"no champion to confirm: {what}", where=where, remedy=remedy)
        return confirm_champion(self.scorer, champion, tell)

    def score_held_out(self, name: str, tell: Listener = lambda _: None) -> float:
        """The score on the held-out cases; the look is counted in the ledger."""
        self.campaign.require_trainable()
        score = held_out_arm(self.scorer, name, tell).score
        self.campaign.ledger.count_held_out(name, score)
        return score

    # ------------------------------------------------------------------ external scores

    def submit(self, experiment: str, score: float, measure: str) -> None:
        """Records the score that somebody else gave an experiment; see `probatum.laboratory.external_scores`."""
        external_scores.submit(self.campaign, experiment, score, measure)

    def submitted_pairs(self, measure: str | None = None) -> tuple[str, list[external_scores.Pair]]:
        """The metric, and (experiment, internal score, external score) of each submission.

        Args:
            measure: metric of the external scores; needed where several were recorded.

        Raises:
            CampaignFileError: there are none, or of several metrics.
        """
        return external_scores.submitted_pairs(self.scorer, measure)

    def calibration(self) -> Calibration | None:
        """The external scores against the campaign's own; None where they are too few, or of many metrics."""
        return external_scores.calibration(self.scorer)
