"""`probatum catechol predict` and `probatum catechol rank`: what a chemist asks, as tables, JSON and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from probatum.errors import UsageError
from probatum.pictures import check_suffix
from probatum.problems.answer import Answer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from probatum.problems.catechol.chemist import Prediction, Ranked, Yield
    from probatum.problems.catechol.queries import Asked
    from probatum.problems.catechol.remarks import Remark
    from probatum.problems.catechol.yield_model import Published, YieldModel

SCHEMA = 1
_UNITS = {"temperature": "deg C", "time": "min", "yields": "fraction"}
Figure = Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw it too: .png, .svg or .pdf.")]
Cores = Annotated[int | None, typer.Option(min=1, help="Cores for the first training; default: all.")]


def predict(
    temperature: Annotated[float, typer.Option(metavar="DEG_C", help="Temperature in deg C.")],
    time: Annotated[float, typer.Option(metavar="MIN", help="Residence time in minutes.")],
    solvent: Annotated[
        str | None, typer.Option("--solvent", metavar="NAME", help="'2-MeTHF', 'HFIP', or the SMILES of any solvent.")
    ] = None,
    smiles: Annotated[
        str | None, typer.Option("--smiles", metavar="SMILES", help="The solvent by its SMILES, instead of a name.")
    ] = None,
    solvent_b: Annotated[
        str | None, typer.Option("--solvent-b", metavar="NAME", help="A second solvent, mixed in.")
    ] = None,
    percent_b: Annotated[
        float | None, typer.Option("--percent-b", metavar="PERCENT", help="Its volume percent, 0 to 100.")
    ] = None,
    product: Annotated[str, typer.Option(help="The yield that the figure shows over temperature and time.")] = (
        "Product 2"
    ),
    figure: Figure = None,
    cores: Cores = None,
) -> Answer:
    """Predict the yields of SM, Product 2 and Product 3 in a solvent, or a mixture of two, with 90 % intervals."""
    given = solvent if smiles is None else smiles
    if given is None or (solvent is not None and smiles is not None):
        said = "no solvent is given" if given is None else "--solvent and --smiles are both given"
        raise UsageError(said, where="probatum catechol predict", remedy="give --solvent NAME or --smiles SMILES")
    if figure is not None:
        check_suffix(figure)
    from probatum.problems.catechol import chemist, queries
    from probatum.problems.catechol.yield_model import Published

    shown = queries.product_called(product)
    queries.check_conditions(temperature, time)
    data = Published.found()
    asked = queries.understood(data, given, solvent_b, percent_b, smiles=smiles is not None)
    model = _trained(data, cores)
    answer = chemist.predict(model, data, asked, temperature, time)
    if figure is not None:
        from probatum.problems.catechol.figures import prediction_figure

        prediction_figure(model, data, answer, shown, figure)
    values = {
        "schema": SCHEMA,
        "asked": {"solvent": given, "solvent_b": solvent_b, "percent_b": percent_b},
        **_prediction_values(model, data, answer),
        "figure": None if figure is None else str(figure),
    }
    return Answer(values, _prediction_shown(model, answer, figure))


def rank(
    product: Annotated[str, typer.Option(help="What is wanted: 'Product 2', 'Product 3' or 'SM'.")] = "Product 2",
    temperature: Annotated[
        float | None, typer.Option(metavar="DEG_C", help="In deg C; default: each solvent's best, as measured.")
    ] = None,
    time: Annotated[
        float | None, typer.Option(metavar="MIN", help="Residence time in minutes; default: each solvent's best.")
    ] = None,
    least: Annotated[bool, typer.Option("--least", help="The least of it is wanted, as of unreacted SM.")] = False,
    figure: Figure = None,
    cores: Cores = None,
) -> Answer:
    """Rank the measured solvents by a yield, at given conditions or each at its best ones within the measured range."""
    if figure is not None:
        check_suffix(figure)
    from probatum.problems.catechol import chemist, queries
    from probatum.problems.catechol.yield_model import Published

    wanted = queries.product_called(product)
    queries.check_conditions(200.0 if temperature is None else temperature, 8.0 if time is None else time)
    data = Published.found()
    model = _trained(data, cores)
    ranked, remarks = chemist.rank(model, data, wanted, celsius=temperature, minutes=time, least=least)
    title = _ranking_title(wanted, temperature, time, least)
    if figure is not None:
        from probatum.problems.catechol.figures import ranking_figure

        ranking_figure(ranked, remarks, title, figure)
    values = {
        "schema": SCHEMA,
        "product": wanted,
        "least": least,
        "temperature": temperature,
        "time": time,
        "level": _level(),
        "units": _UNITS,
        "solvents": [_ranked_values(place, one) for place, one in enumerate(ranked, start=1)],
        "remarks": _remark_values(remarks),
        "data": data.digest,
        "figure": None if figure is None else str(figure),
    }
    return Answer(values, [*_ranking_table(ranked, title), *_remarks_shown(remarks), *_written(figure)])


COMMANDS: Mapping[str, Callable[..., Answer]] = {"predict": predict, "rank": rank}


def _trained(data: Published, cores: int | None) -> YieldModel:
    """The model, with progress on standard error where it has to be trained first."""
    import os

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from probatum.learning.compilation import keep_programs_on_disk
    from probatum.problems.catechol.yield_model import trained

    keep_programs_on_disk()
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=None, visible=False)

        def starting(path: Path) -> None:
            console.print(
                f"training the yield model and calibrating its intervals: once, some minutes; kept in {path}",
                markup=False,
                soft_wrap=True,
            )

        return trained(
            data,
            cores=cores or os.cpu_count() or 1,
            starting=starting,
            progress=lambda done, of: bar.update(task, completed=done, total=of, visible=True),
        )


def _level() -> float:
    from probatum.problems.catechol.yield_model import LEVEL

    return LEVEL


def _prediction_values(model: YieldModel, data: Published, answer: Prediction) -> dict[str, Any]:
    from probatum.problems.catechol.data import YIELDS

    asked = answer.asked
    pure = asked.a.name == asked.b.name
    nearby = None
    if answer.nearby is not None:
        means = dict(zip(YIELDS, answer.nearby.yields.tolist(), strict=True))
        nearby = {"rows": answer.nearby.rows, "yields": means}
    return {
        "solvent": _solvent_values(asked, model, 0),
        "solvent_b": None if pure else _solvent_values(asked, model, 1),
        "percent_b": 100 * asked.fraction_b,
        "temperature": answer.celsius,
        "time": answer.minutes,
        "units": _UNITS,
        "situation": str(answer.situation),
        "measured_rows": answer.measured,
        "measured_nearby": nearby,
        "level": _level(),
        "yields": [_yield_values(one) for one in answer.yields],
        "calibration": _calibration_values(model, answer),
        "guessed_descriptors": dict(model.guessed) if asked.guessed else None,
        "remarks": _remark_values(answer.remarks),
        "data": data.digest,
    }


def _solvent_values(asked: Asked, model: YieldModel, side: int) -> dict[str, Any]:
    solvent = (asked.a, asked.b)[side]
    source = "structure" if solvent.name in asked.guessed else "tables"
    measured = solvent.name in model.known.solvents
    return {"name": solvent.name, "smiles": solvent.smiles, "measured": measured, "descriptors": source}


def _yield_values(one: Yield) -> dict[str, Any]:
    return {"name": one.name, "value": one.value, "interval": [one.low, one.high]}


def _calibration_values(model: YieldModel, answer: Prediction) -> dict[str, Any] | None:
    from probatum.problems.catechol.data import YIELDS

    found = model.left_out.get(answer.situation)
    if found is None:
        return None
    level = _level()
    held = dict(zip(YIELDS, found.coverage(level).tolist(), strict=True))
    return {"groups": found.groups, "rows": len(found.group), "promised": found.promised(level), "coverage": held}


def _ranked_values(place: int, one: Ranked) -> dict[str, Any]:
    return {
        "place": place,
        "solvent": one.solvent,
        "temperature": one.celsius,
        "time": one.minutes,
        "yields": [_yield_values(each) for each in one.yields],
        "situation": str(one.situation),
        "level_with_first": one.level_with_first,
    }


def _remark_values(remarks: Sequence[Remark]) -> list[dict[str, str]]:
    return [{"code": remark.code, "text": remark.text} for remark in remarks]


def _prediction_shown(model: YieldModel, answer: Prediction, figure: Path | None) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from probatum.problems.catechol.calibration import COUNTED
    from probatum.problems.catechol.data import YIELDS

    title = f"{answer.asked.name}, at {answer.celsius:g} deg C and {answer.minutes:g} min"
    table = Table()
    table.add_column("yield")
    table.add_column("predicted, %", justify="right")
    table.add_column(f"{100 * _level():g} % interval", justify="right")
    if answer.nearby is not None:
        table.add_column(f"measured nearby (n = {answer.nearby.rows})", justify="right")
    for column, one in enumerate(answer.yields):
        cells = [one.name, f"{100 * one.value:.1f}", f"{100 * one.low:.0f} to {100 * one.high:.0f}"]
        if answer.nearby is not None:
            cells.append(f"{100 * answer.nearby.yields[column]:.1f}")
        table.add_row(*cells)
    shown: list[RenderableType] = [Text(title, style="bold"), table, answer.standing]
    calibration = _calibration_values(model, answer)
    if calibration is not None:
        held = ", ".join(f"{name} {100 * calibration['coverage'][name]:.0f} %" for name in YIELDS)
        left_out = f"{calibration['rows']} rows ({calibration['groups']} {COUNTED[answer.situation]})"
        shown.append(f"intervals like these, tested on {left_out} left out, held: {held}")
    return [*shown, *_remarks_shown(answer.remarks), *_written(figure)]


def _ranking_table(ranked: Sequence[Ranked], title: str) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    same = len({(one.celsius, one.minutes) for one in ranked}) == 1
    wanted = ranked[0].wanted.name
    for name in ("", "solvent", f"{wanted}, %", f"{100 * _level():g} % interval"):
        table.add_column(name, justify="left" if name == "solvent" else "right")
    for one in ranked[0].yields:
        if one.name != wanted:
            table.add_column(f"{one.name}, %", justify="right")
    if not same:
        table.add_column("deg C", justify="right")
        table.add_column("min", justify="right")
    table.add_column("solvent there")
    for place, one in enumerate(ranked, start=1):
        interval = f"{100 * one.wanted.low:.0f} to {100 * one.wanted.high:.0f}"
        others = [f"{100 * y.value:.1f}" for y in one.yields if y.name != wanted]
        conditions = [] if same else [f"{one.celsius:g}", f"{one.minutes:g}"]
        cells = [str(place), one.solvent, f"{100 * one.wanted.value:.1f}", interval, *others, *conditions]
        table.add_row(*cells, str(one.situation), style=None if one.level_with_first else "dim")
    level = sum(one.level_with_first for one in ranked) - 1
    apart = f"{level} of the other {len(ranked) - 1} have intervals that reach that of the first"
    return [Text(title, style="bold"), table, f"{apart}, so they may well be as good" if level else apart]


def _ranking_title(product: str, celsius: float | None, minutes: float | None, least: bool) -> str:
    at = [f"{celsius:g} deg C"] if celsius is not None else []
    at += [f"{minutes:g} min"] if minutes is not None else []
    chosen = [n for n, v in (("temperature", celsius), ("residence time", minutes)) if v is None]
    parts = ([f"at {' and '.join(at)}"] if at else []) + (
        [f"each at its best {' and '.join(chosen)}"] if chosen else []
    )
    return f"{'Least' if least else 'Most'} {product}, {', '.join(parts)}"


def _remarks_shown(remarks: Sequence[Remark]) -> list[RenderableType]:
    from rich.text import Text

    return [Text(f"{remark.code}: {remark.text}", style="yellow") for remark in remarks]


def _written(figure: Path | None) -> list[RenderableType]:
    return [] if figure is None else [f"figure: {figure}"]
