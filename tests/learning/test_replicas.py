import pytest

from probatum.learning.replicas import steps_per_epoch


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (64, 1), (65, 2), (600, 10), (650, 12), (1102, 20), (1191, 20)])
def test_an_epoch_has_few_different_lengths(rows: int, steps: int) -> None:
    assert steps_per_epoch(rows, 64) == steps


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_an_epoch_holds_all_rows_and_no_empty_mini_batch(batch: int) -> None:
    for rows in range(1, 400):
        steps = steps_per_epoch(rows, batch)
        assert rows / batch <= steps <= rows
        assert steps <= 1.25 * -(-rows // batch)
