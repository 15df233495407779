"""The autopilot: round after round is planned, run, judged and audited, until the budget, the target or noise ends it.

A round is written to the ledger when it is planned, then its experiments are added to the campaign file, then they run,
then the round is written once more as judged. Whatever happens in between, the same call goes on from there: nothing is
trained twice and no round is counted twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probatum.campaigns.events import Listener
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED, Confirmation, RoundRecord
from probatum.errors import CampaignFileError, ProbatumError, UsageError
from probatum.laboratory.deadline import OutOfTime, until
from probatum.laboratory.judged_round import judge_round
from probatum.laboratory.loop import Laboratory
from probatum.laboratory.outlook import Outlook, outlook_of
from probatum.laboratory.promotion import final_promotion
from probatum.laboratory.racing import RacedRound, raced
from probatum.laboratory.round_record import (
    final_record,
    is_final,
    planned_record,
    proposals_of,
    verdicts_of,
)
from probatum.laboratory.stopping import told_from_noise
from probatum.learning.metrics import metric
from probatum.planning.candidates import Candidate
from probatum.planning.cost import estimated_seconds
from probatum.planning.knowledge import PrincipleTests
from probatum.planning.prescriptions import Prescriber
from probatum.planning.proposal import History, Proposer
from probatum.planning.round_file import add_to_campaign
from probatum.planning.rounds import PlannedRound, plan_round, untried_parts
from probatum.planning.space import space_of
from probatum.planning.surrogate import Surrogate

Reason = Literal["target", "budget", "noise", "nothing left", "audit", "rounds"]


@dataclass(frozen=True)
class Ended:
    """How an autopilot ended.

    Attributes:
        reason: why it stopped.
        why: the same in a sentence with its figures.
        champion: name.
        score: of the champion; NaN where the time was too short for any.
        rounds: judged ones, of this and earlier calls.
        seconds: of this call.
        leader: the experiment that looks best, proven or not.
    """

    reason: Reason
    why: str
    champion: str
    score: float
    rounds: tuple[RoundRecord, ...]
    seconds: float
    leader: str


class Autopilot:
    """Runs rounds on a campaign file.

    Args:
        path: of the file; experiments are added at its end.
        proposers: who says what to try; default: principles, prescriptions, and a surrogate where a space is declared.
        slots: experiments of a round.
        candidates: that race for a round on few folds where they are more than its slots; default: the file's.
        control: whether the champion is trained once more, unchanged, with other seeds.
        cores: that may be used; default: the file's.
        tell: called with every event of a run.
        say: called with a line for a person.

    Raises:
        CampaignFileError, UnknownNameError: the file, its space or the slots cannot be used.
    """

    def __init__(
        self,
        path: Path,
        proposers: Sequence[Proposer] | None = None,
        *,
        slots: int = 4,
        candidates: int | None = None,
        control: bool = True,
        cores: int | None = None,
        tell: Listener = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
    ):
        if slots < 1:
            raise CampaignFileError(f"{slots} slots: a round has at least one", where="--slots", remedy="give 4, say")
        if candidates is not None and candidates < 1:
            what = f"{candidates} candidates: a round has at least one"
            raise CampaignFileError(what, where="--candidates", remedy="give 12, say")
        self.path, self.slots, self.control = path, slots, control
        self._cores, self._tell, self._say = cores, tell, say
        file = self._open().campaign.file
        wanted = file.planning.candidates if candidates is None else candidates
        self.candidates = max(slots, slots if wanted is None else wanted)
        space = space_of(file.path, file.space)  # a space that cannot be used is refused before anything runs
        if proposers is None:
            proposers = (PrincipleTests(), Prescriber(), *([Surrogate()] if space is not None else []))
        self.proposers = tuple(proposers)

    # ------------------------------------------------------------------ whole calls

    def run(
        self, budget: float, *, target: float | None = None, most_rounds: int | None = None, settle: bool = False
    ) -> Ended:
        """Runs rounds until something ends it. What was interrupted before is gone on with first.

        Args:
            budget: seconds of this call; a job that is running is finished, and the round is kept for the next call.
            target: score of the champion that is enough.
            most_rounds: judged in this call; default: as many as there is time for.
            settle: whether everything that was tried is held against the champion once more before it ends, unless the
                target was reached (`probatum.laboratory.promotion.final_promotion`).

        Raises:
            UsageError: no budget.
        """
        if not budget > 0:
            what = f"a budget of {budget:g} s runs nothing"
            raise UsageError(what, where="--budget", remedy="give it as 30m, 2h or 90s")
        started = time.monotonic()
        deadline = started + budget
        judged = 0
        while True:
            try:
                outlook = self.look(deadline)
                if outlook.rounds and outlook.rounds[-1].state == ROUND_PLANNED:
                    self._say(judge_round(outlook, outlook.rounds[-1], until(deadline, self._tell)))
                    judged += 1
                    continue
                ending = self._ending(outlook, deadline, target)
                if ending is None and most_rounds is not None and judged >= most_rounds:
                    ending = "rounds", f"{judged} round{'s' if judged != 1 else ''} ran, as asked for"
                if ending is None:
                    ending = self._start_round(outlook, deadline)
            except OutOfTime:
                return self._out_of_time(started)
            if ending is not None:
                if settle and ending[0] != "target" and self._settle(outlook):
                    outlook = self.look()
                return self._ended(outlook, *ending, started)

    def next_round(self) -> tuple[PlannedRound, Outlook]:
        """What the next round would be; nothing is written.

        Raises:
            CampaignFileError: an interrupted round waits to be run.
        """
        outlook = self.look()
        if outlook.rounds and outlook.rounds[-1].state == ROUND_PLANNED:
            names = ", ".join(p["name"] for p in outlook.rounds[-1].content["proposals"])
            what = f"round {outlook.rounds[-1].number} was interrupted ({names})"
            raise CampaignFileError(what, where=self.path.name, remedy="'probatum next --run' goes on with it")
        return plan_round(outlook.history, self.proposers, self.candidates), outlook

    def confirm(self) -> Confirmation:
        """Confirms the champion against the baseline, once: on held-out cases, or else with fresh seeds.

        Raises:
            IncomparableError: there is no champion, or no seed changes anything.
        """
        return self.look().laboratory.confirm(self._tell)[0]

    # ------------------------------------------------------------------ between two rounds

    def look(self, deadline: float = float("inf")) -> Outlook:
        """Runs what the file holds and has not been run, and looks at it all.

        Args:
            deadline: on the monotonic clock, in seconds.

        Raises:
            OutOfTime: the deadline came first.
        """
        laboratory = self._open()
        waiting = self._waiting(laboratory)
        if waiting is not None:  # planned before, and perhaps not yet in the file
            head = f"Round {waiting.number}, planned by probatum"
            add_to_campaign(self.path, proposals_of(waiting), head)
            laboratory = self._open()
        results = laboratory.run(until(deadline, self._tell))
        audit = laboratory.audit(results)
        return outlook_of(laboratory, results, audit)

    def _open(self) -> Laboratory:
        laboratory = Laboratory.open(self.path)
        if self._cores is not None:
            laboratory.campaign.use_cores(self._cores)
        return laboratory

    def _waiting(self, laboratory: Laboratory) -> RoundRecord | None:
        """The round that was planned and not judged, if any."""
        try:
            rounds = laboratory.campaign.ledger.rounds()
        except ProbatumError:  # not run yet, or by an older program: the run puts that right
            return None
        return rounds[-1] if rounds and rounds[-1].state == ROUND_PLANNED else None

    def _ending(self, outlook: Outlook, deadline: float, target: float | None) -> tuple[Reason, str] | None:
        history = outlook.history
        names = history.by_name
        of_all = [f for f in history.findings if f.blocks and f.subject not in names]
        if of_all:
            codes = ", ".join(sorted({f.code for f in of_all}))
            return "audit", f"errors stand against everything ({codes}): {of_all[0].message}"
        champion = history.standings.get(history.champion)
        if champion is None:
            return "audit", f"'{history.champion}' has no score: nothing can be compared with it"
        if target is not None and history.sign * (champion.score - target) <= 0:
            return "target", f"'{champion.name}' scores {champion.score:.6g}, the target is {target:g}"
        if time.monotonic() >= deadline:
            return "budget", "the time is spent"
        against = [v for r in outlook.rounds for v in verdicts_of(r) if v.baseline == history.champion]
        alpha = outlook.laboratory.campaign.file.protocol.alpha
        why = told_from_noise(
            history, against, alpha=alpha, slots=self.slots,
            untried=lambda: untried_parts(history, plan_round(history, self.proposers, self.candidates).candidates),
        )  # fmt: skip
        return ("noise", why) if why else None

    # ------------------------------------------------------------------ one round

    def _start_round(self, outlook: Outlook, deadline: float) -> tuple[Reason, str] | None:
        """Plans a round, and writes it to the ledger. It is run when the loop looks again."""
        planned = plan_round(outlook.history, self.proposers, self.candidates)
        for dropped in planned.dropped:
            self._say(f"dropped: {dropped.proposer}: {dropped.why}")
        if not planned.candidates:
            return "nothing left", "no proposer has anything new"
        race = None
        if len(planned.candidates) > self.slots:
            race = self._raced(outlook, planned, deadline)
            planned = race.planned
            if not planned.candidates:
                return "nothing left", "no candidate could be trained on few folds"
        affordable = self._affordable(planned, outlook, deadline - time.monotonic())
        if not affordable:
            left = max(deadline - time.monotonic(), 0)
            return "budget", f"{left:.0f} s are left, and the next experiment takes about longer"
        control = planned.control if self.control else None
        kept = PlannedRound(planned.number, tuple(affordable), control, planned.dropped)
        record = planned_record(kept, outlook.history.champion, self.slots, race)
        outlook.laboratory.campaign.ledger.write_round(record)
        for c in kept.candidates:
            self._say(f"round {kept.number}, {c.proposal.slot}: {c.proposal.name} from {c.proposal.parent}")
        return None

    def _raced(self, outlook: Outlook, planned: PlannedRound, deadline: float) -> RacedRound:
        scorer = outlook.laboratory.scorer
        first = scorer.campaign.file.planning.first_folds
        found = raced(scorer, planned, self.slots, first, until(deadline, self._tell))
        left = len(found.planned.candidates)
        self._say(f"round {planned.number}: {left} of {found.entered} candidates are left after few folds")
        return found

    def _affordable(self, planned: PlannedRound, outlook: Outlook, left: float) -> list[Candidate]:
        """The first candidates that there is time for, as far as their time can be guessed."""
        campaign = outlook.laboratory.campaign
        kept, total = [], 0.0
        for candidate in planned.candidates:
            recipe = candidate.experiment.recipe
            fits = len(campaign.splits) * (1 if recipe.deterministic else campaign.file.protocol.seeds)
            seconds = 0.0 if recipe.is_blend else (estimated_seconds(candidate.experiment, outlook.history) or 0.0)
            if total + seconds * fits <= left:
                total += seconds * fits
                kept.append(candidate)
        return kept

    # ------------------------------------------------------------------ the end

    def _settle(self, outlook: Outlook) -> bool:
        """Tests all that was tried against the champion; False where there is nothing new to be tested."""
        rounds, history = outlook.rounds, outlook.history
        arms = {a.name: a for a in outlook.results.tried}
        others = [a for name, a in arms.items() if name != history.champion]
        if not rounds or is_final(rounds[-1]) or not others or history.champion not in arms:
            return False
        campaign = outlook.laboratory.campaign
        protocol = campaign.file.protocol
        came_to = final_promotion(
            arms[history.champion],
            others,
            splits=protocol.splits,
            margin=protocol.margin,
            alpha=protocol.alpha,
            look=1 + sum(map(is_final, rounds)),
            given_up=len(history.given_up),
            errors=history.blocked,
        )
        score = arms[came_to.champion].score
        campaign.ledger.write_round(final_record(history.round, history.champion, came_to, score, len(others)))
        self._say(f"at the end, {came_to.why}; champion '{came_to.champion}', {score:.5g}")
        return True

    def _ended(self, outlook: Outlook, reason: Reason, why: str, started: float) -> Ended:
        champion = outlook.history.standings.get(outlook.history.champion)
        score = float("nan") if champion is None else champion.score
        rounds = tuple(r for r in outlook.rounds if r.state == ROUND_JUDGED)
        leader = _leader(outlook.history)
        return Ended(reason, why, outlook.history.champion, score, rounds, time.monotonic() - started, leader)

    def _out_of_time(self, started: float) -> Ended:
        """The budget ended in the middle of a training: what stands is what was judged before."""
        campaign = self._open().campaign
        ledger, protocol = campaign.ledger, campaign.file.protocol
        planned = ledger.rounds()
        rounds = tuple(r for r in planned if r.state == ROUND_JUDGED)
        own = {e.name for e in campaign.experiments}
        scores = {
            r.name: r.score
            for r in ledger.experiments()
            if r.name in own and r.score is not None and math.isfinite(r.score)
        }
        champion = rounds[-1].content["champion"] if rounds else campaign.baseline
        sign = 1 if metric(str(protocol.metric)).better == "lower" else -1
        leader = min(scores, key=lambda name: sign * scores[name], default=champion)
        interrupted = len(rounds) < len(planned)
        where = "in the middle of a round, which the next call goes on with" if interrupted else "before a round began"
        why = f"the time was spent {where}"
        score = scores.get(champion, float("nan"))
        return Ended("budget", why, champion, score, rounds, time.monotonic() - started, leader)


def _leader(history: History) -> str:
    """What looks best: by the surrogate where a space is declared, else by the posterior of the score."""
    best = min(history.standings.values(), key=lambda s: history.sign * s.mean, default=None)
    return Surrogate().leader(history) or (history.champion if best is None else best.name)
