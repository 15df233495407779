"""The loop: a round of experiments is run, scored and judged against the baseline."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from probatum.audit.campaign_history import campaign_history
from probatum.audit.finding import Finding
from probatum.audit.history import History
from probatum.audit.inspection import Audit, check_ignored, inspect
from probatum.audit.retraining import retrained
from probatum.campaigns.campaign import Campaign, StoredPrediction
from probatum.campaigns.campaign_file import CampaignFile
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import FRESH, HELD_OUT, TRIVIAL
from probatum.campaigns.fresh_seeds import FreshSeeds
from probatum.campaigns.ledger import FRESH_SEEDS, HELD_OUT_SET, Confirmation, ExperimentRecord, HeldOutAccess
from probatum.campaigns.ledger_files import open_ledger
from probatum.campaigns.splits import group_name, held_out_rows
from probatum.errors import CampaignFileError, IncomparableError, UnknownNameError
from probatum.evidence.calibration import LEAST, Calibration, calibrate
from probatum.evidence.cells import Cell, cell_differences
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.comparison import compare
from probatum.evidence.effects import Effect, effects_of, mutation_pairs
from probatum.evidence.group_mean import coarser_groupings, group_means
from probatum.evidence.noise import NoiseFloor, noise_floor
from probatum.evidence.scores import ArmScores, arm_scores, group_scores
from probatum.evidence.selection import Optimism, expected_optimism
from probatum.evidence.verdict import Verdict
from probatum.learning.metrics import Metric, metric
from probatum.problems.problem import Scoring

MOST_GROUPS_SHOWN = 60


@dataclass(frozen=True, eq=False)
class Results:
    """What a campaign shows so far.

    Attributes:
        records: all experiments, as the ledger knows them.
        arms: scores of the finished ones, in the order of the records.
        verdicts: of the finished ones but the baseline and the trivial arms, judged together.
        baseline: name of the experiment that they are compared with.
        floors: noise floor of each task that has repeated measurements.
    """

    records: tuple[ExperimentRecord, ...]
    arms: tuple[ArmScores, ...]
    verdicts: tuple[Verdict, ...]
    baseline: str
    floors: tuple[NoiseFloor, ...]

    @property
    def best(self) -> ArmScores | None:
        """The arm with the best score, trivial ones left out; the best of many is better by chance alone."""
        arms = self.tried
        if not arms:
            return None
        lower = arms[0].metric.better == "lower"
        return min(arms, key=lambda a: a.score if lower else -a.score)

    @property
    def tried(self) -> list[ArmScores]:
        """The arms that a champion is chosen from: those with a score, trivial ones left out."""
        return [a for a in self.arms if not a.name.startswith(TRIVIAL) and not why_not_scored(a)]

    def arm(self, name: str) -> ArmScores:
        """The scores of one experiment.

        Raises:
            UnknownNameError: it is not finished or does not exist.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise UnknownNameError.of("finished experiment", name, [a.name for a in self.arms])


@dataclass(frozen=True)
class Champion:
    """The best experiment that survived its verdict.

    Attributes:
        name: of the experiment.
        verdict: its own, against the baseline.
        optimism: how much the best of all is expected to look better than it is.
        looks: at the held-out set, by any experiment.
        confirmations: of this champion.
    """

    name: str
    verdict: Verdict
    optimism: Optimism
    looks: tuple[HeldOutAccess, ...]
    confirmations: tuple[Confirmation, ...]


