"""The peak list of a run: where something came out of the column, how much of it, and its spectrum.

1. From the chromatogram of each whole m/z its background is taken off (`background`).
2. Each is filtered with a Gaussian as wide as the run's peaks, which gives the height of a peak at every scan and, with
   the noise, its signal-to-noise ratio. Noise is that of counts with the run's gain, or what is seen between peaks.
3. Local maxima of that ratio are ions that come out together or not: beginning with the clearest, those of one time
   make a peak. Two or more ions make one; a single one may be anything.
4. The chromatogram of a peak's ions gives its area, its width and the fit of an exponentially modified Gaussian.

Compounds whose apices are nearer than about a quarter of a peak's width are one peak with a mixed spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.signal import find_peaks, peak_widths

from probatum.errors import DataError
from probatum.problems.gas_chromatography.background import WINDOW, Traces, background, noise_gain, traces
from probatum.problems.gas_chromatography.emg import EmgFit, fit_emg
from probatum.problems.gas_chromatography.run import Run

LEAST_RATIO = 5.0
"""Signal-to-noise ratio of an ion; noise exceeds it once in three million scans."""
LEAST_TOGETHER = 15.0
"""Of a peak: the root of the sum of the squares of its ions' ratios."""
FEWEST_IONS = 2
USUAL_WIDTH = 2.4
"""s, full width at half maximum, where a run has no peaks to tell it."""
SD_OF_WIDTH = 2.3548
"""Full width at half maximum of a Gaussian over its standard deviation."""
MOST_FITTED_IONS = 12
"""The strongest ions of a peak make its chromatogram; weaker ones would add more noise than signal."""


@dataclass(frozen=True, eq=False)
class Peak:
    """One peak.

    Attributes:
        apex: s.
        start, end: s, where its ions have fallen to a fiftieth, or begin to rise to the next peak.
        height: of its ions together at the apex, intensity.
        area: of its ions together from start to end, intensity times seconds.
        width: full width at half maximum, s; nan where the next peak hides it.
        ratio: signal to noise, of all its ions together.
        masses: [ion] int64, whole m/z, increasing.
        spectrum: [ion] float64, intensities at the apex, above 0.
        fit: of the exponentially modified Gaussian; None where there is none.
    """

    apex: float
    start: float
    end: float
    height: float
    area: float
    width: float
    ratio: float
    masses: Int[np.ndarray, " ion"]
    spectrum: Float[np.ndarray, " ion"]
    fit: EmgFit | None

    @property
    def base_mass(self) -> int:
        """The m/z of the largest ion."""
        return int(self.masses[self.spectrum.argmax()])


def peak_list(
    run: Run,
    *,
    least: float = LEAST_RATIO,
    ignored: tuple[int, ...] = (),
    window: float = WINDOW,
    fits: bool = True,
) -> tuple[Peak, ...]:
    """The peaks of a run, in the order of their times.

    Args:
        run: the run.
        least: signal-to-noise ratio of an ion that counts.
        ignored: whole m/z that are not looked at, such as 18, 28, 32, 40 and 44 of air and water.
        window: of the background, s.
        fits: whether shapes are fitted.

    Raises:
        DataError: a ratio that is not above 0.
    """
    if not least > 0:
        raise DataError(f"a signal-to-noise ratio of {least:g}", remedy="choose a number above 0, such as 5")
    found = traces(run, window)
    step = float(np.median(np.diff(found.times)))
    width = max(typical_width(found), 2.0 * step)
    heights, ratios, gain = _filtered(found, width / SD_OF_WIDTH / step, window)
    looked_at = ~np.isin(found.masses, ignored)
    tops = (ratios >= least) & (ratios == maximum_filter1d(ratios, 3, axis=0, mode="nearest")) & looked_at
    scans, columns = np.nonzero(tops)
    if not len(scans):
        return ()
    times = _between_scans(found.times, heights, scans, columns)
    strength = ratios[scans, columns]
    groups = _together(times, columns, strength, width)
    peaks = []
    for members in groups:
        together = float(np.sqrt((strength[members] ** 2).sum()))
        if len(members) < FEWEST_IONS or together < LEAST_TOGETHER:
            continue
        apex = float(np.average(times[members], weights=strength[members] ** 2))
        order = members[np.argsort(columns[members])]
        spectrum = heights[scans[order], columns[order]]
        peaks.append(_measured(found, apex, columns[order], spectrum, together, width, gain, fits))
    return tuple(sorted(peaks, key=lambda peak: peak.apex))


