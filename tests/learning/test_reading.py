"""What an estimator was told and never looked at."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from probatum.learning.reading import unread, watched


class Line(BaseEstimator):
    """Reads `alpha` in `fit`, `offset` in `predict`, and `seed` never."""

    def __init__(self, alpha: float = 1.0, offset: float = 0.0, seed: int = 0):
        self.alpha, self.offset, self.seed = alpha, offset, seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> Line:
        self.weights_ = np.linalg.solve(X.T @ X + self.alpha * np.eye(X.shape[1]), X.T @ y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X @ self.weights_ + self.offset


class ReadsByName(Line):
    def fit(self, X: np.ndarray, y: np.ndarray) -> Line:
        assert getattr(self, "seed") == 0  # noqa: B009
        return super().fit(X, y)


class AsksForAll(Line):
    def fit(self, X: np.ndarray, y: np.ndarray) -> Line:
        self.settings_ = self.get_params()
        return super().fit(X, y)


class PassesOn(Line):
    """Hands its seed to something that it holds."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Line:
        self.inner_ = Ridge(random_state=self.seed).fit(X, y)
        return super().fit(X, y)


class Slotted:
    """Has no room for another class's attributes."""

    __slots__ = ("alpha",)

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"alpha": 1.0}


class NoParameters:
    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        pass


X, Y = np.random.default_rng(0).normal(size=(20, 3)), np.random.default_rng(1).normal(size=20)


def idle(estimator: Any) -> tuple[str, ...]:
    with watched(estimator) as read:
        estimator.fit(X, Y).predict(X)
    return unread(estimator, read)


def test_a_parameter_that_nothing_reads_is_named():
    assert idle(Line()) == ("seed",)


def test_prediction_reads_too():
    estimator = Line()
    with watched(estimator) as read:
        estimator.fit(X, Y)
    assert unread(estimator, read) == ("offset", "seed")


@pytest.mark.parametrize("kind", [ReadsByName, AsksForAll, PassesOn])
def test_every_way_of_reading_counts(kind: type[Line]):
    assert idle(kind()) == ()


def test_writing_a_parameter_is_not_reading_it():
    estimator = Line()
    with watched(estimator) as read:
        estimator.alpha = 2.0
    assert read == set()
    assert estimator.alpha == 2.0


def test_a_watched_estimator_learns_the_same_and_is_given_back_as_it_was():
    plain, seen = Line(alpha=2.0).fit(X, Y), Line(alpha=2.0)
    with watched(seen):
        assert isinstance(seen, Line)
        assert type(seen).__name__ == "Line"
        seen.fit(X, Y)
    assert type(seen) is Line
    assert np.array_equal(plain.predict(X), seen.predict(X))


def test_it_is_given_back_after_an_error_too():
    estimator = Line()
    with pytest.raises(ValueError), watched(estimator):
        estimator.fit(X, Y[:3])
    assert type(estimator) is Line


def test_two_watched_at_once_do_not_mix():
    one, other = Line(), Line()
    with watched(one) as read_one, watched(other) as read_other:
        one.fit(X, Y)
    assert read_one == {"alpha"}
    assert read_other == set()


@pytest.mark.parametrize(
    "estimator", [Slotted(), Ridge(), NoParameters()], ids=["slots", "a library's", "no parameters"]
)
def test_what_cannot_be_watched_counts_as_reading_everything(estimator: Any):
    kind = type(estimator)
    with watched(estimator) as read:
        pass
    assert unread(estimator, read) == ()
    assert type(estimator) is kind


def test_a_class_written_in_c_counts_as_reading_everything():
    class Compiled(list):  # its memory is laid out as a list's
        __slots__ = ()

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {"alpha": 1.0}

    estimator = Compiled()
    with watched(estimator) as read:
        pass
    assert unread(estimator, read) == ()


class CopiesItself(BaseEstimator):
    """Hands itself to other processes, as pools do."""

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def fit(self) -> None:
        self.copy = pickle.loads(pickle.dumps(self))


def test_an_estimator_may_pickle_itself_while_it_is_watched() -> None:
    estimator = CopiesItself()
    with watched(estimator) as read:
        estimator.fit()
    assert type(estimator) is type(estimator.copy) is CopiesItself
    assert unread(estimator, read) == ()


class Demanding(BaseEstimator):
    """A class that cannot be inherited from without saying why."""

    def __init_subclass__(cls, *, why: str) -> None:
        pass

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha


def test_a_class_that_cannot_be_inherited_from_counts_as_reading_everything() -> None:
    estimator = Demanding()
    with watched(estimator) as read:
        pass
    assert unread(estimator, read) == ()
