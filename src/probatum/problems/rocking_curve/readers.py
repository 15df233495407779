"""Measured rocking curves from files: PANalytical .xrdml, Rigaku .ras, or text in two columns; .gz and .bz2 as well.

Which angle a file holds and in which unit is taken from the file where it says so and found from the numbers where it
does not; what was found is said in `Scan.remarks`. Intensities stay as they are in the file except for the beam
attenuation that it records.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, nearest
from probatum.problems.packed_files import OPENERS, opened, read_from
from probatum.problems.xml_prolog import refuse_document_type

FEWEST_POINTS = 10
LARGEST_DEGREES = 180.0
Axis = Literal["2-theta", "omega", "deviation"]
Unit = Literal["deg", "arcsec"]
AXES: tuple[Axis, ...] = ("2-theta", "omega", "deviation")
NAMES: dict[str, Axis] = {
    "2theta": "2-theta",
    "twotheta": "2-theta",
    "2thetaomega": "2-theta",
    "twothetaomega": "2-theta",
    "twothetatheta": "2-theta",
    "omega2theta": "2-theta",
    "theta2theta": "2-theta",
    "gonio": "2-theta",
    "omega": "omega",
    "theta": "omega",
    "th": "omega",
    "tth": "2-theta",
}
"""How instruments call them, lower case and without other characters. Coupled scans move omega by half of 2-theta."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A measured curve.

    Attributes:
        path: its file.
        axis: what `angles` are: '2-theta' or 'omega' in degrees, or 'deviation', arc-seconds from a point of reference.
        angles: [point] float64, increasing.
        intensities: [point] float64, none negative.
        wavelength: Angstrom; None where the file names none.
        remarks: what was found, assumed or changed.
    """

    path: Path
    axis: Axis
    angles: Float[np.ndarray, " _point"]
    intensities: Float[np.ndarray, " _point"]
    wavelength: float | None
    remarks: tuple[str, ...]

    def deviations(self, bragg_angle: float) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"], str]:
        """The curve over theta_B - theta, as `physics.angles_below` and `measurement` take it.

        Angles in degrees are taken as they stand: an offset of the goniometer stays in them. A deviation has its zero
        at the strongest peak and the sign by which most of the signal beside that peak is above 0, where expanded
        layers diffract.

        Args:
            bragg_angle: theta_B, radians.

        Returns:
            seconds: [point] increasing theta_B - theta, arc-seconds.
            intensities: [point] in the same order.
            remark: how zero and sign were chosen.
        """
        if self.axis == "deviation":
            seconds = self.angles - self.angles[self.intensities.argmax()]
            up = _leans_up(seconds, self.intensities)
            seconds = seconds if up else -seconds
            remark = f"zero at the strongest peak; sign {'as in the file' if up else 'turned round'}"
        else:
            theta = self.angles / 2 if self.axis == "2-theta" else self.angles
            seconds = 3600 * (math.degrees(bragg_angle) - theta)
            remark = f"zero at theta_B = {math.degrees(bragg_angle):.4f} degrees; larger {self.axis} is negative"
        order = np.argsort(seconds)
        return seconds[order], self.intensities[order], remark


def read_scan(
    path: Path, axis: Axis | None = None, unit: Unit | None = None, part: int = 0, bragg_angle: float | None = None
) -> Scan:
    """Reads one curve.

    Args:
        path: its suffix tells the format; anything but .xrdml and .ras counts as text.
        axis: what the first column of a text file holds; by default found from the numbers.
        unit: of that column; by default found from the numbers.
        part: which scan of a file with several, from 0.
        bragg_angle: theta_B in radians, if known: tells omega from 2-theta in text that does not say which it holds.

    Raises:
        DataMissingError: there is no such file.
        DataError: it is cut short, no such file at all, or a curve that cannot be used: too few points, angles that
            repeat or go to and fro, negative or non-finite numbers.
    """
    content = _content(path)
    suffix = _format(path)
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused as such
        if suffix == ".xrdml":
            scan = _from_xrdml(path, content, part)
        elif suffix == ".ras":
            scan = _from_ras(path, content, part)
        else:
            scan = _from_text(path, content, axis, unit, bragg_angle)
        return _checked(scan)


def _format(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in OPENERS), "")


def _content(path: Path) -> str:
    with opened(path) as stream:
        content = read_from(stream, path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _from_xrdml(path: Path, content: str, part: int) -> Scan:
    refuse_document_type([content.encode("utf-8", "replace")], str(path))
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, RecursionError) as error:
        raise DataError(f"is no whole XML file ({error})", where=str(path), remedy="copy or export it again") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    scan = _part(path, list(root.iter("scan")), part)
    points = scan.find("dataPoints")
    counted = None
    if points is not None:
        counted = next((child for child in points if child.tag in ("counts", "intensities")), None)
    if points is None or counted is None:
        raise DataError("holds no counts", where=str(path), remedy="export the scan with its data points")
    intensities = _numbers(path, counted.text)
    remarks = []
    attenuation = points.find("beamAttenuationFactors")
    if attenuation is not None and counted.tag == "counts":
        factors = _numbers(path, attenuation.text)
        if len(factors) != len(intensities):
            raise DataError(
                f"{len(factors)} attenuation factors for {len(intensities)} counts",
                where=str(path),
                remedy="export it again",
            )
        intensities = intensities * factors
        if (factors != 1).any():
            remarks.append("counts times the beam attenuation of the file: their noise is larger than Poisson's there")
    axis = _axis_named(path, scan.get("scanAxis", ""))
    wanted = {"2-theta": "2Theta", "omega": "Omega"}[axis]
    moved = next((p for p in points.findall("positions") if p.get("axis") == wanted), None)
    if moved is None:
        raise DataError(f"holds no positions of {wanted}", where=str(path), remedy="export the scan with its positions")
    listed, start, end = (moved.findtext(name) for name in ("listPositions", "startPosition", "endPosition"))
    if listed is not None:
        angles = _numbers(path, listed)
    else:
        ends = _numbers(path, f"{start} {end}")
        if len(ends) != 2:
            raise DataError(
                f"positions of {wanted} from '{start}' to '{end}'", where=str(path), remedy="export the scan again"
            )
        angles = np.linspace(ends[0], ends[1], len(intensities))
    wavelength = _wavelength(path, root.findtext(".//kAlpha1"))
    remarks.insert(0, f"axis {axis}: the file's scan axis is {scan.get('scanAxis')}")
    return Scan(path, axis, angles, intensities, wavelength, tuple(remarks))


def _from_ras(path: Path, content: str, part: int) -> Scan:
    # Not by one pattern, which would read on to the end from every header.
    scans = [scan.partition("*RAS_INT_START") for scan in content.split("*RAS_HEADER_START")[1:]]
    blocks = [(header, *after.partition("*RAS_INT_END")[:2]) for header, begun, after in scans if begun]
    header, body, end = _part(path, blocks, part)
    if not end:
        raise DataError("ends within its data", where=str(path), remedy="copy it again, it was cut short")
    fields = dict(re.findall(r'^\*(\S+) "(.*)"', header, re.MULTILINE))
    values = _numbers(path, body)
    if len(values) % 3:
        raise DataError("rows of other than three numbers", where=str(path), remedy="copy or export it again")
    angles, intensities, factors = values.reshape(-1, 3).T
    named = fields.get("MEAS_SCAN_AXIS_X_INTERNAL") or fields.get("MEAS_SCAN_AXIS_X", "")
    axis = _axis_named(path, named)
    wavelength = _wavelength(path, fields.get("HW_XG_WAVE_LENGTH_ALPHA1"))
    remarks = [f"axis {axis}: the file's scan axis is {named}"]
    if len(blocks) > 1:
        remarks.append(f"scan {part} of {len(blocks)} in the file, the first being 0")
    if (factors != 1).any():
        remarks.append("counts times the beam attenuation of the file: their noise is larger than Poisson's there")
    return Scan(path, axis, angles, intensities * factors, wavelength, tuple(remarks))


def _from_text(path: Path, content: str, axis: Axis | None, unit: Unit | None, bragg_angle: float | None) -> Scan:
    rows: list[tuple[float, float]] = []
    for position, line in enumerate(content.splitlines(), start=1):
        cells = [cell for cell in re.split(r"[\s,;]+", line.strip()) if cell]
        if not cells or line.lstrip()[0] in "#;!%*":
            continue
        try:
            rows.append((float(cells[0]), float(cells[1])))
        except (ValueError, IndexError):
            if not rows:  # a header
                continue
            raise DataError(
                f"'{line.strip()[:40]}' is no pair of numbers",
                where=f"{path}, line {position}",
                remedy="correct the line",
            ) from None
    angles, intensities = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    if axis not in (None, *AXES):
        raise DataError(f"unknown axis '{axis}'", where=str(path), remedy=nearest(axis, AXES))
    remarks = []
    if len(angles) and unit is None:
        unit = "arcsec" if axis == "deviation" or angles.min() < 0 or angles.max() > LARGEST_DEGREES else "deg"
        remarks.append(f"unit {unit}: the angles run from {angles.min():g} to {angles.max():g}")
    if axis is None:
        axis, reason = _axis_found(angles, intensities, unit, bragg_angle)
        remarks.append(f"axis {axis}: {reason}")
    if unit == "arcsec" and axis != "deviation":
        angles = angles / 3600
    elif unit == "deg" and axis == "deviation":
        angles = angles * 3600
    return Scan(path, axis, angles, intensities, None, tuple(remarks))


def _axis_found(
    angles: Float[np.ndarray, " point"],
    intensities: Float[np.ndarray, " point"],
    unit: Unit | None,
    bragg_angle: float | None,
) -> tuple[Axis, str]:
    """What a text file's angles are, and why."""
    if unit == "arcsec":
        return "deviation", "assumed for text in arcsec"
    if bragg_angle is None or not len(angles):
        return "2-theta", "assumed for text in deg"
    peak, theta_B = float(angles[intensities.argmax()]), math.degrees(bragg_angle)
    axis: Axis = "omega" if abs(peak - theta_B) < abs(peak - 2 * theta_B) else "2-theta"
    return axis, f"the strongest peak stands at {peak:g}, theta_B is {theta_B:.4f} degrees"


