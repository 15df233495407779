"""Intervals are calibrated by rows of which the learner knew as little as of the question."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.problems.catechol import calibration
from probatum.problems.catechol.calibration import (
    GUESSED,
    Fold,
    Known,
    LeftOut,
    Question,
    Situation,
    folds,
    interval,
    left_out,
)
from probatum.problems.catechol.data import FULL, Measurements, full_measurements
from probatum.problems.catechol.imputation import Structures, structures
from probatum.problems.catechol.problem import Catechol
from probatum.problems.text_table import read

Everything = tuple[Measurements, np.ndarray, Structures, list[Fold]]
WIDTH = 18
"""Descriptors of one solvent."""


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> Everything:
    """All rows, their inputs, what guesses descriptors, and all trainings."""
    from conftest import real_data_folder

    found = real_data_folder()
    if found is None:
        pytest.skip("real data is absent")
    folder: Path = found / "catechol"
    problem = Catechol(str(folder))
    inputs = problem.features["solvents_apart"].compute(problem.dataset("full"))
    rows, known = full_measurements(read(folder / FULL)), structures(folder)
    return rows, inputs, known, list(folds(rows, inputs, known))


def made_up(groups: int, of_each: int, seed: int, spread: float = 1.0) -> LeftOut:
    """Errors with a part that a group's rows share."""
    generator = np.random.default_rng(seed)
    shape = (groups * of_each, 3)
    group = np.repeat(np.arange(groups), of_each)
    error = 0.02 * (generator.normal(size=(groups, 3))[group] + generator.normal(size=shape)) * spread
    truth = np.full(shape, 0.5)
    labels = np.array([f"g{g}" for g in group])
    return LeftOut(
        truth, truth + error, np.full(shape, spread), labels, np.full(len(group), 200.0), np.full(len(group), 8.0)
    )


@pytest.mark.real
def test_no_training_sees_what_it_is_asked(published: Everything):
    for fold in published[3]:
        for question in fold.questions:
            assert not np.isin(question.rows, fold.train).any()


@pytest.mark.real
def test_a_solvent_never_measured_is_in_no_row_of_its_training(published: Everything):
    rows, _, _, trainings = published
    seen = set()
    for fold in trainings:
        for question in fold.questions:
            if question.situation is Situation.NEW_SOLVENT:
                (solvent,) = set(question.group.tolist())
                seen.add(solvent)
                b = rows.fraction_b[fold.train]
                share = np.where(rows.solvent_a[fold.train] == solvent, 1 - b, 0) + np.where(
                    (rows.solvent_b[fold.train] == solvent) & (rows.solvent_a[fold.train] != solvent), b, 0
                )
                assert not share.any()
    assert len(seen) == 24


@pytest.mark.real
def test_every_pure_row_is_once_a_row_of_a_solvent_never_measured(published: Everything):
    rows, _, _, trainings = published
    asked = [q.rows for fold in trainings for q in fold.questions if q.situation is Situation.NEW_SOLVENT]
    pure = (rows.solvent_a == rows.solvent_b) | (rows.fraction_b <= 0.01) | (rows.fraction_b >= 0.99)
    assert sorted(np.concatenate(asked).tolist()) == np.flatnonzero(pure).tolist()


@pytest.mark.real
def test_a_measured_solvent_keeps_rows_near_the_temperature_that_is_asked_about(published: Everything):
    rows, _, _, trainings = published
    for fold in trainings:
        for question in fold.questions:
            if question.situation is not Situation.MEASURED:
                continue
            for row in question.rows[::7]:
                first = rows.fraction_b[row] < 0.5
                name = rows.solvent_a[row] if first else rows.solvent_b[row]
                b = rows.fraction_b[fold.train]
                own = ((rows.solvent_a[fold.train] == name) & (b <= 0.01)) | (
                    (rows.solvent_b[fold.train] == name) & (b >= 0.99)
                )
                kept = rows.temperature[fold.train][own]
                assert kept.min() - 10 <= rows.temperature[row] <= kept.max() + 10
                same_run = (rows.pair[fold.train] == rows.pair[row]) & (rows.run[fold.train] == rows.run[row])  # type: ignore[index]
                assert not same_run.any()


