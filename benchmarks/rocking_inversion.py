"""Strain profiles from rocking curves: simulated ones over the whole prior, and measured ones of irradiated crystals.

Simulated curves come from an integration of their own (`true_curve`): the recursion for X through sublayers of 10
Angstrom, on a grid of its own, so that no error of the fit's slices and nodes is hidden. 701 angles of GGG (444), a
peak of 53,063 counts, a background of 40 and an instrument of 30 arc-seconds, all three known to the fit. Seconds are
those of the process, so that other work on the machine counts less; shares have Wilson's 95 % interval. The measured
curves are those that come with RaDMaX, whose own fit of zirconia lies beside its curve; they need the project's data.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numba
import numpy as np
from result import Row, benchmark
from threadpoolctl import threadpool_limits

from probatum.problems.rocking_curve import prior
from probatum.problems.rocking_curve.coordinates import parameters_into, points_of
from probatum.problems.rocking_curve.crystals import GGG_444, reflection
from probatum.problems.rocking_curve.first_look import aligned
from probatum.problems.rocking_curve.inversion import TwoPartInversion
from probatum.problems.rocking_curve.observation import Instrument, Observation
from probatum.problems.rocking_curve.posterior import posterior_of
from probatum.problems.rocking_curve.profile import HIGH, LEAST, LOW, PARAMETERS, gaussian_share, strain_at
from probatum.problems.rocking_curve.readers import read_scan
from probatum.problems.rocking_curve.spline_fit import SplineFit, fit_splines
from probatum.problems.rocking_curve.starts import Library
from probatum.problems.rocking_curve.two_part_model import DEEPEST

DRAWS, QUICK_DRAWS = 3000, 40
SECONDS = np.linspace(-80.36, 2732.4, 701)
PEAK, BACKGROUND, FWHM = 53_063.0, 40.0, 30.0
PI_WEIGHT = math.sqrt(math.cos(2 * GGG_444.bragg_angle))
IDENTIFIABLE = 6
"""Parameters that a curve shows: all but Rp2."""
ROOM = 3 * FWHM
"""Arc-seconds from the scan's end beyond which a peak of strain counts as inside."""
MEASURED = (
    ("YSZ", "YSZ_YSZ-XRD.txt", (4, 0, 0), 1.5406),
    ("3C-SiC", "SiC-3C_SiC-XRD.txt", (4, 0, 0), 1.5498),
    ("6H-SiC", "SiC-pv_xrd.txt", (0, 0, 12), 1.5406),
)


@dataclass(frozen=True, eq=False)
class Outcome:
    """One fit: errors and Cramér-Rao bounds in units of the range, seconds, and what the intervals cover."""

    errors: np.ndarray
    bounds: np.ndarray
    seconds: float
    covered: np.ndarray
    covered_depths: float
    inside: bool

    @property
    def exact(self) -> bool:
        return bool((self.errors[:IDENTIFIABLE] <= 0.01).all())

    @property
    def as_good_as_can_be(self) -> bool:
        allowed = np.maximum(0.01, 3 * self.bounds)
        return bool((self.errors <= allowed)[:IDENTIFIABLE].all())


def measure(quick: bool) -> list[Row]:
    """Shares, errors, coverage and seconds of one core: BLAS threads that wait for work would count as work."""
    with threadpool_limits(1):
        rows = [*simulated(QUICK_DRAWS if quick else DRAWS), *_measured()]
    return [replace(row, value=float(row.value)) for row in rows]


