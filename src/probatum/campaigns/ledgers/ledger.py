"""The durable record of a campaign: the contract that every ledger keeps, and its records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLANNED, DONE, FAILED, TIMED_OUT = "planned", "done", "failed", "timed out"
"""States of a fit. A job that was killed leaves its fits planned."""

SCORED, NEEDED = "scored", "needed"
"""Roles of a fit in an experiment: its predictions are the experiment's, or other fits are built on them."""


@dataclass(frozen=True)
class CampaignRecord:
    """What a campaign froze at its first run.

    Attributes:
        problem: {'kind', 'options'} that open the problem again.
        tasks: what the experiments are trained on.
        protocol: the protocol's values.
        data: task to digest of its dataset.
    """

    problem: Mapping[str, Any]
    tasks: tuple[str, ...]
    protocol: Mapping[str, Any]
    data: Mapping[str, str]


@dataclass(frozen=True)
class SplitRecord:
    """A split as the ledger knows it; its rows lie at `position` of the artifact.

    Attributes:
        train_rows, test_rows: how many cases stand on either side.
    """

    digest: str
    task: str
    draw: int
    name: str
    artifact: str
    position: int
    train_rows: int
    test_rows: int


@dataclass(frozen=True)
class PlannedFit:
    """A fit that an experiment needs: its key, its split, its seed and its role there."""

    key: str
    split: str
    seed: int
    role: str = SCORED


@dataclass(frozen=True)
class FitResult:
    """What a job says of one of its fits.

    Attributes:
        key: of the fit.
        seconds: the training took.
        artifact, position: where the predictions lie: the file, and the place in it.
        scores: quantity to the metric's value on the fit's test rows.
        rows: how many test rows were scored.
    """

    key: str
    seconds: float
    artifact: str
    position: int
    scores: Mapping[str, float]
    rows: int


