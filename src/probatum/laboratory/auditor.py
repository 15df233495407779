"""Audits a campaign: what did not change since the last audit is not looked at again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from probatum.audit.campaign_history import campaign_history, partition_name
from probatum.audit.history import History
from probatum.audit.inspection import Audit, check_ignored, inspect
from probatum.audit.memory import Memory
from probatum.audit.recorded_history import recorded_history
from probatum.audit.retraining import retrained
from probatum.campaigns.recorded_campaign import RecordedCampaign
from probatum.errors import CampaignFileError, LedgerError, UnknownNameError
from probatum.laboratory.champion import champion_of, champions_of_rounds, judged
from probatum.laboratory.external_scores import pairs_of_one_metric
from probatum.laboratory.results import Results, records_of
from probatum.laboratory.scorer import Scorer

MEMORY = "audit.json"
"""Beside the ledger: what checks raised before. It may be deleted; then all is looked at again."""


class Auditor:
    """Audits a campaign.

    Args:
        scorer: of the campaign.

    Raises:
        UnknownNameError: a code that does not exist is ignored.
        CampaignFileError: something is ignored without a reason, or the wanted score is no number.
    """

    def __init__(self, scorer: Scorer):
        self._scorer, self._campaign = scorer, scorer.campaign
        self._histories: WeakKeyDictionary[Results, History] = WeakKeyDictionary()
        where, settings = f"{self._campaign.file.path.name} [audit]", self._campaign.file.audit
        check_ignored(settings.ignore, where=where)
        if settings.target is not None and not np.isfinite(settings.target):
            raise CampaignFileError(f"target = {settings.target} is not finite", where=where, remedy="give a number")

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
            results: of the campaign.
            only: experiments to look at; default: all.
            codes: checks to be made; default: all.
            target: the external score that is wanted; default: the file's.
            retrain: whether one fit of each of them is trained again, once as it was and once with poisoned targets.

        Raises:
            UnknownNameError: an experiment or a code that does not exist.
        """
        if retrain:
            self._campaign.require_trainable()
        history = self.history(results)
        for name in only or ():
            if history.run(name) is None:
                known = [run.name for run in history.runs]
                raise UnknownNameError.of("experiment", name, known, where=self._campaign.file.path.name)
        if retrain:
            again = retrained(self._campaign, [r for r in history.runs if only is None or r.name in only])
            history = replace(history, runs=tuple({r.name: r for r in (*history.runs, *again)}.values()))
        champion = champion_of(self._campaign, results, self._of_champions(results, history))
        if champion is not None:
            history = replace(history, chosen=champion.name, confirmed=champion.confirmed)
        if target is not None:
            history = replace(history, target=target)
        found = self._inspected(history, only, codes)
        if only is None and codes is None and target is None and not retrain:
            self._memory.write(self._campaign.folder / MEMORY)
        return found

    def of_champions(self, results: Results) -> Audit:
        """What stands against being champion; empty where nobody can be.

        Args:
            results: of the campaign.
        """
        return self._of_champions(results, self.history(results))

    def history(self, results: Results) -> History:
        """The campaign as checks look at it.

        Args:
            results: of the campaign.
        """
        if results not in self._histories:
            if isinstance(self._campaign, RecordedCampaign):
                found = recorded_history(self._campaign, results.arms, results.verdicts)
            else:
                found = campaign_history(self._campaign, results.arms, results.verdicts, floors=results.floors)
            self._histories[results] = found
        external = tuple((internal, score) for _, internal, score in pairs_of_one_metric(self._scorer))
        return replace(self._histories[results], external=external, target=self._campaign.file.audit.target)

    def check_ignored_subjects(self) -> None:
        """Before anything is trained: what is ignored for one experiment or split names one that exists.

        Raises:
            UnknownNameError.
        """
        if not any(" " in key for key in self._campaign.file.audit.ignore):
            return
        names = [e.name for e in self._campaign.experiments]
        with contextlib.suppress(LedgerError):  # an older one, which the run brings up to date
            if self._campaign.ledger_site.exists():
                names += [r.name for r in records_of(self._campaign)]
        self._check_ignored_subjects([*names, *map(partition_name, self._campaign.splits)])

    def _check_ignored_subjects(self, known: Iterable[str]) -> None:
        file, known = self._campaign.file, set(known)
        for key in file.audit.ignore:
            _, separate, subject = key.partition(" ")
            if separate and subject not in known:
                raise UnknownNameError.of("experiment", subject, known, where=f"{file.path.name} [audit]")

    @cached_property
    def _memory(self) -> Memory:
        return Memory.read(self._campaign.folder / MEMORY)

    def _of_champions(self, results: Results, history: History) -> Audit:
        promoted = champions_of_rounds(judged(self._campaign.ledger.rounds()))
        if not any(v.outcome == "better" or v.arm in promoted for v in results.verdicts):
            return Audit(history.name, (), ())
        return self._inspected(history)

    def _inspected(
        self, history: History, only: Sequence[str] | None = None, codes: Sequence[str] | None = None
    ) -> Audit:
        self._check_ignored_subjects(e.name for e in (*self._campaign.experiments, *history.runs, *history.partitions))
        return inspect(history, only=only, codes=codes, ignore=self._campaign.file.audit.ignore, memory=self._memory)
