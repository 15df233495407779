"""What pictures are drawn from is what the campaign has stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from probatum.errors import UnknownNameError, UsageError
from probatum.laboratory import Laboratory
from probatum.learning.probes import TRAINING, VALIDATION
from probatum.reporting.experiment_arrays import curves_of, losses_of, out_of_fold, panels_of

PLAIN = """\
problem = { kind = "table", path = "plain.csv", target = "y" }

[protocol]
folds = 3
repeats = 2

[[experiment]]
name = "ridge"
model.kind = "ridge"
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        rows = "\n".join(f"{i % 7},{3 * (i % 7) + i % 2}" for i in range(24))
        (folder / "plain.csv").write_text(f"x,y\n{rows}\n", encoding="utf-8")
        (folder / "plain.toml").write_text(PLAIN, encoding="utf-8")
        laboratory = Laboratory.open(Path(folder / "plain.toml"))
        laboratory.run()
        yield laboratory


def test_a_task_without_groups_is_one_panel_of_all_its_rows_and_repeats(plain: Laboratory):
    (found,) = panels_of(plain, "ridge")
    assert found.title == "table"
    assert found.truth.shape == (24, 1)
    assert found.predictions.shape == (2, 24, 1)
    assert found.score == pytest.approx(plain.score("ridge").score)
    with pytest.raises(UnknownNameError, match="grouping"):
        panels_of(plain, "ridge", "batch")


def test_out_of_fold_predictions_are_means_over_repeats_beside_their_truth(plain: Laboratory):
    (found,) = out_of_fold(plain, "ridge")
    np.testing.assert_array_equal(found.rows, np.arange(24))
    (panel,) = panels_of(plain, "ridge")
    np.testing.assert_allclose(found.predictions, panel.predictions.mean(axis=0))
    scored = found.scored()
    np.testing.assert_array_equal(scored.truth, panel.truth)
    assert scored.left_out == 0


def test_a_model_without_a_history_is_named(plain: Laboratory):
    with pytest.raises(UsageError, match=r"no training history of 'ridge'.*network"):
        curves_of(plain, "ridge")


def test_losses_alone_are_curves_and_trainings_without_any_are_left_out():
    both = {TRAINING: np.ones(3), VALIDATION: np.ones(3), "gradient norm": np.ones(3)}
    trainings: Any = [SimpleNamespace(curves=both), SimpleNamespace(curves={"weights": np.ones(2)})]
    (found,) = losses_of(trainings)
    assert set(found) == {TRAINING, VALIDATION}
