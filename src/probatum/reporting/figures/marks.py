"""What all pictures of verdicts share: a colour and a marker for each outcome, and how counts and units are said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probatum.learning.metrics import METRICS
from probatum.pictures import BLUE, GREEN, GREY, INK, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = {
    "better": (BLUE, "o"), "worked": (BLUE, "o"),
    "worse": (VERMILION, "s"), "failed": (VERMILION, "s"),
    "equivalent": (GREEN, "D"),
    "undecided": (GREY, "v"), "no evidence": (GREY, "x"),
    "baseline": (INK, "P"), "not finished": (GREY, "."),
}  # fmt: skip
"""Outcome to colour, and a marker that says the same again."""


def outcome_of(values: Mapping[str, Any], name: str) -> str:
    """What became of an experiment: its verdict, 'baseline', or 'not finished'.

    Args:
        values: from `records.results_values`.
        name: of the experiment.
    """
    if name == values["baseline"]:
        return "baseline"
    return next((v["outcome"] for v in values["verdicts"] if v["arm"] == name), "not finished")


def counted(number: int, what: str) -> str:
    """'1 pair', '2 pairs', '1,000 experiments'."""
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def short(name: str, width: int) -> str:
    """A name on one line, cut where it is longer than `width` characters."""
    flat = " ".join(name.split())
    return flat if len(flat) <= width else f"{flat[: width - 3].rstrip()}..."


def logarithmic(axes: Axes) -> None:
    """Makes the y axis logarithmic, with plain numbers on it; after the data are drawn."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = math.log10(high / low)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def mutation_label(effect: Mapping[str, Any]) -> str:
    """A mutation on one line; one whose values are recipes of their own is named for the experiment that it made."""
    mutation = effect["mutation"]
    if "{" not in mutation or not effect["pairs"]:
        return mutation
    paths = [part.partition(":")[0].strip() for part in mutation.split(";") if ":" in part and " -> " in part]
    return f"{', '.join(paths) or 'recipe'} of '{effect['pairs'][0]['child']}'"


def score_unit(values: Mapping[str, Any]) -> str:
    """The metric with its unit: 'mse (fraction²)'.

    Args:
        values: with the protocol, and the units of what is predicted.
    """
    name = values["protocol"]["metric"]
    if METRICS[name].recorded:  # of imported runs: as the program that made them named it
        return next((str(quantity) for arm in values.get("arms", ()) for quantity in arm["by_quantity"]), name)
    units = {u for u in values["units"] if u != "1"}
    power = METRICS[name].unit_power
    if not units or not power:
        return name
    unit = units.pop() if len(units) == 1 else "unit of the target"
    return f"{name} ({unit}{'²' if power == 2 else ''})"


def lower_is_better(values: Mapping[str, Any]) -> bool:
    """Which way the protocol's metric goes."""
    return METRICS[values["protocol"]["metric"]].better == "lower"
