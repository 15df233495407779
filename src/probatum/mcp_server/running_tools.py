"""The tools that try: proposals, batches, predictions, and the confirmation at the end."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Annotated, Any

from anyio import to_thread
from mcp.server.mcpserver import Context
from pydantic import Field

from probatum.campaigns.ledgers.ledger import HELD_OUT_SET, ROUND_PLANNED
from probatum.errors import CampaignFileError, IncomparableError, ProbatumError, UnknownNameError, UsageError
from probatum.laboratory.autopilot import Autopilot
from probatum.mcp_server.answers import BatchAnswer, ConfirmationAnswer, NextRound, Predictions, Proposed, Withdrawn
from probatum.mcp_server.batch_client import BatchClient
from probatum.mcp_server.input_checks import check_edit, check_name, check_names, check_text
from probatum.mcp_server.json_values import plain
from probatum.mcp_server.limits import Pace
from probatum.mcp_server.pending_proposals import AGENT
from probatum.mcp_server.reading_tools import ReadingTools
from probatum.mcp_server.served_campaign import ServedCampaign
from probatum.planning.candidates import Candidate, checked, numbered
from probatum.planning.prescriptions import for_a_person
from probatum.planning.proposal import History, Proposal
from probatum.reporting.rounds import planned_values

Text = Annotated[str, Field(max_length=2000)]


class RunningTools:
    """Tries experiments of one campaign.

    Args:
        served: of the server.
        reading: the tools that look, which say whether a batch runs.
        batches: that carry out what trains.
    """

    def __init__(self, served: ServedCampaign, reading: ReadingTools, batches: BatchClient):
        self._served, self._reading, self._batches = served, reading, batches
        self._pace = Pace(served.limits.proposals, "proposals")

    # ------------------------------------------------------------------ proposals

    def propose(
        self,
        parent: Annotated[str, Field(description="name of the experiment that is edited", max_length=200)],
        edit: Annotated[
            dict[str, Any],
            Field(
                description="one change, in the form of a campaign file's [[experiment]] table: "
                "{'model': {'dropout': 0.1}}, {'features': {'add': ['acs']}}, {'training': {'epochs': 400}}, "
                "{'model': {'kind': 'lightgbm'}}, {'components': ['ridge', 'mlp']}"
            ),
        ],
        hypothesis: Annotated[Text, Field(description="what you expect of the change, and why", min_length=1)],
        name: Annotated[str, Field(description="of the new experiment; empty: a number and the change")] = "",
        reason: Annotated[Text, Field(description="the finding, effect or pattern that it answers")] = "",
    ) -> Proposed:
        """Propose one experiment: one change of a parent. It is checked now and trained by run_batch.

        Propose 2 to 4 different ones, then call run_batch. One change each: else no effect could be attributed. A
        recipe that was tried is refused. Only registered features, models and losses can be named; import paths,
        files, and everything of the protocol, the splits and the held-out set are refused.
        """
        self._pace.spend()
        served, where = self._served, "propose"
        served.require_trainable()
        given = check_name(name, served.limits, where=f"{where}, name") if name else ""
        proposal = Proposal(
            check_name(parent, replace(served.limits, name=200), where=f"{where}, parent"),
            edit,
            given,
            check_text(hypothesis, served.limits, where=f"{where}, hypothesis"),
            check_text(reason, served.limits, where=f"{where}, reason"),
            proposer=AGENT,
        )
        check_edit(edit, served.limits, where=where)
        with served.turn:
            history = _tree(served)
            waiting = [checked(p, history) for p in served.waiting.proposals() if p.name not in history.by_name]
            (candidate,) = numbered([_checked(proposal, history, waiting)], _with(history, waiting))
            count = served.waiting.add(candidate.proposal)
        change = str(candidate.experiment.mutation)
        return Proposed(name=candidate.proposal.name, parent=parent, change=change, waiting=count)

    def withdraw(
        self, names: Annotated[list[str], Field(description="proposals that wait", min_length=1, max_length=64)]
    ) -> Withdrawn:
        """Take back proposals that wait, before run_batch trains them: wrong ones, or ones that cost too much.

        What run_batch has taken up is an experiment of the campaign and cannot be taken back.
        """
        chosen = check_names(names, self._served.limits, where="withdraw")
        if self._reading.busy:
            raise UsageError("a batch is running", where="withdraw", remedy="wait for it, or cancel it")
        with self._served.turn:
            known = [p.name for p in self._served.waiting.proposals()]
            for name in chosen:
                if name not in known:
                    raise UnknownNameError.of("waiting proposal", name, known, where="withdraw")
            self._served.waiting.forget(chosen)
            kept = [p.name for p in self._served.waiting.proposals()]
        return Withdrawn(withdrawn=[n for n in known if n not in kept], waiting=kept)

    def next(self, slots: Annotated[int, Field(description="experiments of the round", ge=1, le=8)] = 4) -> NextRound:
        """Ask the program what it would try next, with reasons. Nothing is trained; `propose` what you agree with.

        `stop` says when more rounds are not worth their time: no proposal, or errors that stand against everything.
        `for_a_person` are findings that no experiment puts right: tell them to the person.
        """
        with self._served.turn:
            self._served.require_trainable()
            self._served.require_run()
            if self._reading.busy:
                raise UsageError("a batch is running", where="next", remedy="wait for it")
            pilot = Autopilot(self._served.path, slots=slots, candidates=slots)
            _require_all_run(self._served)
            planned, outlook = pilot.next_round()
        of_all = [f for f in outlook.history.findings if f.blocks and f.subject not in outlook.history.by_name]
        stop = f"errors stand against everything: {of_all[0].message}" if of_all else None
        if not planned.candidates:
            stop = stop or "the program has nothing new to propose"
        values = planned_values(planned, for_a_person(outlook.history)) | {"stop": stop}
        return NextRound.model_validate(plain(values))

    # ------------------------------------------------------------------ what trains

    async def run_batch(
        self,
        context: Context,
        seconds: Annotated[float, Field(description="time of this call at most", gt=0)] = 1800.0,
        control: Annotated[bool, Field(description="train the champion once more with other seeds too")] = False,
    ) -> BatchAnswer:
        """Run what the campaign file holds, then the proposals that wait as one round; judge, audit, promote.

        It sends progress and can be cancelled: what was trained is kept, and the next call goes on. Afterwards read
        `round.results`: `outcome` is the verdict against the champion, `findings` what is wrong. `stopped = "noise"`
        means that what remains cannot be told from noise: stop, report, and tell the person. Do not run again in the
        hope of a better draw: a recipe is trained once.
        """
        most = self._served.limits.seconds
        if seconds > most:
            raise UsageError(f"{seconds:.0f} s", where="run_batch", remedy=f"at most {most:.0f} s a call")
        await to_thread.run_sync(self._served.require_trainable)
        await to_thread.run_sync(self._tidy)
        request = {
            "what": "round",
            "seconds": seconds,
            "control": control,
            "batch": self._served.limits.batch,
            "limits": asdict(self._served.limits),
        }
        values = await self._in_batch_process(request, context, "run_batch")
        waiting = await to_thread.run_sync(self._tidy, {d["name"] for d in values["dropped"]})
        return BatchAnswer.model_validate(plain(values | {"waiting": waiting}))

    async def predict(
        self,
        context: Context,
        experiment: Annotated[str, Field(description="a finished experiment", max_length=200)],
        cases: Annotated[
            list[dict[str, Any]],
            Field(description="new cases, each with a value for every observation that `describe` lists"),
        ],
        task: Annotated[str | None, Field(description="where there are several", max_length=80)] = None,
    ) -> Predictions:
        """Train a finished experiment on all cases but the held-out ones, and predict new cases.

        `outside` names observations beyond all training cases: say that such a prediction is an extrapolation. Report
        `spread` and the experiment's out-of-fold error with every value. Predictions of new cases are no evidence for
        a model: verdicts are.
        """
        most = self._served.limits.cases
        if len(cases) > most:
            raise UsageError(f"{len(cases)} cases", where="predict", remedy=f"at most {most} a call")
        check_names([experiment, *([task] if task else [])], replace(self._served.limits, name=200), where="predict")
        await to_thread.run_sync(self._served.require_trainable)
        known = await to_thread.run_sync(self._known_score, experiment)
        request = {"what": "predict", "experiment": experiment, "cases": cases, "task": task}
        values = await self._in_batch_process(request, context, "predict")
        return Predictions.model_validate(plain(values | {"out_of_fold": known}))

    async def confirm_champion(self, context: Context) -> ConfirmationAnswer:
        """Confirm the champion, once: on the held-out set, or with fresh seeds where nothing is held out. Call it last.

        This spends the held-out set: it confirms one champion, every look is counted and shown in reports, and it is
        refused once anybody has looked. Call it when you stop, not to choose. Its result stands, whatever it is.
        """
        await to_thread.run_sync(self._require_unspent)
        values = await self._in_batch_process({"what": "confirm"}, context, "confirm_champion")
        return ConfirmationAnswer.model_validate(plain(values))

    async def _in_batch_process(self, request: Mapping[str, Any], context: Context, where: str) -> dict[str, Any]:
        """Sends the batch process on its way; one at a time."""

        async def tell(done: float, total: float | None, message: str) -> None:
            await context.report_progress(done, total, message)

        with self._alone(where):
            return await self._batches.carry_out({**request, "campaign": str(self._served.path)}, tell)

    @contextmanager
    def _alone(self, where: str) -> Generator[None]:
        if self._reading.busy:
            remedy = "wait for it, or cancel it; 'status' says how far it is"
            raise UsageError("a batch of this server is running", where=where, remedy=remedy)
        self._reading.busy = True
        try:
            yield
        finally:
            self._reading.busy = False

    def _tidy(self, dropped: Collection[str] = ()) -> int:
        """Forgets proposals that have become experiments, and those that were dropped; returns how many wait."""
        with self._served.turn:
            names = {e.name for e in self._served.laboratory().campaign.file.experiments}
            return self._served.waiting.forget({*names, *dropped})

    def _known_score(self, experiment: str) -> dict[str, float | None]:
        """Quantity to the out-of-fold score of a finished experiment."""
        with self._served.turn:
            arm = self._served.results().arm(experiment)
        return dict(zip(arm.quantities, map(float, arm.by_quantity), strict=True))

    def _require_unspent(self) -> None:
        """Refuses a look at held-out cases beyond the one confirmation that a campaign allows.

        Raises:
            IncomparableError: somebody looked, and what is asked for is not the confirmation that was made.
        """
        self._served.require_trainable()
        with self._served.ledger() as ledger:
            looks, confirmations = ledger.held_out_accesses(), ledger.confirmations()
        if looks and not any(c.kind == HELD_OUT_SET for c in confirmations):
            by = ", ".join(dict.fromkeys(look.experiment for look in looks))
            raise IncomparableError(
                f"the held-out set was looked at {len(looks)} times before (by {by}), so it confirms nothing any more",
                where=self._served.path.name,
                remedy="a person decides: new data, or 'probatum champion confirm'",
            )


def _checked(proposal: Proposal, history: History, waiting: Sequence[Candidate]) -> Candidate:
    """A proposal that can be tried; what has no form at all is refused as what cannot be tried is.

    Raises:
        CampaignFileError, UnknownNameError: what is wrong with it.
    """
    try:
        return checked(proposal, history, waiting)
    except ProbatumError:
        raise
    except Exception as error:  # an edit of no form at all
        what = f"the edit cannot be read ({type(error).__name__})"
        remedy = "write it as an [[experiment]] table of a campaign file; 'explain recipe' lists the keys"
        raise CampaignFileError(what, where="propose", remedy=remedy) from error


def _tree(served: ServedCampaign) -> History:
    """The campaign's tree without its results: all that a proposal is checked by."""
    campaign = served.laboratory().campaign
    file = campaign.file
    seconds: dict[str, float] = {}
    if served.was_run:
        with served.ledger() as ledger:
            seconds = {r.name: r.seconds / r.done for r in ledger.experiments() if r.done}
    return History(
        problem=file.problem,
        experiments=file.experiments,
        standings={},
        better=served.laboratory().metric.better,
        baseline=campaign.baseline,
        champion=campaign.baseline,
        quantities=next(iter(campaign.datasets.values())).quantity_names,
        seconds=seconds,
        limit=file.run.limit,
    )


def _with(history: History, waiting: Sequence[Candidate]) -> History:
    """The tree with the proposals that wait, so that numbers of new ones go on after them."""
    return replace(history, experiments=(*history.experiments, *(c.experiment for c in waiting)))


def _require_all_run(served: ServedCampaign) -> None:
    """Raises where the file or a planned round holds what was not run: reading must not train.

    Raises:
        CampaignFileError: something waits to be run.
    """
    rounds = served.laboratory().campaign.ledger.rounds()
    if rounds and rounds[-1].state == ROUND_PLANNED:
        what = f"round {rounds[-1].number} was interrupted"
        raise CampaignFileError(what, where=served.path.name, remedy="call run_batch, which goes on with it")
    known = {r.name for r in served.results().records if r.status in ("done", "failed")}
    left = [e.name for e in served.laboratory().campaign.file.experiments if e.name not in known]
    if left:
        what = f"{len(left)} experiments of the file have not been run ({', '.join(left[:3])})"
        raise CampaignFileError(what, where=served.path.name, remedy="call run_batch first")
