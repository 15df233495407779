"""`probatum`: the commands, their options, and how errors leave the program.

Nothing heavy is imported here: `probatum --help` has to be fast.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
data = typer.Typer(help="Real data of the problems.", no_args_is_help=True)
champion = typer.Typer(help="The best experiment that survived its verdict, and its confirmation.")
app.add_typer(data, name="data")
app.add_typer(champion, name="champion")

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Campaign file; not needed where there is one.")]
Chosen = Annotated[
    Path | None, typer.Option("--campaign", "-C", metavar="FILE", help="Campaign file; not needed where there is one.")
]
Picture = Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw it too: .png, .svg or .pdf.")]

By = Annotated[str | None, typer.Option("--by", metavar="GROUPING", help="Group by group of this grouping.")]


class Form(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


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


@app.command()
def run(
    file: File = None,
    campaign: Chosen = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try fits again that failed before.")] = False,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that may be used; default: all.")] = None,
    groups: Annotated[bool, typer.Option(help="Print the table of groups.")] = True,
    json: Json = False,
) -> None:
    """Run what has not been run, then print verdicts and write a report. Can be stopped and started at any time."""
    from probatum.cli.run import run_campaign

    run_campaign(file or campaign, retry_failed=retry_failed, cores=cores, groups=groups, json=json)


@app.command()
def status(
    file: File = None,
    campaign: Chosen = None,
    most: Annotated[int, typer.Option("--most", "-n", min=0, help="Experiments shown; 0 shows all.")] = 30,
    json: Json = False,
) -> None:
    """Show how far a campaign is, without touching it."""
    from probatum.cli.look import show_status

    show_status(file or campaign, most=most, json=json)


@app.command()
def show(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    campaign: Chosen = None,
    predictions: Annotated[Path | None, typer.Option(help="Write its predictions here, as CSV or Parquet.")] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw its losses over epochs: .png, .svg or .pdf.")
    ] = None,
    scatter: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw its predictions against the truth, a panel a group.")
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Show one experiment: recipe, mutation, fits, scores per target and per group, failures."""
    from probatum.cli.look import show_experiment

    show_experiment(experiment, campaign, predictions=predictions, history=history, scatter=scatter, by=by, json=json)


@app.command()
def compare(
    experiments: Annotated[
        list[str] | None, typer.Argument(help="Experiments; OTHER.toml:NAME of another campaign.")
    ] = None,
    campaign: Chosen = None,
    baseline: Annotated[str | None, typer.Option(help="Compare with this one; default: the protocol's.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Compare all finished experiments.")] = False,
    groups: Annotated[bool, typer.Option(help="Print the table of groups.")] = True,
    by: By = None,
    picture: Picture = None,
    json: Json = False,
) -> None:
    """Judge experiments against a baseline: better, worse, equivalent or undecided."""
    from probatum.cli.look import compare_experiments

    compare_experiments(
        experiments or [],
        campaign,
        baseline=baseline,
        everything=everything,
        groups=groups,
        by=by,
        picture=picture,
        json=json,
    )


@app.command()
def effects(file: File = None, campaign: Chosen = None, picture: Picture = None, json: Json = False) -> None:
    """Show what worked and what failed: the effect of every mutation, over all pairs that differ by it alone."""
    from probatum.cli.evidence import show_effects

    show_effects(file or campaign, picture=picture, json=json)


@app.command()
def submit(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    score: Annotated[float, typer.Option(help="The score that it was given elsewhere.")],
    metric: Annotated[str, typer.Option(help="Metric of that score.")],
    campaign: Chosen = None,
    json: Json = False,
) -> None:
    """Record the score that a leaderboard gave an experiment."""
    from probatum.cli.evidence import submit_score

    submit_score(experiment, campaign, score=score, metric=metric, json=json)


