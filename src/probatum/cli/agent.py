"""`mcp` and `plug-ins`: a campaign in the hands of agents, and what packages of others bring."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from probatum import plug_ins
from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.errors import ProbatumError, UsageError
from probatum.plug_ins import PlugIn


def serve(file: Path | None, *, port: int | None, token: str | None) -> None:
    """Serves a campaign until its client is gone, or Ctrl-C."""
    path = campaign_path(file)
    try:
        from probatum.mcp_server import access, server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("mcp", "uvicorn", "starlette", "anyio"):
            raise
        remedy = "pip install 'probatum[mcp]'"
        raise UsageError(f"the package '{error.name}' is not installed", where="probatum mcp", remedy=remedy) from None
    if port is None:
        server.serve_stdio(path)
        return
    chosen = access.new_token() if token is None else token

    def tell(address: str) -> None:
        typer.echo(address if token is not None else f"{address}\ntoken: {chosen}", err=True)

    server.serve_http(path, port, chosen, tell)


def show_plug_ins(*, json: bool) -> None:
    """Everything that is declared by an entry point; exit code 1 where some of it cannot be used."""
    found = [_values(plug_in, load) for plug_in, load in _all()]
    found += [_of_shadowed(p) for group, _, built_in in _groups() for p in plug_ins.shadowed(group, built_in)]
    if json:
        print_json({"plug_ins": found})
    elif not found:
        console().print("no plug-ins are installed", style="dim")
    else:
        table = Table(box=None, pad_edge=False)
        for column in ("kind", "name", "package", "state"):
            table.add_column(column, overflow="fold")
        for values in found:
            state = values["wrong"] or "ok"
            table.add_row(*map(escape, (values["kind"], values["name"], values["package"], state)))
        console().print(table)
    if any(values["wrong"] for values in found):
        raise typer.Exit(1)


def _groups() -> list[tuple[str, Callable[[PlugIn], Any], Collection[str]]]:
    """Group, what loads a member, and the names that the program has of its own."""
    from probatum.audit import catalogue
    from probatum.learning import vocabulary
    from probatum.learning.classical import CLASSICAL
    from probatum.learning.learner import learner_kind
    from probatum.learning.networks import NETWORKS
    from probatum.planning.proposer_plug_ins import proposer_of_plug_in
    from probatum.problems import registry

    return [
        (plug_ins.PROBLEMS, lambda p: registry.problem_class(p.name), registry.BUILT_IN),
        (plug_ins.LEARNERS, lambda p: learner_kind(p.name), {*CLASSICAL, *NETWORKS}),
        (plug_ins.LOSSES, lambda p: vocabulary.own_loss(p.name), {*vocabulary.LOSSES, *vocabulary.PENALTIES}),
        (plug_ins.PROPOSERS, proposer_of_plug_in, ()),
        (plug_ins.CHECKS, catalogue.check_of_plug_in, catalogue.BUILT_IN),
    ]


def _all() -> list[tuple[PlugIn, Callable[[PlugIn], Any]]]:
    return [(p, load) for group, load, built_in in _groups() for p in plug_ins.installed(group, built_in).values()]


def _values(plug_in: PlugIn, load: Callable[[PlugIn], Any]) -> dict[str, Any]:
    try:
        load(plug_in)
        wrong = None
    except ProbatumError as error:
        wrong = str(error)
    return _shown(plug_in, wrong)


def _of_shadowed(plug_in: PlugIn) -> dict[str, Any]:
    return _shown(plug_in, f"the program has a {plug_ins.KINDS[plug_in.group]} of this name, which is used; rename it")


def _shown(plug_in: PlugIn, wrong: str | None) -> dict[str, Any]:
    kind = plug_ins.KINDS[plug_in.group]
    return {"kind": kind, "name": plug_in.name, "package": plug_in.package, "value": plug_in.value, "wrong": wrong}
