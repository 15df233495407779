"""Where two arms differ: every group and quantity, from the rows of the group alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.evidence.cells import cell_differences
from probatum.learning.metrics import metric
from probatum.problems.problem import Dataset, Origin, Quantity, Truth

ROWS = 12
GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(size=(ROWS, 2))
GROUP = np.array(["a", "b", "c"])[np.arange(ROWS) % 3]
DATA = {
    ("t", 0): Dataset(
        problem="p",
        task="t",
        cases=np.array([f"c{i}" for i in range(ROWS)]),
        observations={},
        units={},
        quantities=(Quantity("y", "1"), Quantity("z", "1")),
        truth=Truth(TRUTH),
        groups={"g": GROUP},
        origin=Origin(),
    )
}


def predictions(seeds: int, repeats: int = 1, offset: int = 0) -> list[StoredPrediction]:
    """Two folds that cut through the groups, each repeated with another partition."""
    found = []
    for repeat in range(repeats):
        order = np.random.default_rng([offset, repeat]).permutation(ROWS)
        for fold, rows in enumerate(np.split(order, 2)):
            rows = np.sort(rows)
            for seed in range(seeds):
                noise = np.random.default_rng([offset, repeat, fold, seed]).normal(size=(len(rows), 2))
                found.append(StoredPrediction("t", 0, f"{repeat}/{fold}", f"{repeat}/{fold}", seed, rows, noise))
    return found


def losses(of: list[StoredPrediction]) -> np.ndarray:
    """[row, quantity]: mean squared error over whatever predicted the row."""
    each = [[(TRUTH[r] - p.prediction[list(p.rows).index(r)]) ** 2 for p in of if r in p.rows] for r in range(ROWS)]
    return np.array(each).mean(axis=1)


@pytest.mark.parametrize(("seeds", "repeats"), [(1, 1), (3, 1), (2, 3)])
def test_a_cell_is_the_mean_of_its_rows_with_a_t_interval(seeds: int, repeats: int):
    mine, base = predictions(seeds, repeats), predictions(1, repeats, offset=9)
    cells = cell_differences(mine, base, DATA, metric("mse"), {"t": "g"}, 0.9)
    assert {(c.group, c.quantity) for c in cells} == {(g, q) for g in "abc" for q in "yz"}
    each = losses(mine) - losses(base)
    for cell in cells:
        rows = each[cell.group == GROUP, "yz".index(cell.quantity)]
        expected = stats.ttest_1samp(rows, 0).confidence_interval(0.9)
        assert cell.difference == pytest.approx(rows.mean())
        assert cell.interval == (pytest.approx(expected.low), pytest.approx(expected.high))
        assert cell.rows == 4


def test_draws_of_new_data_bring_new_rows():
    other = replace(DATA["t", 0], draw=1, truth=Truth(TRUTH + 1))
    both = DATA | {("t", 1): other}
    first, second = predictions(1), [replace(p, draw=1) for p in predictions(1, offset=5)]
    zero = [replace(p, prediction=0 * p.prediction) for p in (*first, *second)]
    cells = cell_differences([*first, *second], zero, both, metric("mse"), {"t": "g"})
    apart = [
        cell_differences(first, zero[:2], both, metric("mse"), {"t": "g"}),
        cell_differences(second, zero[2:], both, metric("mse"), {"t": "g"}),
    ]
    for cell, one, two in zip(cells, *apart, strict=True):
        assert cell.rows == one.rows + two.rows == 8
        assert cell.difference == pytest.approx((one.difference + two.difference) / 2)


def test_a_metric_that_is_no_mean_over_rows_has_no_interval():
    cells = cell_differences(predictions(2), predictions(1, offset=9), DATA, metric("rmse"), {"t": "g"})
    assert all(c.interval is None and np.isfinite(c.difference) for c in cells)


def test_tasks_without_a_grouping_are_left_out():
    assert cell_differences(predictions(1), predictions(1), DATA, metric("mse"), {}) == []