@app.command()
def calibrate(
    file: File = None,
    campaign: Chosen = None,
    target: Annotated[float | None, typer.Option(help="External score that is wanted.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table with columns cv and lb, instead of submissions.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Metric of the external scores.")] = None,
    floor: Annotated[
        float | None, typer.Option(help="Least possible internal score; default: the campaign's noise floors.")
    ] = None,
    picture: Picture = None,
    json: Json = False,
) -> None:
    """Set internal scores against a leaderboard: which form fits, in which unit, and what it can reach."""
    from probatum.cli.evidence import show_calibration

    show_calibration(
        file or campaign, target=target, pairs=pairs, metric=metric, floor=floor, picture=picture, json=json
    )


@champion.callback(invoke_without_command=True)
def show_champion(context: typer.Context, campaign: Chosen = None, json: Json = False) -> None:
    """Show the best experiment that survived its verdict, how much of that may be luck, and its confirmation."""
    if context.invoked_subcommand is None:
        from probatum.cli.evidence import show_champion

        show_champion(campaign, json=json)
    else:
        context.obj = (campaign, json)


@champion.command("confirm")
def confirm_champion(context: typer.Context, campaign: Chosen = None, json: Json = False) -> None:
    """Confirm the champion once: on the held-out set, or where nothing was held out with fresh seeds."""
    from probatum.cli.evidence import confirm_champion

    before, as_json = context.obj or (None, False)  # options may stand before 'confirm' too
    confirm_champion(campaign or before, json=json or as_json)


@app.command()
def audit(
    experiments: Annotated[list[str] | None, typer.Argument(help="Experiments; default: all.")] = None,
    campaign: Chosen = None,
    runs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table of somebody's runs instead: .csv or .jsonl.")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A split of your own instead: its training table, ...")
    ] = None,
    test: Annotated[Path | None, typer.Option(metavar="FILE", help="... and its test table.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Target column of these tables; several times.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Column whose values must not stand on both sides; several times.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Column that names the data set a row was taken from.")] = None,
    wanted: Annotated[float | None, typer.Option(help="The external score that is wanted.")] = None,
    higher: Annotated[bool, typer.Option("--higher-is-better", help="Which way the score of --runs goes.")] = False,
    code: Annotated[list[str] | None, typer.Option(help="Make this check alone; several times.")] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train one fit of each experiment again, also with poisoned targets.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="How it is printed.")] = Form.TABLE,
    json: Json = False,
) -> None:
    """Find what is wrong with a campaign, a table of runs or a split; exit code 3 where it cannot be believed."""
    from probatum.cli.audit import Tables, audit_campaign, audit_runs, audit_tables

    chosen = "json" if json else form.value
    of_tables = {"--target": target, "--group": group, "--source": source}
    of_campaigns = {"experiments": experiments, "--campaign": campaign, "--retrain": retrain}
    foreign = of_campaigns | ({"--wanted": wanted} if train else of_tables) if train or runs else of_tables
    foreign |= {} if runs else {"--higher-is-better": higher}
    if given := [name for name, value in foreign.items() if value]:
        of = "a split of tables" if train else "a table of runs" if runs else "a campaign"
        raise UsageError(f"{given[0]} does not go with {of}", where="probatum audit", remedy="leave it out")
    if (train is None) != (test is None) or (train is not None and runs is not None):
        raise UsageError("--train and --test go together, and not with --runs", where="probatum audit")
    if train is not None and test is not None:
        tables = Tables(train, test, tuple(target or ()), tuple(group or ()), source)
        found = audit_tables(tables, codes=code or [], form=chosen)
    elif runs is not None:
        found = audit_runs(runs, better="higher" if higher else "lower", target=wanted, codes=code or [], form=chosen)
    else:
        found = audit_campaign(
            experiments or [], campaign, retrain=retrain, target=wanted, codes=code or [], form=chosen
        )
    raise typer.Exit(found)