@pytest.mark.real
def test_guessed_descriptors_are_those_of_the_new_solvents_alone_and_learned_without_them(published: Everything):
    rows, inputs, known, trainings = published
    checked = 0
    for fold in trainings:
        for question in fold.questions:
            if question.situation is not GUESSED[Situation.NEW_IN_MIXTURE]:
                continue
            (name,) = set(question.group.tolist())
            guess = known.without({name}).guessed(known.properties[[known.names.index(name)]])[0]
            true = inputs[question.rows]
            is_a = rows.solvent_a[question.rows] == name
            a, b = question.inputs[:, 3 : 3 + WIDTH], question.inputs[:, 3 + WIDTH :]
            np.testing.assert_array_equal(question.inputs[:, :3], true[:, :3])
            np.testing.assert_allclose(a[is_a], np.tile(guess, (int(is_a.sum()), 1)))
            np.testing.assert_array_equal(a[~is_a], true[~is_a, 3 : 3 + WIDTH])
            np.testing.assert_allclose(b[~is_a], np.tile(guess, (int((~is_a).sum()), 1)))
            np.testing.assert_array_equal(b[is_a], true[is_a, 3 + WIDTH :])
            checked += 1
    assert checked == 13  # of sixteen solvents in mixtures three are mixtures themselves


@given(st.lists(st.floats(0.001, 10), min_size=1, max_size=40), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_factor_is_an_order_statistic_and_with_few_groups_the_largest_error(errors: list[float], level: float):
    """With one row a group: the ceil((n + 1) level)-th smallest error in units of the spread."""
    spread = np.linspace(0.5, 2.0, len(errors))[:, None].repeat(3, axis=1)
    truth = np.zeros((len(errors), 3))
    sizes = np.array(errors)
    group = np.array([str(k) for k in range(len(errors))])
    found = LeftOut(truth, sizes[:, None] * spread, spread, group, np.zeros(len(errors)), np.zeros(len(errors)))
    place = min(int(np.ceil((len(errors) + 1) * level - 1e-9)), len(errors))
    np.testing.assert_allclose(found.factors(level), np.sort(sizes)[place - 1])
    enough = (len(errors) + 1) * level <= len(errors) + 1e-9
    assert found.promised(level) == pytest.approx(level if enough else len(errors) / (len(errors) + 1))


def test_intervals_hold_about_as_many_as_they_say():
    held = np.mean([made_up(40, 5, seed).coverage(0.9) for seed in range(20)])
    assert 0.88 < held < 0.95


def test_the_factor_is_in_units_of_the_spread():
    one, other = made_up(30, 3, 1), made_up(30, 3, 1, spread=4.0)
    np.testing.assert_allclose(one.factors(0.9), other.factors(0.9), rtol=1e-9)


def test_one_group_cannot_be_tested_by_others():
    assert np.isnan(made_up(1, 5, 0).coverage(0.9)).all()


def test_intervals_of_fractions_are_fractions():
    low, high = interval(np.array([[0.02, 0.5, 0.99]]), np.full((1, 3), 0.1), np.array([1.0, 1.0, np.inf]))
    np.testing.assert_allclose(low, [[0.0, 0.4, 0.0]])
    np.testing.assert_allclose(high, [[0.12, 0.6, 1.0]])


def test_what_is_measured_has_a_temperature_and_a_pair():
    known = Known({"A": (175.0, 225.0), "B": (200.0, 200.0), "C": (175.0, 225.0)}, {("A", "C"): (175.0, 225.0)})
    assert known.situation("A", "A", 0.0, 190.0) is Situation.MEASURED
    assert known.situation("B", "B", 0.0, 211.0) is Situation.OTHER_TEMPERATURE
    assert known.situation("C", "A", 0.5, 190.0) is Situation.MEASURED_MIXTURE
    assert known.situation("C", "A", 0.005, 190.0) is Situation.MEASURED
    assert known.situation("A", "B", 0.5, 190.0) is Situation.NEW_PAIR
    assert known.situation("A", "D", 1.0, 190.0) is Situation.NEW_SOLVENT
    assert known.situation("A", "D", 0.5, 190.0) is Situation.NEW_IN_MIXTURE
    assert known.situation("E", "D", 0.5, 190.0) is Situation.TWO_NEW


@pytest.mark.real
def test_processes_give_the_same_bits_as_one(published: Everything, monkeypatch: pytest.MonkeyPatch):
    rows, inputs, _, _ = published
    asked = Question(Situation.MEASURED, np.arange(20, 24), inputs[20:24], np.array(["a", "a", "b", "b"]))
    few = [Fold(np.arange(10), (asked,)), Fold(np.arange(10, 20), (asked,))]
    monkeypatch.setattr(calibration, "folds", lambda *_: iter(few))
    told: list[tuple[int, int]] = []
    one, two = (
        left_out(rows, inputs, None, cores=cores, progress=lambda done, of: told.append((done, of))) for cores in (1, 2)
    )
    assert told == [(0, 2), (1, 2), (2, 2)] * 2
    assert list(one) == list(two)
    for situation, found in one.items():
        np.testing.assert_array_equal(found.prediction, two[situation].prediction)
        np.testing.assert_array_equal(found.spread, two[situation].spread)
