"""Figures show every number with its unit, interval and count, in marks that need no colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from probatum.reporting import figures

PROTOCOL = {"metric": "mse", "margin": 0.1, "alpha": 0.1}
VALUES: dict[str, Any] = {"campaign": "c.toml", "protocol": PROTOCOL, "units": ["fraction"], "baseline": "base"}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are written, after their layout."""
    kept: list[Figure] = []
    real = figures.write_figure

    def keep(figure: Figure, path: Path) -> None:
        real(figure, path)
        kept.append(figure)

    monkeypatch.setattr(figures, "write_figure", keep)
    return kept


def texts(figure: Figure) -> str:
    found = [t for axes in figure.axes for t in (*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label)]
    found += [axes.get_title(loc="left") for axes in figure.axes]  # type: ignore[list-item]
    found += [t for axes in figure.axes for t in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    found += [t for axes in figure.axes if (legend := axes.get_legend()) for t in legend.get_texts()]
    return "\n".join(t if isinstance(t, str) else t.get_text() for t in found)


def effect(mutation: str, outcome: str, mean: float, pairs: int) -> dict[str, Any]:
    each = {"parent": "p", "child": "q", "difference": mean, "error": 0.1, "interval": [mean - 0.2, mean + 0.2]}
    return {
        "mutation": mutation, "outcome": outcome, "mean": mean, "interval": [mean - 0.1, mean + 0.1], "units": 11,
        "pairs": [{**each, "child": f"q{i}"} for i in range(pairs)],
    }  # fmt: skip


def test_effects_are_drawn_with_their_pairs_intervals_and_counts(tmp_path: Path, drawn: list[Figure]):
    effects = [effect("features: +a", "worked", -0.5, 3), effect("rate", "failed", 0.4, 1)]
    effects.append({**effect("odd", "no evidence", 0.1, 1), "interval": None})
    figures.effects_figure({**VALUES, "effects": effects}, tmp_path / "e.png")
    (axes,) = drawn[0].axes
    said = texts(drawn[0])
    for part in ("features: +a", "worked, 3 pairs, 11 units", "p → q2", "failed, 1 pair, 11 units", "90 % interval"):
        assert part in said
    assert "mse (fraction²)" in said
    assert "lower is better" in said
    lines = [line.get_xdata() for line in axes.lines]
    assert any(np.allclose(x, [-0.6, -0.4]) for x in lines)
    assert sum(np.allclose(x, [-0.7, -0.3]) for x in lines) == 3
    markers = {line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1}
    assert {"o", "s", "x"} <= markers


def verdict(arm: str, score: float, interval: list[float] | None) -> dict[str, Any]:
    return {
        "arm": arm, "score": score, "difference": score - 1, "interval": interval, "units": 5, "seeds": 2,
        "outcome": "undecided" if interval else "no evidence",
    }  # fmt: skip


def test_verdicts_are_drawn_best_first_and_cells_with_their_intervals(tmp_path: Path, drawn: list[Figure]):
    cells = [
        {
            "task": "t",
            "group": g,
            "quantity": q,
            "difference": d,
            "interval": [d - 0.1, d + 0.1] if d else None,
            "rows": 7,
        }
        for g, q, d in (("water", "y", 0.05), ("water", "z", -0.5), ("oil", "y", 0.0), ("oil", "z", 0.25))
    ]
    verdicts = [
        verdict("late", 1.5, [0.2, 0.8]),
        verdict("early", 0.5, [-0.8, -0.2]),
        verdict("trivial: mean", 9.0, None),
    ]
    figures.comparison_figure({**VALUES, "verdicts": verdicts}, cells, "early", tmp_path / "c.svg")
    said = texts(drawn[0])
    assert said.index("early") < said.index("late")
    assert "trivial" not in said
    for part in ("-0.5 ± 0.1", "+0.25 ± 0.1", "water (n = 7)", "Where 'early' differs from 'base'", "exploratory"):
        assert part in said
    bold = {t.get_text() for axes in drawn[0].axes for t in axes.texts if t.get_fontweight() == "bold"}
    assert bold == {"-0.5 ± 0.1", "+0.25 ± 0.1"}


def test_verdicts_without_cells_are_drawn_alone(tmp_path: Path, drawn: list[Figure]):
    figures.comparison_figure({**VALUES, "verdicts": [verdict("trivial: mean", 2.0, None)]}, [], "", tmp_path / "c.png")
    assert len(drawn[0].axes) == 1
    assert "trivial: mean" in texts(drawn[0])


def test_the_same_figure_has_the_same_bytes(tmp_path: Path):
    values = {**VALUES, "effects": [effect("a", "worked", -0.5, 2)]}
    for name in ("a.svg", "b.svg"):
        figures.effects_figure(values, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize(
    ("metric", "units", "shown"),
    [
        ("mse", ["fraction"], "mse (fraction²)"),
        ("mae", ["deg C"], "mae (deg C)"),
        ("r2", ["deg C"], "r2"),
        ("mse", ["1"], "mse"),
        ("rmse", ["m", "s"], "rmse (unit of the target)"),
    ],
)
def test_scores_have_units(metric: str, units: list[str], shown: str):
    assert figures._unit({"protocol": {"metric": metric}, "units": units}) == shown
