"""Rocking curves a second on one core, 100 layers x 500 angles: against a plain recursion, JAX and xrayutilities.

Both sides run in this process, one after the other, on the same layers. Rates are those of the fastest of several runs,
as other work on the machine only slows a run down. xrayutilities (GPL) is measured where it is installed.
"""

from __future__ import annotations

import importlib.util
import math
import time
import warnings
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numba
import numpy as np
from result import Row, benchmark

from probatum.problems.rocking_curve import kernel, physics, prior
from probatum.problems.rocking_curve.crystals import GGG_444
from probatum.problems.rocking_curve.profile import sublayers
from probatum.problems.rocking_curve.profile_kernel import sublayers_and_slopes

LAYERS, CURVES = 100, 50
ANGLES = physics.angles_below(GGG_444, np.linspace(-80.36, 2732.4, 500))
GARNET_PI_WEIGHT = math.sqrt(math.cos(2 * GGG_444.bragg_angle))


def measure(quick: bool) -> list[Row]:
    """Rates, ratios and disagreements."""
    runs = 60 if quick else 200
    generator = np.random.default_rng(0)
    strain, thickness = generator.uniform(0, 0.02, (CURVES, LAYERS)), np.full((CURVES, LAYERS), 100.0)
    slopes = generator.normal(size=(CURVES, LAYERS, 7))
    ends = np.zeros_like(slopes)
    ends[:, -1] = 1.0  # only the last layer's thickness depends on the parameters

    def ours():
        return kernel.reflectivity(GGG_444, ANGLES, strain, thickness)

    def with_slopes():
        return kernel.reflectivity_and_slopes(
            GGG_444, ANGLES, strain, thickness, strain_slopes=slopes, thickness_slopes=ends
        )

    def both_polarisations():
        return kernel.reflectivity(GGG_444, ANGLES, strain, thickness, pi_weight=GARNET_PI_WEIGHT)

    def recursion():
        return plain_recursion(ANGLES, strain, thickness, GGG_444)

    with jax.enable_x64(True):
        by_jax = jax.jit(lambda s, t: physics.reflectivity(GGG_444, ANGLES, s, t))
        inputs = jnp.asarray(strain), jnp.asarray(thickness)
        jax_seconds = fastest(lambda: by_jax(*inputs).block_until_ready(), 3)
        jax_curves = np.asarray(by_jax(*inputs))
    times = alternately([ours, with_slopes, both_polarisations, recursion], [runs, runs, runs, 5])
    rate, rate_with_slopes, rate_of_both, plain = (CURVES / seconds for seconds in times)
    curves = ours()
    found = [
        Row("curves a second", rate, "1/s", 3500.0, "higher"),
        Row("curves with seven derivatives a second", rate_with_slopes, "1/s", 1200.0, "higher"),
        Row("curve and derivatives over curve, time", rate / rate_with_slopes, ""),
        Row("curves of both polarisations a second", rate_of_both, "1/s"),
        Row("plain numba recursion, curves a second", plain, "1/s"),
        Row("times faster than the plain recursion", rate / plain, "", 6.0, "higher"),
        Row("disagreement with the plain recursion", disagreement(recursion(), curves), "", 1e-8),
        Row("JAX, curves a second", CURVES / jax_seconds, "1/s"),
        Row("times faster than JAX", rate * jax_seconds / CURVES, "", 6.0, "higher"),
        Row("disagreement with JAX", disagreement(jax_curves, curves), "", 1e-9),
        *_of_the_prior(runs),
    ]
    return found + (_against_xrayutilities(rate) if importlib.util.find_spec("xrayutilities") else [])


def _of_the_prior(runs: int) -> list[Row]:
    """From seven parameters to the curve of 701 points, both polarisations: what a fit does."""
    parameters = prior.draw(CURVES, np.random.default_rng(1))
    angles = physics.angles_below(GGG_444, np.linspace(-80.36, 2732.4, 701))

    def curves():
        return kernel.reflectivity(GGG_444, angles, *sublayers(parameters), pi_weight=GARNET_PI_WEIGHT)

    def with_slopes():
        strain, thickness, strain_slopes, thickness_slopes = sublayers_and_slopes(parameters)
        return kernel.reflectivity_and_slopes(
            GGG_444, angles, strain, thickness, pi_weight=GARNET_PI_WEIGHT,
            strain_slopes=strain_slopes, thickness_slopes=thickness_slopes,
        )  # fmt: skip

    times = alternately([curves, with_slopes], [runs, runs])
    return [
        Row("prior, 701 points, both polarisations", CURVES / times[0], "1/s"),
        Row("the same with seven derivatives", CURVES / times[1], "1/s"),
    ]


