"""Label correlations of two splits: the grid of the loss, and a p-value that is right where nothing differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from probatum.errors import DataError
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.figures import correlations_figure
from probatum.problems.gas_chromatography.label_correlations import compare_correlations


def labels(runs: int, seed: int, together: bool = False) -> np.ndarray:
    """Nine labels, each of a fifth of the runs; the first four of the same runs if they go together."""
    rng = np.random.default_rng(seed)
    found = (rng.random((runs, len(FAMILIES))) < 0.2).astype(float)
    if together:
        found[:, 1:4] = found[:, :1]
    return found


def test_grids_are_correlations_of_noisy_labels():
    training, validation = labels(400, 0, together=True), labels(200, 1)
    compared = compare_correlations(training, validation, deals=20)
    rng = np.random.default_rng(2)
    many = np.repeat(training, 400, axis=0)
    one, other = (many[:, column] + 0.5 * rng.standard_normal(len(many)) for column in (0, 1))
    assert compared.training[0, 1] == pytest.approx(np.corrcoef(one, other)[0, 1], abs=0.01)
    np.testing.assert_allclose(np.diag(compared.training), 1.0)
    np.testing.assert_allclose(compared.validation, compared.validation.T, atol=1e-6)
    apart = np.abs(compared.training - compared.validation)
    assert compared.difference == pytest.approx(apart.sum() / (9 * 8), rel=1e-4)
    assert compared.runs == (400, 200)


def test_splits_that_differ_are_told_from_splits_that_do_not():
    assert compare_correlations(labels(400, 0, together=True), labels(200, 1), deals=300).p_value < 0.01
    same = labels(300, 3)
    assert compare_correlations(same, same, deals=300).p_value > 0.9


def test_where_nothing_differs_all_p_values_are_equally_likely():
    found = [compare_correlations(labels(60, seed), labels(40, 1000 + seed), deals=99).p_value for seed in range(80)]
    assert kstest(found, "uniform").pvalue > 0.01


def test_a_label_that_nobody_has_is_no_division_by_zero():
    training, validation = labels(50, 0), labels(50, 1)
    training[:, 4] = 0.0
    compared = compare_correlations(training, validation, deals=20)
    np.testing.assert_allclose(np.delete(compared.training[4], 4), 0.0, atol=1e-7)
    assert np.isfinite(compared.difference)


def test_splits_that_cannot_be_compared_are_refused():
    with pytest.raises(DataError, match="1 runs for validation"):
        compare_correlations(labels(50, 0), labels(1, 1))
    with pytest.raises(DataError, match="9 labels in one split and 8"):
        compare_correlations(labels(50, 0), labels(50, 1)[:, :8])


def test_the_picture_is_written(tmp_path: Path):
    compared = compare_correlations(labels(50, 0), labels(50, 1), deals=20)
    correlations_figure(compared, ("training", "validation"), tmp_path / "grids.png")
    assert (tmp_path / "grids.png").read_bytes().startswith(b"\x89PNG")
