"""Steps of one kind share what was seen of them; what is known exactly drowns out nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.evidence.effects import Effect, Pair
from probatum.planning.families import expected, part, prior_of_families


def effect(name: str, mean: float, error: float) -> Effect:
    return Effect(name, (Pair("p", "c", mean, error),), "undecided", mean, error)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("features +acs", "features"),
        ("model.kind -> ridge", "model.kind"),
        ("model.dropout up", "model"),
        ("training.epochs down", "training"),
        ("ensemble.members up", "ensemble"),
        ("components", "components"),
    ],
)
def test_a_family_names_the_part_of_the_recipe_that_it_changes(name, changed):
    assert part(name) == changed


def test_an_effect_that_is_known_exactly_leaves_the_prior_finite():
    nothing, little = effect("model.a up", 0.0, 1e-17), effect("model.b up", 0.1, 0.01)
    mean, variance = prior_of_families([nothing, little])
    assert np.isfinite(mean)
    assert variance == 0
    told = expected("model.b up", [nothing, little])
    assert told is not None
    assert np.isfinite([told.mean, *told.interval]).all()


def test_a_family_is_drawn_to_what_mutations_do_in_general():
    effects = [effect(f"model.{i} up", value, 0.1) for i, value in enumerate((-0.3, -0.1, 0.1, 0.3))]
    told = expected("model.3 up", effects)
    assert told is not None
    assert 0 < told.mean < 0.3
