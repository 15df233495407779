"""A case is a reaction; its rows show structure and concentrations, never a constant."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.errors import DataError, FitError, HiddenTruthError
from probatum.problems.metabolism.cases import FEATURES, ends_of, measured
from probatum.problems.metabolism.problem import MetabolismProblem
from probatum.problems.registry import build

SMALL = MetabolismProblem(metabolites=12, reactions=20, frames=200, structure_seed=3, distinct=True)


def rows(problem: MetabolismProblem, task: str, *features: str) -> np.ndarray:
    dataset = problem.dataset(task)
    return np.concatenate([FEATURES[name].compute(dataset) for name in features or ("trajectory",)], axis=1)


def test_the_exploration_s_structure_has_239_constants_that_can_be_known():
    problem = MetabolismProblem(frames=64)
    assert len(problem.dataset("identifiable")) == 239
    whole = problem.dataset("all")
    assert len(whole) == 256
    labels, counts = np.unique(whole.groups["identifiability"], return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == {
        "collinear": 16,
        "empty": 1,
        "identifiable": 239,
    }
    assert len(set(whole.groups["ring"])) == 86
    assert (whole.groups["ring"] == "none").sum() == 1


def test_rows_make_up_the_measured_trajectory_again():
    for problem in (SMALL, MetabolismProblem(frames=64, noise=0.1)):
        for task in problem.tasks:
            seen = measured(rows(problem, task))
            np.testing.assert_array_equal(seen.trajectory.concentrations, problem.measured(0).concentrations)
            np.testing.assert_array_equal(seen.network.stoichiometry.toarray(), problem.network.stoichiometry.toarray())
            np.testing.assert_array_equal(seen.network.orders.toarray(), problem.network.orders.toarray())
            assert (seen.trajectory.step, seen.trajectory.noise) == (0.1, problem.noise)
            assert seen.metabolism is None


def test_homeostasis_is_told_to_recipes_that_name_it():
    seen = measured(rows(SMALL, "all", "trajectory", "homeostasis"))
    assert seen.metabolism is not None
    np.testing.assert_array_equal(seen.metabolism.decay, SMALL.course(0).metabolism.decay)
    np.testing.assert_array_equal(seen.metabolism.level, SMALL.course(0).metabolism.level)


def test_no_row_depends_on_a_constant_beyond_the_course():
    problem = MetabolismProblem(metabolites=12, reactions=21, frames=64, structure_seed=3)
    empty = np.flatnonzero(problem.network.empty)
    course = problem.course(0)
    again = course.metabolism.euler(
        course.concentrations[0], np.where(np.isin(np.arange(21), empty), 99.0, course.constants), 64, 0.1
    )
    np.testing.assert_array_equal(again[0], course.concentrations)


def test_the_truth_is_the_constants_and_stays_sealed():
    dataset = SMALL.dataset("all")
    np.testing.assert_array_equal(dataset.truth.open_for_scoring()[:, 0], np.log10(SMALL.course(0).constants))
    with pytest.raises(HiddenTruthError):
        dataset.targets()


def test_draws_share_the_structure_and_nothing_else():
    one, other = SMALL.course(0), SMALL.course(1)
    assert not np.isclose(one.constants, other.constants).any()
    np.testing.assert_array_equal(
        SMALL.dataset("all", 0).observations["structure"], SMALL.dataset("all", 1).observations["structure"]
    )
    dependence = SMALL.dataset("all", 0).dependence
    assert dependence is not None
    assert set(dependence.tolist()) == {"draw 0"}


def test_held_out_trajectories_have_the_same_constants_and_other_starts():
    for course in SMALL.held_out_courses(0):
        np.testing.assert_array_equal(course.constants, SMALL.course(0).constants)
        assert not np.isclose(course.concentrations[0], SMALL.course(0).concentrations[0]).any()


def test_sensitivities_have_the_null_space_of_the_structure():
    problem = MetabolismProblem(frames=400)
    (sensitivity,) = problem.sensitivities("all")
    assert np.linalg.matrix_rank(sensitivity.jacobian, tol=1e-6 * np.linalg.norm(sensitivity.jacobian)) <= 247
    assert problem.identifiability.rank == 247
    null = problem.identifiability.null_space.toarray()
    assert np.abs(sensitivity.jacobian @ null).max() < 1e-5 * np.linalg.norm(sensitivity.jacobian)
    assert problem.sensitivities("identifiable") == ()


def test_process_noise_moves_the_course_and_measurement_noise_does_not():
    quiet = SMALL.course(0).concentrations
    noisy = MetabolismProblem(
        metabolites=12, reactions=20, frames=200, structure_seed=3, distinct=True, process_noise=0.1
    )
    measuring = MetabolismProblem(metabolites=12, reactions=20, frames=200, structure_seed=3, distinct=True, noise=0.1)
    assert not np.allclose(noisy.course(0).concentrations, quiet)
    np.testing.assert_array_equal(measuring.course(0).concentrations, quiet)
    assert np.std(measuring.measured(0).concentrations - quiet) == pytest.approx(0.1, rel=0.1)


def test_rows_that_do_not_make_up_a_trajectory_are_refused():
    whole = rows(SMALL, "all")
    used, made = ends_of(SMALL.network)
    without = np.flatnonzero((used != 4) & (made != 4))
    with pytest.raises(FitError, match=r"metabolite 5 of 12 is in none of the \d+ reactions"):
        measured(whole[without])
    with pytest.raises(FitError, match="not those of the feature 'trajectory'"):
        measured(whole[:, :-1])
    other = whole.copy()
    other[3, 5] = 1.0
    with pytest.raises(FitError, match="rows of different trajectories"):
        measured(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 8}, "frames is 8; choose 64 or more"),
        ({"noise": -0.1}, "noise is -0.1; choose a finite number of 0 or more"),
        ({"log_k": [-1.0, -2.0]}, r"log_k is \[-1.0, -2.0\]; give its two ends"),
        ({"metabolites": 4, "reactions": 12}, "is in no reaction whose constant is identifiable; set distinct = true"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict, message: str):
    with pytest.raises(DataError, match=message):
        build("metabolism", options)


def test_a_negative_draw_is_refused():
    with pytest.raises(DataError, match="there is no draw -1"):
        SMALL.dataset("all", -1)