def plain_recursion(angles: np.ndarray, strain: np.ndarray, thickness: np.ndarray, of) -> np.ndarray:
    """The recursion for X as one would write it in numba: [curve, angle]."""
    found = np.empty((len(strain), len(angles)))
    _plain(found, np.sin(angles), strain, thickness, math.sin(of.bragg_angle), of.wavelength, of.chi_0, of.chi)
    return found


@numba.njit
def _plain(found, sines, strain, thickness, sine_B, wavelength, chi_0, chi):
    for curve in range(len(strain)):
        for i in range(len(sines)):
            eta = (2 * sine_B * (sines[i] - sine_B) + chi_0) / chi
            root = np.sqrt(eta * eta - 1)
            X = eta - root if abs(eta - root) <= 1 else eta + root
            for n in range(strain.shape[1] - 1, -1, -1):
                sine = sine_B / (1 + strain[curve, n])
                eta = (2 * sine * (sines[i] - sine) + chi_0) / chi
                root = np.sqrt(eta * eta - 1)
                T = math.pi * chi * thickness[curve, n] / (wavelength * sine_B)
                e = np.exp(-2j * T * root)
                Q = (1 - e) / ((1 + e) * root)
                a = X - eta
                X = eta + (a + root * root * Q) / (1 + a * Q)
            found[curve, i] = abs(X) ** 2


def _against_xrayutilities(rate: float) -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import xrayutilities as xu

        strains = np.linspace(0.001, 0.0001, LAYERS)
        silicon = xu.materials.Si
        sites = [(atom, tuple(position)) for atom, position, *_ in silicon.lattice.base()]

        def strained(strain: float):
            lattice = xu.materials.SGLattice(
                1, silicon.a, silicon.a, silicon.a * (1 + strain), 90, 90, 90,
                atoms=[atom for atom, _ in sites], pos=[("1a", position) for _, position in sites],
            )  # fmt: skip
            return xu.materials.Crystal(f"Si {strain:.6f}", lattice, cij=silicon.cij)

        layers = [xu.simpack.Layer(strained(strain), 100, relaxation=0) for strain in strains]
        stack = xu.simpack.LayerStack("implanted", xu.simpack.Layer(silicon, float("inf")), *layers)
        model = xu.simpack.DynamicalModel(stack, energy=8047.82, resolution_width=0, polarization="S")
        theta = 34.5642 - np.linspace(-80, 400, 500) / 3600
        seconds = fastest(lambda: model.simulate(theta, hkl=(0, 0, 4)), 2)
    return [
        Row("xrayutilities DynamicalModel, curves a second", 1 / seconds, "1/s"),
        Row("times faster than DynamicalModel", rate * seconds, "", 650.0, "higher"),
    ]


def disagreement(expected: np.ndarray, found: np.ndarray) -> float:
    """The largest relative one."""
    return float(np.abs(found / expected - 1).max())


def alternately(works: list[Callable[[], object]], runs: list[int]) -> list[float]:
    """Seconds of the fastest run of each, in turns; the first, which compiles, is not counted."""
    for work in works:
        work()
    best = [math.inf] * len(works)
    for turn in range(max(runs)):
        for position, work in enumerate(works):
            if turn < runs[position]:
                started = time.perf_counter()
                work()
                best[position] = min(best[position], time.perf_counter() - started)
    return best


def fastest(work: Callable[[], object], runs: int) -> float:
    """Seconds of the fastest run; the first, which compiles, is not counted."""
    return alternately([work], [runs])[0]


if __name__ == "__main__":
    benchmark("rocking_curves", measure, ("numba", "jax", "numpy"))
