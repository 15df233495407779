"""From one measured curve to its strain profile: which kind of profile, how well it fits, and what it leaves open.

The seven-parameter profile (`inversion`) is tried for garnets, for which it was made, splines (`spline_fit`) for all
other crystals and where the seven parameters do not fit. A profile is given only where the fit holds:

    two-part   chi^2 and the pattern of residuals are those of counting noise (`inversion.fits`), or the mean |log10| of
               fitted over measured is at most `TWO_PART_ERROR`
    splines    the mean |log10| is at most `SPLINE_ERROR`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from probatum.errors import FitError
from probatum.problems.model_file import cached, key_of
from probatum.problems.rocking_curve.coordinates import parameters_into
from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.first_look import aligned, check_curve, estimated_gain, first_look
from probatum.problems.rocking_curve.inversion import Mode, TwoPartInversion, fits
from probatum.problems.rocking_curve.observation import Instrument, Observation
from probatum.problems.rocking_curve.posterior import Posterior, effective_share, posterior_of
from probatum.problems.rocking_curve.profile import end_of, gaussian_share, strain_at
from probatum.problems.rocking_curve.readers import Scan
from probatum.problems.rocking_curve.spline_fit import SplineFit, fit_splines
from probatum.problems.rocking_curve.starts import Library
from probatum.problems.rocking_curve.two_part_model import DEEPEST

Kind = Literal["auto", "two-part", "splines"]
KINDS: tuple[Kind, ...] = ("auto", "two-part", "splines")
GARNETS = ("GGG", "YIG")
TWO_PART_ERROR, SPLINE_ERROR = 0.05, 0.15
"""Decades."""
DEPTHS = 121
_SAMPLES = 400
BENT = 0.05
"""Agreement with chi^2 (`posterior.effective_share`) below which a remark says that intervals are approximate."""
_NORMAL_90 = 1.6448536269514722
MOVED = 5.0
"""Arc-seconds by which angles may be moved without saying so."""


@dataclass(frozen=True)
class Estimate:
    """One parameter: its value, 90 % interval, and Cramér-Rao's bound on a standard deviation."""

    name: str
    value: float
    low: float
    high: float
    cramer_rao: float
    unit: str


@dataclass(frozen=True, eq=False)
class FittedCurve:
    """What was found for one scan.

    Attributes:
        kind: 'two-part' or 'splines'.
        seconds, measured, signal: [angle] theta_B - theta in arc-seconds, moved so that the substrate's peak stands
            where it belongs; the curve, and the fit.
        residuals: [angle] in standard deviations.
        error: mean |log10| of signal over measured.
        chi2: sum of squared residuals over their number.
        depths: [depth] Angstrom.
        strain, low, high: [depth] the profile and its 90 % band.
        debye_waller: [depth], None where it was not fitted.
        estimates: of the parameters, none for splines.
        modes: chi^2 of every profile that was kept, and its share of the samples.
        agreement: of the samples behind the intervals with chi^2 itself, see `posterior.effective_share`; None for
            splines.
        instrument: as fitted.
        remarks: what was found, assumed or changed on the way.
    """

    kind: Literal["two-part", "splines"]
    seconds: Float[np.ndarray, " angle"]
    measured: Float[np.ndarray, " angle"]
    signal: Float[np.ndarray, " angle"]
    residuals: Float[np.ndarray, " angle"]
    error: float
    chi2: float
    depths: Float[np.ndarray, " depth"]
    strain: Float[np.ndarray, " depth"]
    low: Float[np.ndarray, " depth"]
    high: Float[np.ndarray, " depth"]
    debye_waller: Float[np.ndarray, " depth"] | None
    estimates: tuple[Estimate, ...]
    modes: tuple[tuple[float, float], ...]
    agreement: float | None
    instrument: Instrument
    remarks: tuple[str, ...]


