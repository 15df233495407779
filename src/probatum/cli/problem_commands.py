"""`probatum PROBLEM VERB`: the commands that problems bring themselves, loaded only when one is called.

A problem's commands are functions in a module with the mapping

    COMMANDS: Mapping[str, Callable[..., Answer]] = {"predict": predict, "rank": rank}

from verbs to functions whose parameters are annotated as Typer reads them and whose docstring is the help. Here each is
given `--json`, and its answer is printed. Built-in problems stand in `BUILT_IN`; plug-ins declare an entry point in the
group 'probatum.commands', its name the word after `probatum`, its value the module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from probatum.errors import CampaignFileError

if TYPE_CHECKING:
    from probatum.problems.answer import Answer

BUILT_IN: Mapping[str, tuple[str, str]] = {
    "analog-codes": ("probatum.problems.analog_codes.commands", "Heights of analog error-correcting codes."),
    "catechol": ("probatum.problems.catechol.commands", "Yields of the rearrangement in any solvent."),
    "gas-chromatography": (
        "probatum.problems.gas_chromatography.commands",
        "Families of compounds in GC-MS runs.",
    ),
    "metabolism": ("probatum.problems.metabolism.commands", "Rate constants and models from concentrations."),
    "rocking-curve": ("probatum.problems.rocking_curve.commands", "Strain profiles from X-ray rocking curves."),
}
"""Word after `probatum` to the module and one line of help, which has to be known without importing the module."""
ENTRY_POINTS = "probatum.commands"


class Program(TyperGroup):
    """The program's own commands, then a group for each problem that brings commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *sorted({*BUILT_IN, *_plug_ins()})]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in BUILT_IN:
            return ProblemGroup(cmd_name, *BUILT_IN[cmd_name])
        module = _plug_ins().get(cmd_name)
        return None if module is None else ProblemGroup(cmd_name, module, f"Commands of the plug-in {module}.")


class ProblemGroup(TyperGroup):
    """The commands of one problem, imported when they are listed or called."""

    def __init__(self, name: str, module: str, help: str):
        super().__init__(name=name, help=help, no_args_is_help=True, rich_markup_mode=None)
        self.module = module

    def list_commands(self, ctx: Any) -> list[str]:
        self._load()
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        self._load()
        return self.commands.get(cmd_name)

    def _load(self) -> None:
        if not self.commands:
            self.commands.update(get_group(_application(self.module)).commands)


def _application(module: str) -> typer.Typer:
    try:
        commands: Mapping[str, Callable[..., Answer]] = import_module(module).COMMANDS
    except (ImportError, AttributeError) as error:
        if module in {path for path, _ in BUILT_IN.values()}:
            raise
        raise CampaignFileError(
            f"commands cannot be loaded: {type(error).__name__}: {error}",
            where=module,
            remedy="repair or uninstall the package that provides them",
        ) from error
    application = typer.Typer(add_completion=False, rich_markup_mode=None)
    for verb, function in commands.items():
        application.command(verb)(_printing(function))
    return application


def _printing(function: Callable[..., Answer]) -> Callable[..., None]:
    """The function with the option `--json` after its own, printing its answer."""

    @wraps(function)
    def command(*, json: bool = False, **given: Any) -> None:
        from probatum.cli.output import console, print_json

        answer = function(**given)
        if json:
            print_json(answer.values)
            return
        out = console()
        for part in answer.shown:
            out.print(part, markup=False)

    asked = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
    option = inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=asked)
    own = inspect.signature(function, eval_str=True)
    command.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[*own.parameters.values(), option], return_annotation=None
    )
    return command


def _plug_ins() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=ENTRY_POINTS)}
