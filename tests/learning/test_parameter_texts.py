"""What parameters mean is told in their authors' words, whatever style these wrote in."""

from __future__ import annotations

import pytest

from probatum.learning.classical import CLASSICAL
from probatum.learning.learner import LearnerKind, learner_kind
from probatum.learning.networks import NETWORKS
from probatum.learning.parameter_texts import parameter_texts

OWN = [name for name, kind in {**CLASSICAL, **NETWORKS}.items() if kind.path.startswith("probatum.")]


class Underlined:
    """A learner.

    Parameters
    ----------
    depth : int, default=3
        How deep it goes.

        More than anybody asked.
    low, high : float
        The range.

    Attributes
    ----------
    found_ : int
        Nothing that can be set.
    """

    def __init__(self, depth: int = 3, low: float = 0.0, high: float = 1.0, silent: bool = True):
        self.depth, self.low, self.high, self.silent = depth, low, high, silent


class Headed(Underlined):
    """A learner.

    Args:
        width: how wide it is,
            in columns.
        depth: told anew.

    Raises:
        ValueError: never.
    """

    def __init__(self, width: int, **rest: int):
        super().__init__(**rest)
        self.width = width


def texts(kind: type) -> dict[str, str]:
    return parameter_texts(LearnerKind("own", "a learner", f"{kind.__module__}:{kind.__name__}", ()))


def test_every_parameter_of_the_learners_here_has_a_meaning():
    assert {"ridge", "gaussian_process", "mlp"} <= set(OWN)
    for name in OWN:
        for parameter, text in parameter_texts(learner_kind(name)).items():
            assert not text.startswith("(default"), (name, parameter)


def test_underlined_sections_are_read():
    assert texts(Underlined) == {
        "depth": "How deep it goes. (default: 3)",
        "low": "The range. (default: 0.0)",
        "high": "The range. (default: 1.0)",
        "silent": "(default: True)",
    }


def test_a_class_tells_more_than_its_ancestors():
    found = texts(Headed)
    assert found["width"] == "how wide it is, in columns."
    assert found["depth"] == "told anew. (default: 3)"
    assert found["low"] == "The range. (default: 0.0)"


@pytest.mark.parametrize("name", ["random_forest", "lightgbm"])
def test_parameters_of_libraries_are_told_in_their_words(name: str):
    assert parameter_texts(learner_kind(name))["n_estimators"].endswith("(default: 100)")
    assert parameter_texts(learner_kind(name))["n_estimators"][0].isupper()
