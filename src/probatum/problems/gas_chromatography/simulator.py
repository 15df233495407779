"""A run as an instrument would record it, from real spectra of the compounds that were injected.

    I(t, m) = sum_k A_k g(t; mu_k, sigma_k, tau_k) S_k(m) + bleed(T(t)) B(m) + air(m)
    counts  = gain * Poisson(I / gain), those below a threshold left out, cut at saturation

g is the exponentially modified Gaussian of largest value 1 (scipy's `exponnorm`, K = tau / sigma), S_k a real spectrum,
mu_k the time at which a linear temperature programme brings out the retention index of the compound. Columns bleed
siloxanes (m/z 73, 147, 207, 281, 355) exponentially more as the oven warms; air and water are always there, the carrier
gas is helium; derivatised samples carry the reagent's siloxanes; the largest peaks of the run before come back, weaker.
Figures of `Instrument` come from one real run (Agilent, 6,401 scans, in the data set), where a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.stats import exponnorm

from probatum.problems.gas_chromatography.run import Run, checked
from probatum.problems.gas_chromatography.spectra import Spectrum

BLEED = {73: 0.10, 147: 0.05, 207: 1.0, 281: 0.35, 355: 0.12}
"""m/z to its share of the bleed."""
AIR = {18: 1200.0, 28: 720.0, 32: 430.0, 40: 42.0, 44: 70.0, 17: 250.0, 16: 60.0, 14: 55.0}
"""m/z to counts."""
REAGENT = {73: 1.0, 147: 0.7, 75: 0.35, 221: 0.15, 281: 0.2}
"""m/z to its share of what a silylating reagent leaves in the first minutes."""
HELIUM = 4
SECONDS_IN_MINUTE = 60.0


@dataclass(frozen=True)
class Instrument:
    """What is the same in all runs of one laboratory, or varies by the factors given.

    Attributes:
        scan: time of one scan, s.
        first_scan: when recording begins, s.
        lowest, highest: recorded whole m/z.
        width, width_spread: median of sigma, s, and standard deviation of its logarithm.
        tailing: range of tau / sigma.
        first_index, index_rate: retention index that comes out at 4 minutes, and how many units come out in a minute.
        shift: standard deviation of a run's shift of all retention times, s.
        amplitude, amplitude_spread: median of A, counts, and standard deviation of its logarithm.
        bleed: counts of m/z 207 at the beginning and at the end of a run.
        gain: variance over mean of counts.
        threshold: smallest count that is recorded.
        saturation: largest one.
        jitter: standard deviation of a recorded m/z.
        chemical_noise: mean number of points a scan from nowhere in particular.
        sensitivity_spread: standard deviation of the logarithm of a run's factor on bleed and air.
        carry_over: share of the largest peaks of the run before.
    """

    scan: float = 0.59
    first_scan: float = 5.25
    lowest: int = 2
    highest: int = 600
    width: float = 0.85
    width_spread: float = 0.15
    tailing: tuple[float, float] = (0.2, 1.5)
    first_index: float = 800.0
    index_rate: float = 110.0
    shift: float = 4.0
    amplitude: float = 60_000.0
    amplitude_spread: float = 1.3
    bleed: tuple[float, float] = (45.0, 585.0)
    gain: float = 21.0
    threshold: float = 20.0
    saturation: float = 8_388_096.0
    jitter: float = 0.07
    chemical_noise: float = 6.0
    sensitivity_spread: float = 0.5
    carry_over: float = 0.003


@dataclass(frozen=True, eq=False)
class Injection:
    """What one run is made of.

    Attributes:
        name: of the sample.
        minutes: length of the run.
        spectra: of the compounds that come out of the column.
        minerals: whether gases of heated minerals come with them: water, CO2, SO2 or HCl in broad bands, which is an
            assumption.
        derivatised: whether a silylating reagent was used.
        carried_over: spectra of the run before.
    """

    name: str
    minutes: float
    spectra: Sequence[Spectrum] = field(default=())
    minerals: bool = False
    derivatised: bool = False
    carried_over: Sequence[Spectrum] = field(default=())


def simulated_run(injection: Injection, instrument: Instrument, rng: np.random.Generator) -> Run:
    """One run.

    Args:
        injection: what it is made of; a spectrum without a retention index comes out anywhere.
        instrument: that records it.
        rng: of all that varies.
    """
    end = injection.minutes * SECONDS_IN_MINUTE
    times = np.arange(instrument.first_scan, end, instrument.scan)
    expected = np.zeros((len(times), instrument.highest - instrument.lowest + 1))
    sensitivity = float(np.exp(instrument.sensitivity_spread * rng.standard_normal()))
    shift = instrument.shift * rng.standard_normal()
    for share, spectra in ((1.0, injection.spectra), (instrument.carry_over, injection.carried_over)):
        for spectrum in spectra:
            amplitude = instrument.amplitude * np.exp(instrument.amplitude_spread * rng.standard_normal())
            centre = retention_time(spectrum, instrument, end, rng) + shift
            _add_peak(expected, times, centre, share * amplitude, spectrum, instrument, rng)
    _add_bleed_and_air(expected, times / end, sensitivity, instrument)
    if injection.derivatised:
        _add(expected, 4e4 * sensitivity * np.exp(-times / 60), REAGENT, instrument)
    if injection.minerals:
        _add_minerals(expected, times, end, instrument, rng)
    return _recorded(expected, times, injection, instrument, rng)


def retention_time(spectrum: Spectrum, instrument: Instrument, end: float, rng: np.random.Generator) -> float:
    """When a compound comes out, s: by its retention index on a linear programme, within the run; else at random."""
    if spectrum.retention_index is None:
        return float(rng.uniform(0.1, 0.95) * end)
    minutes = 4.0 + (spectrum.retention_index - instrument.first_index) / instrument.index_rate
    # A programme is chosen so that what is asked for comes out: those of short runs are steeper.
    longest = 4.0 + (3200.0 - instrument.first_index) / instrument.index_rate
    return float(np.clip(minutes / longest, 0.02, 0.97) * end)


def _add_peak(
    expected: Float[np.ndarray, "scan mass"],
    times: Float[np.ndarray, " scan"],
    centre: float,
    amplitude: float,
    spectrum: Spectrum,
    instrument: Instrument,
    rng: np.random.Generator,
) -> None:
    sigma = instrument.width * float(np.exp(instrument.width_spread * rng.standard_normal()))
    ratio = float(rng.uniform(*instrument.tailing))
    # Where the rest is below a millionth of the largest value.
    near = (times > centre - 6 * sigma) & (times < centre + (6 + 14 * ratio) * sigma)
    shape = exponnorm.pdf(times[near], ratio, centre, sigma)
    fine = np.linspace(centre - sigma, centre + (1 + ratio) * sigma, 60)
    shape = shape / exponnorm.pdf(fine, ratio, centre, sigma).max()
    masses = np.rint(spectrum.masses).astype(np.int64)
    inside = (masses >= instrument.lowest) & (masses <= instrument.highest)
    spectrum_of_whole = np.bincount(
        masses[inside] - instrument.lowest, spectrum.intensities[inside], minlength=expected.shape[1]
    )
    expected[near] += amplitude * shape[:, None] * spectrum_of_whole


def _add_bleed_and_air(
    expected: Float[np.ndarray, "scan mass"],
    progress: Float[np.ndarray, " scan"],
    sensitivity: float,
    instrument: Instrument,
) -> None:
    first, last = instrument.bleed
    _add(expected, sensitivity * first * (last / first) ** progress, BLEED, instrument)
    _add(expected, np.full(len(progress), sensitivity), AIR, instrument)
    _add(expected, np.full(len(progress), 50 * instrument.gain), {HELIUM: 1.0}, instrument)


def _add_minerals(
    expected: Float[np.ndarray, "scan mass"],
    times: Float[np.ndarray, " scan"],
    end: float,
    instrument: Instrument,
    rng: np.random.Generator,
) -> None:
    """Broad bands of unretained gases: water and CO2, and SO2 or HCl."""
    gases = [{18: 1.0, 17: 0.23}, {44: 1.0, 28: 0.1, 16: 0.09}]
    gases.append({64: 1.0, 48: 0.49} if rng.random() < 0.6 else {36: 1.0, 38: 0.32, 35: 0.12})
    for gas in gases:
        centre, width = rng.uniform(0.02, 0.3) * end, rng.uniform(0.02, 0.08) * end
        amplitude = 3e3 * np.exp(rng.standard_normal())
        _add(expected, amplitude * np.exp(-(((times - centre) / width) ** 2) / 2), gas, instrument)


def _add(
    expected: Float[np.ndarray, "scan mass"],
    over_time: Float[np.ndarray, " scan"],
    masses: dict[int, float],
    instrument: Instrument,
) -> None:
    for mass, share in masses.items():
        if instrument.lowest <= mass <= instrument.highest:
            expected[:, mass - instrument.lowest] += share * over_time


def _recorded(
    expected: Float[np.ndarray, "scan mass"],
    times: Float[np.ndarray, " scan"],
    injection: Injection,
    instrument: Instrument,
    rng: np.random.Generator,
) -> Run:
    noise = instrument.chemical_noise / expected.shape[1]
    # A point from nowhere is one of a few counts above the threshold.
    stray = rng.random(expected.shape) < noise
    expected[stray] += instrument.threshold * (1 + rng.exponential(1.0, int(stray.sum())))
    seen = expected > instrument.threshold / 10
    counts = np.zeros_like(expected)
    counts[seen] = instrument.gain * rng.poisson(expected[seen] / instrument.gain)
    counts[counts < instrument.threshold] = 0.0
    np.minimum(counts, instrument.saturation, out=counts)
    scans, columns = np.nonzero(counts)
    masses = columns + instrument.lowest + np.clip(instrument.jitter * rng.standard_normal(len(columns)), -0.2, 0.2)
    return checked(
        injection.name,
        times,
        np.concatenate([[0], np.cumsum(np.count_nonzero(counts, axis=1))]).astype(np.int64),
        np.round(masses, 1),
        counts[scans, columns],
        where=injection.name,
        carrier="He",
    )