def fit_scan(
    scan: Scan,
    reflection: Reflection,
    crystal: str,
    *,
    kind: Kind = "auto",
    fwhm: float | None = None,
    pi_weight: float | None = None,
    on_simulation: Callable[[], None] = lambda: None,
) -> FittedCurve:
    """Fits one scan.

    Args:
        scan: as read.
        reflection: of the substrate.
        crystal: its name, which decides what 'auto' tries first.
        kind: of the profile.
        fwhm: of the instrument, arc-seconds; default: fitted.
        pi_weight: as in `physics.reflectivity`; default: sqrt(|cos 2 theta_B|), a tube without monochromator.
        on_simulation: called before curves are simulated for a scan that is new to the cache.

    Raises:
        DataError: the curve cannot be used, see `first_look.check_curve`.
        FitError: no profile fits it.
    """
    where = str(scan.path)
    seconds, measured, remark = scan.deviations(reflection.bragg_angle)
    # A deviation's own zero is lost in `seconds`, which count from the strongest peak.
    zero = seconds[measured.argmax()] - _from_zero(scan) if scan.axis == "deviation" else None
    check_curve(where, reflection, seconds, measured, zero)
    seconds, moved = aligned(reflection, seconds, measured)
    remarks = [*scan.remarks, remark]
    if abs(moved) > MOVED and scan.axis != "deviation":
        remarks.append(f"angles moved by {moved:.0f} arc-seconds: the substrate's peak is set where the crystal has it")
    if pi_weight is None:
        pi_weight = math.sqrt(abs(math.cos(2 * reflection.bragg_angle)))
    failed = []
    if kind == "two-part" or (kind == "auto" and crystal in GARNETS):
        found = _two_part(reflection, seconds, measured, fwhm, pi_weight, tuple(remarks), on_simulation)
        if isinstance(found, FittedCurve):
            return found
        failed.append(found)
        remarks.append(f"splines, as the two-part profile does not fit: {found}")
    if kind in ("splines", "auto"):
        found = _splines(reflection, seconds, measured, pi_weight, tuple(remarks))
        if isinstance(found, FittedCurve):
            return found
        failed.append(found)
    raise FitError(
        f"no profile fits: {'; '.join(failed)}",
        where=where,
        remedy="check crystal, reflection and wavelength, and that the scan is of a strained surface on its substrate",
    )


def _from_zero(scan: Scan) -> float:
    """How far the strongest peak stands from the zero of a deviation, in the direction of `Scan.deviations`."""
    strongest = float(scan.angles[scan.intensities.argmax()])
    turned = scan.deviations(0.0)[2].endswith("turned round")
    return -strongest if turned else strongest


def _two_part(
    reflection: Reflection,
    seconds: Float[np.ndarray, " angle"],
    measured: Float[np.ndarray, " angle"],
    fwhm: float | None,
    pi_weight: float,
    remarks: tuple[str, ...],
    on_simulation: Callable[[], None],
) -> FittedCurve | str:
    gain = estimated_gain(measured)
    look = first_look(seconds, measured, gain)
    step = float(np.median(np.diff(seconds)))
    width = look.fwhm if fwhm is None else fwhm
    fwhms = (max(0.3 * width, 0.3 * step), 1.2 * width) if fwhm is None else (fwhm, fwhm)
    free = ("scale", "background", "shift", *(("fwhm",) if fwhm is None else ()))

    def observed(instrument: Instrument) -> Observation:
        return Observation(
            reflection, seconds, instrument, free, depth=DEEPEST, fwhms=fwhms, pi_weight=pi_weight
        )  # fmt: skip

    library = library_for(observed(Instrument(width, 1.0, look.background)), on_simulation)
    scale = max(float(measured.max()) - look.background, gain) / library.peak
    observation = observed(Instrument(width, scale, look.background))
    inversion = TwoPartInversion(observation, library)
    fit = inversion.fit(measured, gain)
    error = _decades(fit.signal, measured, gain)
    chi2 = float(fit.residuals @ fit.residuals) / len(measured)
    if not fits(fit.residuals, len(inversion.low)) and error > TWO_PART_ERROR:
        return (
            f"two-part: chi^2 / angle {chi2:.3g} is more than noise allows, mean error {error:.3f} decades, "
            f"{TWO_PART_ERROR:g} allowed"
        )
    posterior = posterior_of(fit.modes, inversion.low, inversion.high, np.random.default_rng(0), _SAMPLES)
    share = effective_share(
        fit.modes, inversion.chi2(measured, gain), inversion.low, inversion.high, np.random.default_rng(0)
    )
    # The likeliest as a whole: the least chi^2 may stand on a narrow peak outside the intervals.
    best = fit.modes[int(np.argmax(posterior.shares))]
    signal, residuals = (fit.signal, fit.residuals) if best is fit.modes[0] else inversion.seen(best, measured, gain)
    error, chi2 = _decades(signal, measured, gain), float(residuals @ residuals) / len(measured)
    depths = np.linspace(0.0, float(end_of(posterior.parameters).max()), DEPTHS)
    low, high = posterior.band(depths)
    if share < BENT:
        remarks = (
            *remarks,
            f"chi^2 is no parabola here: only {share:.0%} of the intervals' samples are worth their weight by chi^2 "
            "itself, so take the intervals as approximate",
        )
    if len(fit.modes) > 1:
        remarks = (
            *remarks,
            f"{len(fit.modes)} profiles describe the curve about as well; the intervals cover them all",
        )
    return FittedCurve(
        "two-part", seconds, measured, signal, residuals, error, chi2, depths,
        strain_at(depths, best.parameters), low, high, None, estimates_of(best, posterior),
        tuple((mode.chi2, float(share)) for mode, share in zip(fit.modes, posterior.shares, strict=True)),
        share, observation.instrument_at(best.point[7:]), remarks,
    )  # fmt: skip