def typical_width(found: Traces) -> float:
    """The median full width at half maximum of the clear peaks of the total-ion chromatogram, s."""
    total = found.peaks.sum(axis=1)
    noise = float(np.median(np.abs(np.diff(total)))) / (0.6745 * 2**0.5)
    tops, _ = find_peaks(total, prominence=max(0.01 * float(total.max()), 10 * noise))
    if len(tops) < 5:
        return USUAL_WIDTH
    step = float(np.median(np.diff(found.times)))
    return float(np.median(peak_widths(total, tops, 0.5)[0])) * step


def total_ion_chromatogram(found: Traces) -> Float[np.ndarray, " scan"]:
    """[scan] float64: the sum over all m/z, above the background."""
    return found.peaks.sum(axis=1)


def extracted_ion_chromatogram(found: Traces, masses: tuple[int, ...]) -> Float[np.ndarray, " scan"]:
    """[scan] float64: the sum over some whole m/z, above the background.

    Raises:
        DataError: the run has none of them.
    """
    columns = [mass - found.lowest for mass in masses if 0 <= mass - found.lowest < found.measured.shape[1]]
    if not columns:
        raise DataError(
            f"the run has none of m/z {', '.join(map(str, masses))}",
            remedy=f"it goes from {found.lowest} to {found.lowest + found.measured.shape[1] - 1}",
        )
    return found.peaks[:, columns].sum(axis=1)


def _filtered(
    found: Traces, sd: float, window: float
) -> tuple[Float[np.ndarray, "scan mass"], Float[np.ndarray, "scan mass"], float]:
    """Heights of a peak at every scan [scan, m/z], their ratios to noise, and the gain of counts; sd in scans."""
    # With u the template of height 1, the height is sum(u x) / sum(u^2) and its variance that of x over sum(u^2).
    template = gaussian_filter1d(np.eye(1, 2 * int(5 * sd + 2) + 1, int(5 * sd + 2))[0], sd)
    top, squares = float(template.max()), float((template**2).sum())
    heights = gaussian_filter1d(found.peaks, sd, axis=0, mode="nearest") * (top / squares)
    gain = noise_gain(found)
    least = float(found.measured[found.measured > 0].min())
    noise = np.sqrt((gain * found.background + least**2) * (top**2 / squares))
    # What noise has beyond that of counts, such as air that comes and goes, is seen between peaks.
    seen = background(np.abs(heights), found.times, window) / 0.6745
    return heights, heights / np.maximum(noise, seen), gain


