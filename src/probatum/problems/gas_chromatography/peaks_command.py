"""`probatum gas-chromatography peaks`: the peaks of a run; and how runs and ladders are named in commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from probatum.errors import DataError, UsageError
from probatum.pictures import check_suffix
from probatum.problems.answer import Answer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from probatum.problems.gas_chromatography.peaks import Peak
    from probatum.problems.gas_chromatography.retention import RetentionAxis
    from probatum.problems.gas_chromatography.run import Run

SCHEMA = 1
Unit = Annotated[str | None, typer.Option(metavar="s|min", help="Of times in .csv and .jdx files that do not say it.")]
Ladder = Annotated[
    Path | None,
    typer.Option(metavar="RUN", help="A run of alkanes or of fatty-acid methyl esters, for retention indices."),
]


def peaks(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run (.cdf, .mzML, .mzXML, .D, .csv, .jdx).")],
    unit: Unit = None,
    ladder: Ladder = None,
    least: Annotated[float, typer.Option(help="Signal-to-noise ratio of an ion that counts.")] = 5.0,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Draw the chromatogram: .png, .svg or .pdf.")
    ] = None,
) -> Answer:
    """List the peaks of a run: times, areas, widths, shapes and spectra."""
    if figure is not None:
        check_suffix(figure)
    check_unit(unit)
    from probatum.problems.gas_chromatography.background import traces
    from probatum.problems.gas_chromatography.peaks import peak_list
    from probatum.problems.gas_chromatography.prediction import AIR

    axis, ladder_remark = (None, None) if ladder is None else axis_of_ladder(ladder, unit)
    the_run = read(run, unit)
    found = peak_list(the_run, least=least, ignored=AIR)
    if figure is not None:
        from probatum.problems.gas_chromatography.figures import chromatogram_figure

        chromatogram_figure(run.name, traces(the_run), found, figure)
    values = {
        "schema": SCHEMA,
        "units": {"time": "s", "area": "intensity times seconds"},
        "file": str(run),
        "ladder": ladder_remark,
        "peaks": [peak_values(peak, axis) for peak in found],
        "remarks": list(the_run.remarks),
        "figure": None if figure is None else str(figure),
    }
    return Answer(values, _peaks_shown(run.name, found, axis, ladder_remark, the_run.remarks, figure))


def check_unit(unit: str | None) -> None:
    """Refuses a unit of times that nobody knows.

    Raises:
        UsageError: naming those that are known.
    """
    if unit not in (None, "s", "min"):
        raise UsageError(f"--unit is '{unit}'", where="probatum gas-chromatography", remedy="'s' or 'min'")


def read(path: Path, unit: Any) -> Run:
    """One run; see `probatum.problems.gas_chromatography.readers.read_run`."""
    from probatum.problems.gas_chromatography.readers import read_run

    return read_run(path, unit)


def axis_of_ladder(path: Path, unit: Any) -> tuple[RetentionAxis, str]:
    """The axis of a run with a ladder of either kind, and what it is made of."""
    from probatum.problems.gas_chromatography.amdis_library import FAME_LIBRARY, read_amdis_library
    from probatum.problems.gas_chromatography.library import library_path
    from probatum.problems.gas_chromatography.peaks import peak_list
    from probatum.problems.gas_chromatography.retention import axis_of, ester_indices, find_ladder

    peaks = peak_list(read(path, unit), fits=False)
    try:
        rungs, kind = find_ladder(peaks, "alkanes"), "alkanes"
    except DataError:
        esters = ester_indices(read_amdis_library(library_path().with_name(FAME_LIBRARY)))
        try:
            rungs, kind = find_ladder(peaks, "fatty-acid methyl esters", esters), "fatty-acid methyl esters"
        except DataError:
            raise DataError(
                "has no ladder of alkanes or of fatty-acid methyl esters",
                where=str(path),
                remedy="give a run of one of these mixtures on the same column and programme",
            ) from None
    axis = axis_of(rungs)
    said = f"ladder of {len(rungs)} {kind}, retention index {axis.indices[0]:.0f} to {axis.indices[-1]:.0f}"
    return axis, said


def peak_values(peak: Peak, axis: RetentionAxis | None) -> dict[str, Any]:
    """A peak as `--json` prints it."""
    from dataclasses import asdict

    return {
        "apex": peak.apex,
        "start": peak.start,
        "end": peak.end,
        "height": peak.height,
        "area": peak.area,
        "width": peak.width,
        "signal_to_noise": peak.ratio,
        "retention_index": None if axis is None else float(axis.index(peak.apex)),
        "extrapolated": None if axis is None else not axis.covers(peak.apex),
        "masses": peak.masses.tolist(),
        "spectrum": peak.spectrum.tolist(),
        "fit": None if peak.fit is None else {key: value for key, value in asdict(peak.fit).items() if key != "errors"},
        "standard_errors": None
        if peak.fit is None
        else dict(zip(("area", "mu", "sigma", "tau", "offset"), peak.fit.errors, strict=True)),
    }


def _peaks_shown(
    name: str,
    found: Sequence[Peak],
    axis: RetentionAxis | None,
    ladder_remark: str | None,
    remarks: Sequence[str],
    picture: Path | None,
) -> list[RenderableType]:
    import numpy as np
    from rich.table import Table
    from rich.text import Text

    table = Table()
    columns = [
        "min",
        *([] if axis is None else ["index"]),
        "area",
        "width, s",
        "S/N",
        "sigma, s",
        "tau, s",
        "largest m/z",
    ]
    for column in columns:
        table.add_column(column, justify="right")
    for peak in found:
        largest = peak.masses[np.argsort(-peak.spectrum)[:4]]
        row = [f"{peak.apex / 60:.3f}"]
        if axis is not None:
            row.append(f"{float(axis.index(peak.apex)):.0f}" + ("" if axis.covers(peak.apex) else "?"))
        row += [f"{peak.area:.3g}", "" if np.isnan(peak.width) else f"{peak.width:.2f}", f"{peak.ratio:.0f}"]
        fit = peak.fit
        row += ["", ""] if fit is None else [_with_error(fit.sigma, fit.errors[2]), _with_error(fit.tau, fit.errors[3])]
        table.add_row(*row, ", ".join(map(str, largest)))
    parts: list[RenderableType] = [] if ladder_remark is None else [ladder_remark]
    if axis is not None and not all(axis.covers(peak.apex) for peak in found):
        parts.append("indices with ? lie beyond the ladder")
    parts += [Text(f"{name}: {len(found)} peaks", style="bold"), table]
    parts += [Text(remark, style="yellow") for remark in remarks]
    return parts if picture is None else [*parts, f"figure: {picture}"]


def _with_error(value: float, error: float) -> str:
    """A number with its standard error; nothing where the fit cannot tell it."""
    return f"{value:.2f} ± {error:.2f}" if error < value else ""
