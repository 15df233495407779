"""`probatum`: the program, of the commands in `commands`, and how errors leave it.

Nothing heavy is imported here: `probatum --help` has to be fast.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from probatum.cli.commands import (
    agent,
    auditing,
    checking,
    exchanging,
    judging,
    ledger,
    looking,
    planning,
    running,
    serving,
    starting,
)
from probatum.cli.problem_commands import Program
from probatum.errors import ProbatumError, UsageError
from probatum.version import __version__

DONE, WORK_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="probatum",
    cls=Program,
    help="A laboratory for machine learning on small scientific data: fast, and not fooled by noise.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (running, looking, judging, auditing, planning, serving, checking, starting, exchanging, ledger, agent):
    app.add_typer(group.commands)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"probatum {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exit codes: 0 done, 1 the work failed, 2 usage, 3 audit errors, 130 stopped by Ctrl-C."""


def run_program() -> int:
    """Runs the program and returns its exit code."""
    try:
        code = app(standalone_mode=False)  # what `typer.Exit` carries comes back as the value
        sys.stdout.flush()
    except ProbatumError as error:
        return _refused(error, USAGE if isinstance(error, UsageError) else WORK_FAILED)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit):  # whoever read the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE
    except Exception as error:  # what the option parser raises: usage errors know their exit code
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # no arguments at all: the help is the answer
            error.show()  # type: ignore[attr-defined]
            return USAGE
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "probatum"
        said = error.format_message()  # type: ignore[attr-defined]
        what = said[:1].lower() + said[1:].rstrip(".")
        return _refused(UsageError(what, where=command, remedy=f"'{command} --help' lists what it takes"), USAGE)
    if code == INTERRUPTED:  # Typer turns Ctrl-C into this code
        typer.echo("stopped; run the same command again: what was finished is kept", err=True)
    return code if isinstance(code, int) else DONE


def _refused(error: ProbatumError, code: int) -> int:
    """Says in one line what was wrong; as JSON too, where that was asked for."""
    if "--json" in sys.argv:
        import json

        typer.echo(json.dumps({"error": {"type": type(error).__name__, "message": str(error)}}))
    line = " ".join(f"error: {error}".split())
    # What a file holds is quoted: its control characters are shown and not obeyed by the terminal.
    typer.echo("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line), err=True)
    return code


def run_and_exit() -> None:
    """The console script."""
    sys.exit(run_program())
