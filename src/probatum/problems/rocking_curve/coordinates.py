"""Coordinates of the seven-parameter profile in which every valid profile is a point of the unit cube.

Each coordinate is the share of the interval that the ranges and constraints of `profile` leave to its parameter:

    D01 and L1 of their ranges; Dmax1 of [D01, .031]; D02 of [.001, .03 - D01]; Rp1 of [50, L1]; L2 of [500, L1];
    w = L2 / (L2 - 2 Rp2) of [w at Rp2 = -6500, 1]

The last stands for Rp2, which a curve hardly shows: w says how far the second part is a Gaussian. Bounds of a fit
become those of a box. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.rocking_curve.diffraction_kernel import compiled
from probatum.problems.rocking_curve.profile import HIGH, LARGEST_AT_SURFACE, LOW

_LOW, _HIGH = tuple(LOW), tuple(HIGH)
_LARGEST_D01 = LARGEST_AT_SURFACE - _LOW[4]
_NARROWEST = 1e-9
"""Of an interval, relative to the parameter's range, so that a share of it stays defined."""


def parameters_of(points: np.ndarray) -> np.ndarray:
    """Parameters in the order of `profile.PARAMETERS`: [..., 7], from points of the unit cube [..., 7]."""
    points = np.asarray(points, dtype=np.float64)
    flat = np.ascontiguousarray(points.reshape(-1, 7))
    found, slopes = np.empty_like(flat), np.empty((7, 7))
    for row, point in zip(found, flat, strict=True):
        parameters_into(row, slopes, point)
    return found.reshape(points.shape)


def points_of(parameters: np.ndarray) -> np.ndarray:
    """The points of the unit cube that `parameters_of` takes to these valid parameters: [..., 7]."""
    Dmax1, D01, L1, Rp1, D02, L2, Rp2 = np.moveaxis(np.asarray(parameters, dtype=np.float64), -1, 0)
    w, least_w = L2 / (L2 - 2 * Rp2), L2 / (L2 - 2 * _LOW[6])
    intervals = (
        (Dmax1, np.maximum(D01, _LOW[0]), _HIGH[0]),
        (D01, _LOW[1], _LARGEST_D01),
        (L1, _LOW[2], _HIGH[2]),
        (Rp1, _LOW[3], np.minimum(L1, _HIGH[3])),
        (D02, _LOW[4], np.minimum(LARGEST_AT_SURFACE - D01, _HIGH[4])),
        (L2, _LOW[5], np.minimum(L1, _HIGH[5])),
        (w, least_w, 1.0),
    )
    shares = [
        (value - low) / np.maximum(high - low, _NARROWEST * (_HIGH[i] - _LOW[i]))
        for i, (value, low, high) in enumerate(intervals)
    ]
    return np.clip(np.stack(shares, axis=-1), 0.0, 1.0)


@compiled
def parameters_into(parameters: np.ndarray, slopes: np.ndarray, point: np.ndarray) -> None:
    """Writes the parameters [7] at one point [7], and their derivatives [parameter, coordinate] to it."""
    slopes[:] = 0.0
    D01 = _LOW[1] + point[1] * (_LARGEST_D01 - _LOW[1])
    slopes[1, 1] = _LARGEST_D01 - _LOW[1]
    least, least_slope = (_LOW[0], 0.0) if _LOW[0] >= D01 else (D01, slopes[1, 1])
    parameters[0] = least + point[0] * (_HIGH[0] - least)
    slopes[0, 0], slopes[0, 1] = _HIGH[0] - least, (1 - point[0]) * least_slope
    room, room_slope = LARGEST_AT_SURFACE - D01 - _LOW[4], -slopes[1, 1]
    if room > _HIGH[4] - _LOW[4]:
        room, room_slope = _HIGH[4] - _LOW[4], 0.0
    narrowest = _NARROWEST * (_HIGH[4] - _LOW[4])
    if room < narrowest:
        room, room_slope = narrowest, 0.0
    parameters[1] = D01
    parameters[4] = _LOW[4] + point[4] * room
    slopes[4, 4], slopes[4, 1] = room, point[4] * room_slope
    L1 = _LOW[2] + point[2] * (_HIGH[2] - _LOW[2])
    parameters[2], slopes[2, 2] = L1, _HIGH[2] - _LOW[2]
    for i in (3, 5):
        room, room_slope = (_HIGH[i] - _LOW[i], 0.0) if _HIGH[i] <= L1 else (L1 - _LOW[i], slopes[2, 2])
        if room < _NARROWEST * (_HIGH[i] - _LOW[i]):
            room, room_slope = _NARROWEST * (_HIGH[i] - _LOW[i]), 0.0
        parameters[i] = _LOW[i] + point[i] * room
        slopes[i, i], slopes[i, 2] = room, point[i] * room_slope
    L2 = parameters[5]
    # With c = -2 Rp2 at its lowest: least w = L2 / (L2 + c), and Rp2 = L2 (1 - 1 / w) / 2.
    c = -2.0 * _LOW[6]
    least, least_slope = L2 / (L2 + c), c / (L2 + c) ** 2
    w = least + point[6] * (1 - least)
    parameters[6] = 0.5 * L2 * (1 - 1 / w)
    by_w = 0.5 * L2 / (w * w)
    slopes[6, 6] = by_w * (1 - least)
    by_L2 = 0.5 * (1 - 1 / w) + by_w * (1 - point[6]) * least_slope
    slopes[6, 5], slopes[6, 2] = by_L2 * slopes[5, 5], by_L2 * slopes[5, 2]