def _checked(scan: Scan) -> Scan:
    """The scan with increasing angles, or an error that says what is wrong with it."""
    where = str(scan.path)
    if len(scan.angles) != len(scan.intensities):
        raise DataError(
            f"{len(scan.angles)} angles for {len(scan.intensities)} intensities", where=where, remedy="export it again"
        )
    if len(scan.angles) < FEWEST_POINTS:
        raise DataError(f"{len(scan.angles)} points", where=where, remedy=f"give {FEWEST_POINTS} or more")
    for name, values in (("angle", scan.angles), ("intensity", scan.intensities)):
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise DataError(
                f"{name} {bad[0] + 1} is {values[bad[0]]}", where=where, remedy="correct or remove the point"
            )
    negative = np.flatnonzero(scan.intensities < 0)
    if len(negative):
        raise DataError(
            f"intensity {negative[0] + 1} is {scan.intensities[negative[0]]:g}, below 0",
            where=where,
            remedy="give counts as measured, no background taken off",
        )
    if scan.axis != "deviation" and not 0 < scan.angles.min() <= scan.angles.max() < LARGEST_DEGREES:
        raise DataError(
            f"{scan.axis} runs from {scan.angles.min():g} to {scan.angles.max():g} degrees",
            where=where,
            remedy="name the axis and unit that the file has",
        )
    if np.abs(scan.angles).max() > 3600 * LARGEST_DEGREES:
        raise DataError(
            f"deviations from {scan.angles.min():g} to {scan.angles.max():g} arc-seconds",
            where=where,
            remedy="name the axis and unit that the file has",
        )
    if scan.angles[0] > scan.angles[-1]:
        remarks = (*scan.remarks, "angles were decreasing: the order is turned round")
        scan = replace(scan, angles=scan.angles[::-1], intensities=scan.intensities[::-1], remarks=remarks)
    steps = np.diff(scan.angles)
    if (steps == 0).any():
        at = int(np.flatnonzero(steps == 0)[0])
        raise DataError(
            f"angle {scan.angles[at]:g} stands there twice", where=where, remedy="merge or remove the repeats"
        )
    if (steps < 0).any():
        at = int(np.flatnonzero(steps < 0)[0])
        raise DataError(
            f"angles are not sorted: {scan.angles[at + 1]:g} stands beside {scan.angles[at]:g}",
            where=where,
            remedy="sort them, or give one scan a file",
        )
    return scan


