"""The tools that look: nothing is trained by them, and nothing of the campaign changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from probatum.campaigns.ledgers.ledger import HELD_OUT_SET, Summary
from probatum.campaigns.recipe_book import recipe_book
from probatum.campaigns.splits import held_out_rows
from probatum.errors import CampaignFileError, UnknownNameError, UsageError
from probatum.evidence.verdict import Verdict
from probatum.laboratory import Laboratory
from probatum.laboratory.champion import champions_of_rounds, judged
from probatum.mcp_server.answers import (
    AuditAnswer,
    Comparison,
    Description,
    Effects,
    Explanation,
    Problems,
    Report,
    Status,
)
from probatum.mcp_server.input_checks import check_names
from probatum.mcp_server.json_values import plain
from probatum.mcp_server.served_campaign import ServedCampaign
from probatum.problems import registry
from probatum.problems.imported import Imported
from probatum.problems.problem import Dataset, Ragged
from probatum.reporting.catalogue import model_values, problem_values, topic_values
from probatum.reporting.experiment_log import experiment_log
from probatum.reporting.experiment_log_text import log_text
from probatum.reporting.findings import audit_values
from probatum.reporting.records import (
    arm_values,
    champion_values,
    effects_values,
    floor_values,
    quantity_units,
    verdict_values,
)
from probatum.reporting.report import write_report

MOST_LISTED = 60
MOST_COMPARED = 300
MOST_FEATURES = 200

Names = Annotated[list[str], Field(description="names of finished experiments", max_length=64)]


class ReadingTools:
    """Looks at one campaign.

    Args:
        served: of the server.
        busy: says whether a batch is running.
    """

    def __init__(self, served: ServedCampaign):
        self._served = served
        self.busy = False

    def list_problems(self) -> Problems:
        """List the problems that campaigns can be made of, and which one this server serves.

        The campaign of this server is fixed: another problem needs another campaign file, which a person makes
        (`probatum new`). Call `describe` for the one that is served.
        """
        served = self._served.laboratory().campaign.file.problem_spec[0]
        problems = [problem_values(name, full=False) for name in registry.names()]
        return Problems.model_validate(plain({"served": served, "problems": problems}))

    def describe(self) -> Description:
        """Describe the campaign: question, data, features, models, protocol, limits. Call this first.

        The protocol (splits, seeds, metric, margin, baseline, held-out share) and the audit are fixed: no tool changes
        them. Learn here what an edit may name: `features`, `models`, named `recipes`. `explain` tells the keys.
        """
        with self._served.turn:
            laboratory = self._served.laboratory()
            file, problem = laboratory.campaign.file, laboratory.campaign.file.problem
            features = dict(list(problem.features.items())[:MOST_FEATURES])
            imported = problem.importer if isinstance(problem, Imported) else None
            models = {} if imported else model_values()
            values = {
                "campaign": file.path.name,
                "problem": file.problem_spec[0],
                "question": problem.question,
                "imported": imported,
                "tasks": [_task_values(laboratory, task, d) for task, d in laboratory.campaign.datasets.items()],
                "protocol": file.protocol.model_dump(),
                "baseline": laboratory.campaign.baseline,
                "metric": laboratory.metric.name,
                "better": laboratory.metric.better,
                "noise_floors": [floor_values(f) for f in laboratory.floors()],
                "features": {name: one.description for name, one in features.items()},
                "default_features": list(problem.default_features),
                "recipes": {name: one.about for name, one in recipe_book(problem).items()},
                "models": {name: about for name, about in models.items() if ":" not in name},
                "experiments": [e.name for e in file.experiments],
                "waiting": [p.name for p in self._served.waiting.proposals()],
                "limits": asdict(self._served.limits),
            }
        return Description.model_validate(plain(values))

    def status(
        self, most: Annotated[int, Field(description="experiments listed, the last ones", ge=1, le=500)] = MOST_LISTED
    ) -> Status:
        """Show how far the campaign is: experiments, fits, looks at the held-out set, what waits. Cheap; call it often.

        It works while a batch is running.
        """
        campaign = self._served.laboratory().campaign
        file, names = campaign.file, {e.name for e in campaign.file.experiments}
        imported = file.problem.recorded
        if self._served.was_run:
            with self._served.ledger() as ledger:
                summary, shown = ledger.summary(), ledger.experiments(last=most)
                rounds, confirmations = ledger.rounds(), ledger.confirmations()
        else:
            summary, shown, rounds, confirmations = (
                Summary(file.problem_spec[0], file.protocol.model_dump()),
                [],
                [],
                [],
            )
        champion = next(reversed(champions_of_rounds(judged(rounds))), None)
        spent = any(c.kind == HELD_OUT_SET for c in confirmations) or bool(summary.held_out_accesses)
        values = {
            "campaign": self._served.path.name,
            **vars(summary),
            "confirmation_left": not spent and not imported,
            "busy": self.busy,
            "waiting": [p.name for p in self._served.waiting.proposals() if p.name not in names],
            "champion": None if champion == campaign.baseline else champion,
            "list": [{k: v for k, v in vars(e).items() if k != "recipe"} | {"status": e.status} for e in shown],
        }
        return Status.model_validate(plain(values))

    def compare(
        self,
        experiments: Annotated[Names, Field(description="names; empty: all that are finished")] = [],  # noqa: B006
        baseline: Annotated[
            str | None, Field(description="compare with this one; default: the protocol's", max_length=80)
        ] = None,
    ) -> Comparison:
        """Judge experiments against a baseline: better, worse, equivalent, undecided or no evidence.

        Call it after run_batch. Only `better` counts as an improvement. `undecided` is not 'equal': `needed` says what
        would decide it, often more seeds or more data, which only a person can grant. A better score without the
        verdict `better` is luck until shown otherwise. `champion` is what may be claimed; `blocked` are experiments
        that look better and that the audit does not let through.
        """
        names = check_names(experiments, self._served.limits, where="compare")
        chosen = None if baseline is None else check_names([baseline], self._served.limits, where="compare")[0]
        with self._served.turn:
            laboratory, results = self._served.laboratory(), self._served.results()
            if not names and len(results.arms) > MOST_COMPARED:
                what = f"{len(results.arms)} experiments are finished"
                raise UsageError(what, where="compare", remedy="name up to 64 of them; probatum://log has them all")
            verdicts: list[Verdict] = list(results.verdicts)
            if names or chosen:
                verdicts = laboratory.compare(names or [a.name for a in results.arms], chosen)
            shown = {*(v.arm for v in verdicts), *(v.baseline for v in verdicts), *names}
            of_champion = champion_values(laboratory, results)
            values = {
                "campaign": self._served.path.name,
                "metric": laboratory.metric.name,
                "better": laboratory.metric.better,
                "baseline": verdicts[0].baseline if verdicts else results.baseline,
                "verdicts": [verdict_values(v) for v in verdicts],
                "arms": [arm_values(a) for a in results.arms if not names or a.name in shown],
                **{key: of_champion[key] for key in ("champion", "no_champion", "blocked")},
            }
        return Comparison.model_validate(plain(values))

    def effects(self) -> Effects:
        """Show what each kind of change does, pooled over all pairs of experiments that differ by it alone.

        Call it before proposing: a change that is `worse` over several parents needs a reason to be tried again.
        """
        with self._served.turn:
            values = effects_values(self._served.laboratory(), self._served.results())
        return Effects.model_validate(plain(values))

    def audit(
        self,
        experiments: Annotated[Names, Field(description="names; empty: all")] = [],  # noqa: B006
        codes: Annotated[list[str], Field(description="checks to make; empty: all", max_length=64)] = [],  # noqa: B006
    ) -> AuditAnswer:
        """Find what is wrong with the campaign: leakage, over-fitting, instability, luck, impossible predictions.

        Call it after run_batch and before any claim. An `error` stands against believing a result: the experiment
        cannot be champion, whatever its score. `explain CODE` says what a finding means; `remedy` what to do. Findings
        are ignored by a person alone, with a reason, in the campaign file.
        """
        names = check_names(experiments, self._served.limits, where="audit")
        asked = check_names(codes, self._served.limits, where="audit")
        with self._served.turn:
            if names or asked:
                laboratory = self._served.laboratory()
                found = laboratory.audit(self._served.results(), only=names or None, codes=asked or None)
            else:
                found = self._served.audit()
        return AuditAnswer.model_validate(plain(audit_values(found)))

    def explain(
        self,
        topic: Annotated[
            str,
            Field(
                description="protocol, recipe, run, audit, planning, models, training, a model's name, a check: PB101",
                max_length=64,
            ),
        ],
    ) -> Explanation:
        """Explain a part of the campaign file key by key, a model's parameters, or what a check of the audit means.

        Call `explain models`, then `explain mlp` (say), before an edit of `model` or `training`; `explain training`
        lists losses, penalties, schedules and averages.
        """
        if ":" in topic:
            raise UnknownNameError.of("topic", topic.replace(":", " "), model_values(), where="explain")
        keys = {key: text for key, text in topic_values(topic).items() if ":" not in key}
        return Explanation.model_validate(plain({"topic": topic, "keys": keys}))

    def report(self) -> Report:
        """Write the campaign's HTML report into its state folder, and return the experiment log in Markdown.

        Call it when you stop, and give the person the path. The log is also the resource probatum://log.
        """
        with self._served.turn:
            laboratory, results = self._served.laboratory(), self._served.results()
            if not results.arms:
                raise CampaignFileError("no experiment is finished", where=self._served.path.name, remedy="run_batch")
            audit = self._served.audit()
            written = write_report(laboratory, results, audit=audit)
            text = log_text(experiment_log(laboratory, results, audit=audit))
        most = self._served.limits.answer
        shown = text if len(text) <= most else text[:most]
        path = written.relative_to(laboratory.campaign.folder.parent).as_posix()
        return Report.model_validate({"report": path, "log": shown, "shortened": len(text) > most})


def _task_values(laboratory: Laboratory, task: str, dataset: Dataset) -> Mapping[str, Any]:
    """A task without its held-out cases."""
    protocol = laboratory.campaign.file.protocol
    held = held_out_rows(dataset, protocol)
    used = np.setdiff1d(np.arange(len(dataset)), held)
    return {
        "task": task,
        "cases": len(used),
        "held_out": len(held),
        "splits": sum(s.task == task for s in laboratory.campaign.splits),
        "observations": {
            name: _observation(dataset, name, used) for name in list(dataset.observations)[:MOST_FEATURES]
        },
        "quantities": [asdict(q) for q in dataset.quantities],
        "units": quantity_units(laboratory),
    }


def _observation(dataset: Dataset, name: str, rows: np.ndarray) -> str:
    known, unit = dataset.observations[name], dataset.units.get(name, "1")
    if isinstance(known, Ragged):
        return f"a curve of its own length in every case [{unit}]"
    values = known[rows]
    if values.dtype.kind in "OU":
        levels = sorted({str(v) for v in values.ravel()})
        return f"text, {len(levels)} different: {', '.join(levels[:12])}{', ...' if len(levels) > 12 else ''}"
    if values.ndim > 1:
        return f"numbers of shape {values.shape[1:]} [{unit}]"
    return f"{np.nanmin(values):.6g} to {np.nanmax(values):.6g} [{unit}]" if len(values) else f"numbers [{unit}]"
