"""What a campaign says and means: its file as a plan, its results as they were computed for one state of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.problems.imported import Imported

if TYPE_CHECKING:
    from probatum.audit.inspection import Audit
    from probatum.laboratory import Laboratory, Results


@dataclass(frozen=True, eq=False)
class Plan:
    """What the campaign file says.

    Attributes:
        problem, question: that it is about.
        tasks: of the problem.
        protocol: its values.
        baseline: that experiments are compared with.
        experiments: of the file and the trivial ones, as records that nothing was run of.
        metric: that experiments are judged by, as people know it: of imported runs the name that it had there.
        source: where imported runs are from; None of a campaign of one's own.
    """

    problem: str
    question: str
    tasks: tuple[str, ...]
    protocol: Mapping[str, Any]
    baseline: str
    experiments: tuple[ExperimentRecord, ...]
    metric: str
    source: str | None = None


@dataclass(frozen=True, eq=False)
class View:
    """What a campaign means: computed once for a state of it.

    Attributes:
        state: of the finished experiments that it was computed from.
        laboratory, results, audit: as the command line has them.
        values: `reporting.records.results_values` without groups.
        findings: `reporting.findings.finding_values` of each, the worst first.
    """

    state: str
    laboratory: Laboratory
    results: Results
    audit: Audit
    values: Mapping[str, Any]
    findings: list[dict[str, Any]]

    @cached_property
    def verdicts(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to verdict against the baseline."""
        return {v["arm"]: v for v in self.values["verdicts"]}

    @cached_property
    def arms(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to scores."""
        return {a["name"]: a for a in self.values["arms"]}

    @cached_property
    def findings_of(self) -> Mapping[str, list[dict[str, Any]]]:
        """Subject to what was found of it and is not ignored."""
        found: dict[str, list[dict[str, Any]]] = {}
        for f in self.findings:
            if f["ignored"] is None and f["subject"]:
                found.setdefault(f["subject"], []).append(f)
        return found

    def outcome(self, name: str) -> str:
        """'better', ...; 'baseline'; '' where there is no verdict."""
        if name == self.values["baseline"]:
            return "baseline"
        if name.startswith(TRIVIAL):
            return "trivial"
        return self.verdicts[name]["outcome"] if name in self.verdicts else ""

    def close(self) -> None:
        """Lets go of the ledger; who still computes from it opens it again."""
        self.laboratory.campaign.ledger.close()


def plan_of(laboratory: Laboratory) -> Plan:
    """What a campaign file says.

    Args:
        laboratory: of the campaign.
    """
    campaign = laboratory.campaign
    file = campaign.file
    planned = tuple(
        ExperimentRecord(
            e.name, e.recipe.canonical(), e.recipe.digest(), e.parent, str(e.mutation) if e.mutation else None,
            e.hypothesis, 0,
        )
        for e in campaign.experiments
    )  # fmt: skip
    problem, protocol = file.problem, file.protocol.model_dump()
    metric, source = str(file.protocol.metric), None
    if isinstance(problem, Imported):
        metric = problem.metric
        source = ", ".join(filter(None, (problem.importer, problem.source, problem.experiment)))
    return Plan(
        file.problem_spec[0], problem.question, file.tasks, protocol, campaign.baseline, planned, metric, source
    )  # fmt: skip


def view_of(laboratory: Laboratory, state: str) -> View:
    """What a campaign means, as the command line computes it.

    Args:
        laboratory: of a campaign that has been run.
        state: of the campaign.

    Raises:
        ProbatumError: its data or its ledger cannot be used.
    """
    from probatum.reporting.findings import finding_values
    from probatum.reporting.records import results_values

    results = laboratory.results()
    audit = laboratory.audit(results)
    values = results_values(laboratory, results, groups=False, audit=audit)
    scores = {a.name: a.score for a in results.arms}
    for e in values["experiments"]:  # the ledger knows scores at the end of a run
        e["score"] = scores.get(e["name"]) if e["score"] is None else e["score"]
    return View(state, laboratory, results, audit, values, [finding_values(f) for f in audit.findings])
