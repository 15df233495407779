"""Outputs end where they should, inside a compiled program and outside of it alike."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.learning.heads import HEADS


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_the_same_inside_a_program_and_outside(name: str):
    head = HEADS[name]
    raw = np.random.default_rng(0).normal(scale=4, size=(50, 3))
    assert np.allclose(np.asarray(head.apply(raw)), head.finish(raw), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "least", "most"), [("sigmoid", 0, 1), ("softplus", 0, np.inf), ("relu_plus_one", 1, np.inf)]
)
def test_outputs_stay_within_their_limits(name: str, least: float, most: float):
    finished = HEADS[name].finish(np.linspace(-90, 90, 181)[:, None])
    assert ((finished >= least) & (finished <= most)).all()


def test_a_gaussian_head_says_how_sure_it_is_in_units_of_the_targets():
    head = HEADS["gaussian"]
    targets = np.array([[10.0], [14.0]])
    prediction, spread = head.undo(np.array([[0.5, np.log(4.0)]]), head.target_scaling(targets))
    assert prediction == pytest.approx(np.array([[12 + 0.5 * 2]]))
    assert spread == pytest.approx(np.array([[2 * 2.0]]))
