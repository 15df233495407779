"""The pictures of an experiment show every training, every group, its score and its count."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from probatum.errors import UnknownNameError, UsageError
from probatum.laboratory import Laboratory
from probatum.learning.probes import TRAINING, VALIDATION
from probatum.reporting import training_figures
from probatum.reporting.training_figures import MOST_PANELS, Panel, curves_of, history_figure, panels_of, scatter_figure


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are written."""
    kept: list[Figure] = []
    real = training_figures.write_figure

    def keep(figure: Figure, path: Path) -> None:
        real(figure, path)
        kept.append(figure)

    monkeypatch.setattr(training_figures, "write_figure", keep)
    return kept


def panel(title: str, rows: int = 20, quantities: int = 1, seeds: int = 2) -> Panel:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(rows, quantities))
    return Panel(title, truth, truth + rng.normal(0, 0.1, (seeds, rows, quantities)), 0.0123)


def test_a_panel_shows_every_prediction_the_line_the_score_and_the_count(tmp_path: Path, drawn: list[Figure]):
    panels = [panel("(4,2)"), panel("(4,3)", rows=5)]
    scatter_figure(panels, [("log2 height", "log2")], "run-5", "mse", tmp_path / "s.png")
    axes = [a for a in drawn[0].axes if a.get_visible()]
    assert [a.get_title(loc="left") or a.get_title() for a in axes] == [
        "(4,2)\nmse 0.0123, n = 20", "(4,3)\nmse 0.0123, n = 5",
    ]  # fmt: skip
    for one, given in zip(axes, panels, strict=True):
        line, points = one.lines
        assert line.get_xdata() == pytest.approx(line.get_ydata())
        np.testing.assert_array_equal(points.get_xdata(), np.tile(given.truth[:, 0], 2))
        np.testing.assert_array_equal(points.get_ydata(), given.predictions[:, :, 0].ravel())
    assert drawn[0].get_supxlabel() == "true log2 height, log2"
    assert "2 predictions a row" in drawn[0].get_supylabel()
    assert (tmp_path / "s.png").stat().st_size > 5000


PLAIN = """\
problem = { kind = "table", path = "plain.csv", target = "y" }

[protocol]
folds = 3
repeats = 2

[[experiment]]
name = "ridge"
model.kind = "ridge"
"""


def test_a_task_without_groups_is_one_panel_of_all_its_rows_and_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{i % 7},{3 * (i % 7) + i % 2}" for i in range(24))
    (tmp_path / "plain.csv").write_text(f"x,y\n{rows}\n", encoding="utf-8")
    (tmp_path / "plain.toml").write_text(PLAIN, encoding="utf-8")
    laboratory = Laboratory.open(tmp_path / "plain.toml")
    laboratory.run()
    (found,) = panels_of(laboratory, "ridge")
    assert found.title == "table"
    assert found.truth.shape == (24, 1)
    assert found.predictions.shape == (2, 24, 1)
    assert found.score == pytest.approx(laboratory.score("ridge").score)
    with pytest.raises(UnknownNameError, match="grouping"):
        panels_of(laboratory, "ridge", "batch")


def test_several_quantities_are_told_apart_and_many_groups_cut(tmp_path: Path, drawn: list[Figure]):
    panels = [panel(f"g{i}", rows=3, quantities=2) for i in range(MOST_PANELS + 3)]
    scatter_figure(panels, [("SM", "fraction"), ("P2", "fraction")], "net", "mse", tmp_path / "s.svg")
    shown = [a for a in drawn[0].axes if a.get_visible()]
    assert len(shown) == MOST_PANELS
    legend = shown[0].get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()] == ["SM", "P2"]
    assert f"the first {MOST_PANELS} of {MOST_PANELS + 3} groups" in drawn[0].get_suptitle()


def test_a_history_shows_every_training_its_median_and_best_epoch(tmp_path: Path, drawn: list[Figure]):
    falling = np.array([8.0, 4.0, 2.0, 1.0])
    stopped = np.array([6.0, 2.0, 4.0, np.nan])
    curves = [{TRAINING: falling, VALIDATION: falling + 1}, {TRAINING: stopped, VALIDATION: stopped + 1}]
    history_figure(curves, "run-5", tmp_path / "h.png")
    (axes,) = drawn[0].axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
    np.testing.assert_allclose(lines[f"{TRAINING}: median of 2 trainings"], [7, 3, 3, 1])
    assert axes.get_yscale() == "log"
    best = next(line for line in axes.lines if line.get_label() == "best epoch")
    assert list(np.asarray(best.get_xdata())) == [4, 2]
    assert list(np.asarray(best.get_ydata())) == [2, 3]
    assert sum(str(line.get_label()).startswith("_") for line in axes.lines) == 4


def test_losses_below_zero_are_drawn_on_a_linear_scale(tmp_path: Path, drawn: list[Figure]):
    history_figure([{TRAINING: np.array([1.0, -2.0])}], "likelihood", tmp_path / "h.png")
    assert drawn[0].axes[0].get_yscale() == "linear"


def test_a_model_without_a_history_is_refused():
    predictions = [SimpleNamespace(curves={"weights": np.ones(2)})]
    file = SimpleNamespace(path=Path("c.toml"))
    laboratory: Any = SimpleNamespace(campaign=SimpleNamespace(predictions=lambda _: predictions, file=file))
    with pytest.raises(UsageError, match="no training history of 'trees'"):
        curves_of(laboratory, "trees")
