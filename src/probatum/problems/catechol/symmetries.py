"""A mixture may be written two ways: (A, B, b) and (B, A, 1 - b)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

CONDITIONS, FRACTION = 3, 2
"""Columns of 'solvents_apart' before the descriptors, and the one that holds b."""


def exchanged_mixed(inputs: Float[np.ndarray, "row column"]) -> list[Float[np.ndarray, "row column"]]:
    """The same mixtures written the other way round, for features that mix linearly: the inputs themselves.

    Averaging predictions over both ways is often called test-time augmentation. Here it can change nothing, as
    (1 - b) phi_A + b phi_B and b phi_B + (1 - b) phi_A are one number.

    Args:
        inputs: [row, column] of any features but 'conditions' and 'solvents_apart'.
    """
    return [inputs]


def exchanged_apart(inputs: Float[np.ndarray, "row column"]) -> list[Float[np.ndarray, "row column"]]:
    """The same mixtures written the other way round, for the feature 'solvents_apart' alone.

    Args:
        inputs: [row, 3 + 2 descriptors]: T, t, b, then the descriptors of A and of B.
    """
    conditions, a, b = np.split(inputs, [CONDITIONS, CONDITIONS + (inputs.shape[1] - CONDITIONS) // 2], axis=1)
    other = conditions.copy()
    other[:, FRACTION] = 1 - conditions[:, FRACTION]
    return [np.concatenate([other, b, a], axis=1)]
