"""`problems`, `explain`, `data fetch`, `data import`: what there is to work with."""

from __future__ import annotations

from dataclasses import MISSING, fields
from inspect import getdoc
from pathlib import Path
from typing import Any

from rich.markup import escape

from probatum.campaigns.recipe_book import recipe_book
from probatum.cli.output import console, print_json
from probatum.errors import DataError, UnknownNameError
from probatum.problems import registry

TOPICS = ("audit", "models", "protocol", "recipe", "run")


def show_problems(name: str | None, *, json: bool) -> None:
    """All problems, or one in full."""
    names = registry.names() if name is None else (name,)
    values = [_problem_values(n, full=name is not None) for n in names]
    if json:
        print_json({"problems": values})
        return
    out = console()
    for v in values:
        out.print(f"[bold]{v['name']}[/]  {escape(v['question'])}")
        if name is None:
            continue
        if v["options"]:
            out.print("options: " + ", ".join(f"{k} = {d}" for k, d in v["options"].items()))
        if "tasks" in v:
            out.print(f"tasks: {', '.join(v['tasks'])}")
            out.print(f"scorings: {', '.join(v['scorings'])}; metric: {v['metric']}")
            for feature, description in v["features"].items():
                mark = " (default)" if feature in v["default_features"] else ""
                out.print(f"  [bold]{escape(feature)}[/]{mark}: {escape(description)}")
            if v["recipes"]:
                out.print('recipes, as `recipe = "NAME"` in an experiment:', markup=False)
            for recipe, about in v["recipes"].items():
                out.print(f"  [bold]{escape(recipe)}[/]: {escape(about)}")
        elif "unavailable" in v:
            out.print(v["unavailable"], style="yellow")


def explain_topic(topic: str, *, json: bool) -> None:
    """A part of the campaign file, key by key, a model's parameters, or what a check of the audit finds."""
    from probatum.audit.catalogue import CHECKS
    from probatum.learning.learner import learner_kind
    from probatum.reporting.findings import check_values

    if topic == "models":
        values = _models()
    elif topic in TOPICS:
        values = _fields(topic)
    elif topic.upper() in CHECKS:
        values = check_values(CHECKS[topic.upper()])
    else:
        try:
            kind = learner_kind(topic)
        except UnknownNameError:
            raise UnknownNameError.of("topic", topic, {*TOPICS, *_models(), *CHECKS}) from None
        values = {"description": kind.description, "estimator": kind.path, "parameters": ", ".join(kind.parameters())}
    if json:
        print_json({"topic": topic, "keys": values})
        return
    out = console()
    for key, text in values.items():
        out.print(f"[bold]{escape(key)}[/]  {escape(str(text))}")


def fetch_data(problem: str, *, json: bool) -> None:
    """Downloads what a problem needs, checked by sha256."""
    from rich.progress import Progress

    from probatum.problems.data_files import fetch

    with Progress(console=None, disable=json, transient=True) as bar:
        task = bar.add_task(problem)
        paths = fetch(problem, lambda name, at, total: bar.update(task, total=total, completed=at, description=name))
    if json:
        print_json({"problem": problem, "files": [str(p) for p in paths]})
    else:
        console().print(f"{len(paths)} files of {problem}, checked, in {paths[0].parent}", soft_wrap=True)


def import_data(problem: str, path: Path, *, json: bool) -> None:
    """Checks a folder of data that cannot be downloaded and makes it known to a problem."""
    from rich.console import Console
    from rich.progress import Progress

    from probatum.problems.data_import import import_folder

    console_of_progress = Console(stderr=True)
    with Progress(console=console_of_progress, transient=True, disable=not console_of_progress.is_terminal) as bar:
        task = bar.add_task(f"checking {problem}")
        answer = import_folder(problem, path, lambda done, total: bar.update(task, completed=done, total=total))
    if json:
        print_json(answer.values)
        return
    for part in answer.shown:
        console().print(part, markup=False, soft_wrap=True)


def _problem_values(name: str, *, full: bool) -> dict[str, Any]:
    problem_class = registry.problem_class(name)
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


def _models() -> dict[str, str]:
    from probatum.learning.classical import CLASSICAL
    from probatum.learning.networks import NETWORKS

    found = {name: kind.description for name, kind in {**CLASSICAL, **NETWORKS}.items()}
    found["blend"] = (
        "components together; weights = a list, 'equal', 'inner' (chosen inside the training fold) or 'stack' (learned "
        "there by ridge regression of strength alpha)"
    )
    found["package.module:Class"] = "a scikit-learn estimator of your own, importable from beside the campaign file"
    return found


def _fields(topic: str) -> dict[str, str]:
    from probatum.campaigns.campaign_file import AuditSettings, RunSettings
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
    model = {"protocol": Protocol, "run": RunSettings, "audit": AuditSettings}[topic]
    return {
        name: f"{f.description} (default: {f.get_default(call_default_factory=True)})"
        for name, f in model.model_fields.items()
    }
