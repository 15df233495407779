"""`probatum gas-chromatography predict`: families of compounds in runs, as tables, JSON and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from probatum.errors import DataError, UsageError
from probatum.pictures import check_suffix
from probatum.problems.answer import Answer
from probatum.problems.gas_chromatography.peaks_command import (
    Ladder,
    Unit,
    axis_of_ladder,
    check_unit,
    peak_values,
    read,
)

if TYPE_CHECKING:
    import numpy as np
    from rich.console import RenderableType

    from probatum.problems.gas_chromatography.prediction import Model, Prediction
    from probatum.problems.gas_chromatography.retention import RetentionAxis

SCHEMA = 1
_UNITS = {"time": "s", "area": "intensity times seconds", "says": "change of log-odds", "probability": "1"}
SPEAKING = 3
"""Peaks or bands that a family's row of the table names."""
LEAST_SAID = 0.1
"""Change of log-odds below which nothing is said to speak for a family."""


def predict(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Runs (.cdf, .mzML, .mzXML, .D, .csv, .jdx) or folders.")
    ],
    unit: Unit = None,
    peaks: Annotated[
        int, typer.Option(min=0, max=1000, help="Of the largest peaks, how many are asked what they speak for.")
    ] = 60,
    ladder: Ladder = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Draw it: .png, .svg or .pdf; for several runs, a folder.")
    ] = None,
) -> Answer:
    """Predict which families of compounds are in a run, or in several, and what in it speaks for each."""
    files = _files(runs)
    several = len(files) > 1 or files != runs
    _check_figure(figure, several)
    check_unit(unit)
    axis, ladder_remark = (None, None) if ladder is None else axis_of_ladder(ladder, unit)
    from dataclasses import replace

    from rich.text import Text

    from probatum.problems.gas_chromatography.prediction import predict_run

    model: Model | None = None
    values: list[dict[str, Any]] = []
    shown: list[RenderableType] = [] if ladder_remark is None else [ladder_remark]
    for path in files:
        try:
            run = read(path, unit)
        except DataError as error:
            if not several:
                raise
            values.append({"file": str(path), "families": None, "failure": str(error)})
            shown.append(Text(f"{path.name}: {error}", style="red"))
            continue
        model = model or _model()  # only now: its training takes minutes
        found = replace(predict_run(run, model, most_peaks=peaks), name=path.name)
        picture = _drawn(path, found, figure, several)
        values.append(_values(path, found, axis, picture))
        shown += _shown(path, found, axis, picture)
    if all(one["failure"] is not None for one in values):
        raise DataError(
            f"none of {len(values)} runs could be read; the first: {values[0]['failure']}",
            remedy="predict one of them alone to see what is wrong",
        )
    return Answer({"schema": SCHEMA, "units": _UNITS, "ladder": ladder_remark, "runs": values}, shown)


def _files(given: Sequence[Path]) -> list[Path]:
    """The runs that are named, those in folders in the order of their names."""
    from probatum.problems.gas_chromatography.readers import SUFFIXES
    from probatum.problems.packed_files import OPENERS

    def readable(path: Path) -> bool:
        inner = path.with_suffix("") if path.suffix.lower() in OPENERS else path
        return inner.suffix.lower() in SUFFIXES and (path.is_file() or inner.suffix.lower() == ".d")

    files: list[Path] = []
    for path in given:
        if not path.is_dir() or path.suffix.lower() == ".d":
            files.append(path)
            continue
        within = sorted(one for one in path.iterdir() if readable(one))
        if not within:
            raise DataError("holds no run", where=str(path), remedy=f"runs end in {', '.join(SUFFIXES)}")
        files += within
    return files


def _check_figure(figure: Path | None, several: bool) -> None:
    if figure is None:
        return
    if not several:
        check_suffix(figure)
    elif not figure.is_dir():
        raise UsageError("there is no such folder", where=str(figure), remedy="make it; every run's picture goes there")


def _model() -> Model:
    from rich.console import Console

    from probatum.learning.compilation import keep_programs_on_disk
    from probatum.problems.gas_chromatography.family_model import family_model

    keep_programs_on_disk()
    with Console(stderr=True, highlight=False).status("training on simulated runs: once, some minutes; then kept"):
        return family_model()


