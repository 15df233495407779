"""`probatum metabolism fit` and `probatum metabolism rates`: parameters of reaction models from measured courses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from probatum.errors import UsageError, nearest
from probatum.pictures import check_suffix
from probatum.problems.answer import Answer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from probatum.problems.metabolism.likelihood_profiles import LikelihoodProfile
    from probatum.problems.metabolism.multistart import Multistart
    from probatum.problems.metabolism.petab_problem import PetabProblem
    from probatum.problems.metabolism.rate_constants import MeasuredRates

SCHEMA = 1
LANES = 8
_FIT = "probatum metabolism fit"
_RATES = "probatum metabolism rates"


def fit(
    petab: Annotated[Path | None, typer.Option(metavar="YAML", help="A PEtab problem, version 1.")] = None,
    sbml: Annotated[Path | None, typer.Option(metavar="XML", help="A model, with --data.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="CSV", help="Its measured time course, wide or long.")] = None,
    noise: Annotated[float, typer.Option(metavar="SD", help="Of --data; by default estimated.")] = 0.0,
    estimate: Annotated[str | None, typer.Option(metavar="NAMES", help="With --sbml; default: all constants.")] = None,
    starts: Annotated[int, typer.Option(min=1, help="Fits from different starts.")] = 48,
    seed: Annotated[int, typer.Option(min=0, help="Of the starts.")] = 0,
    level: Annotated[float, typer.Option(help="Of profile intervals.")] = 0.95,
    profiles: Annotated[bool, typer.Option(help="Profile every parameter.")] = True,
    figure: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw it: .png, .svg or .pdf.")] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the problem as PEtab, estimates as nominal values.")
    ] = None,
) -> Answer:
    """Fit a reaction model to measurements by maximum likelihood from many starts."""
    if (petab is None) == (sbml is None) or (sbml is None) != (data is None):
        raise UsageError("what is fitted is not clear", where=_FIT, remedy="give --petab, or --sbml and --data")
    if petab is not None and (noise or estimate):
        raise UsageError("--noise and --estimate go with --sbml", where=_FIT, remedy="put them into the PEtab tables")
    if not noise >= 0:
        raise UsageError(f"--noise is {noise:g}", where=_FIT, remedy="give a standard deviation of 0 or more")
    if not 0.5 <= level < 1:
        raise UsageError(f"--level is {level:g}", where=_FIT, remedy="give .5 or more, and less than 1")
    if figure is not None:
        check_suffix(figure)
    from probatum.problems.metabolism.likelihood import likelihood
    from probatum.problems.metabolism.likelihood_profiles import likelihood_profiles
    from probatum.problems.metabolism.multistart import multistart

    problem = _problem(petab, sbml, data, noise, estimate)
    of = likelihood(problem, LANES)
    found = multistart(of, starts, seed)
    profiled = likelihood_profiles(of, found, level) if profiles else ()
    if figure is not None:
        from probatum.problems.metabolism.fit_figures import fit_figure

        fit_figure(found, profiled, figure)
    written = None
    if write is not None:
        from probatum.problems.metabolism.petab_writing import write_petab

        written = write_petab(problem.with_nominal(found.values), write)
    places = {"figure": figure, "written": written}
    return Answer(_fit_values(found, profiled, level, places), _fit_shown(found, profiled, level, places))


def rates(
    structure: Annotated[Path, typer.Option(metavar="CSV", help="S: a row a metabolite, a column a reaction.")],
    data: Annotated[Path, typer.Option(metavar="CSV", help="The time course, wide or long, at even times.")],
    orders: Annotated[
        Path | None, typer.Option(metavar="CSV", help="As S; default: mass action, what S uses up.")
    ] = None,
    homeostasis: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Columns metabolite, decay, level; default: none.")
    ] = None,
    noise: Annotated[float, typer.Option(metavar="SD", help="Of a measured concentration; 0: clean.")] = 0.0,
    method: Annotated[str, typer.Option(help="'differences', 'integrals', 'shooting', or 'auto'.")] = "auto",
    level: Annotated[float, typer.Option(help="Of intervals.")] = 0.9,
    figure: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw it: .png, .svg or .pdf.")] = None,
) -> Answer:
    """Estimate the rate constants of a mass-action network, and say which cannot be known."""
    from probatum.problems.metabolism.rate_constants import METHODS, measured_rates, read_homeostasis, read_network
    from probatum.problems.metabolism.time_course import read_time_course

    if method not in METHODS:
        raise UsageError(f"--method is '{method}'", where=_RATES, remedy=nearest(method, METHODS))
    if not noise >= 0:
        raise UsageError(f"--noise is {noise:g}", where=_RATES, remedy="give a standard deviation of 0 or more")
    if not 0 < level < 1:
        raise UsageError(f"--level is {level:g}", where=_RATES, remedy="give a number between 0 and 1")
    if figure is not None:
        check_suffix(figure)
    network = read_network(structure, orders)
    metabolism = read_homeostasis(network, homeostasis)
    course = read_time_course(data, noise)
    found = measured_rates(metabolism, course, method)
    if figure is not None:
        from probatum.problems.metabolism.figures import rates_figure

        rates_figure(found.estimate, found.trajectory.concentrations, level, figure)
    return Answer(_rate_values(found, level, figure), _rate_shown(found, level, figure))


COMMANDS: Mapping[str, Callable[..., Answer]] = {"fit": fit, "rates": rates}


def _problem(
    petab: Path | None, sbml: Path | None, data: Path | None, noise: float, estimate: str | None
) -> PetabProblem:
    from probatum.problems.metabolism.course_problem import course_problem
    from probatum.problems.metabolism.petab_reading import read_petab
    from probatum.problems.metabolism.sbml import read_sbml
    from probatum.problems.metabolism.time_course import read_time_course

    if petab is not None:
        return read_petab(petab)
    assert sbml is not None  # the caller has seen to both
    assert data is not None
    chosen = None if estimate is None else [name.strip() for name in estimate.split(",") if name.strip()]
    return course_problem(read_sbml(sbml), read_time_course(data, noise), chosen)


def _interval(found: Multistart, i: int, profile: LikelihoodProfile | None) -> dict[str, Any]:
    from probatum.problems.metabolism.petab_problem import linear

    if profile is None:
        return {"lower": None, "upper": None, "open_below": None, "open_above": None, "identifiable": None}
    scale = found.problem.estimated[i].scale
    return {
        "lower": linear(profile.lower, scale),
        "upper": linear(profile.upper, scale),
        "open_below": profile.open_below,
        "open_above": profile.open_above,
        "identifiable": profile.identifiable,
    }


def _fit_values(
    found: Multistart, profiled: tuple[LikelihoodProfile, ...], level: float, places: Mapping[str, Path | None]
) -> dict[str, Any]:
    problem, of = found.problem, {one.id: one for one in profiled}
    return {
        "schema": SCHEMA,
        "problem": problem.name,
        "log_likelihood": found.log_likelihood,
        "measurements": len(problem.measurements),
        "level": level,
        "parameters": [
            {
                "id": one.id,
                "scale": one.scale,
                "value": float(found.values[i]),
                "scaled": float(found.best.parameters[i]),
                "standard_error": float(found.standard_errors[i]),
                "bounds": [one.lower, one.upper],
                "at_bound": found.at_bound[i],
                **_interval(found, i, of.get(one.id)),
            }
            for i, one in enumerate(problem.estimated)
        ],
        "unidentifiable": [one.id for one in profiled if not one.identifiable],
        "waterfall": found.waterfall.tolist(),
        "found_again": found.found_again,
        "converged": found.best.converged,
        "remarks": _remarks(found, profiled),
        **{name: None if path is None else str(path) for name, path in places.items()},
    }


def _remarks(found: Multistart, profiled: tuple[LikelihoodProfile, ...]) -> list[str]:
    from probatum.problems.metabolism.multistart import SAME

    remarks = list(found.problem.remarks)
    if not found.best.converged:
        remarks.append("the best fit did not converge: take no error of it for true")
    if found.found_again == 1 and len(found.ends) > 1:
        remarks.append("the best end was found once only: more --starts would show whether there is a better one")
    better = [one.id for one in profiled if len(one.rises) and one.rises.min() < -2 * SAME]
    if better:
        remarks.append(f"the profile of {', '.join(better)} found a better fit: run again with more --starts")
    return remarks


def _fit_shown(
    found: Multistart, profiled: tuple[LikelihoodProfile, ...], level: float, places: Mapping[str, Path | None]
) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    problem, of = found.problem, {one.id: one for one in profiled}
    table = Table("parameter", "scale")
    for column in ("estimate", "std. error", f"{100 * level:g} % from", "to"):
        table.add_column(column, justify="right")
    table.add_column("")
    for i, one in enumerate(problem.estimated):
        interval, error = _interval(found, i, of.get(one.id)), found.standard_errors[i]
        cells = ["", ""]
        for k, (side, open_) in enumerate((("lower", "open_below"), ("upper", "open_above"))):
            if interval[side] is not None:
                cells[k] = "open" if interval[open_] else f"{interval[side]:.4g}"
        marks = [f"at its {bound} bound"] if (bound := found.at_bound[i]) else []
        marks += ["not identifiable"] if interval["identifiable"] is False else []
        style = "yellow" if marks else ""
        table.add_row(
            one.id, one.scale, f"{found.values[i]:.5g}", "" if error != error else f"{error:.2g}", *cells,
            Text(", ".join(marks)), style=style,
        )  # fmt: skip
    ends = found.waterfall[:12]
    shown: list[RenderableType] = [
        Text(problem.name, style="bold"),
        f"log-likelihood {found.log_likelihood:.6f} of {len(problem.measurements)} measurements",
        f"{len(found.ends)} starts, {found.found_again} of them ended there; the best: "
        + ", ".join(f"{end:.2f}" for end in ends),
        table,
        "standard errors are on the parameter's scale; what is at a bound has none",
        *(Text(remark, style="yellow") for remark in _remarks(found, profiled)),
    ]
    return [*shown, *(f"{name}: {path}" for name, path in places.items() if path is not None)]


def _rate_values(found: MeasuredRates, level: float, figure: Path | None) -> dict[str, Any]:
    estimate = found.estimate
    known = estimate.identifiability
    intervals = estimate.intervals(level)
    return {
        "schema": SCHEMA,
        "method": estimate.method,
        "converged": estimate.converged,
        "level": level,
        "noise": found.trajectory.noise,
        "reactions": [
            {
                "id": name,
                "constant": float(estimate.constants[j]) if known.identifiable[j] else None,
                "standard_error": float(estimate.standard_errors[j]) if known.identifiable[j] else None,
                "lower": float(intervals[j, 0]) if known.identifiable[j] else None,
                "upper": float(intervals[j, 1]) if known.identifiable[j] else None,
                "identifiable": bool(known.identifiable[j]),
            }
            for j, name in enumerate(known.network.reactions)
        ],
        "identifiable": int(known.identifiable.sum()),
        "rank": known.rank,
        "null_space": known.sentences(),
        "remarks": list(found.remarks),
        "figure": None if figure is None else str(figure),
    }


def _rate_shown(found: MeasuredRates, level: float, figure: Path | None) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    estimate = found.estimate
    known = estimate.identifiability
    table = Table("reaction")
    for column in ("constant", "std. error", f"{100 * level:g} % from", "to"):
        table.add_column(column, justify="right")
    for j, name in enumerate(known.network.reactions):
        if known.identifiable[j]:
            numbers = (estimate.constants[j], estimate.standard_errors[j], *estimate.intervals(level)[j])
            table.add_row(name, *(f"{x:.4g}" for x in numbers))
        else:
            table.add_row(name, "not identifiable", "", "", "", style="yellow")
    shown: list[RenderableType] = [
        f"by {estimate.method}",
        table,
        Text(str(known), style="yellow" if known.sentences() else ""),
    ]
    shown += [Text(remark, style="yellow") for remark in found.remarks]
    return shown if figure is None else [*shown, f"figure: {figure}"]