@dataclass(frozen=True)
class FitRecord:
    """A fit as the ledger knows it.

    Attributes:
        status: PLANNED, DONE, FAILED or TIMED_OUT.
        attempts: how often its training began.
        error: traceback of the last failure.
        driver: the other living driver that has claimed it, None where nobody has.
    """

    key: str
    task: str
    draw: int
    split: str
    split_name: str
    seed: int
    role: str
    status: str
    attempts: int
    seconds: float | None = None
    artifact: str | None = None
    position: int | None = None
    error: str | None = None
    driver: str | None = None


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment as the ledger knows it.

    Attributes:
        recipe: canonical.
        mutation: the changes from the parent as text, None for a root.
        round: in which it was first run, from 1.
        fits, done, failed: how many fits it has, are finished, failed.
        seconds: of training, all finished fits together.
        score: under the campaign's scoring, None until it is finished.
    """

    name: str
    recipe: Mapping[str, Any]
    digest: str
    parent: str | None = None
    mutation: str | None = None
    hypothesis: str | None = None
    round: int = 1
    fits: int = 0
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    score: float | None = None

    @property
    def status(self) -> str:
        """'planned', 'running' (some fits are missing), 'done' or 'failed' (a fit failed)."""
        if self.failed:
            return "failed"
        if self.fits and self.done == self.fits:
            return "done"
        return "running" if self.done else "planned"


@dataclass(frozen=True)
class HeldOutAccess:
    """One look at the held-out set."""

    experiment: str
    when: str
    score: float


@dataclass(frozen=True)
class Submission:
    """A score that somebody else gave an experiment: a leaderboard, a colleague's test set.

    Attributes:
        metric: of the score.
        when: it was recorded, ISO 8601 in UTC.
    """

    experiment: str
    metric: str
    score: float
    when: str


HELD_OUT_SET, FRESH_SEEDS = "held-out set", "fresh seeds"
"""How a champion is confirmed: on cases that nothing has seen, or where there are none, with new seeds."""


@dataclass(frozen=True)
class Confirmation:
    """A champion's confirmation against the baseline. There is one for each champion, baseline and kind.

    Attributes:
        kind: HELD_OUT_SET or FRESH_SEEDS.
        result: plain values, as `Laboratory.confirm` found them.
        when: it was recorded, ISO 8601 in UTC.
    """

    experiment: str
    baseline: str
    kind: str
    result: Mapping[str, Any]
    when: str = ""


ROUND_PLANNED, ROUND_JUDGED = "planned", "judged"
"""States of a planned round. One that was interrupted stays planned, and is gone on with."""


@dataclass(frozen=True)
class RoundRecord:
    """A round that was planned by a program, as far as it has come.

    Attributes:
        number: from 1.
        state: ROUND_PLANNED or ROUND_JUDGED.
        content: plain values: what was proposed and why, what came of it, what was promoted.
        when: it was last written, ISO 8601 in UTC.
    """

    number: int
    state: str
    content: Mapping[str, Any]
    when: str = ""


@dataclass(frozen=True)
class PrincipleRecord:
    """Something that experiments are thought to have shown.

    Attributes:
        name: what it is about, unique.
        state: 'established', 'refuted' or 'open'.
        held: whether a person set the state, so that a program leaves it.
        content: plain values: the statement, its evidence, a note.
        when: it was last written, ISO 8601 in UTC.
    """

    name: str
    state: str
    held: bool
    content: Mapping[str, Any]
    when: str = ""


@dataclass(frozen=True)
class Summary:
    """A campaign at a glance.

    Attributes:
        experiments: by status.
        fits, done, failed, seconds: over all experiments; a fit that two share counts once for each.
        held_out_accesses: how often the held-out set was looked at.
    """

    problem: str
    protocol: Mapping[str, Any]
    experiments: Mapping[str, int] = field(default_factory=dict)
    fits: int = 0
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    held_out_accesses: int = 0


class Ledger(ABC):
    """The durable record of a campaign.

    Every implementation keeps these promises (tests/campaigns/ledgers/ledger_conformance.py):

    - A call that returned is durable against the death of the process; a call that raised changed nothing. Only where
      the database goes away in the middle of a change and stays away, nobody can know; the error then says so.
    - `start_jobs` and `finish_jobs` are one transaction: all fits, scores and counters of all the jobs, or none.
    - A fit that is DONE stays so: finishing it again changes nothing, failing it is refused.
    - A finished experiment cannot be changed (FinishedExperimentError).
    - Writing calls follow one another, and a reading call sees one state, whoever else writes meanwhile. Calls may come
      from several threads of a process.
    - In SQLite one process drives a campaign, by a lock beside the file; any number may read, and write what is no fit.
      In PostgreSQL several may drive it (`several_drivers`). Then a driver owns the fits that `start_jobs` has given it
      while they are planned and it lives: it says so to the server again and again, and counts as dead when it has said
      nothing for the time of its lease, in which the server was there to be told. Fits of a dead driver are given to
      whoever begins them next. One that only seemed dead may record what it has: the first result of a fit stays.
    - A database that is away for a while is waited for. After the patience of its address the call raises.
    - What cannot be read as this program's ledger raises LedgerError, a full disk StorageError.
    """

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is, for people; holds no password."""

    @property
    @abstractmethod
    def several_drivers(self) -> bool:
        """Whether several processes may drive the campaign at once."""

    @abstractmethod
    def drivers(self) -> list[str]:
        """The other living drivers, as 'pid 12 on host'; [] where a lock keeps them apart."""

    @abstractmethod
    def freeze(self, campaign: CampaignRecord) -> None:
        """Records what the campaign froze at its first run; later calls change nothing."""

    @abstractmethod
    def frozen(self) -> CampaignRecord | None:
        """What was frozen, None before the first run."""

    @abstractmethod
    def add_experiment(
        self, record: ExperimentRecord, fits: Sequence[PlannedFit], splits: Iterable[SplitRecord]
    ) -> None:
        """Records an experiment and the fits that it needs. Adding it again, unchanged, changes nothing.

        Raises:
            FinishedExperimentError: another recipe or other fits stand under that name, and some are finished.
            CampaignLockedError: they stand there unfinished, and another driver lives, who may be at work on them.
        """

    @abstractmethod
    def experiments(self, last: int | None = None) -> list[ExperimentRecord]:
        """All experiments, in the order in which they were added; or the `last` ones alone."""

    @abstractmethod
    def last_round(self) -> int:
        """The number of the last round, 0 before the first."""

    @abstractmethod
    def fits(self, experiment: str, role: str | None = None) -> list[FitRecord]:
        """The fits of an experiment, in the order of their splits and seeds; only those in a role, if one is given."""

    @abstractmethod
    def fit_states(self, keys: Iterable[str]) -> dict[str, FitRecord]:
        """What is known of these keys."""

    @abstractmethod
    def split(self, digest: str) -> SplitRecord:
        """A split by its digest."""

    @abstractmethod
    def start_jobs(self, jobs: Mapping[str, Sequence[str]], manifest: Mapping[str, Any]) -> set[str]:
        """Records that jobs begin, in one transaction, and claims their fits.

        Args:
            jobs: id of a job, unlike any before, to the keys of its fits.
            manifest: under which code and environment.

        Returns:
            The keys that this process may train. Others are finished, have failed, or are another driver's; a job that
            keeps none of its fits does not begin.
        """

    @abstractmethod
    def finish_jobs(self, jobs: Mapping[str, Sequence[FitResult]]) -> None:
        """Records the results of jobs, by their ids, in one transaction."""

    @abstractmethod
    def fail_fit(self, job: str, key: str, status: str, error: str) -> None:
        """Records that a fit failed for good."""

    @abstractmethod
    def reset_failed(self) -> int:
        """Plans failed fits again; returns how many."""

    @abstractmethod
    def scores(self, experiment: str) -> list[tuple[str, str, float]]:
        """(fit key, quantity, value of the metric) of an experiment's finished fits."""

    @abstractmethod
    def set_score(self, experiment: str, score: float) -> None:
        """Records a finished experiment's score; a second one that differs by more than rounding is refused."""

    @abstractmethod
    def manifest(self, key: str) -> Mapping[str, Any]:
        """Code, environment, data and split hashes that a fit was run under."""

    @abstractmethod
    def count_held_out(self, experiment: str, score: float) -> None:
        """Records one look at the held-out set."""

    @abstractmethod
    def held_out_accesses(self) -> list[HeldOutAccess]:
        """Every look at the held-out set."""

    @abstractmethod
    def submit(self, experiment: str, metric: str, score: float) -> Submission:
        """Records an external score, with the time; an experiment may have several.

        Raises:
            UnknownNameError: no such experiment was run.
        """

    @abstractmethod
    def submissions(self) -> list[Submission]:
        """Every external score, in the order in which they were recorded."""

    @abstractmethod
    def confirm(self, confirmation: Confirmation, looks: Mapping[str, float]) -> None:
        """Records a confirmation, and the looks at the held-out set that it took, in one transaction.

        Args:
            confirmation: its `when` is filled in.
            looks: experiment to its score on the held-out set; {} where none was looked at.

        Raises:
            FinishedExperimentError: this champion was confirmed before, or the held-out set has confirmed another one;
                nothing is recorded.
        """

    @abstractmethod
    def confirmations(self) -> list[Confirmation]:
        """Every confirmation, in the order in which they were recorded."""

    @abstractmethod
    def write_round(self, record: RoundRecord) -> None:
        """Records a planned round, in the place of what was recorded of it; its `when` is filled in.

        Raises:
            FinishedExperimentError: it was judged before; nothing is recorded.
        """

    @abstractmethod
    def rounds(self) -> list[RoundRecord]:
        """Every planned round, by its number."""

    @abstractmethod
    def write_principles(self, records: Sequence[PrincipleRecord]) -> None:
        """Records principles in one transaction, each in the place of what stood under its name."""

    @abstractmethod
    def forget_principle(self, name: str) -> None:
        """Removes a principle.

        Raises:
            UnknownNameError: there is none of that name.
        """

    @abstractmethod
    def principles(self) -> list[PrincipleRecord]:
        """Every principle, in the order in which they were first recorded."""

    @abstractmethod
    def summary(self) -> Summary:
        """The campaign at a glance; fast for ten thousand experiments and a million scores."""

    @abstractmethod
    def size(self) -> int:
        """Bytes that it takes."""

    @abstractmethod
    def damage(self) -> str | None:
        """What the database's own check finds, in its words; None where nothing is wrong."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of files, connections, and of fits that are claimed and not finished."""
