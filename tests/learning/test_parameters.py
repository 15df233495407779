import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.networks.mlp import initial_mlp
from probatum.learning.parameters import check_prefixes, layers, paths, selected, under

NETWORK = initial_mlp((3, 4, 2), "relu", "batch", "linear", np.random.default_rng(0))


def test_paths_name_attributes_and_places() -> None:
    assert paths(NETWORK) == ["weights.0", "weights.1", "biases.0", "biases.1", "gains.0", "shifts.0"]
    assert list(layers(NETWORK)) == ["weights.0", "weights.1"]


def test_a_prefix_ends_at_a_dot() -> None:
    assert under("weights.0", "weights")
    assert under("weights.0", "weights.0")
    assert not under("weights.10", "weights.1")


def test_selected_parameters_are_those_under_a_prefix() -> None:
    chosen = selected(NETWORK, ["weights", "biases.1"])
    assert (chosen.weights, chosen.biases, chosen.gains) == ([True, True], [False, True], [False])


def test_a_prefix_of_nothing_is_answered_by_the_nearest() -> None:
    check_prefixes(NETWORK, ["weights", "biases.0"])
    with pytest.raises(CampaignFileError, match="did you mean 'biases"):
        check_prefixes(NETWORK, ["bias"])