def _between_scans(
    times: Float[np.ndarray, " scan"],
    heights: Float[np.ndarray, "scan mass"],
    scans: Int[np.ndarray, " ion"],
    columns: Int[np.ndarray, " ion"],
) -> Float[np.ndarray, " ion"]:
    """Times of maxima, s, by the parabola through three scans."""
    inner = np.clip(scans, 1, len(times) - 2)
    before, here, after = (heights[inner + shift, columns] for shift in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    step = (times[inner + 1] - times[inner - 1]) / 2
    return np.where(scans == inner, times[inner] + np.clip(shift, -0.5, 0.5) * step, times[scans])


def _together(
    times: Float[np.ndarray, " ion"],
    columns: Int[np.ndarray, " ion"],
    strength: Float[np.ndarray, " ion"],
    width: float,
) -> list[Int[np.ndarray, " _member"]]:
    """Positions of ions of one peak each; the clearest ion leads, those within reach follow, one of each m/z."""
    order = np.argsort(times, kind="stable")
    sorted_times = times[order]
    free = np.ones(len(times), dtype=bool)
    groups = []
    for leader in np.argsort(-strength, kind="stable"):
        if not free[leader]:
            continue
        # The time of a weak ion is known to its width over its ratio.
        reach = 0.25 * width + 2 * width / SD_OF_WIDTH / LEAST_RATIO
        first, last = np.searchsorted(sorted_times, [times[leader] - reach, times[leader] + reach])
        near = order[first:last]
        off = np.abs(times[near] - times[leader])
        near = near[free[near] & (off <= 0.25 * width + 2 * width / SD_OF_WIDTH / strength[near])]
        near = near[np.argsort(-strength[near], kind="stable")]
        near = near[np.unique(columns[near], return_index=True)[1]]
        free[near] = False
        groups.append(near)
    return groups


def _measured(
    found: Traces,
    apex: float,
    columns: Int[np.ndarray, " ion"],
    spectrum: Float[np.ndarray, " ion"],
    ratio: float,
    width: float,
    gain: float,
    fits: bool,
) -> Peak:
    """A peak with its area, width and fit, from the chromatogram of its ions."""
    strongest = columns[np.argsort(-spectrum)[:MOST_FITTED_IONS]]
    first, last = np.searchsorted(found.times, [apex - 10 * width, apex + 15 * width])
    near = slice(max(0, int(first)), int(last))
    times = found.times[near]
    own = found.peaks[near][:, strongest].sum(axis=1)
    everything = found.peaks[near][:, columns].sum(axis=1)
    top = int(np.abs(times - apex).argmin())
    top = max(range(max(0, top - 1), min(len(own), top + 2)), key=lambda scan: own[scan])
    smooth = gaussian_filter1d(own, 0.7, mode="nearest")
    start, end = _ends(smooth, top)
    bounds = slice(start, end + 1)
    least = float(found.measured[found.measured > 0].min())
    noise = np.sqrt(gain * found.measured[near][:, strongest].sum(axis=1) + len(strongest) * least**2)
    fit = fit_emg(times[bounds], own[bounds], noise[bounds]) if fits else None
    return Peak(
        apex,
        float(times[start]),
        float(times[end]),
        float(everything[top]),
        float(np.trapezoid(everything[bounds], times[bounds])),
        _full_width(times, own, top, start, end),
        ratio,
        found.lowest + columns,
        spectrum,
        fit,
    )


def _ends(smooth: Float[np.ndarray, " scan"], top: int) -> tuple[int, int]:
    """The scans at which a peak has fallen to a fiftieth, or where it rises again by more than that."""
    ends = []
    for direction in (-1, 1):
        scan = lowest = top
        while 0 <= scan + direction < len(smooth):
            scan += direction
            if smooth[scan] < smooth[lowest]:
                lowest = scan
            if smooth[scan] <= 0.02 * smooth[top] or smooth[scan] > smooth[lowest] + 0.02 * smooth[top]:
                break
        ends.append(lowest)
    return ends[0], ends[1]


def _full_width(
    times: Float[np.ndarray, " scan"], own: Float[np.ndarray, " scan"], top: int, start: int, end: int
) -> float:
    """Between the two times at which the intensity crosses half its largest, s; nan where it does not."""
    half = own[top] / 2
    before = next((scan for scan in range(top, start - 1, -1) if own[scan] < half), None)
    after = next((scan for scan in range(top, end + 1) if own[scan] < half), None)
    if before is None or after is None:
        return float("nan")
    left = np.interp(half, own[before : before + 2], times[before : before + 2])
    right = np.interp(-half, -own[after - 1 : after + 1], times[after - 1 : after + 1])
    return float(right - left)
