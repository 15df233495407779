"""A principle: what a kind of step is thought to do, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["established", "refuted", "open"]
STATES: tuple[State, ...] = ("established", "refuted", "open")


@dataclass(frozen=True)
class Principle:
    """What a kind of step is thought to do.

    Attributes:
        family: the kind of step (`probatum.planning.families`), which is its name.
        statement: in words.
        state: established (it helps), refuted (it does not), or open.
        pairs: parent-child pairs that it rests on, with their names.
        effect: mean difference of the scores, child minus parent; None without evidence.
        interval: of the effect; None where one pair of folds cannot tell it.
        held: whether a person set the state; a program then updates the evidence alone.
        note: a person's.
    """

    family: str
    statement: str
    state: State = "open"
    pairs: tuple[tuple[str, str], ...] = ()
    effect: float | None = None
    interval: tuple[float, float] | None = None
    held: bool = False
    note: str = ""
