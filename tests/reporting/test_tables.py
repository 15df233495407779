"""Tables for the terminal can be read, however many experiments there are."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from probatum.reporting.tables import MOST_COLUMNS, group_table


def values(count: int, better: str = "lower") -> dict[str, Any]:
    """Arms a0, a1, ...: a0 scores 1, a1 2, and so on, but in 'odd' the last one is best."""
    names = [f"a{i}" for i in range(count)]
    sign = 1 if better == "lower" else -1
    score = {name: 1.0 + i if better == "lower" else float(count - i) for i, name in enumerate(names)}
    arms = [
        {"name": n, "score": score[n], "better": better, "trivial": False, "by_quantity": {}, "by_task": {}}
        for n in names
    ]
    even = {n: {"mean": score[n]} for n in names}
    odd = {n: {"mean": score[n] + sign * 10} for n in names} | {names[-1]: {"mean": -sign * 500.0}}
    groups = [{"task": "t", "group": "even", "arms": even}, {"task": "t", "group": "odd", "arms": odd}]
    protocol = {"metric": "mse" if better == "lower" else "r2"}
    return {"protocol": protocol, "arms": arms, "groups": groups, "best": "a0", "baseline": names[count // 2]}


def printed(table: Table, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue()


def test_few_experiments_stand_side_by_side():
    text = printed(group_table(values(MOST_COLUMNS)))
    assert all(f"a{i}" in text for i in range(MOST_COLUMNS))
    assert "best there" not in text


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_of_26_the_leading_ones_and_the_winner_of_each_group_are_shown(better: str):
    text = printed(group_table(values(26, better)))
    assert "4 of 26 experiments" in text
    header = next(line for line in text.splitlines() if "best there" in line)
    assert header.split()[2:6] == ["a0", "a13", "a1", "a2"]  # the best, the baseline, the next best
    odd, even = (next(line for line in text.splitlines() if f" {name} " in line) for name in ("odd", "even"))
    assert odd.split()[-2] == "a25"
    assert even.split()[-2] == "a0"
    assert "…" not in text
    assert text.index("odd") < text.index("even")  # the hardest group of the best experiment comes first


def test_rows_are_cut_where_that_is_asked_for():
    text = printed(group_table(values(3), most=1))
    assert "odd" in text
    assert "even" not in text