def _drawn(path: Path, found: Prediction, figure: Path | None, several: bool) -> Path | None:
    if figure is None:
        return None
    from probatum.problems.gas_chromatography.figures import prediction_figure

    picture = figure / f"{path.name}.png" if several else figure
    prediction_figure(found, picture)
    return picture


def _values(path: Path, one: Prediction, axis: RetentionAxis | None, picture: Path | None) -> dict[str, Any]:
    from probatum.problems.gas_chromatography.samples import PREVALENCE

    return {
        "file": str(path),
        "failure": None,
        "scans": len(one.run),
        "end": float(one.run.times[-1]),
        "carrier": one.run.carrier,
        "families": [
            {"family": family, "probability": float(p), "usual": float(usual)}
            for (family, usual), p in zip(PREVALENCE.items(), one.probabilities, strict=True)
        ],
        "peaks": [{**peak_values(peak, axis), **_said(one, place)} for place, peak in enumerate(one.peaks)],
        "bands": [
            {
                "start": band.start,
                "end": band.end,
                "height": band.height,
                "masses": band.masses.tolist(),
                **_said(one, len(one.peaks) + place),
            }
            for place, band in enumerate(one.bands)
        ],
        "remarks": list(one.remarks),
        "figure": None if picture is None else str(picture),
    }


def _said(one: Prediction, part: int) -> dict[str, Any]:
    """What a peak, or after the peaks a band, says for each family."""
    import numpy as np

    from probatum.problems.gas_chromatography.families import FAMILIES

    def by_family(numbers: np.ndarray) -> dict[str, float]:
        return dict(zip(FAMILIES, numbers.tolist(), strict=True))

    missed, alone = np.vstack([one.peaks_missed, one.bands_missed]), np.vstack([one.peaks_alone, one.bands_alone])
    if np.isnan(missed[part]).any():
        return {"says": None, "missed": None, "alone": None}
    return {
        "says": by_family((missed[part] + alone[part]) / 2),
        "missed": by_family(missed[part]),
        "alone": by_family(alone[part]),
    }


def _shown(path: Path, one: Prediction, axis: RetentionAxis | None, picture: Path | None) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from probatum.problems.gas_chromatography.samples import PREVALENCE

    table = Table("family")
    table.add_column("probability", justify="right")
    table.add_column("usual", justify="right")
    table.add_column("what speaks for it: minutes, m/z, change of log-odds")
    for place, (family, usual) in enumerate(PREVALENCE.items()):
        p = float(one.probabilities[place])
        named = Text(family, style="bold" if p > 0.5 else "")
        table.add_row(named, f"{p:.3f}", f"{usual:.3f}", "; ".join(_speaking(one, place, axis)))
    head = f"{path.name}: {len(one.run)} scans, {one.run.times[-1] / 60:.1f} min, {len(one.peaks)} peaks"
    parts: list[RenderableType] = [Text(head, style="bold"), table]
    parts += [Text(remark, style="yellow") for remark in one.remarks]
    return parts if picture is None else [*parts, f"figure: {picture}"]


def _speaking(one: Prediction, family: int, axis: RetentionAxis | None) -> list[str]:
    """What raises the log-odds of a family most."""
    import numpy as np

    found = []
    for peak, said in zip(one.peaks, one.peaks_say[:, family], strict=True):
        largest = peak.masses[np.argsort(-peak.spectrum)[:3]]
        index = "" if axis is None else f" (RI {float(axis.index(peak.apex)):.0f})"
        found.append((said, f"{peak.apex / 60:.2f}{index} m/z {', '.join(map(str, largest))}"))
    for band, said in zip(one.bands, one.bands_say[:, family], strict=True):
        masses = ", ".join(map(str, band.masses[:3]))
        found.append((said, f"{band.start / 60:.1f} to {band.end / 60:.1f} m/z {masses}"))
    loud = sorted(((said, text) for said, text in found if said >= LEAST_SAID), reverse=True)
    return [f"{text} {said:+.1f}" for said, text in loud[:SPEAKING]]
