"""`problems`, `explain`, `data fetch`, `data import`: what there is to work with."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from probatum.cli.output import console, print_json
from probatum.problems import registry
from probatum.reporting.catalogue import problem_values, topic_values


def show_problems(name: str | None, *, json: bool) -> None:
    """All problems, or one in full."""
    names = registry.names() if name is None else (name,)
    values = [problem_values(n, full=name is not None) for n in names]
    if json:
        print_json({"problems": values})
        return
    out = console()
    for v in values:
        out.print(f"[bold]{v['name']}[/]  {escape(v['question'])}")
        if name is None:
            if "unavailable" in v:
                out.print(escape(v["unavailable"]), style="yellow", soft_wrap=True)
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
    values = topic_values(topic)
    if json:
        print_json({"topic": topic, "keys": values})
        return
    out = console()
    for key, text in values.items():
        if isinstance(text, str):
            out.print(f"[bold]{escape(key)}[/]  {escape(text)}")
            continue
        out.print(f"[bold]{escape(key)}[/]")
        for name, meaning in text.items():
            out.print(f"  [bold]{escape(name)}[/]  {escape(meaning)}")


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
