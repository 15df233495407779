"""All rounds together may err as often as one comparison."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.evidence.rounds import spent


@given(st.floats(0.001, 0.4))
def test_all_rounds_together_spend_alpha(alpha: float):
    rounds = 10_000
    left = 6 * alpha / math.pi**2 / (rounds + 0.5)  # the rest of the sum, as an integral
    assert sum(spent(alpha, k) for k in range(1, rounds + 1)) + left == pytest.approx(alpha, rel=1e-9)


def test_later_rounds_may_spend_less():
    assert spent(0.05, 1) == pytest.approx(0.0304, abs=1e-4)
    assert spent(0.05, 2) == pytest.approx(spent(0.05, 1) / 4)


@pytest.mark.parametrize(("alpha", "round"), [(0.05, 0), (0.05, -1), (0.0, 1), (1.0, 1)])
def test_no_round_stands_before_the_first_and_alpha_is_a_probability(alpha: float, round: int):
    with pytest.raises(ValueError, match=r"the first round is 1|alpha .* must lie"):
        spent(alpha, round)
