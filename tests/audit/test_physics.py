"""What the data cannot determine, what cannot be, and what is out of place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.audit.catalogue import CHECKS
from probatum.audit.domain import outside_range
from probatum.audit.finding import Alarm
from probatum.audit.history import History, Partition, Run, Side, Training
from probatum.audit.identifiability import determination
from probatum.problems.problem import Quantity, Sensitivity

LEVEL = 1e-4
NAMES = ("k1", "k2", "k3", "k4")


def looked(code: str, subject: object, level: float = LEVEL) -> list[Alarm]:
    return list(CHECKS[code].look(subject, level))


# ---------------------------------------------------------------------- PB601


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_bounds_are_the_standard_errors_of_least_squares(seed: int):
    jacobian = np.random.default_rng(seed).normal(size=(30, 4)) * [1, 1e3, 1e-3, 10]
    found = determination(Sensitivity("run", NAMES, jacobian, 0.2))
    covariance = 0.2**2 * np.linalg.inv(jacobian.T @ jacobian)
    assert found.rank == 4
    assert found.undetermined == ()
    np.testing.assert_allclose(found.bounds, np.sqrt(np.diag(covariance)), rtol=1e-6)


def test_parameters_that_act_only_together_span_the_null_space():
    base = np.random.default_rng(0).normal(size=(20, 3))
    jacobian = np.column_stack([base, 2 * base[:, 2]])  # k3 and k4: only k3 + 2 k4 is seen
    found = determination(Sensitivity("run", NAMES, jacobian, 1.0))
    assert found.rank == 3
    assert found.undetermined == ("k3", "k4")
    assert np.isinf(found.bounds[2:]).all()
    assert np.isfinite(found.bounds[:2]).all()
    np.testing.assert_allclose(jacobian @ (found.null_space[0] / np.linalg.norm(jacobian, axis=0)), 0, atol=1e-12)


def test_a_parameter_that_the_data_say_less_of_than_was_known_is_not_determined():
    jacobian = np.diag([10.0, 0.5, 10.0])
    prior = np.array([1.0, 1.0, 0.05])
    found = determination(Sensitivity("run", ("a", "b", "c"), jacobian, np.ones(3), prior))
    np.testing.assert_allclose(found.gain, [0.1, 2.0, 2.0])
    assert found.undetermined == ("b", "c")


def test_more_parameters_than_observations_and_none_seen_at_all():
    wide = determination(Sensitivity("run", NAMES, np.ones((1, 4)), 1.0))
    assert (wide.rank, wide.undetermined, wide.null_space.shape) == (1, NAMES, (3, 4))
    blind = determination(Sensitivity("run", NAMES, np.zeros((5, 4)), 1.0))
    assert (blind.rank, blind.undetermined) == (0, NAMES)


def test_undetermined_parameters_are_named():
    base = np.random.default_rng(0).normal(size=(20, 3))
    good = Sensitivity("wide range", NAMES[:3], base, 1.0)
    bad = Sensitivity("short run", NAMES, np.column_stack([base, base[:, 0]]), 1.0)
    assert looked("PB601", History("h", sensitivities=(good,))) == []
    (alarm,) = looked("PB601", History("h", sensitivities=(good, bad)))
    assert alarm.figures == {"parameters": 2, "rank": 3}
    assert "'short run'" in alarm.message
    assert "k1, k4" in alarm.message


def predicted(seed: int, strength: tuple[float, ...], name: str = "net", splits: int = 10, rows: int = 100) -> Run:
    """A run that takes away about the share strength^2 of each quantity's variance, and adds some of its own."""
    generator = np.random.default_rng(seed)
    trainings = []
    for split in range(splits):
        seen = generator.normal(size=(rows, len(strength)))
        rest = generator.normal(size=(rows, len(strength)))
        share = np.array(strength)
        own = 0.1 * generator.normal(size=(rows, len(strength)))
        truth = share * seen + np.sqrt(1 - share**2) * rest
        trainings.append(Training("curves", f"fold {split}", 0, truth=truth, prediction=share * seen + own))
    return Run(name, trainings=tuple(trainings))


