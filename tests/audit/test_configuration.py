"""Configurations, seeds, mutations and saved models that do not do what they say."""

from dataclasses import replace

import numpy as np
import pytest

from probatum.audit.configuration import attributable
from probatum.audit.history import History, Run, Training
from probatum.audit.inspection import inspect

CODES = ("PB401", "PB402", "PB403", "PB404", "PB405")


def fits(seed_of_noise: int, *, seeds: int = 2, splits: int = 3) -> tuple[Training, ...]:
    """Trainings whose predictions are noise of their own."""
    generator = np.random.default_rng(seed_of_noise)
    truth = generator.normal(size=(5, 1))
    return tuple(
        Training("task", f"fold {s}", seed, truth=truth, prediction=truth + generator.normal(size=(5, 1)))
        for s in range(splits)
        for seed in range(seeds)
    )


def found(*runs: Run, source: str = "campaign") -> list[tuple[str, str | None]]:
    """(code, subject) of what this family finds."""
    audit = inspect(History("h", runs=runs, source=source), codes=CODES)  # type: ignore[arg-type]
    return [(f.code, f.subject) for f in audit.findings]


PARENT = Run("parent", trainings=fits(1), recipe={"model.kind": "mlp", "model.dropout": 0.1})
CHILD = Run("child", "parent", {"model.kind": "mlp", "model.dropout": 0.2}, ("model.dropout",), trainings=fits(2))


def test_a_mutation_of_one_thing_that_changes_predictions_is_clean():
    assert found(PARENT, CHILD) == []


def test_a_key_that_nothing_read_is_named():
    run = replace(PARENT, unread=("model.seed",))
    (finding,) = inspect(History("h", runs=(run,)), codes=CODES).findings
    assert (finding.code, finding.message) == ("PB401", "nothing read 'model.seed'")
    assert found(replace(PARENT, unread=())) == []


def test_seeds_that_change_nothing_are_found_unless_the_learner_says_so():
    one = fits(1)
    idle = tuple(replace(t, prediction=one[0].prediction) for t in one)
    assert found(replace(PARENT, trainings=idle)) == [("PB402", "parent")]
    assert found(replace(PARENT, trainings=idle, deterministic=True)) == []
    assert found(replace(PARENT, trainings=idle, trivial=True)) == []


def test_one_split_whose_seeds_agree_by_chance_is_no_finding():
    one = fits(1)
    agreeing = (one[0], replace(one[1], prediction=one[0].prediction), *one[2:])
    assert found(replace(PARENT, trainings=agreeing)) == []


@pytest.mark.parametrize(("difference", "expected"), [(None, []), (0.0, []), (0.3, [("PB402", "parent")])])
def test_a_fit_that_cannot_be_repeated_is_found_when_it_is_trained_again(difference, expected):
    assert found(replace(PARENT, retrained_difference=difference)) == expected


def test_a_table_that_lists_one_seed_with_two_scores_is_found():
    recipe = {"seed": 42, "rate": 0.1}
    first, second = Run("a", recipe=recipe, score=0.81), Run("b", recipe=recipe, score=0.73)
    assert found(first, second, source="table") == [("PB402", "b")]
    assert found(first, replace(second, recipe={"seed": 43, "rate": 0.1}), source="table") == []
    assert found(first, replace(second, score=0.81), source="table") == []


def test_a_mutation_that_predicts_what_its_parent_predicts_is_found():
    assert found(PARENT, replace(CHILD, trainings=PARENT.trainings)) == [("PB403", "child")]


def test_a_difference_in_one_fit_is_a_difference():
    changed = (*PARENT.trainings[:-1], replace(PARENT.trainings[-1], prediction=np.zeros((5, 1))))
    assert found(PARENT, replace(CHILD, trainings=changed)) == []


def test_several_changes_are_counted():
    child = replace(CHILD, changed=("features", "model.dropout"))
    (finding,) = inspect(History("h", runs=(PARENT, child)), codes=CODES).findings
    assert finding.code == "PB404"
    assert finding.message == "2 changes from 'parent': features, model.dropout"


def test_another_kind_of_model_is_one_change_with_all_its_parameters():
    assert attributable(["model.kind", "model.alpha", "training.rate"]) == ("model.kind",)
    assert attributable(["model.kind", "features", "model.alpha"]) == ("model.kind", "features")


def test_saved_weights_that_predict_otherwise_are_found():
    scored = PARENT.trainings
    other = tuple(replace(t, rescored=t.prediction + 0.1) for t in scored)
    rounded = tuple(replace(t, rescored=t.prediction * (1 + 1e-6)) for t in scored)
    assert found(replace(PARENT, trainings=other)) == [("PB405", "parent")]
    assert found(replace(PARENT, trainings=rounded)) == []


def test_saved_weights_that_predict_other_rows_are_found():
    other = tuple(replace(t, rescored=t.prediction[:-1]) for t in PARENT.trainings)
    assert found(replace(PARENT, trainings=other)) == [("PB405", "parent")]


def test_a_table_may_say_what_the_saved_model_scores():
    run = Run("soup", score=0.140, metrics={"rescored": 0.152})
    assert found(run, source="table") == [("PB405", "soup")]
    assert found(replace(run, metrics={"rescored": 0.140}), source="table") == []