def simulated(draws: int) -> list[Row]:
    """Over draws from the prior."""
    generator = np.random.default_rng(20)
    library = Library.simulated(_observation(1.0))
    without, noisy = [], []
    for parameters in prior.draw(draws, generator):
        shape = true_curve(parameters)
        scale = PEAK / shape.max()
        expected = scale * shape + BACKGROUND
        inversion = TwoPartInversion(_observation(scale), library)
        if not without:
            inversion.fit(expected)  # compiles
        without.append(_outcome(inversion, parameters, expected, generator, intervals=False))
        counted = generator.poisson(expected).astype(np.float64)
        noisy.append(_outcome(inversion, parameters, counted, generator, intervals=True))
    inside = np.array([outcome.inside for outcome in noisy])
    exact = np.array([outcome.exact for outcome in without])
    good = np.array([outcome.as_good_as_can_be for outcome in noisy])
    ratios = np.median([outcome.errors / outcome.bounds for outcome in noisy], axis=0)
    seconds = np.array([[outcome.seconds for outcome in outcomes] for outcomes in (without, noisy)])
    covered = np.mean([outcome.covered for outcome in noisy], axis=0)
    names = [*(parameter.name for parameter in PARAMETERS[:IDENTIFIABLE]), "w"]
    return [
        Row("draws", draws, ""),
        Row("inside the scan", inside.mean(), ""),
        *_share("noiseless, six within 1 %", exact, 0.98),
        *_share("noiseless, inside the scan", exact[inside], 0.995),
        *_share("noisy, six within max(1 %, 3 CR)", good, 0.97),
        *_share("noisy, inside the scan", good[inside], 0.99),
        *(Row(f"median error over CR, {name}", ratio, "", 0.75) for name, ratio in zip(names, ratios, strict=False)),
        Row("noiseless, seconds a curve", seconds[0].mean(), "s", 0.1),
        Row("noisy, seconds a curve", seconds[1].mean(), "s", 0.1),
        Row("noisy, seconds, 90th percentile", float(np.quantile(seconds[1], 0.9)), "s", 0.2),
        *(
            Row(f"90 % interval covers, {name}", share, "", 0.88, "higher")
            for name, share in zip(names, covered, strict=True)
        ),
        Row("90 % band covers eps(z)", float(np.mean([o.covered_depths for o in noisy])), "", 0.88, "higher"),
    ]  # fmt: skip


def _observation(scale: float) -> Observation:
    return Observation(GGG_444, SECONDS, Instrument(FWHM, scale, BACKGROUND), depth=DEEPEST, pi_weight=PI_WEIGHT)


def _outcome(
    inversion: TwoPartInversion,
    parameters: np.ndarray,
    signal: np.ndarray,
    generator: np.random.Generator,
    *,
    intervals: bool,
) -> Outcome:
    started = time.process_time()
    fit = inversion.fit(signal)
    seconds = time.process_time() - started
    width = HIGH - LOW
    expected, slopes = inversion.finest.signal_and_slopes(points_of(parameters))
    row, chain = np.empty(7), np.empty((7, 7))
    parameters_into(row, chain, points_of(parameters))
    covariance = np.linalg.pinv((slopes / expected) @ slopes.T, hermitian=True)
    bounds = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", chain, covariance, chain), 1e-300)) / width
    covered, share = np.zeros(7), math.nan
    if intervals:
        posterior = posterior_of(fit.modes, inversion.low, inversion.high, generator)
        low, high = posterior.intervals()
        truth = np.append(parameters, gaussian_share(parameters))
        covered = ((truth >= low) & (truth <= high))[[*range(IDENTIFIABLE), 7]]
        depths = np.linspace(0, parameters[2], 60)
        low, high = posterior.band(depths)
        share = float(((strain_at(depths, parameters) >= low) & (strain_at(depths, parameters) <= high)).mean())
    errors = np.abs(fit.modes[0].parameters - parameters) / width
    largest = strain_at(np.linspace(0, parameters[2], 400), parameters).max()
    place = 3600 * math.degrees(GGG_444.bragg_angle - math.asin(math.sin(GGG_444.bragg_angle) / (1 + largest)))
    return Outcome(errors, bounds, seconds, covered, share, place <= SECONDS[-1] - ROOM)


