"""What is put into an artifact comes out of it, for each fit and each split its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns.artifact_arrays import (
    fit_arrays,
    layout,
    split_arrays,
    stored_curves,
    stored_prediction,
    stored_rows,
    stored_spread,
    stored_unread,
    stored_width,
    weights_artifact,
)
from probatum.campaigns.splits import Split
from probatum.learning.learner import FitOutcome

QUANTITIES = 2
rows = st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True).map(lambda r: np.array(sorted(r)))


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[list[np.ndarray], list[FitOutcome]]:
    """Fits that may share an artifact, and the rows that they predict."""
    tests = draw(st.lists(rows, min_size=1, max_size=5))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    epochs = draw(st.integers(1, 4))
    unread = tuple(draw(st.sets(st.sampled_from(["alpha", "beta"]))))
    made = [
        FitOutcome(
            generator.normal(size=(len(test), QUANTITIES)),
            1.0,
            generator.random((len(test), QUANTITIES)) if draw(st.booleans()) else None,
            {"loss": generator.random(epochs).astype(np.float32), "weights": generator.random((2, epochs))},
            width=draw(st.none() | st.integers(1, 8)),
            unread=unread,
        )
        for test in tests
    ]
    return tests, made


@given(outcomes())
def test_every_fit_gets_back_what_it_kept(fits: tuple[list[np.ndarray], list[FitOutcome]]):
    tests, made = fits
    assert len({layout(outcome) for outcome in made}) == 1
    arrays = fit_arrays(tests, made, "name.safetensors")
    for i, (test, outcome) in enumerate(zip(tests, made, strict=True)):
        found_rows, prediction = stored_prediction(arrays, i)
        assert np.array_equal(found_rows, test)
        assert prediction.tobytes() == outcome.prediction.tobytes()
        spread, curves = stored_spread(arrays, i), stored_curves(arrays, i)
        if outcome.spread is None:
            assert spread is None
        else:
            assert np.array_equal(np.asarray(spread), outcome.spread)
        assert stored_width(arrays, i) == outcome.width
        assert curves.keys() == outcome.curves.keys()
        assert all(np.array_equal(curves[name], values) for name, values in outcome.curves.items())
    assert set(stored_unread(arrays)) == set(made[0].unread)
    assert weights_artifact(arrays) == "name.safetensors"


def test_what_was_not_kept_is_not_there():
    arrays = fit_arrays([np.arange(3)], [FitOutcome(np.zeros((3, 1)), 1.0)])
    assert stored_spread(arrays, 0) is None
    assert stored_width(arrays, 0) is None, "it was not fused"
    assert stored_curves(arrays, 0) == {}
    assert stored_unread(arrays) == ()
    assert weights_artifact(arrays) is None


def test_fits_that_kept_other_curves_or_read_other_parameters_lie_apart():
    def outcome(epochs: int, name: str = "loss", unread: tuple[str, ...] = ()) -> FitOutcome:
        return FitOutcome(np.zeros((1, 1)), 1.0, curves={name: np.zeros(epochs)}, unread=unread)

    layouts = [layout(o) for o in (outcome(2), outcome(3), outcome(2, "gain"), outcome(2, unread=("alpha",)))]
    assert len(set(layouts)) == 4
    assert layout(outcome(2, unread=("a", "b"))) == layout(outcome(2, unread=("b", "a")))


@given(st.lists(st.tuples(rows, rows), min_size=1, max_size=5))
def test_every_split_gets_back_its_rows(sides: list[tuple[np.ndarray, np.ndarray]]):
    arrays = split_arrays([Split("task", 0, str(i), train, test, "data") for i, (train, test) in enumerate(sides)])
    for i, (train, test) in enumerate(sides):
        found = stored_rows(arrays, i)
        assert np.array_equal(found[0], train)
        assert np.array_equal(found[1], test)
