"""What the formats of a report share: its opening sentences, and what is shown of what would be too much to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum.campaigns.experiment import TRIVIAL
from probatum.learning.metrics import METRICS
from probatum.reporting.numbers import duration, figure, signed
from probatum.reporting.sentences import remarks

MOST_ARMS_SHOWN = 60
MOST_EFFECTS_SHOWN = 60
MOST_SPLITS_SHOWN = 60
OF_PARTITIONS = ("group", "folds", "repeats", "test_fraction", "stratify", "split_seed", "minimum_group_rows")
"""Keys of a protocol that say how cases are split."""
OF_TRAINING = ("seeds", "scoring", "held_out")
"""Keys that ask for trainings and predictions, of which imported runs have none."""
_K_FOLDS = ("group", "folds", "repeats", "stratify", "split_seed")
_HOLD_OUTS = ("group", "repeats", "test_fraction", "stratify", "split_seed")
READ_BY_SPLITS: Mapping[str, tuple[str, ...]] = {
    "leave-one-group-out": ("group", "minimum_group_rows"),
    "grouped-k-fold": _K_FOLDS,
    "repeated-k-fold": _K_FOLDS,
    "stratified-hold-out": _HOLD_OUTS,
    "fresh-draws": _HOLD_OUTS,
}
"""Kind of splits to the keys of `OF_PARTITIONS` that it reads (`campaigns.splits.make_splits`)."""
LONGEST = 300
"""Characters of a setting: a table of weights says nothing to a reader."""


def opening(values: Mapping[str, Any]) -> list[str]:
    """What the campaign came to, in a few sentences."""
    tried = [e for e in values["experiments"] if not e["name"].startswith(TRIVIAL)]
    finished = sum(e["status"] == "done" for e in tried)
    fits = sum(e["done"] for e in values["experiments"])
    seconds = sum(e["seconds"] for e in values["experiments"])
    metric = METRICS[values["protocol"]["metric"]]
    did = f"were planned and {finished} are finished: {fits:,} fits, {duration(seconds)} of training"
    if metric.recorded:
        did = f"were imported and {finished} are finished: {fits:,} runs"
    lines = [
        f"{len(tried)} experiments {did}. Each is judged against '{values['baseline']}' by {metric.name} "
        f"({metric.better} is better)."
    ]
    counts: dict[str, int] = {}
    for v in values["verdicts"]:
        counts[v["outcome"]] = counts.get(v["outcome"], 0) + 1
    if counts:
        lines.append(f"Verdicts: {', '.join(f'{n} {outcome}' for outcome, n in counts.items())}.")
    champion = values["champion"]
    if champion:
        verdict = champion["verdict"]
        lines.append(
            f"The champion is '{champion['name']}' with {figure(champion['score'])}, a difference of "
            f"{signed(verdict['difference'])} from the baseline."
        )
    else:
        lines.append(f"There is no champion: {values['no_champion']}.")
    found = values["audit"]["counts"]
    said = ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in found.items() if n)
    checks = len(values["audit"]["checked"])
    return [*lines, f"The audit of {checks} checks raised {said or 'nothing'}."]


def protocol_rows(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The protocol's keys and values, without those that its splits do not read."""
    protocol = values["protocol"]
    unread = set(OF_PARTITIONS) - set(READ_BY_SPLITS.get(protocol["splits"], OF_PARTITIONS))
    if protocol["held_out"]:
        unread.discard("split_seed")  # which draws the held-out cases
    if METRICS[protocol["metric"]].recorded:
        unread = {*OF_PARTITIONS, *OF_TRAINING}
    kept = [(key, value) for key, value in protocol.items() if key not in unread and value is not None]
    return [(key.replace("_", " "), value) for key, value in kept]


def judged_by(values: Mapping[str, Any]) -> list[str]:
    """How verdicts were found; what would decide each of the undecided stands beside the experiment."""
    without = {"needed": None, "posterior": None}  # of columns that a report does not have
    return remarks({**values, "verdicts": [v | without for v in values["verdicts"]]})


def shown_arms(values: Mapping[str, Any], most: int = MOST_ARMS_SHOWN) -> list[Mapping[str, Any]]:
    """Scores, the best first; of many the best, and always the baseline and the trivial ones."""
    arms = values["arms"]
    sign = 1 if METRICS[values["protocol"]["metric"]].better == "lower" else -1
    order = sorted(arms, key=lambda a: sign * a["score"])
    tried = [a["name"] for a in order if not a["trivial"]]
    kept = {*tried[:most], values["baseline"]}
    return [a for a in order if a["trivial"] or a["name"] in kept]


def shown_effects(values: Mapping[str, Any], most: int = MOST_EFFECTS_SHOWN) -> list[Mapping[str, Any]]:
    """Effects in their order; of many those decided, then the largest."""
    effects = values["effects"]
    decided = ("worked", "failed", "equivalent")
    order = sorted(range(len(effects)), key=lambda i: (effects[i]["outcome"] not in decided, -abs(effects[i]["mean"])))
    return [effects[i] for i in sorted(order[:most])]


def setting(value: Any) -> str:
    """A value of a recipe; what is too long to be read is cut."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def settings(recipe: Mapping[str, Any]) -> dict[str, str]:
    """The settings of a recipe that say something, by dotted path."""
    return {path: setting(value) for path, value in recipe.items() if value not in ((), [], {}, None)}
