"""The kinetic learner: what it predicts for solvents it never saw, and what it must not know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from probatum.errors import CampaignFileError, DataError
from probatum.learning.learner import RowSet, fit_many, learner_kind
from probatum.problems.catechol.kinetics import yields
from probatum.problems.catechol.learners import KineticRegressor
from probatum.problems.catechol.problem import Catechol

PATH = "probatum.problems.catechol.learners:KineticRegressor"
TYPICAL = np.array([-3.3, -1.7, -1.8, -3.0, -6.2, -4.7, 118, 96, 91, 158, 131, 68, 2.5], dtype=np.float64)


def table(solvents: int = 7, mixed: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, yields and the number of solvent A, where rates follow the first of two descriptors."""
    rng = np.random.default_rng(0)
    descriptors = np.column_stack([np.linspace(-1, 1, solvents), rng.uniform(-1, 1, solvents)])
    celsius, minutes = (g.ravel() for g in np.meshgrid([175, 200, 225.0], [2, 6, 15.0]))
    a = np.repeat(np.arange(solvents), 2 * len(celsius) if mixed else len(celsius))
    b = np.tile(np.repeat([0.0, 0.5] if mixed else [0.0], len(celsius)), solvents)
    celsius, minutes = (np.tile(v, len(a) // len(v)) for v in (celsius, minutes))
    other = (a + 1) % solvents if mixed else a
    parameters = np.tile(TYPICAL, (len(a), 1))
    parameters[:, 0] += 1.2 * ((1 - b) * descriptors[a, 0] + b * descriptors[other, 0])
    inputs = np.column_stack([celsius, minutes, b, descriptors[a], descriptors[other]])
    return inputs, yields(parameters, celsius, minutes), a


def test_a_solvent_never_seen_is_predicted_by_its_descriptors():
    X, y, solvent = table()
    test = solvent == 2
    predicted = KineticRegressor(noise=0.01).fit(X[~test], y[~test]).predict(X[test])
    of_mean = ((y[~test].mean(axis=0) - y[test]) ** 2).mean()
    assert ((predicted - y[test]) ** 2).mean() < 0.02 * of_mean


def test_predictions_far_outside_are_finite_and_lawful():
    X, y, _ = table()
    model = KineticRegressor().fit(X, y)
    far = X.copy()
    far[:, 3:] *= 40
    predicted, spread = model.predict(far), model.predict_spread(far)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0).all()
    assert (predicted.sum(axis=1) <= 1 + 1e-9).all()
    assert (spread >= model.noise * model.spread_factor_ * (1 - 1e-12)).all()


def test_a_known_solvent_is_predicted_by_its_own_rates_and_without_their_spread():
    X, y, solvent = table()
    y = y.copy()
    odd = solvent == 3
    y[odd] = y[odd] * [1, 0.3, 0.3]  # nothing that its descriptors could tell
    model = KineticRegressor(noise=0.005).fit(X, y)
    assert abs(model.predict(X[odd]) - y[odd]).max() < 0.05
    np.testing.assert_allclose(model.predict_spread(X[odd]), 0.005)


def test_intervals_hold_the_share_of_yields_that_they_are_made_for_in_solvents_left_out():
    X, y, solvent = table(solvents=12)
    rng = np.random.default_rng(3)
    y = y + rng.normal(0, 0.02, y.shape)
    inside = []
    for left in range(12):
        test = solvent == left
        model = KineticRegressor(noise=0.2).fit(X[~test], y[~test])  # far too wide without calibration
        inside.append(abs(model.predict(X[test]) - y[test]) <= 1.6449 * model.predict_spread(X[test]))
    assert 0.8 <= np.mean(inside) <= 0.97


def test_exchanging_two_solvents_of_a_mixture_changes_nothing():
    X, y, _ = table(mixed=True)
    model = KineticRegressor(mixing="linear").fit(X, y)
    swapped = X[:, [0, 1, 2, 5, 6, 3, 4]]
    swapped[:, 2] = 1 - X[:, 2]
    np.testing.assert_allclose(model.predict(swapped), model.predict(X), atol=1e-12)


def test_descriptors_of_a_solvent_that_is_not_in_the_row_change_nothing():
    X, y, _ = table()
    nonsense = X.copy()
    nonsense[:, 5:] = 1e3
    np.testing.assert_array_equal(
        KineticRegressor().fit(nonsense, y).predict(nonsense), KineticRegressor().fit(X, y).predict(X)
    )


def test_targets_of_test_rows_change_nothing():
    X, y, solvent = table()
    test = np.isin(solvent, (1, 4))
    rows = RowSet(np.flatnonzero(~test), np.flatnonzero(test), seed=0)
    poisoned = y.copy()
    poisoned[test] = 1e6
    kind = learner_kind(PATH)
    clean, other = (
        fit_many([kind.build({"mixing": "linear"}, 0)], X, targets, [rows], quantities=3)[0]
        for targets in (y, poisoned)
    )
    assert clean.error is None
    assert clean.spread is not None
    assert other.spread is not None
    np.testing.assert_array_equal(clean.prediction, other.prediction)
    np.testing.assert_array_equal(clean.spread, other.spread)


def test_repeated_measurements_count_once():
    X, y, solvent = table()
    again = np.flatnonzero(solvent == 0)
    doubled = KineticRegressor().fit(np.concatenate([X, X[again]]), np.concatenate([y, y[again]])).predict(X)
    np.testing.assert_allclose(doubled, KineticRegressor().fit(X, y).predict(X), atol=1e-9)


def test_one_solvent_alone_can_be_fitted():
    X, y, solvent = table()
    one = solvent == 0
    assert np.isfinite(KineticRegressor().fit(X[one], y[one]).predict(X)).all()


def test_a_recipe_may_name_it_and_is_told_what_it_takes():
    kind = learner_kind(PATH)
    assert kind.deterministic({}), "one seed is enough"
    assert set(kind.parameters()) == {"noise", "spread", "mixing"}
    with pytest.raises(CampaignFileError, match="mixing = 'lineer'; did you mean 'linear'"):
        kind.check({"mixing": "lineer"})
    with pytest.raises(CampaignFileError, match="noise"):
        kind.check({"noise": 0.0})


def test_other_columns_or_targets_are_refused():
    X, y, _ = table()
    with pytest.raises(DataError, match="solvents_apart"):
        KineticRegressor().fit(X[:, :6], y)
    with pytest.raises(DataError, match="fraction of solvent B"):
        KineticRegressor().fit(X[:, ::-1] + 2, y)
    with pytest.raises(DataError, match="Product 3 together"):
        KineticRegressor().fit(X, y[:, :2])
    with pytest.raises(NotFittedError):
        clone(KineticRegressor()).predict(X)


@pytest.mark.real
def test_real_yields_in_solvents_never_seen_are_predicted_better_than_by_the_conditions(real_data: Path):
    problem = Catechol()
    single = problem.dataset("single")
    X, y = problem.features["solvents_apart"].compute(single), single.targets()
    errors = []
    for solvent in ("Ethanol", "Decanol", "Dimethyl Carbonate"):
        test = single.groups["solvent"] == solvent
        predicted = KineticRegressor().fit(X[~test], y[~test]).predict(X[test])
        errors.append(((predicted - y[test]) ** 2).mean())
    assert np.mean(errors) < 0.008, "a line in temperature and time has 0.02"
