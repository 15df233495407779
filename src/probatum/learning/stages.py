"""The stages of a training, as recipes write them: what one sets over the training's own parameters."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum.errors import CampaignFileError, UnknownNameError, nearest
from probatum.learning.choices import among, check_number, check_numbers, named_choice, with_defaults
from probatum.learning.vocabulary import (
    HEADS,
    LOSSES,
    OPTIMISERS,
    PENALTIES,
    SCHEDULES,
    is_own_loss,
    loss_choice,
    own_loss,
)

SHARED = ("epochs", "optimiser", "rate", "weight_decay", "clip_norm", "loss", "penalties", "schedule", "target_weights")
"""Parameters of a training that a stage may set anew."""
OWN = ("frozen", "rates")


@dataclass(frozen=True)
class StageChoice:
    """One stage.

    Attributes:
        epochs: most passes over the training rows.
        optimiser, rate, weight_decay: of this stage.
        clip_norm: longest gradient; None for any.
        loss: its name and its numbers.
        penalties: name to weight.
        schedule: its name and its numbers.
        frozen: path prefixes of parameters that do not move.
        rates: path prefix to what its parameters' rate is multiplied by; the first that fits counts.
        target_weights: of each target in the loss; None weighs them the same.
    """

    epochs: int
    optimiser: str
    rate: float
    weight_decay: float
    clip_norm: float | None
    loss: tuple[str, dict[str, float]]
    penalties: dict[str, float]
    schedule: tuple[str, dict[str, float]]
    frozen: tuple[str, ...]
    rates: dict[str, float]
    target_weights: tuple[float, ...] | None = None

    @property
    def shape(self) -> Hashable:
        """All that is no traced number."""
        names = (self.loss[0], tuple(self.penalties), self.optimiser, self.schedule[0])
        return (self.epochs, *names, self.clip_norm is not None, self.frozen, tuple(self.rates))


def stages_of(training: Mapping[str, Any], stages: object) -> tuple[StageChoice, ...]:
    """The stages of a training; one where none are given.

    Args:
        training: the parameters `SHARED`.
        stages: a list, of what each stage sets over them; its `frozen` and `rates`.

    Raises:
        CampaignFileError: a key that stages do not have, or a value that cannot be used.
        UnknownNameError: a name nobody registered.
    """
    if isinstance(stages, str | Mapping) or not isinstance(stages, Sequence):
        raise CampaignFileError(f"stages = {stages!r} cannot be used", where="stages", remedy="a list of stages")
    if not stages:
        return (_stage(training, ""),)
    for place, one in enumerate(stages):
        where = f"stages[{place}]"
        if not isinstance(one, Mapping):
            raise CampaignFileError(f"{where} = {one!r} cannot be used", where=where, remedy="a table of keys")
        for key in one:
            if key not in (*SHARED, *OWN):
                raise CampaignFileError(f"unknown key '{key}'", where=where, remedy=nearest(key, (*SHARED, *OWN)))
    return tuple(_stage({**training, **one}, f"stages[{place}].") for place, one in enumerate(stages))


def check_head(head: str, stages: Sequence[StageChoice]) -> None:
    """Refuses an output head that a loss or penalty cannot be used with.

    Raises:
        CampaignFileError: naming the heads that can.
    """
    among("output", head, HEADS)
    for name in dict.fromkeys(name for stage in stages for name in (stage.loss[0], *stage.penalties)):
        if name in PENALTIES:
            continue
        heads = loss_choice(name).heads
        if head not in heads:
            raise CampaignFileError(
                f"loss '{name}' cannot be used with output '{head}'",
                where="output",
                remedy=f"valid: {', '.join(heads)}",
            )


def _stage(given: Mapping[str, Any], where: str) -> StageChoice:
    check_number(f"{where}epochs", given["epochs"], whole=True, least=1)
    among(f"{where}optimiser", given["optimiser"], OPTIMISERS)
    check_number(f"{where}rate", given["rate"], above=0)
    check_number(f"{where}weight_decay", given["weight_decay"], least=0)
    if given["clip_norm"] is not None:
        check_number(f"{where}clip_norm", given["clip_norm"], above=0)
    weights = given["target_weights"]
    if weights is not None:
        check_numbers(f"{where}target_weights", weights, least=0, one_above=0)
    frozen = given.get("frozen", ())
    if isinstance(frozen, str) or not all(isinstance(prefix, str) for prefix in frozen):
        raise CampaignFileError(f"{where}frozen = {frozen!r} cannot be used", remedy="a list of parameter groups")
    rates = _weights(f"{where}rates", given.get("rates"))
    return StageChoice(
        int(given["epochs"]),
        given["optimiser"],
        float(given["rate"]),
        float(given["weight_decay"]),
        None if given["clip_norm"] is None else float(given["clip_norm"]),
        _loss(f"{where}loss", given["loss"]),
        _penalties(f"{where}penalties", given["penalties"]),
        _schedule(f"{where}schedule", given["schedule"]),
        tuple(frozen),
        rates,
        None if weights is None else tuple(map(float, weights)),
    )


def _loss(where: str, value: Any) -> tuple[str, dict[str, float]]:
    name, numbers = named_choice(where, value)
    if is_own_loss(name):
        own_loss(name)
        for key, number in numbers.items():
            check_number(f"{where}.{key}", number)
        return name, numbers
    numbers = with_defaults(where, numbers, loss_choice(name).numbers)
    if "delta" in numbers:
        check_number(f"{where}.delta", numbers["delta"], above=0)
    return name, numbers


def _penalties(where: str, value: Any) -> dict[str, float]:
    penalties = _weights(where, value)
    for name in penalties:
        if is_own_loss(name):
            own_loss(name)
        elif name not in PENALTIES and name not in LOSSES:
            raise UnknownNameError.of("penalty", name, {**PENALTIES, **LOSSES})
    return penalties


def _schedule(where: str, value: Any) -> tuple[str, dict[str, float]]:
    name, given = named_choice(where, value)
    among(where, name, SCHEDULES)
    numbers = with_defaults(where, given, SCHEDULES[name].numbers)
    limits: dict[str, dict[str, Any]] = {
        "warmup": {"least": 0, "below": 1},
        "held": {"least": 0, "below": 1},
        "final": {"least": 0},
        "cycles": {"least": 1},
        "factor": {"above": 0, "below": 1},
        "wait": {"least": 1},
        "least": {"least": 0},
    }
    for key, number in numbers.items():
        check_number(f"{where}.{key}", number, **limits[key])
    if name in ("exponential", "held_exponential"):
        check_number(f"{where}.final", numbers["final"], above=0)
    return name, numbers


def _weights(where: str, value: Any) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CampaignFileError(
            f"{where} = {value!r} cannot be used", where=where, remedy="a table of names and numbers"
        )
    for key, number in value.items():
        check_number(f"{where}.{key}", number, least=0)
    return {str(key): float(number) for key, number in value.items()}
