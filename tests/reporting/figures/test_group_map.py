"""The map of targets and groups says where an experiment is better, with intervals and counts."""

from __future__ import annotations

from typing import Any

from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from probatum.pictures import BLUE, VERMILION
from probatum.reporting.figures import comparison_figure, group_map_figure
from reporting.figures.drawn import PROTOCOL, VALUES, texts, verdict


def cell(group: str, quantity: str, difference: float, half: float | None = 0.1) -> dict[str, Any]:
    interval = None if half is None else [difference - half, difference + half]
    return {
        "task": "t", "group": group, "quantity": quantity, "difference": difference, "interval": interval, "rows": 7,
    }  # fmt: skip


CELLS = [
    cell("water", "y", 0.05), cell("water", "z", -0.5), cell("oil", "y", 0.0, None), cell("oil", "z", 0.25),
]  # fmt: skip


def colours(figure: Any) -> dict[str, list[float]]:
    """Colour to the opacities of its cells."""
    found: dict[str, list[float]] = {}
    for patch in figure.findobj(Rectangle):
        if patch.get_alpha() is not None:
            found.setdefault(to_hex(patch.get_facecolor()[:3]), []).append(patch.get_alpha())
    return found


def test_cells_have_their_difference_interval_and_count_and_are_bold_where_zero_is_outside():
    verdicts = [verdict("late", 1.5, [0.2, 0.8]), verdict("early", 0.5, [-0.8, -0.2])]
    figure = comparison_figure({**VALUES, "verdicts": verdicts}, CELLS, "early")
    said = texts(figure)
    assert said.index("early") < said.index("late")
    for part in ("-0.5 ± 0.1", "+0.25 ± 0.1", "water (n = 7)", "Where 'early' differs from 'base'", "exploratory"):
        assert part in said
    bold = {t.get_text() for axes in figure.axes for t in axes.texts if t.get_fontweight() == "bold"}
    assert bold == {"-0.5 ± 0.1", "+0.25 ± 0.1"}


def test_blue_is_better_whichever_way_the_metric_goes():
    for metric, better in (("mse", BLUE), ("r2", VERMILION)):
        values = {**VALUES, "protocol": {**PROTOCOL, "metric": metric}}
        figure = group_map_figure(values, [cell("a", "y", -1.0), cell("b", "y", -0.5)], "arm")
        assert list(colours(figure)) == [better]
        strong, weak = colours(figure)[better]
        assert strong > weak


def test_many_targets_leave_out_the_intervals_then_the_numbers():
    wide = [cell("g", f"q{i}", 0.5) for i in range(8)]
    assert "+0.5" in texts(group_map_figure(VALUES, wide, "arm"))
    assert "±" not in texts(group_map_figure(VALUES, wide, "arm"))
    assert "+0.5" not in texts(group_map_figure(VALUES, [cell("g", f"q{i}", 0.5) for i in range(20)], "arm"))


def test_verdicts_without_cells_are_drawn_alone():
    figure = comparison_figure({**VALUES, "verdicts": [verdict("trivial: mean", 2.0, None)]}, [], "")
    assert len(figure.axes) == 1
    assert "trivial: mean" in texts(figure)


def test_cells_without_any_difference_are_drawn_empty():
    assert colours(group_map_figure(VALUES, [cell("g", "y", 0.0)], "arm")) == {BLUE: [0.0]}
