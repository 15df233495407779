"""One run of a gas chromatograph with a mass spectrometer: scans, each a list of (m/z, intensity)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Real

from probatum.errors import DataError

FEWEST_SCANS = 10
LARGEST_MASS = 5000.0
"""m/z; quadrupoles of gas chromatographs end at about 1,000."""
SHORTEST, LONGEST = 10.0, 5 * 3600.0
"""Seconds; a run that ends outside these was read in the wrong unit, most likely."""
TimeUnit = Literal["s", "min"]
EXTRA = "pip install probatum[gas_chromatography]"
"""What brings the readers of mzML, mzXML and Agilent folders."""
SECONDS: dict[str, float] = {"s": 1.0, "min": 60.0}


@dataclass(frozen=True, eq=False)
class Run:
    """All scans of one run.

    Attributes:
        name: of the sample, or of the file.
        times: [scan] float64, seconds, increasing.
        offsets: [scan + 1] int64: scan i has the points offsets[i]:offsets[i + 1]; a scan may have none.
        masses: [point] float64, m/z, not falling within a scan.
        intensities: [point] float64, counts or counts a second as the instrument gives them; none negative.
        carrier: of the gas that carries the sample, 'He'; None where the file does not say.
        metadata: what else the file says of the run.
        remarks: what was found, assumed or changed.
    """

    name: str
    times: Float[np.ndarray, " scan"]
    offsets: Int[np.ndarray, " scan+1"]
    masses: Float[np.ndarray, " point"]
    intensities: Float[np.ndarray, " point"]
    carrier: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of scans."""
        return len(self.times)

    def scan(self, number: int) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
        """m/z and intensities of one scan, counted from 0."""
        points = slice(self.offsets[number], self.offsets[number + 1])
        return self.masses[points], self.intensities[points]

    @property
    def scan_of_point(self) -> Int[np.ndarray, " point"]:
        """[point] int64: the scan that each point belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def total_ion_current(self) -> Float[np.ndarray, " scan"]:
        """[scan] float64: the sum of the intensities of each scan."""
        sums = np.concatenate([[0.0], np.cumsum(self.intensities)])
        return sums[self.offsets[1:]] - sums[self.offsets[:-1]]


@np.errstate(over="ignore", invalid="ignore")  # what becomes infinite is refused as such
def run_of_scans(
    name: str,
    scans: Iterable[tuple[float, Real[np.ndarray, " _point"], Real[np.ndarray, " _point"]]],
    *,
    where: str,
    unit: TimeUnit = "s",
    carrier: str | None = None,
    metadata: Mapping[str, str] | None = None,
    remarks: tuple[str, ...] = (),
) -> Run:
    """A run from its scans, one after the other.

    Args:
        name: of the run.
        scans: (time, m/z [point], intensity [point]).
        where: what an error names as the place.
        unit: of the times.
        carrier, metadata, remarks: see `Run`.

    Raises:
        DataError: see `checked`.
    """
    times, counts, masses, intensities = [], [], [], []
    for time, mz, intensity in scans:
        if len(mz) != len(intensity):
            raise DataError(
                f"scan {len(times) + 1} has {len(mz)} m/z and {len(intensity)} intensities",
                where=where,
                remedy="export the run again",
            )
        times.append(time)
        counts.append(len(mz))
        masses.append(np.asarray(mz, dtype=np.float64))
        intensities.append(np.asarray(intensity, dtype=np.float64))
    return checked(
        name,
        np.array(times, dtype=np.float64) * SECONDS[unit],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate(masses) if masses else np.zeros(0),
        np.concatenate(intensities) if intensities else np.zeros(0),
        where=where,
        carrier=carrier,
        metadata=metadata,
        remarks=remarks,
    )


@np.errstate(over="ignore", invalid="ignore")
def checked(
    name: str,
    times: Float[np.ndarray, " scan"],
    offsets: Int[np.ndarray, " scan+1"],
    masses: Float[np.ndarray, " point"],
    intensities: Float[np.ndarray, " point"],
    *,
    where: str,
    carrier: str | None = None,
    metadata: Mapping[str, str] | None = None,
    remarks: tuple[str, ...] = (),
) -> Run:
    """A run whose numbers can be used.

    m/z that fall within a scan are put in order, which is remarked.

    Args:
        name, times, offsets, masses, intensities, carrier, metadata, remarks: see `Run`.
        where: what an error names as the place.

    Raises:
        DataError: fewer than `FEWEST_SCANS` scans, times that do not increase, a length that no run has, no points,
            numbers that are not finite, m/z out of range or negative intensities.
    """
    if len(times) < FEWEST_SCANS:
        raise DataError(
            f"has {len(times)} scans", where=where, remedy=f"a run has {FEWEST_SCANS} or more; export the whole run"
        )
    if not np.isfinite(times).all():
        raise DataError(
            f"scan {int(np.flatnonzero(~np.isfinite(times))[0]) + 1} has no time", where=where, remedy="repair the file"
        )
    falls = np.flatnonzero(np.diff(times) <= 0)
    if len(falls):
        i = int(falls[0])
        raise DataError(
            f"times do not increase: scan {i + 2} at {times[i + 1]:g} s follows scan {i + 1} at {times[i]:g} s",
            where=where,
            remedy="sort the scans by time; runs that were joined are read one by one",
        )
    check_length(float(times[-1]), where)
    if not len(masses):
        raise DataError("has no points in any scan", where=where, remedy="export the run with its mass spectra")
    for what, values, low, high in (
        ("m/z", masses, np.nextafter(0, 1), LARGEST_MASS),
        ("intensity", intensities, 0.0, np.finfo(np.float64).max),
    ):
        wrong = ~((values >= low) & (values <= high))  # true for what is not a number, too
        if wrong.any():
            point = int(np.flatnonzero(wrong)[0])
            scan = int(np.searchsorted(offsets, point, side="right"))
            remedy = f"m/z lie between 0 and {LARGEST_MASS:g}" if what == "m/z" else "export intensities as measured"
            raise DataError(f"{what} {values[point]:g} in scan {scan} cannot be used", where=where, remedy=remedy)
    begins = np.zeros(len(masses), dtype=bool)
    begins[offsets[:-1][offsets[:-1] < len(masses)]] = True
    if ((masses[1:] < masses[:-1]) & ~begins[1:]).any():
        order = np.lexsort((masses, np.repeat(np.arange(len(times)), np.diff(offsets))))
        masses, intensities = masses[order], intensities[order]
        remarks = (*remarks, "m/z within scans were put in order")
    return Run(name, times, offsets, masses, intensities, carrier, metadata or {}, remarks)


def check_length(last: float, where: str) -> None:
    """Whether a run may end at this time, seconds; the unit was mistaken where it cannot.

    Raises:
        DataError: it cannot.
    """
    if SHORTEST <= last <= LONGEST:
        return
    likely = "minutes that were read as seconds" if last < SHORTEST else "seconds that were read as minutes"
    raise DataError(
        f"the run ends after {last:g} s, which no run does: times look like {likely}",
        where=where,
        remedy="name the unit of the times: 's' or 'min'",
    )
