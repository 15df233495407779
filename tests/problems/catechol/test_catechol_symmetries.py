"""A mixture written the other way round is the same mixture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probatum.learning.augmentation import images
from probatum.problems.catechol.problem import Catechol
from probatum.problems.catechol.symmetries import exchanged_apart, exchanged_mixed
from probatum.problems.problem import Dataset


def written_the_other_way(data: Dataset) -> Dataset:
    seen = data.observations
    other = {"solvent_a": seen["solvent_b"], "solvent_b": seen["solvent_a"], "fraction_b": 1 - seen["fraction_b"]}
    return replace(data, observations={**seen, **other})


@pytest.mark.real
def test_features_that_mix_do_not_change_and_so_there_is_no_image(real_data: Path):
    problem = Catechol()
    data = problem.dataset("full")
    for name in ("spange", "drfp", "acs", "kinetics", "spange_interactions"):
        compute = problem.features[name].compute
        inputs = compute(data)
        np.testing.assert_allclose(compute(written_the_other_way(data)), inputs, atol=1e-12)
        assert len(images(inputs, exchanged_mixed)) == 1


@pytest.mark.real
def test_solvents_apart_are_exchanged_with_their_fraction(real_data: Path):
    problem = Catechol()
    data = problem.dataset("full")
    compute = problem.features["solvents_apart"].compute
    (image,) = exchanged_apart(compute(data))
    np.testing.assert_allclose(image, compute(written_the_other_way(data)), atol=1e-12)
    np.testing.assert_allclose(exchanged_apart(image)[0], compute(data), atol=1e-12)