@app.command()
def tree(file: File = None, campaign: Chosen = None, json: Json = False) -> None:
    """Show the experiments as a tree: parent, mutation, hypothesis, verdict."""
    from probatum.cli.look import show_tree

    show_tree(file or campaign, json=json)


@app.command()
def report(
    file: File = None,
    campaign: Chosen = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it.")] = None,
    form: Annotated[str, typer.Option("--format", help="html, or log: an experiment log in Markdown.")] = "html",
    slots: Annotated[int, typer.Option(min=1, help="Experiments of a batch of the log.")] = 4,
    json: Json = False,
) -> None:
    """Write the campaign's report: one HTML file, or the log of its experiments, batch by batch."""
    from probatum.cli.look import write_report_of

    write_report_of(file or campaign, output=output, form=form, slots=slots, json=json)


Slots = Annotated[int, typer.Option("--slots", help="Experiments of a round.")]
Given = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Proposals of a TOML file instead; a person's, or --out's."),
]
Proposing = Annotated[
    list[str] | None, typer.Option("--proposer", metavar="MODULE:OBJECT", help="One of your own too; several times.")
]
Searching = Annotated[
    str | None,
    typer.Option(help="Who searches the declared space: surrogate (default), Optuna's tpe, random or gp, or none."),
]
Controlled = Annotated[bool, typer.Option(help="Train the champion once more, unchanged, with other seeds.")]


@app.command("next")
def next_round(
    file: File = None,
    campaign: Chosen = None,
    slots: Slots = 4,
    run: Annotated[bool, typer.Option("--run", help="Run the round, and judge it.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the round here, to be edited.")] = None,
    given: Given = None,
    proposer: Proposing = None,
    sampler: Searching = None,
    control: Controlled = True,
    json: Json = False,
) -> None:
    """Say what to try next and why; print it, write it, or run it as one round."""
    from probatum.cli.plan import run_next, show_next

    if run and out is not None:
        raise UsageError("--run and --out do not go together", where="probatum next", remedy="leave one of them out")
    path, who = file or campaign, proposer or []
    if run:
        run_next(path, slots=slots, given=given, proposers=who, sampler=sampler, control=control, json=json)
    else:
        show_next(path, slots=slots, out=out, given=given, proposers=who, sampler=sampler, control=control, json=json)


@app.command()
def auto(
    file: File = None,
    campaign: Chosen = None,
    budget: Annotated[str, typer.Option(help="Time of this call: 90s, 60m, 2h.")] = "60m",
    slots: Slots = 4,
    target: Annotated[float | None, typer.Option(help="Score of the champion that is enough.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Most rounds of this call.")] = None,
    given: Given = None,
    proposer: Proposing = None,
    sampler: Searching = None,
    control: Controlled = True,
    confirm: Annotated[bool, typer.Option("--confirm", help="Confirm the champion at the end.")] = False,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that may be used; default: all.")] = None,
    json: Json = False,
) -> None:
    """Run round after round: propose, train, judge, audit, promote. Can be stopped and started at any time."""
    from probatum.cli.plan import run_autopilot

    run_autopilot(
        file or campaign,
        budget=budget,
        slots=slots,
        target=target,
        rounds=rounds,
        given=given,
        proposers=proposer or [],
        sampler=sampler,
        control=control,
        confirm=confirm,
        cores=cores,
        json=json,
    )


@app.command()
def knowledge(
    family: Annotated[str | None, typer.Argument(metavar="[STEP]", help="Kind of step: 'features +acs'.")] = None,
    campaign: Chosen = None,
    state: Annotated[
        str | None, typer.Option(help="Hold it as established, refuted or open; 'learned' gives it back.")
    ] = None,
    statement: Annotated[str | None, typer.Option(help="Say it in other words.")] = None,
    note: Annotated[str | None, typer.Option(help="A note beside it.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove it.")] = False,
    json: Json = False,
) -> None:
    """Show what rounds have established, refuted or left open, with the evidence; or set one."""
    from probatum.cli.plan import show_knowledge

    show_knowledge(campaign, family=family, state=state, statement=statement, note=note, forget=forget, json=json)


