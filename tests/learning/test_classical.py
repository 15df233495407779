import subprocess
import sys

import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.classical import CLASSICAL
from probatum.learning.learner import RowSet, fit_many


@pytest.mark.parametrize(
    ("parameters", "same"),
    [
        ({}, True),
        ({"subsample": 0.7}, True),
        ({"subsample": 0.7, "subsample_freq": 1}, False),
        ({"colsample_bytree": 0.5}, False),
        ({"extra_trees": True}, False),
    ],
)
def test_lightgbm_needs_one_seed_unless_it_samples(parameters: dict, same: bool) -> None:
    assert CLASSICAL["lightgbm"].deterministic(parameters) is same


def test_names_only_known_to_lightgbm_pass_through() -> None:
    kind = CLASSICAL["lightgbm"]
    kind.check({"extra_trees": True, "num_leaves": 7})
    assert kind.build({"extra_trees": True}, seed=3).get_params()["extra_trees"] is True


@pytest.mark.parametrize(
    ("parameters", "same"),
    [
        ({}, True),
        ({"subsample": 1.0}, True),
        ({"subsample": 0.7}, False),
        ({"colsample_bynode": 0.5}, False),
        ({"booster": "dart"}, False),
    ],
)
def test_xgboost_needs_one_seed_unless_it_samples(parameters: dict, same: bool) -> None:
    assert CLASSICAL["xgboost"].deterministic(parameters) is same


def test_xgboost_learns_and_says_which_parameters_it_takes() -> None:
    kind = CLASSICAL["xgboost"]
    kind.check({"n_estimators": 20, "max_depth": 3})
    with pytest.raises(CampaignFileError, match="did you mean 'max_depth'"):
        kind.check({"max_depht": 3})
    x = np.random.default_rng(0).normal(size=(80, 2))
    y = np.sign(x[:, :1])
    rows = RowSet(np.arange(60), np.arange(60, 80), seed=0)
    (outcome,) = fit_many([kind.build({"n_estimators": 20}, 0)], x, y, [rows], quantities=1)
    assert ((outcome.prediction - y[60:]) ** 2).mean() < 0.3


def test_the_seed_of_a_fit_reaches_the_estimator() -> None:
    assert CLASSICAL["extra_trees"].build({}, seed=5).random_state == 5


@pytest.mark.parametrize(("statement", "absent"), [
    ("import probatum.learning.classical", "sklearn lightgbm jax"),
    ("import probatum.learning.networks", "sklearn jax"),
    ("from probatum.learning.networks import NETWORKS; NETWORKS['mlp'].check({'hidden': [4]})", "jax"),
])  # fmt: skip
def test_naming_a_learner_imports_no_engine(statement: str, absent: str) -> None:
    check = f"import sys; {statement}; print([m for m in {absent.split()!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