def _leans_up(seconds: Float[np.ndarray, " point"], intensities: Float[np.ndarray, " point"]) -> bool:
    """Whether more signal, in decades, lies above the peak at 0 than at equal distance below."""
    logarithms = np.log10(np.maximum(intensities, max(intensities.max() * 1e-6, 1e-300)))
    up, down = seconds[-1], -seconds[0]
    if min(up, down) < 0.25 * max(up, down):
        return bool(up > down)  # a scan that reaches far to one side was meant to see what is there
    reach = np.linspace(0, min(up, down), 512)
    return bool(np.interp(reach, seconds, logarithms).sum() >= np.interp(reach, -seconds[::-1], logarithms[::-1]).sum())


def _axis_named(path: Path, name: str) -> Axis:
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    if key not in NAMES:
        raise DataError(
            f"the scan axis is '{name}', not 2-theta or omega", where=str(path), remedy="choose a rocking curve, or "
            "export it as two columns"
        )  # fmt: skip
    return NAMES[key]


def _part(path: Path, parts: Sequence[Any], part: int) -> Any:
    if not parts:
        raise DataError("holds no scan", where=str(path), remedy="name a file with a measured scan")
    if not 0 <= part < len(parts):
        raise DataError(f"no scan {part}", where=str(path), remedy=f"it holds 0 to {len(parts) - 1}")
    return parts[part]


def _wavelength(path: Path, text: str | None) -> float | None:
    """Angstrom; None where the file names none."""
    if text is None or not text.strip():
        return None
    found = _numbers(path, text)
    if len(found) != 1 or not np.isfinite(found[0]) or found[0] <= 0:
        raise DataError(f"the wavelength is '{text.strip()[:40]}'", where=str(path), remedy="export the scan again")
    return float(found[0])


def _numbers(path: Path, text: str | None) -> Float[np.ndarray, " number"]:
    try:
        return np.array((text or "").split(), dtype=np.float64)
    except ValueError as error:
        raise DataError(
            f"holds no number where one should be ({error})", where=str(path), remedy="export it again"
        ) from None
