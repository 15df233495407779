"""What there is to work with, as plain values: problems, models, the keys of a campaign file, checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from inspect import getdoc
from typing import Any

from probatum import plug_ins
from probatum.campaigns.recipe_book import recipe_book
from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.problems import registry

TOPICS = ("audit", "models", "planning", "protocol", "recipe", "run", "training")
"""Parts of a campaign file that `topic_values` explains, beside models and checks by their names."""


def problem_values(name: str, *, full: bool) -> dict[str, Any]:
    """A problem; of a plug-in that cannot be loaded, why.

    Args:
        name: registered.
        full: whether it is opened, for its tasks, features and recipes.

    Raises:
        UnknownNameError: nobody registered the name.
        CampaignFileError: asked for in full, and it cannot be loaded.
    """
    try:
        problem_class = registry.problem_class(name)
    except CampaignFileError as error:
        if full:
            raise
        return {"name": name, "question": "", "needs_data": False, "options": {}, "unavailable": str(error)}
    known = [f for f in fields(problem_class) if f.init]  # type: ignore[arg-type]
    values: dict[str, Any] = {"name": name, "question": problem_class.question, "needs_data": problem_class.needs_data}
    values["options"] = {f.name: "required" if f.default is MISSING else f.default for f in known}
    if not full:
        return values
    try:
        problem = registry.build(name, {})
        values["tasks"] = list(problem.tasks)
        values["scorings"] = list(problem.scorings)
        values["metric"] = problem.default_metric
        values["features"] = {n: f.description for n, f in problem.features.items()}
        values["default_features"] = list(problem.default_features)
        values["recipes"] = {n: r.about for n, r in recipe_book(problem).items()}
    except DataError as error:
        values["unavailable"] = str(error)
    except ValueError:  # options without a default: there is nothing to open yet
        described = (getdoc(problem_class) or "").partition("Attributes:")[2]
        values["unavailable"] = f"options ('probatum new' writes them):{described}"
    return values


def topic_values(topic: str) -> Mapping[str, Any]:
    """A part of the campaign file, a model's parameters, what a training can be asked for, or what a check finds.

    Args:
        topic: one of `TOPICS`, a model's name, or a check's code.

    Returns:
        Key, parameter or name to what it means.

    Raises:
        UnknownNameError: none of these.
    """
    from probatum.audit.catalogue import CHECKS
    from probatum.learning.learner import learner_kind
    from probatum.learning.parameter_texts import parameter_texts
    from probatum.reporting.findings import check_values

    if topic == "models":
        return model_values()
    if topic == "training":
        return training_values()
    if topic in TOPICS:
        return _fields(topic)
    if topic.upper() in CHECKS:
        return check_values(CHECKS[topic.upper()])
    try:
        kind = learner_kind(topic)
    except UnknownNameError:
        if re.fullmatch(r"PB\d*", topic, re.IGNORECASE):
            raise UnknownNameError.of("topic", topic, CHECKS) from None
        raise UnknownNameError.of("topic", topic, {*TOPICS, *(m for m in model_values() if ":" not in m)}) from None
    return {"description": kind.description, "estimator": kind.path, "parameters": parameter_texts(kind)}


def model_values() -> dict[str, str]:
    """Name of each model, those of plug-ins included, to one line about it."""
    from probatum.learning.classical import CLASSICAL
    from probatum.learning.networks import NETWORKS

    registered = {**CLASSICAL, **NETWORKS}
    found = {name: kind.description for name, kind in registered.items()}
    found |= {
        name: f"of {plug_in.package}" for name, plug_in in plug_ins.installed(plug_ins.LEARNERS, registered).items()
    }
    found["blend"] = (
        "components together; weights = a list, 'equal', 'inner' (chosen inside the training fold) or 'stack' (learned "
        "there by ridge regression of strength alpha)"
    )
    found["package.module:Class"] = "a scikit-learn estimator of your own, importable from beside the campaign file"
    return found


def training_values() -> dict[str, str]:
    """What the training of a network can be asked for by name: 'loss huber' to what it is, and its numbers."""
    from probatum.learning.vocabulary import AVERAGES, HEADS, LOSSES, OPTIMISERS, PENALTIES, SCHEDULES

    choices = {"loss": LOSSES, "penalties": PENALTIES, "schedule": SCHEDULES, "average": AVERAGES}
    found = {"optimiser": ", ".join(OPTIMISERS), "output": ", ".join(HEADS)}
    for key, known in choices.items():
        for name, choice in known.items():
            numbers = ", ".join(f"{number} = {value:g}" for number, value in choice.numbers.items())
            found[f"{key} {name}"] = choice.description + (f" ({numbers})" if numbers else "")
    return found


def _fields(topic: str) -> dict[str, str]:
    from probatum.campaigns.campaign_file import AuditSettings, PlanningSettings, RunSettings
    from probatum.campaigns.protocol import Protocol
    from probatum.campaigns.recipe import Recipe

    if topic == "recipe":
        lines = (getdoc(Recipe) or "").partition("Attributes:")[2].strip().splitlines()
        found: dict[str, str] = {}
        for line in lines:
            key, colon, text = line.strip().partition(": ")
            if colon and key.isidentifier():
                found[key] = text
            elif found:
                found[next(reversed(found))] += f" {line.strip()}"
        return found
    model = {"protocol": Protocol, "run": RunSettings, "audit": AuditSettings, "planning": PlanningSettings}[topic]
    return {
        name: f"{f.description} (default: {f.get_default(call_default_factory=True)})"
        for name, f in model.model_fields.items()
    }
