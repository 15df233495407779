"""Forest plots show every number with its unit, interval and count, in marks that need no colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from probatum.pictures import write_figure
from probatum.reporting.figures import effects_figure, verdicts_figure
from reporting.figures.drawn import VALUES, texts, verdict


def effect(mutation: str, outcome: str, mean: float, pairs: int) -> dict[str, Any]:
    each = {"parent": "p", "child": "q", "difference": mean, "error": 0.1, "interval": [mean - 0.2, mean + 0.2]}
    return {
        "mutation": mutation, "outcome": outcome, "mean": mean, "interval": [mean - 0.1, mean + 0.1], "units": 11,
        "pairs": [{**each, "child": f"q{i}"} for i in range(pairs)],
    }  # fmt: skip


def test_effects_are_drawn_with_their_pairs_intervals_and_counts():
    effects = [effect("features: +a", "worked", -0.5, 3), effect("rate", "failed", 0.4, 1)]
    effects.append({**effect("odd", "no evidence", 0.1, 1), "interval": None})
    figure = effects_figure({**VALUES, "effects": effects})
    (axes,) = figure.axes
    said = texts(figure)
    for part in ("features: +a", "worked, 3 pairs, 11 units", "p → q2", "failed, 1 pair, 11 units", "90 % interval"):
        assert part in said
    assert "mse (fraction²)" in said
    assert "lower is better" in said
    lines = [line.get_xdata() for line in axes.lines]
    assert any(np.allclose(x, [-0.6, -0.4]) for x in lines)
    assert sum(np.allclose(x, [-0.7, -0.3]) for x in lines) == 3
    markers = {line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1}
    assert {"o", "s", "x"} <= markers


def test_of_many_effects_those_decided_are_kept():
    effects = [effect(f"m{i}", "undecided", 0.01 * i, 1) for i in range(30)] + [effect("tiny", "worked", -1e-6, 1)]
    said = texts(effects_figure({**VALUES, "effects": effects}, most=5))
    assert "tiny" in said
    assert "m29" in said
    assert "m1\n" not in said
    assert "5 of 31 mutations" in said


def test_a_mutation_of_whole_recipes_is_named_for_the_experiment_that_it_made():
    stages = effect("training.stages: none -> [{'epochs': 40}, {'rate': 0.1}]; seed: 1 -> 2", "undecided", 0.1, 1)
    said = texts(effects_figure({**VALUES, "effects": [stages]}))
    assert "training.stages, seed of 'q0'" in said


def test_one_wide_interval_does_not_press_all_others_together():
    verdicts = [verdict(f"e{i}", 1 + 0.01 * i, [0.01 * i - 0.1, 0.01 * i + 0.1]) for i in range(6)]
    verdicts.append(verdict("wild", 9.0, [-90.0, 106.0]))
    (axes,) = verdicts_figure({**VALUES, "verdicts": verdicts}).axes
    assert axes.get_xlim()[1] < 1
    arrows = [line.get_marker() for line in axes.lines if line.get_marker() in ("<", ">")]
    assert sorted(arrows) == ["<", ">"]


def test_verdicts_are_drawn_best_first_and_trivial_ones_left_out():
    verdicts = [
        verdict("late", 1.5, [0.2, 0.8]),
        verdict("early", 0.5, [-0.8, -0.2]),
        verdict("trivial: mean", 9.0, None),
    ]
    said = texts(verdicts_figure({**VALUES, "verdicts": verdicts}))
    assert said.index("early") < said.index("late")
    assert "trivial" not in said
    assert "the best 1 of 2 experiments" in texts(verdicts_figure({**VALUES, "verdicts": verdicts}, most=1))


def test_the_same_figure_has_the_same_bytes(tmp_path: Path):
    values = {**VALUES, "effects": [effect("a", "worked", -0.5, 2)]}
    for name in ("a.svg", "b.svg"):
        write_figure(effects_figure(values), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
