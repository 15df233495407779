"""Seven numbers for each m/z of a run, as a winning entry of the Mars Spectrometry 2 challenge computed them.

With m/z rounded to whole numbers, and x the intensities of the points of one m/z in one run:

1. log(1 + mean x)
2. slog(mean of dx / 1000), dx_i = x_i - x_(i-1)
3. the scan of the largest x over the number of the last scan; -1 where the m/z does not occur
4. log(1 + max x) / 10
5. slog(mean of dxx / 1000), dxx_i = x_i - x_(i-2)
6. max x / the largest intensity of the run
7. slog(mean of dxdx / 10), dxdx_i = dx_i - dx_(i-1)

slog(a) = sign(a) log(1 + |a|). What x_(i-1) is, `differences` says: 'rows', the point before in the order of the file,
mostly that of another m/z of the same scan, as that entry had it; or 'time', the point before of the same m/z. Where
there is no point before, a difference is 0. Blocks of m/z that do not occur are 0, but for the third.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit

from probatum.errors import DataError
from probatum.problems.gas_chromatography.run import Run

BLOCKS = ("mean", "dx", "time_of_max", "max", "dxx", "relative_max", "dxdx")
Differences = Literal["rows", "time"]


def seven_blocks(run: Run, lowest: int, highest: int, differences: Differences = "rows") -> np.ndarray:
    """The seven blocks of one run.

    Args:
        run: its points in the order of the file.
        lowest, highest: whole m/z, both included; points of others count in 'rows' differences and in the largest
            intensity only.
        differences: along 'rows' or 'time'.

    Returns:
        [block, m/z] float64, in the order of `BLOCKS`.

    Raises:
        DataError: an empty range of m/z or unknown differences.
    """
    if not 0 <= lowest <= highest:
        raise DataError(f"there are no m/z from {lowest} to {highest}", remedy="choose 0 <= lowest <= highest")
    if differences not in ("rows", "time"):
        raise DataError(f"differences are '{differences}'", remedy="choose 'rows' or 'time'")
    sums = _sums(run.offsets, run.masses, run.intensities, lowest, highest, differences == "time")
    count, total, largest, scan, dx, dxx, dxdx = sums
    present = count > 0
    points = np.maximum(count, 1)
    top = run.intensities.max()
    return np.stack(
        [
            np.log1p(total / points),
            _signed_log(dx / points / 1000),
            np.where(present, scan / max(len(run) - 1, 1), -1.0),
            np.log1p(largest) / 10,
            _signed_log(dxx / points / 1000),
            largest / top if top > 0 else np.zeros_like(largest),
            _signed_log(dxdx / points / 10),
        ]
    )


def _signed_log(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))


@njit(cache=True, nogil=True)
def _sums(
    offsets: np.ndarray, masses: np.ndarray, intensities: np.ndarray, lowest: int, highest: int, along_time: bool
) -> np.ndarray:
    """[7, m/z]: count, sum, maximum, its scan, and the sums of the three differences."""
    width = highest - lowest + 1
    sums = np.zeros((7, width))
    # What came before: x and dx one point ago, x two points ago, and how many there were; of the run, or of each m/z.
    last, last_step, last_but_one = np.zeros(width), np.zeros(width), np.zeros(width)
    seen = np.zeros(width, np.int64)
    row_last, row_step, row_last_but_one, row_seen = 0.0, 0.0, 0.0, 0
    for scan in range(len(offsets) - 1):
        for point in range(offsets[scan], offsets[scan + 1]):
            x = intensities[point]
            mass = int(np.rint(masses[point])) - lowest
            inside = 0 <= mass < width
            step = double = bend = 0.0
            if along_time:
                if inside:
                    if seen[mass] > 0:
                        step = x - last[mass]
                    if seen[mass] > 1:
                        double, bend = x - last_but_one[mass], step - last_step[mass]
                    last_but_one[mass], last[mass], last_step[mass] = last[mass], x, step
                    seen[mass] += 1
            else:
                if row_seen > 0:
                    step = x - row_last
                if row_seen > 1:
                    double, bend = x - row_last_but_one, step - row_step
                row_last_but_one, row_last, row_step = row_last, x, step
                row_seen += 1
            if inside:
                sums[0, mass] += 1
                sums[1, mass] += x
                if x > sums[2, mass] or sums[0, mass] == 1:
                    sums[2, mass], sums[3, mass] = x, scan
                sums[4, mass] += step
                sums[5, mass] += double
                sums[6, mass] += bend
    return sums
