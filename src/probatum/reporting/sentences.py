"""Results in sentences, as every format has them: the champion, and what stands under the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.learning.metrics import METRICS
from probatum.reporting.numbers import figure, interval, probability, signed


def champion_lines(found: Mapping[str, Any], called: str | None = None) -> list[str]:
    """The champion in sentences, or what stands against there being one.

    Args:
        found: from `records.champion_values` or `records.results_values`.
        called: the metric's name for people; default: its own.
    """
    values, metric, baseline = found["champion"], found["metric"], found["baseline"]
    called = called or metric
    if values is None:
        return [f"No champion: {found['no_champion']}."]
    verdict = values["verdict"]
    bounds = interval(_bounds(verdict["interval"]))
    promoted = f", promoted in round {values['round']}" if values["round"] else ""
    compared = f"better than '{baseline}' by {figure(abs(verdict['difference']), 3)} (difference {bounds}"
    if verdict["outcome"] != "better":  # a round promoted it over another champion, or as simpler and equivalent
        compared = f"{verdict['outcome']} beside '{baseline}' (difference {signed(verdict['difference'])} {bounds}"
    lines = [
        f"Champion: {values['name']}, {called} {figure(values['score'])}{promoted}; {compared}, "
        f"{verdict['units']} units, p {probability(verdict['p_adjusted'])})."
    ]
    if values["optimism"] is None:
        lines.append("Its optimism is not known: one unit shows no spread.")
    else:
        lines.append(
            f"Chosen from {values['candidates']}, of which {values['contenders']} could have been the best; were these "
            f"equally good, the best would look better than it is by {figure(values['optimism'], 2)} {called} "
            f"(± {figure(values['optimism_error'], 1)}, simulated)."
        )
    if METRICS[metric].recorded:
        return [*lines, "Not confirmed: repeat it on fresh data, in the program that made it."]
    lines.append(f"Looks at the held-out set so far: {len(values['looks'])}.")
    lines += [line for c in values["confirmations"] for line in confirmation_lines(c)]
    if not values["confirmations"]:
        lines.append("Not confirmed yet: 'probatum champion confirm'.")
    return lines


def confirmation_lines(values: Mapping[str, Any]) -> list[str]:
    """A confirmation in sentences."""
    said = {"better": "confirmed", "worse": "refuted", "equivalent": "no different", "undecided": "not confirmed"}
    outcome = said.get(values["outcome"], values["outcome"])
    bounds = interval(_bounds(values["interval"]))
    lines = [
        f"Confirmation on {values['kind']}, {values['when'][:16].replace('T', ' ')}: {outcome}. {values['experiment']} "
        f"{values['metric']} {figure(values['score'])}, '{values['baseline']}' {figure(values['baseline_score'])}; "
        f"difference {signed(values['difference'])} ({bounds}), p {probability(values['p'])}.",
        f"{values['note'][:1].upper()}{values['note'][1:]}. Judged by {values['method']}.",
    ]
    return lines + ([f"To decide: {values['needed']}."] if values["needed"] else [])


def remarks(values: Mapping[str, Any]) -> list[str]:
    """What stands under a verdict table: how it was judged, and what would decide the undecided."""
    lines = []
    methods = {v["method"] for v in values["verdicts"] if v["method"]}
    margin = values["protocol"]["margin"]
    lines += [f"Judged by {m}; margin {figure(margin)}." for m in sorted(methods)]
    lines += [
        f"'{v['arm']}' against '{v['baseline']}' is not decided: {v['needed']}."
        for v in values["verdicts"]
        if v["needed"] and v["outcome"] in ("undecided", "no evidence")
    ]
    if any(v["posterior"] for v in values["verdicts"]):
        lines.append("P: worse, equivalent, better by the Bayesian correlated t; shown beside, it decides nothing.")
    floor = min((f["variance"] for f in values["noise_floors"]), default=0.0)
    if values["protocol"]["metric"] == "mse":
        lines += [
            f"'{a['name']}' scores below the noise floor: look at what counts as a repeated measurement."
            for a in values["arms"]
            if a["score"] < floor
        ]
    return lines


def effect_remarks(values: Mapping[str, Any]) -> list[str]:
    """What stands under a table of effects."""
    if not values["effects"]:
        return ["No finished experiment has a finished parent that it differs from: set parent = '...' to see effects."]
    units = values["effects"][0]["units"]
    alone = sum(len(e["pairs"]) == 1 for e in values["effects"])
    lines = [
        f"Random-effects mean over pairs; all pairs share the same {units} units, and the interval counts that.",
        "tau: spread of the true effect over parents; I2: share of the spread that sampling errors do not explain.",
    ]
    if alone:
        lines.append(
            f"{alone} of {len(values['effects'])} mutations rest on one pair: they say nothing of other parents."
        )
    return lines


def calibration_remarks(values: Mapping[str, Any]) -> list[str]:
    """What a calibration says: units, and whether the target can be reached."""
    lines = [values["unit_remark"]] if values["unit_remark"] else []
    x = [p["internal"] for p in values["pairs"]]
    lines.append(
        f"Fitted on {len(x)} pairs with x from {figure(min(x))} to {figure(max(x))}; outside, it extrapolates."
    )
    shown = [values["forms"][0], *(f for f in values["forms"][1:] if f["form"] == "y = a + b x")]
    return lines + [f"Target {f['target_says']}." for f in shown if f["target_says"]]


def _bounds(values: Sequence[float] | None) -> tuple[float, float] | None:
    return (values[0], values[1]) if values else None
