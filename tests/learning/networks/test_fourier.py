import jax
import numpy as np

from probatum.learning.networks.fourier import log_amplitudes

POINTS = np.arange(64)


def test_a_wave_is_one_frequency_wherever_it_starts() -> None:
    waves = np.stack([np.cos(2 * np.pi * 5 * (POINTS - shift) / 64) for shift in (0, 3.3)])[..., None]
    amplitudes = np.asarray(log_amplitudes(waves.astype(np.float32)))
    assert amplitudes.shape == (2, 33, 1)
    assert (amplitudes[:, :, 0].argmax(axis=1) == 5).all()
    np.testing.assert_allclose(amplitudes[:, 5, 0], np.log(32 / 8), rtol=1e-3)


def test_circular_shifts_change_nothing() -> None:
    signal = np.random.default_rng(0).normal(size=(3, 64, 2)).astype(np.float32)
    np.testing.assert_allclose(log_amplitudes(np.roll(signal, 11, axis=1)), log_amplitudes(signal), atol=1e-3)


def test_silence_and_its_gradient_are_finite() -> None:
    gradient = jax.grad(lambda signal: log_amplitudes(signal).sum())(np.zeros((1, 64, 1), np.float32))
    assert np.isfinite(gradient).all()