class Laboratory:
    """A campaign, run and judged.

    Args:
        campaign: opened.
    """

    def __init__(self, campaign: Campaign):
        _check_audit_settings(campaign.file)
        self.campaign = campaign
        self._audits: WeakKeyDictionary[Results, Audit] = WeakKeyDictionary()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Laboratory:
        """The laboratory of a campaign file.

        Raises:
            CampaignFileError, UnknownNameError: the file cannot be used.
        """
        return cls(Campaign.open(Path(path)))

    @property
    def metric(self) -> Metric:
        return metric(str(self.campaign.file.protocol.metric))

    @property
    def scoring(self) -> Scoring:
        return self.campaign.file.problem.scorings[self.campaign.file.protocol.scoring]

    def run(self, tell: Listener = lambda _: None, *, retry_failed: bool = False) -> Results:
        """Runs what has not been run, records the scores, and judges.

        Args:
            tell: called with every event.
            retry_failed: whether fits that failed before are tried again.
        """
        self.campaign.run(tell, retry_failed=retry_failed)
        results = self.results()
        recorded = {r.name for r in results.records}
        for arm in results.arms:
            if arm.name in recorded:
                self.campaign.ledger.set_score(arm.name, arm.score)
        return replace(results, records=self._records())

    def results(self) -> Results:
        """What the recorded predictions show."""
        records = self._records()
        names = [*(self.group_means if records else ()), *(r.name for r in records if r.status == "done")]
        arms = tuple(self.score(name) for name in names)
        baseline = self.campaign.baseline
        judged = [a for a in arms if a.name != baseline and not a.name.startswith(TRIVIAL)]
        verdicts = self._judge(judged, arms, baseline) if any(a.name == baseline for a in arms) else []
        return Results(records, arms, tuple(verdicts), baseline, self.floors())

    def floors(self) -> tuple[NoiseFloor, ...]:
        """The noise floor of each task that has repeated measurements; needs no run."""
        return tuple(f for d in self.campaign.datasets.values() if (f := noise_floor(d)))

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
        return self._judge(arms, [*arms, self._arm_of(chosen)], chosen)

    def score(self, name: str) -> ArmScores:
        """An experiment's scores under the campaign's protocol."""
        return self._scored(name, self._predictions(name))

    def by_group(self, name: str) -> dict[tuple[str, str], np.ndarray]:
        """(task, group) to the metric for each quantity, by the groupings of `groupings`."""
        groupings = self.groupings()
        predictions = [p for p in self._predictions(name) if p.task in groupings]
        return group_scores(predictions, self.campaign.draws, self.metric, groupings)

    def by_cell(self, name: str, baseline: str) -> list[Cell]:
        """Two arms' difference in every group and quantity, with exploratory intervals."""
        mine, theirs = self._predictions(name), self._predictions(baseline)
        level = 1 - self.campaign.file.protocol.alpha
        return cell_differences(mine, theirs, self.campaign.draws, self.metric, self.groupings(), level)

    def groupings(self) -> dict[str, str]:
        """Task to the grouping that tables show: the protocol's, or the first with few enough groups to be read."""
        chosen = {}
        for task, dataset in self.campaign.datasets.items():
            own = group_name(dataset, self.campaign.file.protocol)
            names: list[str] = [own, *dataset.groups] if own else list(dataset.groups)
            few = (n for n in names if len(np.unique(dataset.groups[n])) <= MOST_GROUPS_SHOWN)
            if name := next(few, None):
                chosen[task] = name
        return chosen

    def effects(self, results: Results) -> list[Effect]:
        """What every mutation of the tree does: what worked, what failed, what is undecided.

        Args:
            results: of this campaign.
        """
        protocol = self.campaign.file.protocol
        arms = {a.name: a for a in results.arms}
        pairs = {
            mutation: [(arms[parent], arms[child]) for parent, child in names]
            for mutation, names in mutation_pairs(results.records).items()
        }
        return effects_of(pairs, splits=protocol.splits, margin=protocol.margin, alpha=protocol.alpha)

    @cached_property
    def group_means(self) -> dict[str, str]:
        """Name of a trivial arm to the grouping whose means it predicts; {} where splits keep all groupings apart.

        They train nothing, so they are made when they are looked at, and no ledger holds them.
        """
        datasets, protocol = self.campaign.datasets, self.campaign.file.protocol
        apart = {name for d in datasets.values() if (name := group_name(d, protocol))}
        return {
            f"{TRIVIAL} mean of {n}": n for n in coarser_groupings(self.campaign.draws, self.campaign.splits, apart)
        }

    # ------------------------------------------------------------------ the audit

    def audit(
        self,
        results: Results,
        *,
        only: Sequence[str] | None = None,
        codes: Sequence[str] | None = None,
        target: float | None = None,
        retrain: bool = False,
    ) -> Audit:
        """What is wrong with the campaign; what its file ignores is marked with the reason.

        Args:
            results: of this campaign.
            only: experiments to look at; default: all.
            codes: checks to be made; default: all.
            target: the external score that is wanted; default: the file's.
            retrain: whether one fit of each of them is trained again, once as it was and once with poisoned targets.

        Raises:
            UnknownNameError: an experiment or a code that does not exist.
        """
        history = self._history(results, target)
        for name in only or ():
            if history.run(name) is None:
                known = [run.name for run in history.runs]
                raise UnknownNameError.of("experiment", name, known, where=self.campaign.file.path.name)
        if retrain:
            again = retrained(self.campaign, [r for r in history.runs if only is None or r.name in only])
            history = replace(history, runs=tuple({r.name: r for r in (*history.runs, *again)}.values()))
        champion = self._champion(results, self._inspected(history) if retrain else self._audited(results))
        if champion is not None:
            confirmed = any(c.result["outcome"] == "better" for c in champion.confirmations)
            history = replace(history, chosen=champion.name, confirmed=confirmed)
        return self._inspected(history, only, codes)

    def _history(self, results: Results, target: float | None = None) -> History:
        settings = self.campaign.file.audit
        return campaign_history(
            self.campaign,
            results.arms,
            results.verdicts,
            floors=results.floors,
            external=self._external_pairs(),
            target=settings.target if target is None else target,
        )

    def _inspected(
        self, history: History, only: Sequence[str] | None = None, codes: Sequence[str] | None = None
    ) -> Audit:
        file = self.campaign.file
        known = {e.name for e in (*file.experiments, *history.runs, *history.partitions)}
        for key in file.audit.ignore:
            _, separate, subject = key.partition(" ")
            if separate and subject not in known:
                raise UnknownNameError.of("experiment", subject, known, where=f"{file.path.name} [audit]")
        return inspect(history, only=only, codes=codes, ignore=file.audit.ignore)

    def _external_pairs(self) -> list[tuple[float, float]]:
        if len({s.metric for s in self.campaign.ledger.submissions()}) != 1:
            return []
        return [(internal, external) for _, internal, external in self.submitted_pairs()[1]]

    # ------------------------------------------------------------------ the champion

    def champion(self, results: Results) -> Champion | None:
        """The best of the experiments that are better than the baseline and that no error stands against, if any.

        Args:
            results: of this campaign.
        """
        return self._champion(results, self._audited(results))

    def blocked(self, results: Results) -> dict[str, tuple[Finding, ...]]:
        """Experiments that are better than the baseline and cannot be champion, to the errors against each.

        An error about a split or about the data stands against all of them.

        Args:
            results: of this campaign.
        """
        return self._blocked(results, self._audited(results))

    def _audited(self, results: Results) -> Audit:
        """The audit that a champion is chosen by."""
        if not any(v.outcome == "better" for v in results.verdicts):
            return Audit(self.campaign.file.path.name, (), ())  # nobody to stand against
        if results not in self._audits:
            self._audits[results] = self._inspected(self._history(results))
        return self._audits[results]

    def _blocked(self, results: Results, audit: Audit) -> dict[str, tuple[Finding, ...]]:
        names = {r.name for r in results.records}
        of_the_data = tuple(f for f in audit.errors if f.subject is not None and f.subject not in names)
        against = {v.arm: (*audit.against(v.arm), *of_the_data) for v in results.verdicts if v.outcome == "better"}
        return {name: errors for name, errors in against.items() if errors}

    def _champion(self, results: Results, audit: Audit) -> Champion | None:
        blocked = self._blocked(results, audit)
        better = {v.arm: v for v in results.verdicts if v.outcome == "better" and v.arm not in blocked}
        if not better:
            return None
        sign = 1 if self.metric.better == "lower" else -1
        name = min(better, key=lambda n: sign * results.arm(n).score)
        candidates = [a for a in results.tried if a.name != results.baseline]
        protocol = self.campaign.file.protocol
        optimism = expected_optimism(candidates, protocol.splits, alpha=protocol.alpha)
        ledger = self.campaign.ledger
        confirmations = tuple(c for c in ledger.confirmations() if c.experiment == name)
        return Champion(name, better[name], optimism, tuple(ledger.held_out_accesses()), confirmations)

    def _why_no_champion(self, results: Results) -> tuple[str, str]:
        """What stands against it, and what to do."""
        blocked = self.blocked(results)
        if not blocked:
            remedy = "'probatum compare --all' shows what would decide"
            return f"no experiment is better than '{self.campaign.baseline}'", remedy
        name, errors = next(iter(blocked.items()))
        codes = ", ".join(sorted({f.code for f in errors}))
        return f"errors of the audit stand against '{name}' ({codes})", f"'probatum explain {errors[0].code}'"

    def confirm(self, tell: Listener = lambda _: None) -> tuple[Confirmation, bool]:
        """Confirms the champion against the baseline, once: on the held-out set, or else with fresh seeds.

        The held-out set confirms one champion of a campaign; every look is counted. Where the protocol holds nothing
        out every row has been scored, so champion and baseline are trained again with seeds never used before. That
        takes away the luck of the seeds and no other.

        Args:
            tell: called with every event.

        Returns:
            The confirmation, and whether it was made now: a second call returns the first one's result.

        Raises:
            IncomparableError: no champion, or the held-out set has confirmed another one.
        """
        where = self.campaign.file.path.name
        results = self.results()
        champion = self.champion(results)
        if champion is None:
            what, remedy = self._why_no_champion(results)
            raise IncomparableError(f"no champion to confirm: {what}", where=where, remedy=remedy)
        kind = HELD_OUT_SET if self.campaign.file.protocol.held_out else FRESH_SEEDS
        for known in self.campaign.ledger.confirmations():
            if (known.experiment, known.baseline, known.kind) == (champion.name, self.campaign.baseline, kind):
                return known, False
            if kind == known.kind == HELD_OUT_SET:
                found = f"{known.result['outcome']}, {known.when[:10]}"
                raise IncomparableError(
                    f"the held-out set has confirmed '{known.experiment}' ({found})",
                    where=where,
                    remedy=f"it is spent: confirm '{champion.name}' on new data, or look with 'probatum held-out'",
                )
        if kind == HELD_OUT_SET:
            made, looks = self._confirm_on_held_out(champion, tell)
        else:
            made, looks = self._confirm_with_fresh_seeds(champion, tell), {}
        self.campaign.ledger.confirm(made, looks)
        last = next(c for c in reversed(self.campaign.ledger.confirmations()) if c.experiment == champion.name)
        return last, True

    def score_held_out(self, name: str, tell: Listener = lambda _: None) -> float:
        """The score on the held-out cases; the look is counted in the ledger."""
        score = self._held_out_arm(name, tell).score
        self.campaign.ledger.count_held_out(name, score)
        return score

    def _confirm_on_held_out(self, champion: Champion, tell: Listener) -> tuple[Confirmation, dict[str, float]]:
        """One hold-out whose rows nothing has seen, so the verdict is that of a hold-out, of one arm alone."""
        arms = {name: self._held_out_arm(name, tell) for name in (champion.name, self.campaign.baseline)}
        before = [look.experiment for look in champion.looks]
        times = f"{len(before)} time{'s' if len(before) != 1 else ''}"
        note = (
            f"looked at {times} before, by {', '.join(dict.fromkeys(before))}" if before else "never looked at before"
        )
        made = self._confirmation(arms, champion.name, HELD_OUT_SET, "stratified-hold-out", note, len(before))
        return made, {name: arm.score for name, arm in arms.items()}

    def _confirm_with_fresh_seeds(self, champion: Champion, tell: Listener) -> Confirmation:
        fresh = FreshSeeds(self.campaign)
        predictions = fresh.open_fresh([champion.name, self.campaign.baseline], tell)
        arms = {name: self._scored(name, found) for name, found in predictions.items()}
        note = f"no untouched rows: the same rows with seeds from {fresh.first} on, so only the luck of seeds is gone"
        return self._confirmation(arms, champion.name, FRESH_SEEDS, self.campaign.file.protocol.splits, note, 0)

    def _confirmation(
        self, arms: Mapping[str, ArmScores], champion: str, kind: str, splits: str, note: str, looks_before: int
    ) -> Confirmation:
        protocol, baseline = self.campaign.file.protocol, self.campaign.baseline
        (verdict,) = compare(
            [arms[champion]], arms[baseline], splits=splits, margin=protocol.margin, alpha=protocol.alpha
        )
        result = {
            "metric": self.metric.name,
            "score": arms[champion].score,
            "baseline_score": arms[baseline].score,
            **{k: getattr(verdict, k) for k in ("outcome", "difference", "p", "units", "seeds", "needed", "method")},
            "interval": list(verdict.interval) if verdict.interval else None,
            "looks_before": looks_before,
            "note": note,
        }
        return Confirmation(champion, baseline, kind, result)

    def _held_out_arm(self, name: str, tell: Listener) -> ArmScores:
        return self._scored(name, self.campaign.open_held_out(name, tell), held_out={})

    # ------------------------------------------------------------------ external scores

    def submit(self, experiment: str, score: float, measure: str) -> None:
        """Records the score that somebody else gave an experiment.

        Args:
            experiment: finished.
            score: external.
            measure: its metric's name.

        Raises:
            UnknownNameError: an experiment or metric that nobody knows.
            CampaignFileError: a score that is not finite, or an experiment that is not finished.
        """
        where = self.campaign.file.path.name
        if not np.isfinite(score):
            raise CampaignFileError(f"score {score} is not finite", where=where, remedy="give the number you were told")
        name = metric(measure, where=where).name
        ledger = open_ledger(self.campaign.file.path, read_only=False)
        try:
            records = {r.name: r for r in ledger.experiments() if not r.name.startswith((HELD_OUT, FRESH))}
            if experiment not in records:
                raise UnknownNameError.of("experiment", experiment, records, where=where)
            if records[experiment].status != "done":
                what = f"experiment '{experiment}' is not finished, so it has no score of its own to set beside"
                raise CampaignFileError(what, where=where, remedy=f"probatum run {where}")
            ledger.submit(experiment, name, float(score))
        finally:
            ledger.close()

    def submitted_pairs(self, measure: str | None = None) -> tuple[str, list[tuple[str, float, float]]]:
        """The recorded external scores beside the campaign's own.

        Args:
            measure: metric of the external scores; needed where several were recorded.

        Returns:
            the metric, and (experiment, internal score, external score) of each submission.

        Raises:
            CampaignFileError: there are none, or of several metrics.
        """
        where = self.campaign.file.path.name
        submissions = self.campaign.ledger.submissions()
        if not submissions:
            remedy = "record some: probatum submit EXPERIMENT --score S --metric M, or give --pairs FILE.csv"
            raise CampaignFileError("no submissions yet", where=where, remedy=remedy)
        known = sorted({s.metric for s in submissions})
        if measure is None and len(known) > 1:
            what = f"submissions in {len(known)} metrics ({', '.join(known)})"
            raise CampaignFileError(what, where=where, remedy="choose one: --metric M")
        chosen = measure or known[0]
        if chosen not in known:
            raise UnknownNameError.of("metric of the submissions", chosen, known, where=where)
        internal = {s.experiment: self.score(s.experiment).score for s in submissions}
        return chosen, [(s.experiment, internal[s.experiment], s.score) for s in submissions if s.metric == chosen]

    def calibration(self) -> Calibration | None:
        """The recorded external scores against the campaign's own; None where they are too few, or of many metrics."""
        if len({s.metric for s in self.campaign.ledger.submissions()}) != 1:
            return None
        pairs = self.submitted_pairs()[1]
        if len({x for _, x, _ in pairs}) < LEAST:
            return None
        return calibrate([x for _, x, _ in pairs], [y for _, _, y in pairs])

    def score_floors(self) -> list[tuple[str, float]]:
        """(task, least score) that repeated measurements allow, for metrics of squared errors."""
        power = {"mse": 1.0, "rmse": 0.5}.get(self.metric.name)
        return [(f.task, f.variance**power) for f in self.floors()] if power else []

    # ------------------------------------------------------------------ what the others are made of

    def _scored(
        self, name: str, predictions: Sequence[StoredPrediction], held_out: Mapping[str, int] | None = None
    ) -> ArmScores:
        datasets, protocol = self.campaign.datasets, self.campaign.file.protocol
        if held_out is None:
            held_out = {task: len(held_out_rows(d, protocol)) for task, d in datasets.items()}
        draws = self.campaign.draws
        return arm_scores(name, predictions, draws, self.metric, self.scoring, held_out, protocol.group)

    def _predictions(self, name: str) -> list[StoredPrediction]:
        if name in self.group_means:
            return group_means(self.group_means[name], self.campaign.draws, self.campaign.splits)
        return self.campaign.predictions(name)

    def _records(self) -> tuple[ExperimentRecord, ...]:
        return tuple(r for r in self.campaign.ledger.experiments() if not r.name.startswith((HELD_OUT, FRESH)))

    def _arm_of(self, name: str) -> ArmScores:
        file, _, experiment = name.rpartition(":")
        if file.endswith(".toml"):
            return Laboratory.open(file).score(experiment)
        return self.score(name)

    def _judge(self, judged: Sequence[ArmScores], arms: Sequence[ArmScores], baseline: str) -> list[Verdict]:
        protocol = self.campaign.file.protocol
        base = next(a for a in arms if a.name == baseline)
        return compare(judged, base, splits=protocol.splits, margin=protocol.margin, alpha=protocol.alpha)


def _check_audit_settings(file: CampaignFile) -> None:
    """Before anything is trained: codes that exist, reasons for ignoring them, a target that is a number.

    Raises:
        UnknownNameError, CampaignFileError.
    """
    where = f"{file.path.name} [audit]"
    check_ignored(file.audit.ignore, where=where)
    if file.audit.target is not None and not np.isfinite(file.audit.target):
        raise CampaignFileError(f"target = {file.audit.target} is not finite", where=where, remedy="give a number")
