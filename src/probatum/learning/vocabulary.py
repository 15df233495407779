"""What a training can be asked for by name, and which of it goes together.

Imports no array library, so that a recipe is checked at once; the functions behind the names stand in `losses`,
`heads`, `schedules`, `optimisers`, `averaging` and `augmentation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from probatum import plug_ins
from probatum.errors import UnknownNameError
from probatum.learning.choices import imported

HEADS = ("linear", "sigmoid", "softplus", "relu_plus_one", "ordered", "increasing", "gaussian")
OPTIMISERS = ("adam", "adamw", "sgd")


@dataclass(frozen=True)
class Choice:
    """Something with a name and numbers of its own.

    Attributes:
        description: one line.
        numbers: its numeric parameters and their defaults; traced.
    """

    description: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LossChoice(Choice):
    """A loss.

    Attributes:
        heads: the output heads it can be used with; the first one is taken where none is asked for.
        outputs: what it sees: 'raw' network outputs before the head (logits, or means and log-variances), 'scaled'
            predictions and targets, or both in their 'units'.
        targets: what targets must be: 'any', 'positive' or 'unit' (from 0 to 1).
    """

    heads: tuple[str, ...] = ("linear", "sigmoid", "softplus", "relu_plus_one", "ordered", "increasing")
    outputs: str = "scaled"
    targets: str = "any"


LOSSES: dict[str, LossChoice] = {
    "mse": LossChoice("squared error"),
    "mae": LossChoice("absolute error"),
    "huber": LossChoice("squared error / 2, linear beyond delta", {"delta": 1.0}),
    "smooth_l1": LossChoice("the Huber loss over its delta", {"delta": 1.0}),
    "bce": LossChoice("binary cross-entropy, on logits", heads=("sigmoid",), outputs="raw", targets="unit"),
    "hinge": LossChoice("hinge, on logits", heads=("sigmoid",), outputs="raw", targets="unit"),
    "gaussian_nll": LossChoice("Gaussian likelihood with a variance a row", heads=("gaussian",), outputs="raw"),
    "log2_mse": LossChoice("squared error of log2", heads=("softplus", "relu_plus_one", "ordered"), targets="positive"),
}

PENALTIES: dict[str, Choice] = {
    "mass_balance": Choice("predicted shares that add up to more than 1, squared"),
    "label_correlation": Choice("differences of correlations between labels, in closed form"),
    "sampled_label_correlation": Choice("differences of correlations between labels, sampled"),
}
"""Beside these, every loss can be a penalty."""

SCHEDULES: dict[str, Choice] = {
    "constant": Choice("the rate itself"),
    "exponential": Choice("warm-up, then a decay by a constant ratio", {"warmup": 0.0, "final": 0.01}),
    "held_exponential": Choice("the rate itself, then a decay by a constant ratio", {"held": 0.0, "final": 0.01}),
    "cosine": Choice("warm-up, then half a cosine", {"warmup": 0.0, "final": 0.0}),
    "cosine_restarts": Choice("warm-up, then cosines again and again", {"warmup": 0.0, "final": 0.0, "cycles": 4}),
    "plateau": Choice(
        "lower after `wait` epochs without a better score, of validation rows or else of the training",
        {"factor": 0.1, "wait": 10, "least": 0.0},
    ),
}

AVERAGES: dict[str, Choice] = {
    "none": Choice("the last weights"),
    "ema": Choice("exponential moving average over steps", {"decay": 0.999}),
    "swa": Choice("mean over the ends of epochs, from a share of them on", {"start": 0.75}),
}


def loss_choice(name: str) -> LossChoice:
    """What is known of a loss by name, or of one of somebody else's.

    Raises:
        UnknownNameError: nobody registered the name.
    """
    if is_own_loss(name):
        return LossChoice("a loss of the user's own", outputs="units")
    if name not in LOSSES:
        raise UnknownNameError.of("loss", name, {**LOSSES, **_plug_ins()})
    return LOSSES[name]


def is_own_loss(name: str) -> bool:
    """Whether a loss is a function of somebody else's: by import path 'module:function', or of a plug-in."""
    return ":" in name or name in _plug_ins()


def own_loss(name: str) -> Callable[..., Any]:
    """The function behind a loss of somebody else's.

    Raises:
        CampaignFileError: it cannot be imported, or is no function.
    """
    return imported(name) if ":" in name else _plug_ins()[name].load(callable, "is no function")


def _plug_ins() -> dict[str, plug_ins.PlugIn]:
    return plug_ins.installed(plug_ins.LOSSES, {**LOSSES, **PENALTIES})
