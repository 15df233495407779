"""What the tools answer: the values that the commands print with `--json`, with their schemas.

Fields that are not named here may follow; those that are named stay.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from probatum.evidence.effects import EffectOutcome

Outcome = Literal["better", "worse", "equivalent", "undecided", "no evidence", "baseline"]
OUTCOMES = (
    "better or worse than the baseline beyond chance, at the protocol's error rate over all arms together; equivalent: "
    "the difference is shown to be within the margin; undecided: the data do not say, which is not 'equal'; no "
    "evidence: nothing to test, and `needed` says why"
)


class Answer(BaseModel):
    """Values with a schema; more may follow."""

    model_config = ConfigDict(extra="allow")


class ProblemEntry(Answer):
    """A problem that campaigns can be made of."""

    name: str
    question: str = Field(description="the scientific question")
    needs_data: bool
    options: dict[str, Any] = Field(default_factory=dict)
    unavailable: str | None = Field(None, description="why it cannot be opened here")


class Problems(Answer):
    """All problems."""

    served: str = Field(description="the problem of the campaign that this server serves; the others are for people")
    problems: list[ProblemEntry]


class QuantityEntry(Answer):
    """Something that is predicted."""

    name: str
    unit: str
    lower: float | None = None
    upper: float | None = None


class TaskEntry(Answer):
    """A task of the campaign, as far as it is used: held-out cases are not looked at."""

    task: str
    cases: int = Field(description="that trainings and scores may use")
    held_out: int = Field(description="cases set aside; their truth is opened by confirm_champion alone")
    splits: int
    observations: dict[str, str] = Field(description="name to kind, unit and range, over the cases that may be used")
    quantities: list[QuantityEntry]


class Description(Answer):
    """The campaign: what is asked, what may be tried, and what is fixed."""

    campaign: str
    problem: str
    question: str
    imported: str | None = Field(
        description="what the runs were imported with: nothing can be trained; null: the campaign's own"
    )
    tasks: list[TaskEntry]
    protocol: dict[str, Any] = Field(description="how experiments are judged; fixed")
    baseline: str = Field(description="experiment that verdicts compare with")
    metric: str
    better: Literal["lower", "higher"]
    noise_floors: list[dict[str, Any]] = Field(description="variance of repeated measurements: no model beats it")
    features: dict[str, str] = Field(description="what a recipe's `features` may name")
    default_features: list[str]
    recipes: dict[str, str] = Field(description="named recipes; an edit takes one by {'recipe': NAME}")
    models: dict[str, str] = Field(description="what model.kind may be")
    experiments: list[str] = Field(description="names in the campaign file; parents of proposals")
    waiting: list[str] = Field(description="proposals that wait for run_batch")
    limits: dict[str, Any] = Field(description="what this server takes at most")


class ExperimentEntry(Answer):
    """An experiment of the ledger."""

    name: str
    status: str = Field(description="planned, running, done or failed")
    parent: str | None = None
    mutation: str | None = Field(None, description="what changed from the parent")
    hypothesis: str | None = None
    round: int = Field(description="the run of the program that trained it first, from 1; no round that was judged")
    fits: int
    done: int
    failed: int
    seconds: float
    score: float | None = None


class Status(Answer):
    """How far the campaign is."""

    campaign: str
    problem: str
    experiments: dict[str, int] = Field(description="state to how many")
    fits: int
    done: int
    failed: int
    seconds: float = Field(description="of training, all together")
    held_out_accesses: int = Field(description="how often the held-out set was looked at, by anybody")
    confirmation_left: bool = Field(description="whether the held-out set is unspent, or there is none")
    busy: bool = Field(description="whether a batch of this server is running")
    waiting: list[str] = Field(description="proposals that wait for run_batch")
    champion: str | None = Field(
        None,
        description="of the last judged round; null: none was judged, or the baseline is it still. `compare` says why",
    )
    entries: list[ExperimentEntry] = Field(alias="list")


class VerdictEntry(Answer):
    """A verdict."""

    arm: str
    baseline: str
    outcome: Outcome = Field(description=OUTCOMES)
    score: float | None
    difference: float | None = Field(description="score minus the baseline's, in the metric's unit")
    interval: list[float] | None = Field(description="confidence interval of the difference")
    p: float | None = None
    p_adjusted: float | None = Field(None, description="by Holm, for all arms of this comparison")
    p_equivalent: float | None = None
    units: int = Field(description="independent units that the test rests on")
    seeds: int
    needed: str | None = Field(None, description="what would decide an undecided comparison")
    method: str


class Comparison(Answer):
    """Experiments against a baseline, judged together."""

    campaign: str
    metric: str
    better: Literal["lower", "higher"]
    baseline: str
    verdicts: list[VerdictEntry]
    arms: list[dict[str, Any]] = Field(description="scores by quantity and task, spread over seeds")
    champion: dict[str, Any] | None = Field(
        description="what judged rounds promoted, or else the best that is better; no error stands against it"
    )
    no_champion: str | None = Field(None, description="what stands against there being one")
    blocked: dict[str, list[str]] = Field(description="better experiments that errors of the audit stand against")


class EffectEntry(Answer):
    """What one mutation does, over all pairs of experiments that differ by it alone."""

    mutation: str
    outcome: EffectOutcome = Field(description="worked or failed: the score got better or worse beyond chance")
    mean: float | None = Field(description="change of the score")
    interval: list[float] | None
    p_adjusted: float | None = None
    pairs: list[dict[str, Any]]


class Effects(Answer):
    """What worked and what failed."""

    campaign: str
    units: list[str]
    effects: list[EffectEntry]


class FindingEntry(Answer):
    """Something that is wrong, or may be."""

    code: str = Field(description="`explain CODE` says what it means and how it is found")
    title: str
    severity: Literal["error", "warning", "note"] = Field(
        description="error: the result cannot be believed; warning: look before you believe; note: good to know"
    )
    subject: str | None = Field(description="experiment or split; null: all")
    message: str
    remedy: str
    ignored: str | None = Field(None, description="the reason a person gave for ignoring it")


class AuditAnswer(Answer):
    """What the audit found."""

    audited: str
    checked: list[str]
    counts: dict[str, int]
    findings: list[FindingEntry]


class Explanation(Answer):
    """A part of the campaign file, a model or a check, key by key."""

    topic: str
    keys: dict[str, Any]


class ProposalEntry(Answer):
    """A next experiment."""

    name: str
    parent: str
    mutation: dict[str, Any] = Field(description="the edit; give it to `propose` as it is")
    change: str = Field(description="the same in words")
    hypothesis: str
    reason: str
    priority: str
    slot: str | None
    expected: dict[str, Any] | None = Field(None, description="change of the score that earlier steps let expect")


class NextRound(Answer):
    """What the program would try next."""

    round: int
    proposals: list[ProposalEntry]
    dropped: list[dict[str, Any]]
    for_a_person: dict[str, str] = Field(description="findings that no experiment puts right")
    stop: str | None = Field(None, description="why it may be time to stop; null: go on")


class Proposed(Answer):
    """A proposal that waits."""

    name: str
    parent: str
    change: str
    waiting: int = Field(description="proposals that wait now; run_batch runs them as one round")


class Withdrawn(Answer):
    """Proposals that were taken back."""

    withdrawn: list[str]
    waiting: list[str] = Field(description="proposals that wait still")


class BatchAnswer(Answer):
    """How a batch ended."""

    stopped: str = Field(
        description="rounds: the round ran, and is judged; nothing waits; nothing left: no proposal could be tried; "
        "noise: what remains cannot be told from noise, so stop; target, audit, budget"
    )
    why: str
    champion: str | None = Field(description="the best experiment that survived verdict and audit; else the baseline")
    score: float | None
    leader: str | None = Field(None, description="what looks best, proven or not; not to be claimed")
    round: dict[str, Any] | None = Field(
        None, description="the judged round: `results` with outcome, difference and findings of each experiment; "
        "`promoted`; `control_result`; `remarks`"
    )  # fmt: skip
    waiting: int
    dropped: list[dict[str, Any]] = Field(description="proposals that could not be tried, and why")


class Report(Answer):
    """The report and the log."""

    report: str = Field(description="HTML file, relative to the campaign's folder")
    log: str = Field(description="the experiment log in Markdown, batch by batch")
    shortened: bool = Field(description="whether the log is longer than what is shown; the resource has it whole")


class PredictionEntry(Answer):
    """One new case."""

    values: list[float | None] = Field(description="one a quantity")
    spread: list[float | None] | None = Field(description="predictive standard deviation; null: one training, untold")
    outside: list[str] = Field(description="observations beyond all training cases: there it is an extrapolation")


class Predictions(Answer):
    """Predictions of new cases."""

    experiment: str
    trained_on: int = Field(description="cases; held-out ones are not among them")
    seeds: int
    quantities: list[QuantityEntry]
    predictions: list[PredictionEntry]
    out_of_fold: dict[str, float | None] = Field(
        description="the experiment's score by quantity, in the protocol's metric"
    )


class ConfirmationAnswer(Answer):
    """The champion's confirmation."""

    confirmed_now: bool = Field(description="false: it was confirmed before, and this is the first result again")
    confirmation: dict[str, Any]
    looks: list[dict[str, Any]] = Field(description="every look at the held-out set, by anybody")
