"""What a compiled training does, apart from the shapes of its arrays: equal procedures compile once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from probatum.learning.objective import Objective


@dataclass(frozen=True)
class Stage:
    """One stage of a training; its numbers are traced.

    Attributes:
        epochs: most passes over the training set.
        objective: what it makes small.
        optimiser: of `probatum.learning.optimisers.OPTIMISERS`; it starts anew.
        schedule: of `probatum.learning.schedules.SCHEDULES`.
        clipping: whether gradients longer than the number 'clip_norm' are shortened to it.
        frozen: path prefixes of parameters that do not move.
        paces: path prefixes of parameters whose updates are multiplied by the numbers 'paces'.
    """

    epochs: int
    objective: Objective
    optimiser: str = "adam"
    schedule: str = "constant"
    clipping: bool = False
    frozen: tuple[str, ...] = ()
    paces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Procedure:
    """What a program does, apart from the shapes of its arrays. Equal procedures compile once.

    Attributes:
        stages: one after another.
        dropping: whether units are dropped, at rate `numbers['dropout']`.
        noisy: whether standardised inputs get noise of standard deviation `numbers['input_noise']`.
        weighted: whether rows have weights.
        watching: whether validation rows are scored every epoch; a replica stops `numbers['patience']` epochs after
            its best one.
        restoring: whether a stage ends with the weights of its best epoch.
        average: of the weights: none; 'ema', with decay `numbers['average']` a step; 'swa', the mean over the ends of
            epochs from the share `numbers['average']` of them on.
        probing: whether gradients, changes, numbers that are not finite and dead units are watched; without it, only
            a loss that is not finite says that a training diverged.
    """

    stages: tuple[Stage, ...]
    dropping: bool = False
    noisy: bool = False
    weighted: bool = False
    watching: bool = False
    restoring: bool = False
    average: Literal["none", "ema", "swa"] = "none"
    probing: bool = True