def library_for(observation: Observation, on_simulation: Callable[[], None] = lambda: None) -> Library:
    """Simulated curves for a scan, from the cache where they are there."""

    def simulated() -> Library:
        on_simulation()
        return Library.simulated(observation)

    key = key_of(
        repr(observation.reflection), repr(observation.seconds.round(4).tolist()),
        repr((round(observation.instrument.fwhm, 3), observation.pi_weight)), _LIBRARY_VERSION,
    )  # fmt: skip
    return cached("rocking_curve/curves", key, simulated)


_LIBRARY_VERSION = "1"


def estimates_of(mode: Mode, posterior: Posterior) -> tuple[Estimate, ...]:
    """The six identifiable parameters and w, with intervals and Cramér-Rao bounds."""
    parameters, slopes = np.empty(7), np.empty((7, 7))
    parameters_into(parameters, slopes, np.ascontiguousarray(mode.point[:7]))
    covariance = np.linalg.pinv(mode.normal, hermitian=True)[:7, :7]
    L2, Rp2 = parameters[5], parameters[6]
    # w = L2 / (L2 - 2 Rp2) in place of Rp2, which the curve hardly shows.
    slopes[6] = (2 * L2 * slopes[6] - 2 * Rp2 * slopes[5]) / (L2 - 2 * Rp2) ** 2
    bounds = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, covariance, slopes), 0.0))
    values = [*parameters[:6], float(gaussian_share(parameters))]
    low, high = posterior.intervals()
    names = (("Dmax1", ""), ("D01", ""), ("L1", "A"), ("Rp1", "A"), ("D02", ""), ("L2", "A"), ("w", ""))
    places = (0, 1, 2, 3, 4, 5, 7)
    return tuple(
        Estimate(name, float(value), float(low[i]), float(high[i]), float(bound), unit)
        for (name, unit), value, i, bound in zip(names, values, places, bounds, strict=True)
    )


def _splines(
    reflection: Reflection,
    seconds: Float[np.ndarray, " angle"],
    measured: Float[np.ndarray, " angle"],
    pi_weight: float,
    remarks: tuple[str, ...],
) -> FittedCurve | str:
    gain = estimated_gain(measured)
    fit = fit_splines(reflection, seconds, measured, pi_weight=pi_weight, gain=gain)
    if fit.error > SPLINE_ERROR:
        return f"splines: mean error {fit.error:.3f} decades, {SPLINE_ERROR:g} allowed"
    model = fit.model
    profile, disorder, depth = model.profile(fit.point)
    depths = (np.arange(model.slices) + 0.5) * depth / model.slices
    low, high = _spline_band(fit, depths)
    chi2 = float(fit.residuals @ fit.residuals) / len(measured)
    return FittedCurve(
        "splines", seconds, measured, fit.signal, fit.residuals, fit.error, chi2, depths, profile,
        np.minimum(low, profile), np.maximum(high, profile), disorder, (), (),
        None, model.observation.instrument_at(fit.point[model.layers :]), remarks,
    )  # fmt: skip


def _spline_band(
    fit: SplineFit, depths: Float[np.ndarray, " depth"]
) -> tuple[Float[np.ndarray, " depth"], Float[np.ndarray, " depth"]]:
    """The strain's 90 % band at fixed depths, to first order, wider by sqrt(chi^2 / angle) where that is above 1."""
    model, first = fit.model, fit.model.weights[0]
    strain_slopes = np.zeros((len(depths), len(fit.point)))
    strain_slopes[:, :first] = model.strain_slopes
    # A deeper region carries its strain along: at a fixed depth the profile moves by -z deps/dz dln(depth).
    profile, _, _ = model.profile(fit.point)
    strain_slopes[:, model.layers - 1] = -depths * np.gradient(profile, depths)
    deviations = np.sqrt(np.maximum(np.einsum("zi,ij,zj->z", strain_slopes, fit.covariance, strain_slopes), 0.0))
    wider = math.sqrt(max(1.0, float(fit.residuals @ fit.residuals) / len(fit.residuals)))
    return profile - _NORMAL_90 * wider * deviations, profile + _NORMAL_90 * wider * deviations


def _decades(signal: Float[np.ndarray, " angle"], measured: Float[np.ndarray, " angle"], gain: float) -> float:
    return float(np.abs(np.log10(np.maximum(signal, 0.5 * gain) / np.maximum(measured, 0.5 * gain))).mean())
