"""Coordinates are a map of the unit cube, and slices with a gradient give the curve of many more even ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.problems.rocking_curve import kernel, prior
from probatum.problems.rocking_curve.coordinates import parameters_into, parameters_of, points_of
from probatum.problems.rocking_curve.crystals import GGG_444
from probatum.problems.rocking_curve.observation import Instrument, Observation
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.profile import end_of, is_valid, strain_at
from probatum.problems.rocking_curve.slices import strains_into
from probatum.problems.rocking_curve.two_part_model import COARSE, DEEPEST, FINE, FINEST, TwoPartModel

cube = arrays(np.float64, 7, elements=st.floats(0.01, 0.99))
SECONDS = np.linspace(-80, 2730, 351)


def test_draws_of_the_prior_return_from_the_cube():
    drawn = prior.draw(2000, np.random.default_rng(0))
    np.testing.assert_allclose(parameters_of(points_of(drawn)), drawn, rtol=1e-9)


@given(cube)
def test_every_point_of_the_cube_is_a_valid_profile(point):
    parameters = parameters_of(point)
    assert is_valid(np.where(parameters > 0, parameters * (1 - 1e-12), parameters))


@given(cube)
def test_derivatives_of_the_parameters_are_those_of_finite_differences(point):
    row, slopes = np.empty(7), np.empty((7, 7))
    parameters_into(row, slopes, point)
    for i in range(7):
        step = 1e-6 * np.eye(7)[i]
        expected = (parameters_of(point + step) - parameters_of(point - step)) / 2e-6
        # Intervals end at kinks of the constraints, which a difference may straddle.
        if np.abs(parameters_of(point + step) - 2 * row + parameters_of(point - step)).max() < 1e-6:
            np.testing.assert_allclose(slopes[:, i], expected, rtol=1e-4, atol=1e-6 * np.abs(row).max())


def test_strain_at_depths_and_its_derivatives():
    point = np.array([0.4, 0.3, 0.5, 0.4, 0.3, 0.6, 0.5])
    depths = np.linspace(0, 3000, 31)
    strain, slopes, none = np.empty(31), np.empty((7, 31)), np.empty((7, 31))
    strains_into(strain, slopes, depths, point)
    np.testing.assert_allclose(strain, strain_at(depths, parameters_of(point)), rtol=1e-12)
    for i in range(7):
        ends = [np.empty(31), np.empty(31)]
        for end, sign in zip(ends, (1, -1), strict=True):
            strains_into(end, none, depths, point + sign * 1e-6 * np.eye(7)[i])
        np.testing.assert_allclose(slopes[i], (ends[0] - ends[1]) / 2e-6, atol=1e-6 * np.abs(slopes[i]).max() + 1e-12)


def test_slices_with_a_gradient_give_the_curve_of_many_even_ones():
    observation = Observation(GGG_444, SECONDS, Instrument(30.0, 1.0, 1e-4), depth=DEEPEST, pi_weight=0.8)
    worst = {COARSE: 0.0, FINE: 0.0, FINEST: 0.0}
    for parameters in prior.draw(12, np.random.default_rng(3)):
        edges = np.append(np.arange(0.0, end_of(parameters), 4.0), end_of(parameters))
        strain = strain_at((edges[1:] + edges[:-1]) / 2, parameters)
        angles = angles_below(GGG_444, observation.nodes.seconds)
        even = kernel.reflectivity(GGG_444, angles, strain, np.diff(edges), pi_weight=0.8)
        expected, _ = observation.signal_and_slopes(even[None], np.empty(0))
        for slicing in worst:
            found = TwoPartModel(observation, slicing).signal(points_of(parameters))
            worst[slicing] = max(worst[slicing], float(np.abs(np.log10(found / expected)).max()))
    assert worst[COARSE] < 0.15
    assert worst[FINE] < 0.015
    assert worst[FINEST] < 0.003


def test_derivatives_of_a_curve_are_those_of_finite_differences_of_thin_slices():
    observation = Observation(GGG_444, SECONDS, Instrument(30.0, 1.0, 0.0), depth=DEEPEST)
    model, point = TwoPartModel(observation, FINEST), np.array([0.5, 0.3, 0.3, 0.5, 0.4, 0.5, 0.5])
    _, slopes = model.signal_and_slopes(point)
    for i in range(7):
        step = 1e-3 * np.eye(7)[i]
        expected = (model.signal(point + step) - model.signal(point - step)) / 2e-3
        np.testing.assert_allclose(slopes[i], expected, atol=0.03 * np.abs(expected).max())
