import numpy as np

from probatum.learning.scaling import Scaling, SharedScale

ROWS = np.random.default_rng(0).normal(1e6, 3.0, size=(50, 2))


def test_standardised_columns_have_mean_0_and_variance_1() -> None:
    scaled = Scaling.of(ROWS).apply(ROWS)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_a_constant_column_is_left_at_its_scale_or_ignored() -> None:
    rows = np.full((4, 1), 0.1)
    assert Scaling.of(rows).multiply.tolist() == [1.0]
    assert Scaling.of(rows, ignore_constant=True).multiply.tolist() == [0.0]


def test_undo_undoes() -> None:
    scaling = Scaling.of(ROWS)
    np.testing.assert_allclose(scaling.undo(scaling.apply(ROWS)), ROWS)


def test_a_scaling_after_the_shared_one_is_the_scaling_itself() -> None:
    shared, own = SharedScale.of(ROWS), Scaling.of(ROWS[:20])
    twice = shared.relative(own).apply(shared.scaling.apply(ROWS))
    np.testing.assert_allclose(twice, own.apply(ROWS), atol=1e-8)


def test_rows_that_are_not_finite_become_zeros() -> None:
    rows = ROWS.copy()
    rows[3, 0] = np.inf
    shared = SharedScale.of(rows).apply(rows)
    assert shared[3].tolist() == [0.0, 0.0]
    assert np.isfinite(shared).all()


def test_rows_that_do_not_train_move_no_bit_of_the_others() -> None:
    rows = np.random.default_rng(1).normal(2.0, 3.0, size=(50, 2))
    poisoned = rows.copy()
    poisoned[40:] += np.random.default_rng(2).normal(0.0, 30.0, size=(10, 2))
    own = Scaling.of(rows[:40])

    def seen(table: np.ndarray) -> np.ndarray:
        shared = SharedScale.of(table)
        relative = shared.relative(own)
        return (shared.apply(table) - relative.subtract.astype(np.float32)) * relative.multiply.astype(np.float32)

    assert np.array_equal(seen(rows)[:40], seen(poisoned)[:40])


def test_a_far_offset_costs_no_digits() -> None:
    shared, own = SharedScale.of(ROWS), Scaling.of(ROWS)
    relative = shared.relative(own)
    seen = (shared.apply(ROWS) - relative.subtract) * relative.multiply
    np.testing.assert_allclose(seen, own.apply(ROWS), atol=1e-5)