QUANTITIES = (Quantity("Dmax1", "1"), Quantity("Rp2", "angstrom"))


def test_a_quantity_that_no_run_predicts_is_found_beside_one_that_is():
    runs = [predicted(seed, (0.9, 0.0)) for seed in range(40)]
    found = [looked("PB601", History("h", runs=(run,), quantities=QUANTITIES)) for run in runs]
    assert sum(map(bool, found)) >= 36
    assert all("'Rp2'" in alarms[0].message for alarms in found if alarms)


def test_quantities_that_are_hard_but_predicted_are_silent():
    level, alarms = 0.05, 0
    for seed in range(60):
        history = History("h", runs=(predicted(seed, (0.9, 0.4)),), quantities=QUANTITIES)  # 16 % of its variance
        alarms += len(looked("PB601", history, level))
    assert alarms == 0
    nothing = History("h", runs=(predicted(0, (0.0, 0.0)),), quantities=QUANTITIES)
    assert looked("PB601", nothing) == []  # no quantity is predicted: that is another finding
    one_can = History("h", runs=(predicted(0, (0.9, 0.0)), predicted(1, (0.9, 0.7), "better")), quantities=QUANTITIES)
    assert looked("PB601", one_can) == []


# ---------------------------------------------------------------------- PB602

YIELDS = (Quantity("A", "fraction", 0.0, 1.0), Quantity("B", "fraction", 0.0, 1.0))
SUM = {"yields sum to at most 1": lambda y: np.maximum(y.sum(axis=1) - 1, 0.0)}


def yields(seed: int, shift: float, rows: int = 200) -> tuple[Run, History]:
    """Predictions of yields whose sum is 0.97 on average, shifted; measured with noise of 0.02."""
    generator = np.random.default_rng(seed)
    share = generator.uniform(0.1, 0.9, rows)
    law = 0.97 * np.column_stack([share, 1 - share])
    truth = law + generator.normal(0, 0.02, law.shape)
    prediction = law + shift + generator.normal(0, 0.005, law.shape)
    run = Run("net", trainings=(Training("t", "fold 1", 0, truth=truth, prediction=prediction),))
    return run, History("h", runs=(run,), quantities=YIELDS, constraints=SUM)


def test_sums_above_one_are_found_where_measured_ones_are_not():
    (alarm,) = looked("PB602", yields(0, 0.06))
    assert "yields sum to at most 1" in alarm.message
    assert alarm.figures["share"] > 0.5
    assert alarm.severity is None
    assert looked("PB602", yields(0, 0.0)) == []


def test_measured_values_that_break_the_law_by_noise_allow_as_much_to_predictions():
    run, history = yields(1, 0.0)
    (training,) = run.trainings
    assert training.truth is not None
    assert (training.truth.sum(axis=1) > 1).mean() > 0.05
    honest = replace(training, prediction=training.truth[np.random.default_rng(0).permutation(200)])
    assert looked("PB602", (replace(run, trainings=(honest,)), history)) == []


def test_limits_of_a_quantity_are_laws_and_few_rows_are_a_note():
    run, history = yields(2, 0.0)
    (training,) = run.trainings
    assert training.prediction is not None
    wrong = training.prediction.copy()
    wrong[:6, 1] = -0.3
    (alarm,) = looked("PB602", (replace(run, trainings=(replace(training, prediction=wrong),)), history))
    assert "B is at least 0" in alarm.message
    assert (alarm.severity, alarm.figures["share"], alarm.figures["worst"]) == ("note", 0.03, pytest.approx(0.3))
    wrong[:60, 1] = -0.3
    (alarm,) = looked("PB602", (replace(run, trainings=(replace(training, prediction=wrong),)), history))
    assert alarm.severity is None
    trivial = replace(run, trivial=True, trainings=(replace(training, prediction=wrong),))
    assert looked("PB602", (trivial, history)) == []
    assert looked("PB602", (Run("imported"), history)) == []


