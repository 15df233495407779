"""`probatum rocking-curve fit`: the strain profile behind measured rocking curves, as tables, JSON and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from probatum.errors import DataError, FitError, ProbatumError, UsageError
from probatum.pictures import check_suffix
from probatum.problems.answer import Answer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from probatum.problems.rocking_curve.crystals import Reflection
    from probatum.problems.rocking_curve.curve_fit import FittedCurve

SCHEMA = 1
SUFFIXES = (".xrdml", ".ras", ".txt", ".dat", ".xy", ".csv")
_WHERE = "probatum rocking-curve fit"
_UNITS = {"angle": "arc-seconds", "depth": "Angstrom", "strain": "1", "error": "decades"}


def fit(
    curves: Annotated[Path, typer.Argument(metavar="FILE", help="A curve (.xrdml, .ras, two columns) or a folder.")],
    crystal: Annotated[str, typer.Option(metavar="NAME", help="The substrate, such as GGG, YIG, Si or YSZ.")],
    reflection: Annotated[str, typer.Option(metavar="H,K,L", help="Miller indices, such as 4,4,4.")],
    wavelength: Annotated[
        float | None, typer.Option(metavar="ANGSTROM", help="Default: the file's, else that of Cu K-alpha1.")
    ] = None,
    profile: Annotated[str, typer.Option(help="'two-part', 'splines', or 'auto', which decides.")] = "auto",
    fwhm: Annotated[
        float | None, typer.Option(metavar="ARCSEC", help="Of the instrument, for a two-part profile; default: fitted.")
    ] = None,
    pi_weight: Annotated[
        float | None, typer.Option(metavar="M", help="Share of pi to sigma waves; default: sqrt(|cos 2 theta_B|).")
    ] = None,
    axis: Annotated[
        str | None, typer.Option(help="Of a text file: '2-theta', 'omega' or 'deviation'; default: found.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Draw it: .png, .svg or .pdf; for a folder, a folder.")
    ] = None,
) -> Answer:
    """Fit the strain profile behind a rocking curve, or behind all curves in a folder."""
    files = _files(curves)
    several = curves.is_dir()
    if figure is not None:
        if not several:
            check_suffix(figure)
        elif not figure.is_dir():
            raise UsageError(
                "there is no such folder", where=str(figure), remedy="make it; every curve's picture goes there"
            )
    from probatum.errors import nearest
    from probatum.problems.rocking_curve.curve_fit import KINDS
    from probatum.problems.rocking_curve.readers import AXES

    for name, value, known in (("--profile", profile, KINDS), ("--axis", axis, AXES)):
        if value is not None and value not in known:
            raise UsageError(f"{name} is '{value}'", where=_WHERE, remedy=nearest(value, known))
    for name, value, least in (
        ("--wavelength", wavelength, 0.0),
        ("--fwhm", fwhm, 0.0),
        ("--pi-weight", pi_weight, -1e-12),
    ):
        if value is not None and not least < value < 1e6:
            raise UsageError(f"{name} is {value:g}", where=_WHERE, remedy="give a number above 0")
    hkl = _indices(reflection)
    found: list[tuple[Path, FittedCurve | ProbatumError]] = []
    for path in files:
        try:
            found.append((path, _fitted(path, crystal, hkl, wavelength, profile, fwhm, pi_weight, axis)))
        except (DataError, FitError) as error:
            if not several:
                raise
            found.append((path, error))
    if all(isinstance(one, ProbatumError) for _, one in found):
        raise FitError(
            f"none of {len(found)} curves could be fitted; the first: {found[0][1]}",
            where=str(curves),
            remedy="fit one of them alone to see what is wrong",
        )
    pictures = _drawn(found, figure, several)
    values = [_values(path, one, pictures.get(path)) for path, one in found]
    shown = [part for path, one in found for part in _shown(path, one, pictures.get(path))]
    head = {"schema": SCHEMA, "crystal": crystal, "reflection": list(hkl), "units": _UNITS}
    return Answer({**head, "curves": values} if several else {**head, **values[0]}, shown)


COMMANDS: Mapping[str, Callable[..., Answer]] = {"fit": fit}


def _files(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]

    def readable(path: Path) -> bool:
        inner = path.with_suffix("") if path.suffix in (".gz", ".bz2", ".xz") else path
        return path.is_file() and inner.suffix.lower() in SUFFIXES

    files = sorted(path for path in given.iterdir() if readable(path))
    if not files:
        raise DataError("holds no curve", where=str(given), remedy=f"curves end in {', '.join(SUFFIXES)}")
    return files


def _indices(text: str) -> tuple[int, int, int]:
    try:
        h, k, third = (int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise UsageError(f"'{text}' is no reflection", where=_WHERE, remedy="write it as 4,4,4") from None
    return h, k, third


def _fitted(
    path: Path,
    crystal: str,
    hkl: tuple[int, int, int],
    wavelength: float | None,
    profile: Any,
    fwhm: float | None,
    pi_weight: float | None,
    axis: Any,
) -> FittedCurve:
    from dataclasses import replace

    from rich.console import Console

    from probatum.problems.rocking_curve.crystals import reflection
    from probatum.problems.rocking_curve.curve_fit import fit_scan
    from probatum.problems.rocking_curve.readers import read_scan
    from probatum.problems.rocking_curve.scattering_factors import COPPER_K_ALPHA_1

    def of(length: float) -> Reflection:
        return reflection(crystal, hkl, length)

    scan = read_scan(path, axis=axis, bragg_angle=of(wavelength or COPPER_K_ALPHA_1).bragg_angle)
    used = wavelength or scan.wavelength or COPPER_K_ALPHA_1
    source = "as given" if wavelength else "the file's" if scan.wavelength else "Cu K-alpha1, as none is named"
    scan = replace(scan, remarks=(*scan.remarks, f"wavelength {used:g} Angstrom: {source}"))

    def announced() -> None:
        Console(stderr=True, highlight=False).print(
            "simulating curves for this crystal and scan, a few seconds, once; they are kept in the cache"
        )

    return fit_scan(
        scan, of(used), crystal, kind=profile, fwhm=fwhm, pi_weight=pi_weight, on_simulation=announced
    )  # fmt: skip


def _drawn(
    found: list[tuple[Path, FittedCurve | ProbatumError]], figure: Path | None, several: bool
) -> dict[Path, Path]:
    if figure is None:
        return {}
    from probatum.problems.rocking_curve.figures import fit_figure

    pictures = {}
    for path, one in found:
        if not isinstance(one, ProbatumError):
            pictures[path] = figure / f"{path.name}.png" if several else figure
            fit_figure(one, path.name, pictures[path])
    return pictures


def _values(path: Path, one: FittedCurve | ProbatumError, picture: Path | None) -> dict[str, Any]:
    if isinstance(one, ProbatumError):
        return {"file": str(path), "profile": None, "failure": str(one)}
    from dataclasses import asdict

    return {
        "file": str(path),
        "profile": one.kind,
        "failure": None,
        "error": one.error,
        "chi2_per_angle": one.chi2,
        "angles": len(one.seconds),
        "parameters": [asdict(estimate) for estimate in one.estimates],
        "modes": [{"chi2": chi2, "share": share} for chi2, share in one.modes],
        "interval_agreement": one.agreement,
        "instrument": asdict(one.instrument),
        "depth": one.depths.tolist(),
        "strain": one.strain.tolist(),
        "strain_low": one.low.tolist(),
        "strain_high": one.high.tolist(),
        "debye_waller": None if one.debye_waller is None else one.debye_waller.tolist(),
        "curve": {
            "angle": one.seconds.tolist(),
            "measured": one.measured.tolist(),
            "fitted": one.signal.tolist(),
        },
        "remarks": list(one.remarks),
        "figure": None if picture is None else str(picture),
    }


def _shown(path: Path, one: FittedCurve | ProbatumError, picture: Path | None) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    if isinstance(one, ProbatumError):
        return [Text(f"{path.name}: {one}", style="red")]
    parts: list[RenderableType] = [
        Text(f"{path.name}: {one.kind} profile", style="bold"),
        f"mean error {one.error:.3f} decades over {len(one.seconds)} angles, chi^2 / angle {one.chi2:.3g}",
    ]
    if one.estimates:
        table = Table("parameter", "unit")
        for column in ("value", "90 % from", "to", "Cramér-Rao"):
            table.add_column(column, justify="right")
        for e in one.estimates:
            table.add_row(e.name, e.unit, *(f"{number:.4g}" for number in (e.value, e.low, e.high, e.cramer_rao)))
        parts.append(table)
    table = Table()
    for column in ("depth, A", "strain, %", "90 % from", "to", *(() if one.debye_waller is None else ("DW factor",))):
        table.add_column(column, justify="right")
    for i in range(0, len(one.depths), max(1, len(one.depths) // 12)):
        disorder = () if one.debye_waller is None else (f"{one.debye_waller[i]:.2f}",)
        strains = (f"{100 * values[i]:.4f}" for values in (one.strain, one.low, one.high))
        table.add_row(f"{one.depths[i]:.0f}", *strains, *disorder)
    parts.append(table)
    parts += [Text(remark, style="yellow") for remark in one.remarks]
    return parts if picture is None else [*parts, f"figure: {picture}"]
