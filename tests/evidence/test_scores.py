"""A score is what its definition says, whole and in parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from probatum.errors import IncomparableError
from probatum.evidence.row_table import cluster_codes
from probatum.evidence.scores import ArmScores, _joined, arm_scores, group_scores
from probatum.learning.metrics import metric
from probatum.problems.problem import Dataset, Quantity, Scoring, Truth
from problems.fakes import Rows

POOLED, MACRO = Scoring("pooled"), Scoring("macro")


@dataclass(frozen=True, eq=False)
class Prediction:
    task: str
    split: str
    rows: np.ndarray
    prediction: np.ndarray
    seed: int = 0
    draw: int = 0

    @property
    def split_digest(self) -> str:
        return f"{self.task}/{self.split}"


def dataset(task: str, truth: list[list[float]], **changes) -> Dataset:
    values = np.array(truth, dtype=np.float64)
    base = Rows(rows=len(values)).dataset("rows")
    quantities = tuple(Quantity(f"q{i}", "g") for i in range(values.shape[1]))
    return replace(base, task=task, truth=Truth(values), quantities=quantities, **{"replicates": None, **changes})


def predicted(data: Dataset, folds: dict[str, list[int]], error: Iterable[float], seed: int = 0) -> list[Prediction]:
    """Predictions that miss the truth of row i by error[i], in every quantity."""
    wrong = np.asarray(list(error))[:, None]
    truth = data.truth.open_for_scoring()
    return [Prediction(data.task, n, np.array(r), truth[r] + wrong[r], seed) for n, r in folds.items()]


def scores(predictions: list[Prediction], *data: Dataset, scoring: Scoring = POOLED, measure: str = "mse") -> ArmScores:
    return arm_scores("arm", predictions, {d.task: d for d in data}, metric(measure), scoring)


SMALL = dataset("small", [[0.0], [1.0], [2.0]])
LARGE = dataset("large", [[float(i)] for i in range(9)])
TWO_TASKS = [
    *predicted(SMALL, {"a": [0], "b": [1, 2]}, [3.0, 1.0, 1.0]),
    *predicted(LARGE, {"c": [0, 1, 2], "d": [3, 4, 5, 6, 7, 8]}, [0.0] * 3 + [2.0] * 6),
]


def test_pooled_weighs_every_row_of_every_task_the_same():
    # Squared errors: 9, 1, 1 in the small task; 0 x 3, 4 x 6 in the large one; 12 rows.
    assert scores(TWO_TASKS, SMALL, LARGE).score == pytest.approx((9 + 1 + 1 + 6 * 4) / 12)


def test_macro_weighs_every_fold_the_same():
    assert scores(TWO_TASKS, SMALL, LARGE, scoring=MACRO).score == pytest.approx((9 + 1 + 0 + 4) / 4)


@pytest.mark.parametrize("scoring", [POOLED, MACRO])
def test_the_parts_of_a_score_add_up_to_it(scoring: Scoring):
    generator = np.random.default_rng(1)
    one = dataset("one", generator.normal(size=(10, 3)).tolist())
    two = dataset("two", generator.normal(size=(7, 3)).tolist())
    found = []
    for data, folds in (
        (one, {"a": [0, 1, 2], "b": [3, 4, 5, 6, 7, 8, 9]}),
        (two, {"c": [0, 1], "d": [2, 3, 4, 5, 6]}),
    ):
        for name, rows in folds.items():
            found.append(Prediction(data.task, name, np.array(rows), generator.normal(size=(len(rows), 3))))
    arm = scores(found, one, two, scoring=scoring)
    assert arm.by_quantity.mean() == pytest.approx(arm.score)
    share = {"one": 10 / 17, "two": 7 / 17} if scoring is POOLED else {"one": 0.5, "two": 0.5}
    assert sum(share[task] * value for task, value in arm.by_task.items()) == pytest.approx(arm.score)
    assert arm.weights.sum() == pytest.approx(1)


def test_pooled_scores_are_the_metric_of_all_rows_at_once():
    generator = np.random.default_rng(2)
    data = dataset("rows", generator.normal(size=(11, 2)).tolist())
    guess = generator.normal(size=(11, 2))
    folds = {"a": [3, 1], "b": [0, 2, 4, 5, 6], "c": [7, 8, 9, 10]}
    arm = scores([Prediction("rows", n, np.array(r), guess[r]) for n, r in folds.items()], data, measure="mae")
    truth = data.truth.open_for_scoring()
    assert arm.score == pytest.approx(metric("mae").score(truth, guess))
    assert arm.by_quantity == pytest.approx(np.abs(truth - guess).mean(axis=0))


def test_repeated_measurements_are_averaged_where_the_scoring_says_so():
    data = dataset("rows", [[0.0], [2.0], [5.0]], replicates=np.array([4, 4, 7]))
    found = [Prediction("rows", "all", np.arange(3), np.array([[1.0], [2.0], [5.0]]))]
    assert scores(found, data).score == pytest.approx(1 / 3)
    averaged = scores(found, data, scoring=Scoring("pooled", average_replicates=True))
    assert averaged.score == pytest.approx(0.5**2 / 2)  # means 1.5 and 1, 5 and 5
    assert averaged.units[0].rows == 2
    assert averaged.units[0].test_rows == 3


def test_folds_that_a_scoring_leaves_out_are_not_scored():
    without = scores(TWO_TASKS, SMALL, LARGE, scoring=Scoring("macro", leave_out="d"))
    assert [u.name for u in without.units] == ["a", "b", "c"]
    assert without.score == pytest.approx(10 / 3)


def test_a_scoring_that_leaves_nothing_is_refused():
    with pytest.raises(IncomparableError, match="no rows to score"):
        scores(predicted(SMALL, {"all": [0, 1, 2]}, [1.0, 1.0, 1.0]), SMALL, scoring=Scoring("macro", leave_out="al"))


def test_seeds_are_averaged_within_a_fold_and_their_spread_told_apart():
    folds = {"a": [0], "b": [1, 2]}
    found = predicted(SMALL, folds, [1, 1, 1], 0) + predicted(SMALL, folds, [2, 2, 2], 1)
    arm = scores(found, SMALL)
    assert arm.seeds == 2
    assert arm.by_unit.tolist() == [2.5, 2.5]  # mean of 1 and 4, not the square of the mean error
    assert arm.score == 2.5
    assert arm.seed_spread == pytest.approx(np.std([1, 4], ddof=1))
    assert scores(predicted(SMALL, folds, [1, 1, 1]), SMALL).seed_spread is None


def test_folds_with_different_seeds_are_refused():
    found = predicted(SMALL, {"a": [0], "b": [1, 2]}, [1, 1, 1], 0) + predicted(SMALL, {"b": [1, 2]}, [1, 1, 1], 1)
    with pytest.raises(IncomparableError, match="different seeds"):
        scores(found, SMALL)


def test_cases_that_were_set_aside_do_not_count_as_training_rows():
    found = predicted(LARGE, {"a": [0, 1]}, [1.0] * 9)
    assert scores(found, LARGE).units[0].train_rows == 7
    held = arm_scores("arm", found, {"large": LARGE}, metric("mse"), POOLED, {"large": 3})
    assert held.units[0].train_rows == 4


def test_folds_that_share_measurements_carry_one_label():
    data = dataset("rows", [[0.0], [1.0], [2.0]], dependence=np.array(["x", "x", "y"]))
    arm = scores(predicted(data, {"a": [0], "b": [1], "c": [2]}, [1, 1, 1]), data)
    assert [u.dependence for u in arm.units] == ["x", "x", "y"]


def test_group_scores_do_not_depend_on_how_rows_were_split():
    generator = np.random.default_rng(3)
    data = dataset("rows", generator.normal(size=(12, 2)).tolist())
    guess = generator.normal(size=(12, 2))
    partitions = [{"a": list(range(12))}, {"a": [0, 5, 7], "b": [1, 2, 3, 4, 6], "c": [8, 9, 10, 11]}]
    found = [
        group_scores(
            [Prediction("rows", n, np.array(r), guess[r]) for n, r in folds.items()],
            {"rows": data},
            metric("mse"),
            {"rows": "colour"},
        )
        for folds in partitions
    ]
    red = data.groups["colour"] == "red"
    expected = ((data.truth.open_for_scoring() - guess)[red] ** 2).mean(axis=0)
    for by_group in found:
        assert set(by_group) == {("rows", "red"), ("rows", "blue")}
        assert by_group[("rows", "red")] == pytest.approx(expected)


def test_folds_that_touch_a_label_in_common_are_one_cluster():
    """Through others too: a-b and b-c make one cluster of a, b and c."""
    labels = {"1": frozenset("a"), "2": frozenset("ab"), "3": frozenset("bc"), "4": frozenset("d")}
    joined = _joined(labels)
    assert joined["1"] == joined["2"] == joined["3"] == "a+b+c"
    assert joined["4"] == "d"


def test_every_fold_keeps_its_rows_in_one_order_for_all_seeds():
    once = predicted(LARGE, {"hold-out 1": [7, 2]}, [1.0] * 9, 0) + predicted(
        LARGE, {"hold-out 1": [2, 7]}, [2.0] * 9, 1
    )
    arm = scores(once, LARGE)
    assert arm.rows is not None
    (table,) = arm.rows
    assert table.truth.tolist() == [[2.0], [7.0]]
    assert table.predictions.tolist() == [[[3.0], [8.0]], [[4.0], [9.0]]]
    assert table.cases.tolist() == [2, 7]
    assert arm.values[:, 0, 0].tolist() == [1, 4]


def test_rows_of_one_hold_out_belong_together_as_the_data_say():
    plain = dataset("rows", [[0.0], [1.0], [2.0], [3.0]], groups={})
    grouped = replace(plain, groups={"batch": np.array(["x", "x", "y", "y"]), "day": np.array(["1", "2", "1", "2"])})
    measured = replace(plain, replicates=np.array([0, 0, 0, 1]))
    dependent = replace(grouped, dependence=np.array(["p", "q", "q", "r"]))

    def together(data: Dataset, **options) -> list[int]:
        folds = predicted(data, {"hold-out 1": [0, 1, 2, 3]}, [1.0] * 4)
        other = replace(data, task="other")
        both = [*folds, *predicted(other, {"hold-out 1": [2]}, [1.0] * 4)]
        tables = arm_scores("arm", both, {"rows": data, "other": other}, metric("mse"), POOLED, **options).rows
        assert tables is not None
        found = np.concatenate(cluster_codes(tables)).tolist()
        return [found.index(code) for code in found]

    assert together(plain) == [0, 1, 2, 3, 4]
    assert together(grouped) == [0, 0, 2, 2, 4]
    assert together(grouped, group="day") == [0, 1, 0, 1, 4]
    assert together(measured) == [0, 0, 0, 3, 4]
    assert together(dependent) == [0, 1, 1, 3, 1]  # dependence holds across tasks


def test_averaged_measurements_are_one_row_of_the_table():
    data = dataset("rows", [[0.0], [2.0], [5.0]], replicates=np.array([4, 4, 7]), groups={})
    found = [Prediction("rows", "hold-out 1", np.arange(3), np.array([[1.0], [2.0], [5.0]]))]
    arm = scores(found, data, scoring=Scoring("pooled", average_replicates=True))
    assert arm.rows is not None
    assert arm.rows[0].truth.tolist() == [[1.0], [5.0]]
    assert len(set(arm.rows[0].together)) == 2


def test_each_draw_is_scored_with_its_own_data():
    draws = {("rows", k): replace(dataset("rows", [[float(k)], [2.0 * k]]), draw=k) for k in (1, 2)}
    found = [
        replace(p, draw=k)
        for (_, k), data in draws.items()
        for p in predicted(data, {f"hold-out of draw {k}": [0, 1]}, [float(k)] * 2)
    ]
    arm = arm_scores("arm", found, draws, metric("mse"), POOLED)
    assert [(u.draw, u.data) for u in arm.units] == [(k, d.digest) for (_, k), d in draws.items()]
    assert arm.by_unit.tolist() == [1, 4]


def test_a_draw_without_its_data_is_refused():
    """Another draw's truth would give a number that means nothing."""
    found = [replace(p, draw=3) for p in predicted(SMALL, {"a": [0, 1, 2]}, [1.0] * 3)]
    with pytest.raises(IncomparableError, match="task 'small', draw 3, have no dataset"):
        scores(found, SMALL)


def test_predictions_that_are_not_finite_are_counted_by_arm_fold_and_seed():
    found = predicted(LARGE, {"a": [0, 1, 2], "b": [3, 4, 5, 6]}, [1, 1, 1, np.nan, 1, np.inf, 1, 0, 0])
    arm = scores(found, replace(LARGE, truth=LARGE.truth))
    assert arm.flaws == ("2 of 4 predictions of 'arm' in fold 'b' of task 'large' (seed 0) are not finite",)
    assert arm.by_unit[0] == 1
    assert np.isnan(arm.by_unit[1])
    assert np.isnan(arm.score)
