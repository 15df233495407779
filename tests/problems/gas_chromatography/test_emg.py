"""The shape of a peak: against scipy's distribution, and fits against the truth they were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.signal import peak_widths
from scipy.stats import exponnorm

from probatum.errors import DataError
from probatum.problems.gas_chromatography.emg import apex, emg, fit_emg, full_width, slopes

positions = st.floats(-100.0, 4000.0)
widths = st.floats(0.05, 20.0)
tailings = st.floats(0.02, 15.0)


@given(positions, widths, tailings)
def test_the_shape_is_the_one_that_scipy_has(mu: float, sigma: float, ratio: float):
    times = mu + sigma * np.linspace(-8, 8 + 10 * ratio, 200)
    expected = exponnorm.pdf(times, ratio, mu, sigma)
    np.testing.assert_allclose(emg(times, 3.0, mu, sigma, ratio * sigma), 3 * expected, rtol=1e-8, atol=1e-12 / sigma)


@pytest.mark.parametrize("ratio", [1e-6, 1e-3, 1e3])
def test_nothing_overflows_far_from_the_peak_or_at_extreme_tailing(ratio: float):
    times = np.linspace(-1e4, 1e4, 2001)
    values = emg(times, 1.0, 0.0, 1.0, ratio)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    if ratio < 1:  # a Gaussian, then
        near = np.abs(times) < 5
        np.testing.assert_allclose(values[near], np.exp(-(times[near] ** 2) / 2) / np.sqrt(2 * np.pi), rtol=0.01)


@given(widths, tailings)
def test_the_area_is_the_area(sigma: float, ratio: float):
    found, _ = quad(
        lambda t: float(emg(np.array([t]), 2.5, 7.0, sigma, ratio * sigma)[0]),
        7 - 10 * sigma,
        7 + (10 + 40 * ratio) * sigma,
        points=[7.0, 7 + ratio * sigma],
        limit=400,
    )
    assert found == pytest.approx(2.5, rel=1e-6)


@given(widths, st.floats(0.05, 10.0))
def test_derivatives_are_those_of_differences(sigma: float, ratio: float):
    values = np.array([2.0, 30.0, sigma, ratio * sigma])
    times = 30 + sigma * np.linspace(-4, 4 + 4 * ratio, 60)
    given_slopes = slopes(times, *values)
    for column in range(4):
        step = 1e-5 * (sigma if column == 1 else values[column])
        up, down = values.copy(), values.copy()
        up[column] += step
        down[column] -= step
        expected = (emg(times, *up) - emg(times, *down)) / (2 * step)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(given_slopes[:, column] / scale, expected / scale, atol=2e-5)


@given(widths, st.floats(0.05, 5.0))
def test_apex_and_width_are_those_of_a_finely_drawn_peak(sigma: float, ratio: float):
    step = sigma / 400
    times = np.arange(-6 * sigma, (6 + 8 * ratio) * sigma, step)
    drawn = exponnorm.pdf(times, ratio, 0.0, sigma)
    top = int(drawn.argmax())
    assert apex(0.0, sigma, ratio * sigma) == pytest.approx(times[top], abs=1.01 * step)
    assert full_width(sigma, ratio * sigma) == pytest.approx(peak_widths(drawn, [top], 0.5)[0][0] * step, rel=1e-3)


def drawn_peaks(count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """(true area, mu, sigma, tau, offset), times, intensities, noise of peaks with gained Poisson counts."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        sigma, ratio = 0.85 * np.exp(0.15 * rng.standard_normal()), rng.uniform(0.3, 1.5)
        truth = np.array([np.exp(rng.uniform(11, 14)), rng.uniform(99, 101), sigma, ratio * sigma, 200.0])
        times = np.arange(85.0, 120.0, 0.59)
        expected = emg(times, *truth[:4]) + truth[4]
        counts = 21 * rng.poisson(expected / 21)
        found.append((truth, times, counts, np.sqrt(21 * expected)))
    return found


def test_parameters_are_found_within_their_standard_errors():
    pulls, errors = [], []
    for truth, times, counts, noise in drawn_peaks(150, 0):
        fit = fit_emg(times, counts, noise)
        assert fit is not None
        errors.append(fit.errors[1])
        pulls.append((np.array([fit.area, fit.mu, fit.sigma, fit.tau, fit.offset]) - truth) / fit.errors)
    pulls = np.array(pulls)
    assert np.median(errors) < 0.03  # s, a twentieth of a scan
    # 150 draws of a standard normal number: mean within 3 / sqrt(150), standard deviation within 1 -+ 3 / sqrt(300).
    assert np.abs(np.median(pulls, axis=0)).max() < 0.31
    assert np.all(np.abs(np.std(pulls, axis=0) - 1) < 0.18)
    assert np.mean(np.abs(pulls) < 1.645) == pytest.approx(0.9, abs=0.04)


def test_the_fit_explains_the_noise_and_says_where_it_does_not():
    chi2 = [fit.chi2 for _, *peak in drawn_peaks(60, 1) if (fit := fit_emg(*peak)) is not None]
    assert np.mean(chi2) == pytest.approx(1.0, abs=0.12)
    _, times, counts, noise = drawn_peaks(1, 2)[0]
    lone, doubled = fit_emg(times, counts, noise), fit_emg(times, counts + np.interp(times - 6, times, counts), noise)
    assert lone is not None
    assert doubled is None or doubled.chi2 > 20 * lone.chi2


def test_what_is_no_peak_has_no_fit():
    times = np.arange(20.0)
    assert fit_emg(times[:5], np.ones(5), np.ones(5)) is None
    assert fit_emg(times, np.zeros(20), np.ones(20)) is None
    assert fit_emg(times, np.exp(times / 2), np.ones(20)) is None  # it rises to the end
    with pytest.raises(DataError, match="20 times"):
        fit_emg(times, np.ones(19), np.ones(20))
    with pytest.raises(DataError, match="not above 0"):
        fit_emg(times, np.ones(20), np.zeros(20))