def _share(name: str, holds: np.ndarray, target: float) -> list[Row]:
    """A share with Wilson's 95 % interval."""
    n, p, z = len(holds), float(holds.mean()), 1.96
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    ends = [(centre + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    return [
        Row(name, p, "", target, "higher"),
        Row(f"{name}, from", ends[0], ""),
        Row(f"{name}, to", ends[1], ""),
    ]


def true_curve(parameters: np.ndarray, sublayer: float = 10.0) -> np.ndarray:
    """The reflectivity after the instrument: [angle], by the plain recursion, with the profile as Gaussians."""
    deviation = FWHM / math.sqrt(8 * math.log(2))
    low, high = SECONDS[0] - 5 * deviation, SECONDS[-1] + 5 * deviation
    grid = np.unique(np.concatenate([np.arange(low, -60, 2.0), np.arange(-60, 60, 0.2), np.arange(60, high + 3, 3.0)]))
    weights = np.gradient(grid) * np.exp(-(((SECONDS[:, None] - grid) / deviation) ** 2) / 2)
    found = np.empty(len(grid))
    sines = np.sin(GGG_444.bragg_angle - np.radians(grid / 3600))
    polarisations = np.array([1.0, math.cos(2 * GGG_444.bragg_angle)])
    _recursion(
        found, sines, parameters, sublayer, math.sin(GGG_444.bragg_angle), GGG_444.wavelength, GGG_444.chi_0,
        GGG_444.chi, polarisations, np.array([1.0, PI_WEIGHT]) / (1 + PI_WEIGHT),
    )  # fmt: skip
    return weights @ found / weights.sum(1)


@numba.njit(error_model="numpy")
def _recursion(found, sines, parameters, sublayer, sine_B, wavelength, chi_0, chi, polarisations, shares):
    Dmax1, D01, L1, Rp1, D02, L2, Rp2 = parameters
    above = Rp1**2 / max(np.log(Dmax1 / D01), 1e-12)
    below = max(L1 - Rp1, 1e-3) ** 2 / np.log(Dmax1 / LEAST)
    second = L2 * (L2 - 2 * Rp2) / np.log(D02 / LEAST)

    def strain(z):
        s = above if z < Rp1 else below
        return Dmax1 * np.exp(-((z - Rp1) ** 2) / s) + D02 * np.exp((Rp2**2 - (z - Rp2) ** 2) / second)

    end, deeper = L1, L1 + 2000.0
    for _ in range(60):
        middle = (end + deeper) / 2
        if strain(middle) > LEAST:
            end = middle
        else:
            deeper = middle
    count = int(np.ceil(end / sublayer))
    found[:] = 0.0
    for C, share in zip(polarisations, shares):  # noqa: B905  (numba knows no strict)
        for i in range(len(sines)):
            eta = (2 * sine_B * (sines[i] - sine_B) + chi_0) / (C * chi)
            root = np.sqrt(eta * eta - 1)
            X = eta - root
            if abs(X) > 1:
                X = eta + root
            for n in range(count - 1, -1, -1):
                thickness = min(sublayer, end - n * sublayer)
                sine = sine_B / (1 + strain(n * sublayer + thickness / 2))
                eta = (2 * sine * (sines[i] - sine) + chi_0) / (C * chi)
                root = np.sqrt(eta * eta - 1)
                e = np.exp(-2j * math.pi * C * chi * thickness / (wavelength * sine_B) * root)
                Q = (1 - e) / ((1 + e) * root)
                a = X - eta
                X = eta + (a + root * root * Q) / (1 + a * Q)
            found[i] += share * abs(X) ** 2


def _measured() -> list[Row]:
    folder = Path(os.environ.get("PROBATUM_DATA", "")) / "rocking_curve" / "radmax"
    if not folder.is_dir():
        return []
    rows = []
    for crystal, name, hkl, wavelength in MEASURED:
        of = reflection(crystal, hkl, wavelength)
        seconds, measured, _ = read_scan(folder / name, bragg_angle=of.bragg_angle).deviations(of.bragg_angle)
        seconds, _ = aligned(of, seconds, measured)
        M = math.sqrt(abs(math.cos(2 * of.bragg_angle)))

        def fitted(used: np.ndarray | None = None, of=of, seconds=seconds, measured=measured, M=M) -> SplineFit:
            return fit_splines(of, seconds, measured, pi_weight=M, used=used)

        fitted()
        started = time.process_time()
        whole = fitted()
        taken = time.process_time() - started
        place = np.arange(len(seconds))
        fifth, block = fitted(place % 5 != 2), fitted(place % 50 // 10 != 2)
        target = None
        if crystal == "YSZ":
            _, observed, theirs = np.loadtxt(folder / "YSZ_test_out_XRD_fit.txt").T
            target = float(np.abs(np.log10(theirs / observed)).mean())
            rows.append(Row("YSZ, mean error of RaDMaX's stored fit", target, "decades"))
        rows += [
            Row(f"{crystal}, mean error", whole.error, "decades", target),
            Row(f"{crystal}, every 5th angle held out", fifth.held_out, "decades", target),
            Row(f"{crystal}, 10 of 50 angles in a row held out", block.held_out, "decades", target),
            Row(f"{crystal}, seconds", taken, "s", 3.0),
        ]
    return rows


if __name__ == "__main__":
    benchmark("rocking_inversion", measure, ("numba", "numpy"))