@app.command("held-out")
def held_out(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    campaign: Chosen = None,
    json: Json = False,
) -> None:
    """Score one experiment on the held-out cases. Every look is counted and shown in reports."""
    from probatum.cli.run import score_held_out

    score_held_out(experiment, campaign, json=json)


@app.command()
def save(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment, a network.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where its model goes: .safetensors.")],
    campaign: Chosen = None,
    task: Annotated[str | None, typer.Option(help="Task to train on, where there are several.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    json: Json = False,
) -> None:
    """Train an experiment on all cases but the held-out ones, and keep the model to predict with."""
    from probatum.cli.run import save_model

    save_model(experiment, file, campaign, task=task, seed=seed, json=json)


@app.command()
def verify(file: File = None, campaign: Chosen = None, json: Json = False) -> None:
    """Read every artifact of a campaign and compare it with its checksum."""
    from probatum.cli.check import verify_campaign

    verify_campaign(file or campaign, json=json)


@app.command()
def reproduce(
    experiment: Annotated[str, typer.Argument(help="Name of a finished experiment.")],
    campaign: Chosen = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that may be used; default: all.")] = None,
    json: Json = False,
) -> None:
    """Train an experiment again beside its campaign, and compare with what was recorded."""
    from probatum.cli.check import reproduce_experiment

    reproduce_experiment(experiment, campaign, cores=cores, json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Show what this installation has: cores, extras, data, and whether the campaigns of this folder are whole."""
    from probatum.cli.check import show_doctor

    show_doctor(json=json)


@app.command()
def problems(
    name: Annotated[str | None, typer.Argument(help="Show this one in full.")] = None,
    json: Json = False,
) -> None:
    """List the problems, or show one: question, tasks, features, options."""
    from probatum.cli.catalogue import show_problems

    show_problems(name, json=json)


@app.command()
def explain(
    topic: Annotated[str, typer.Argument(help="protocol, recipe, run, audit, models, a model, or a check: PB101.")],
    json: Json = False,
) -> None:
    """Explain a part of the campaign file, key by key, or a check of the audit."""
    from probatum.cli.catalogue import explain_topic

    explain_topic(topic, json=json)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Campaign file to write.")],
    problem: Annotated[str, typer.Option(help="Problem to start from.")] = "analog_codes",
    table: Annotated[Path | None, typer.Option(help="A CSV or Parquet table of your own.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict; may be given several times.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose values must not stand on both sides of a split.")
    ] = None,
    replicate: Annotated[str | None, typer.Option(help="Column that is equal for repeated measurements.")] = None,
    json: Json = False,
) -> None:
    """Write a campaign file to start from, for a built-in problem or for a table of your own."""
    from probatum.cli.new import write_campaign_file

    write_campaign_file(
        file, problem=problem, table=table, target=target or [], group=group, replicate=replicate, json=json
    )


@data.command("fetch")
def data_fetch(
    problem: Annotated[str, typer.Argument(help="Whose data to fetch.")],
    json: Json = False,
) -> None:
    """Download a problem's data, checked by checksum."""
    from probatum.cli.catalogue import fetch_data

    fetch_data(problem, json=json)


@data.command("import")
def data_import(
    problem: Annotated[str, typer.Argument(help="Whose data it is: gas_chromatography.")],
    path: Annotated[Path, typer.Argument(help="The folder that you were given; it stays where it is.")],
    json: Json = False,
) -> None:
    """Check data that cannot be downloaded, such as a challenge's, and make it known to a problem."""
    from probatum.cli.catalogue import import_data

    import_data(problem, path, json=json)


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
    typer.echo(" ".join(f"error: {error}".split()), err=True)
    return code


def run_and_exit() -> None:
    """The console script."""
    sys.exit(run_program())
