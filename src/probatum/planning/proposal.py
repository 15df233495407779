"""A proposal: one next experiment, said as an edit of its parent; and the contract of whoever proposes.

A proposer is anything with a name and `propose(history, k)`: a program, an agent, or a person's TOML file. What it sees
is a `History`, which nothing can change. What it proposes is checked before it counts
(`probatum.planning.candidates`), so a proposer need not be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

from probatum.audit.finding import Finding
from probatum.campaigns.experiment import Experiment
from probatum.evidence.effects import Effect
from probatum.evidence.verdict import Verdict
from probatum.planning.matrix import Matrix
from probatum.planning.principle import Principle
from probatum.planning.space import Space
from probatum.planning.standing import Standing
from probatum.problems.problem import Problem

Priority = Literal["HIGH", "MEDIUM", "LOW"]
PRIORITIES: tuple[Priority, ...] = ("HIGH", "MEDIUM", "LOW")

Slot = Literal["exploit", "second", "explore", "principle test", "control"]
SLOTS: tuple[Slot, ...] = ("exploit", "second", "explore", "principle test", "control")
"""What a round is made of: the best parent, the second best, something new, a principle tried once more, and the
champion unchanged."""


@dataclass(frozen=True)
class Expected:
    """What a mutation is expected to do to the score of its parent.

    Attributes:
        mean: difference of the scores, in the metric's unit.
        interval: that the difference of one more pair is predicted to lie in, at level .9.
        pairs: that it was learned from.
    """

    mean: float
    interval: tuple[float, float]
    pairs: int


@dataclass(frozen=True)
class Proposal:
    """A next experiment.

    Attributes:
        parent: the experiment that it edits.
        mutation: the edit, in the form of a campaign file's [[experiment]] table: {'model': {'dropout': 0.1}}.
        name: of the experiment; '' leaves it to the round.
        hypothesis: what is expected of the change.
        reason: why it is proposed: the finding, the pattern, the principle.
        expected: what the ledger lets expect; None where it has no evidence.
        priority: how soon it should be tried.
        slot: that it was made for, or that it fills; None where any will do.
        proposer: who made it.
    """

    parent: str
    mutation: Mapping[str, Any]
    name: str = ""
    hypothesis: str = ""
    reason: str = ""
    expected: Expected | None = None
    priority: Priority = "MEDIUM"
    slot: Slot | None = None
    proposer: str = ""


@dataclass(frozen=True, eq=False)
class History:
    """A campaign as a proposer sees it.

    Attributes:
        problem: whose features a recipe may name.
        experiments: of the tree, in order, those that failed or wait included; trivial baselines left out.
        standings: name to the score of each that is finished and scored, with its posterior.
        better: which way the score goes.
        baseline: that verdicts are given against.
        champion: the best that survived its verdict and audit; the baseline where none did.
        floor: the best score that noise allows; None where it is not known.
        margin: differences up to this do not matter.
        round: that is planned, from 1.
        verdicts: against the baseline.
        findings: of the audit.
        effects: of families of mutations (`probatum.planning.families`), the mutation's text being the family.
        principles: what experiments are thought to have shown.
        matrices: name to the score by group and quantity, for some of the experiments.
        quantities: that are predicted.
        space: what may be searched; None where the file declares nothing.
        seconds: name to the seconds that one fit took.
        limit: seconds that one fit may take.
        given_up: digests of recipes that the races of earlier rounds took away.
        fixed: parts of the recipe that no proposal may change: 'model.kind', 'features'.
    """

    problem: Problem
    experiments: tuple[Experiment, ...]
    standings: Mapping[str, Standing]
    better: Literal["lower", "higher"]
    baseline: str
    champion: str
    floor: float | None = None
    margin: float = 0.0
    round: int = 1
    verdicts: tuple[Verdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    effects: tuple[Effect, ...] = ()
    principles: tuple[Principle, ...] = ()
    matrices: Mapping[str, Matrix] = field(default_factory=dict)
    quantities: tuple[str, ...] = ()
    space: Space | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    limit: float = float("inf")
    given_up: frozenset[str] = frozenset()
    fixed: tuple[str, ...] = ()

    @property
    def sign(self) -> int:
        """1 where a lower score is better, else -1: sign * score is always to be made small."""
        return 1 if self.better == "lower" else -1

    @cached_property
    def by_name(self) -> Mapping[str, Experiment]:
        """Name to experiment."""
        return MappingProxyType({e.name: e for e in self.experiments})

    @cached_property
    def by_digest(self) -> Mapping[str, str]:
        """Digest of a recipe to the name of the first experiment that has it."""
        return MappingProxyType({e.recipe.digest(): e.name for e in reversed(self.experiments)})

    def blocked(self, name: str) -> tuple[Finding, ...]:
        """Errors of the audit that stand against an experiment, or against all.

        Args:
            name: of an experiment.
        """
        names = self.by_name
        return tuple(f for f in self.findings if f.blocks and (f.subject == name or f.subject not in names))


@runtime_checkable
class Proposer(Protocol):
    """Who says what to try next."""

    @property
    def name(self) -> str:
        """As rounds record it."""
        ...

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """Up to k proposals, the best first; fewer or none where nothing comes to mind.

        Args:
            history: of the campaign.
            k: how many are wanted.
        """
        ...
