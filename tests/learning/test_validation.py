import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import FitError
from probatum.learning.validation import set_aside


@given(st.integers(2, 300), st.floats(0.01, 0.99), st.integers(0, 2**31))
def test_about_the_share_is_set_aside_and_something_is_left(rows: int, share: float, seed: int) -> None:
    aside = set_aside(rows, share, seed)
    assert 1 <= aside.sum() <= rows - 1
    assert abs(aside.sum() - share * rows) <= 1


@given(
    st.lists(st.integers(0, 8), min_size=2, max_size=80).filter(lambda labels: len(set(labels)) > 1),
    st.floats(0.05, 0.9),
)
def test_groups_stay_whole(labels: list[int], share: float) -> None:
    groups = np.array(labels)
    aside = set_aside(len(groups), share, 0, groups)
    assert not set(groups[aside]) & set(groups[~aside])
    assert aside.any()
    assert not aside.all()


def test_equal_seeds_set_the_same_rows_aside_and_others_others() -> None:
    assert np.array_equal(set_aside(50, 0.2, 1), set_aside(50, 0.2, 1))
    assert not np.array_equal(set_aside(50, 0.2, 1), set_aside(50, 0.2, 2))


def test_one_group_cannot_be_parted() -> None:
    with pytest.raises(FitError, match="only one group"):
        set_aside(5, 0.2, 0, np.zeros(5))
