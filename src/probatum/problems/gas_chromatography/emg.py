"""The shape of a chromatographic peak: the exponentially modified Gaussian, and its fit with standard errors.

    f(t) = area * integral_0^inf  phi((t - s - mu) / sigma) / sigma * exp(-s / tau) / tau  ds

a Gaussian of position mu and standard deviation sigma, smeared by an exponential of mean tau. With
z = (sigma / tau - (t - mu) / sigma) / sqrt(2) it is

    f(t) = area / (2 tau) * exp(-((t - mu) / sigma)^2 / 2) * erfcx(z)                        for z >= 0
    f(t) = area / (2 tau) * exp((sigma / tau)^2 / 2 - (t - mu) / tau) * erfc(z)              for z <  0

neither of which overflows (Kalambet, Kozmin, Mikhailova, Nagaev, Tikhonov, J. Chemometrics 25 (2011) 352). scipy has
it as `exponnorm` with K = tau / sigma.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy.optimize import brentq, least_squares, minimize_scalar
from scipy.special import erfc, erfcx

from probatum.errors import DataError

LEAST_TAILING, MOST_TAILING = 0.02, 20.0
"""Range of tau / sigma in fits; below it the shape is that of a Gaussian to a part in a thousand."""
FEWEST_POINTS = 7
"""For five parameters and something left to tell the noise by."""


@dataclass(frozen=True)
class EmgFit:
    """A peak's shape.

    Attributes:
        area: intensity times seconds.
        mu: position of the Gaussian, s; the apex lies later (`apex`).
        sigma: its standard deviation, s.
        tau: mean of the exponential, s.
        offset: constant under the peak, intensity.
        errors: standard errors of area, mu, sigma, tau and offset, in their units.
        chi2: per degree of freedom, against the noise that was given.
    """

    area: float
    mu: float
    sigma: float
    tau: float
    offset: float
    errors: tuple[float, float, float, float, float]
    chi2: float

    @property
    def apex(self) -> float:
        """Time of the largest value, s."""
        return apex(self.mu, self.sigma, self.tau)

    @property
    def height(self) -> float:
        """The largest value above the offset, intensity."""
        return float(emg(np.array([self.apex]), self.area, self.mu, self.sigma, self.tau)[0])

    @property
    def width(self) -> float:
        """Full width at half maximum, s."""
        return full_width(self.sigma, self.tau)


def emg(
    times: Real[np.ndarray, " time"], area: float, mu: float, sigma: float, tau: float
) -> Float[np.ndarray, " time"]:
    """The exponentially modified Gaussian.

    Args:
        times: [time] float64, s.
        area: intensity times seconds.
        mu, sigma, tau: s; the last two above 0.

    Returns:
        [time] float64, intensity.
    """
    distance = (np.asarray(times, dtype=np.float64) - mu) / sigma
    ratio = sigma / tau
    z = (ratio - distance) / math.sqrt(2)
    early = z >= 0
    with np.errstate(over="ignore", under="ignore"):  # of the branch that is not taken, and of tails
        # On the other side a factor may be infinite where erfc(z) is 0 or 2: its argument is held at 0 there.
        front = np.exp(-(distance**2) / 2) * erfcx(np.where(early, z, 0.0))
        tail = np.exp(np.where(early, 0.0, ratio**2 / 2 - distance * ratio)) * erfc(np.where(early, 0.0, z))
    return area / (2 * tau) * np.where(early, front, tail)


def slopes(
    times: Real[np.ndarray, " time"], area: float, mu: float, sigma: float, tau: float
) -> Float[np.ndarray, "time 4"]:
    """Derivatives of `emg` by area, mu, sigma and tau: [time, 4] float64.

    From tau f' + f = g, with g the Gaussian of this area, and the heat equation df/dsigma = sigma f''.
    """
    times = np.asarray(times, dtype=np.float64)
    distance = (times - mu) / sigma
    shape = emg(times, 1.0, mu, sigma, tau)
    gaussian = np.exp(-(distance**2) / 2) / (sigma * math.sqrt(2 * math.pi))
    first = (gaussian - shape) / tau
    second = (-distance / sigma * gaussian - first) / tau
    by_tau = shape * ((times - mu) / tau**2 - 1 / tau - sigma**2 / tau**3) + gaussian * sigma**2 / tau**3
    return np.stack([shape, -area * first, area * sigma * second, area * by_tau], axis=1)


def apex(mu: float, sigma: float, tau: float) -> float:
    """Time of the largest value, s; between mu and mu + tau, where the mean is."""
    found = minimize_scalar(
        lambda t: -float(emg(np.array([t]), 1.0, mu, sigma, tau)[0]),
        bounds=(mu - 1e-3 * sigma, mu + min(tau, 5 * sigma) + 1e-3 * sigma),
        method="bounded",
        options={"xatol": 1e-7 * sigma},
    )
    return float(found.x)  # pyright: ignore[reportAttributeAccessIssue]


def full_width(sigma: float, tau: float, share: float = 0.5) -> float:
    """The width where the peak has this share of its largest value, s; half by default."""
    top = apex(0.0, sigma, tau)
    level = share * float(emg(np.array([top]), 1.0, 0.0, sigma, tau)[0])

    def above(t: float) -> float:
        return float(emg(np.array([t]), 1.0, 0.0, sigma, tau)[0]) - level

    reach = 10 * sigma + 5 * tau * max(1.0, -math.log(share))
    before, after = brentq(above, top - reach, top), brentq(above, top, top + reach)
    return float(after) - float(before)  # pyright: ignore[reportArgumentType]


def fit_emg(
    times: Real[np.ndarray, " _scan"],
    intensities: Real[np.ndarray, " _scan"],
    noise: Real[np.ndarray, " _scan"],
    *,
    offset: bool = True,
) -> EmgFit | None:
    """The exponentially modified Gaussian that fits best, by weighted least squares.

    Standard errors come from the Jacobian; where the fit is worse than the noise explains, they grow by the root of
    chi^2 per degree of freedom.

    Args:
        times: [scan] float64, s, increasing.
        intensities: [scan] float64, background taken off.
        noise: [scan] float64, standard deviation of each intensity, above 0.
        offset: whether a constant is fitted as well.

    Returns:
        The fit; None where there is nothing to fit: too few scans, no positive intensity, or a solution at the limits
        of what a peak is.

    Raises:
        DataError: arrays of unequal lengths, or noise that is not above 0.
    """
    times, intensities, noise = (np.asarray(values, dtype=np.float64) for values in (times, intensities, noise))
    if not len(times) == len(intensities) == len(noise):
        raise DataError(
            f"{len(times)} times, {len(intensities)} intensities and {len(noise)} standard deviations",
            remedy="give one of each for every scan",
        )
    if not (noise > 0).all():
        raise DataError("some standard deviation of the noise is not above 0", remedy="give the noise of every scan")
    if len(times) < FEWEST_POINTS or intensities.max() <= 0:
        return None
    scale = float(intensities.max())
    weight = scale / noise
    span = float(times[-1] - times[0])

    def unpacked(free: Float[np.ndarray, " parameter"]) -> tuple[float, float, float, float]:
        sigma = math.exp(free[2])
        return float(free[0]), float(free[1]), sigma, sigma * math.exp(free[3])

    def residuals(free: Float[np.ndarray, " parameter"]) -> Float[np.ndarray, " scan"]:
        return weight * (emg(times, *unpacked(free)) + (free[4] if offset else 0.0) - intensities / scale)

    def jacobian(free: Float[np.ndarray, " parameter"]) -> Float[np.ndarray, "scan parameter"]:
        area, mu, sigma, tau = unpacked(free)
        by = slopes(times, area, mu, sigma, tau)
        # Of log sigma with tau / sigma held, and of log(tau / sigma).
        columns = [by[:, 0], by[:, 1], sigma * by[:, 2] + tau * by[:, 3], tau * by[:, 3]]
        return weight[:, None] * np.stack([*columns, np.ones(len(times))][: 5 if offset else 4], axis=1)

    start = _start(times, intensities / scale)
    low = [0.0, times[0] - span, math.log(span / 1e3), math.log(LEAST_TAILING), -1.0]
    high = [np.inf, times[-1], math.log(span), math.log(MOST_TAILING), 1.0]
    count = 5 if offset else 4
    found = least_squares(
        residuals,
        start[:count],
        jac=jacobian,  # pyright: ignore[reportArgumentType]  (scipy names the type of its default alone)
        bounds=(low[:count], high[:count]),
        x_scale="jac",
        max_nfev=200,
    )
    area, mu, sigma, tau = unpacked(found.x)
    degrees = len(times) - count
    chi2 = 2 * float(found.cost) / degrees
    if not found.success or area <= 0 or not times[0] <= apex(mu, sigma, tau) <= times[-1]:
        return None
    by = np.column_stack([slopes(times, area, mu, sigma, tau), np.ones(len(times))])[:, :count] * weight[:, None]
    size = np.linalg.norm(by, axis=0)
    covariance = np.linalg.pinv((by / size).T @ (by / size)) / np.outer(size, size)
    errors = np.zeros(5)
    errors[:count] = np.sqrt(np.maximum(np.diag(covariance), 0.0) * max(chi2, 1.0))
    level = float(found.x[4]) if offset else 0.0
    return EmgFit(
        area * scale,
        mu,
        sigma,
        tau,
        level * scale,
        (
            float(errors[0] * scale),
            float(errors[1]),
            float(errors[2]),
            float(errors[3]),
            float(errors[4] * scale),
        ),
        chi2,
    )


def _start(times: Float[np.ndarray, " scan"], intensities: Float[np.ndarray, " scan"]) -> Float[np.ndarray, " 5"]:
    """area, mu, log sigma, log(tau / sigma) and offset of a peak whose largest intensity is 1."""
    top = int(intensities.argmax())
    above = np.flatnonzero(intensities >= 0.5)
    first, last = top, top  # of the scans above half that touch the apex
    while first - 1 in above:
        first -= 1
    while last + 1 in above:
        last += 1
    step = float(np.median(np.diff(times)))
    width = float(times[last] - times[first]) + step
    sigma = max(width / 2.355 / 1.2, step / 4)
    ratio = 0.6
    return np.array([1.2 * width, times[top] - 0.3 * sigma, math.log(sigma), math.log(ratio), 0.0])