# ---------------------------------------------------------------------- PB603


def frames(origin_train: list[str], origin_test: list[str]) -> Partition:
    generator = np.random.default_rng(0)
    here, there = (Side(generator.normal(size=(len(o), 2)), origins=np.array(o)) for o in (origin_train, origin_test))
    return Partition("fold 1", here, there)


def test_a_test_trajectory_cut_from_a_training_one_is_found():
    apart = frames(["seed 1"] * 5 + ["seed 2"] * 5, ["seed 3"] * 4)
    assert looked("PB603", History("h", partitions=(apart,))) == []
    torn = frames(["seed 1"] * 5 + ["seed 2"] * 5, ["seed 3"] * 4 + ["seed 2"] * 3)
    (alarm,) = looked("PB603", History("h", partitions=(apart, torn)))
    assert alarm.figures == {"rows": 3, "origins": 1, "splits": 1}
    assert alarm.subject == "fold 1"
    assert "seed 2" in alarm.message


def draw(number: int, seed: int, task: str = "k=4") -> Partition:
    generator = np.random.default_rng(seed)
    here, there = (Side(generator.normal(size=(rows, 3)), generator.normal(size=(rows, 1))) for rows in (40, 10))
    return Partition(f"draw {number + 1}", here, there, task=task, draw=number)


def test_draws_that_are_one_draw_are_found():
    fresh = tuple(draw(i, seed=i) for i in range(4))
    assert looked("PB603", History("h", partitions=fresh)) == []
    (alarm,) = looked("PB603", History("h", partitions=(*fresh, draw(4, seed=2))))
    assert alarm.figures == {"rows": 50, "pairs": 1}
    assert "draws 3 and 5" in alarm.message
    other_task = draw(0, seed=2, task="k=5")
    assert looked("PB603", History("h", partitions=(*fresh, other_task))) == []


# ---------------------------------------------------------------------- PB604


def test_queries_beyond_the_range_are_told_by_row_column_and_distance():
    training = np.array([[0.0, 1.0, 5.0], [10.0, 3.0, 5.0]])
    queries = np.array([[5.0, 2.0, 5.0], [12.0, 2.0, 5.0], [5.0, 0.0, 6.0], [5.0, np.nan, 5.0]])
    outside = outside_range(training, queries)
    assert outside.rows.tolist() == [False, True, True, True]
    assert outside.columns.tolist() == [True, True, True]
    np.testing.assert_allclose(outside.excess[1:3], [[0.2, 0, 0], [0, 0.5, np.inf]])
    assert outside_range(training, queries[:2], tolerance=0.25).rows.tolist() == [False, False]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_training_rows_are_never_outside_of_themselves(seed: int):
    training = np.random.default_rng(seed).normal(size=(20, 3))
    assert not outside_range(training, training).rows.any()
    assert not outside_range(training, training.mean(axis=0, keepdims=True)).rows.any()


def test_missing_values_are_no_extrapolation_and_hide_none():
    generator = np.random.default_rng(0)
    train, test = generator.uniform(size=(50, 2)), generator.uniform(0.2, 0.8, size=(10, 2))
    train[4, 0], test[2] = np.nan, np.nan
    assert looked("PB604", Partition("p", Side(train), Side(test))) == []
    test[3, 0] = 9.0
    (alarm,) = looked("PB604", Partition("p", Side(train), Side(test)))
    assert alarm.figures["rows"] == 1


def test_extrapolated_test_rows_are_a_note():
    generator = np.random.default_rng(0)
    train, test = generator.uniform(size=(50, 2)), generator.uniform(size=(10, 2))
    assert looked("PB604", Partition("p", Side(train), Side(test))) == []
    test[3, 1] = 2.5
    (alarm,) = looked("PB604", Partition("p", Side(train, columns=("t", "T")), Side(test)))
    assert alarm.figures["rows"] == 1
    assert alarm.figures["ranges"] == pytest.approx(1.5, abs=0.1)
    assert "'T'" in alarm.message
    assert CHECKS["PB604"].severity == "note"
