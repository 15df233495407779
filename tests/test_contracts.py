"""Functions of `contracts.CHECKED` refuse in tests what their annotations do not allow: no wrong shape goes on."""

from __future__ import annotations

import ast
import importlib
import inspect
import os

import jaxtyping
import numpy as np
import pytest

import contracts
from probatum.audit.rows import coincidences
from probatum.evidence.resampling import corrected_t
from probatum.evidence.row_table import RowTable
from probatum.learning.augmentation import hard_rows
from probatum.learning.conformal import split_half_widths
from probatum.learning.ensembles import mean

pytestmark = pytest.mark.skipif(os.environ.get("PROBATUM_UNCHECKED") == "1", reason="PROBATUM_UNCHECKED=1")
TRUTH = np.arange(5.0)[:, None]


def test_a_column_beside_a_row_is_refused_where_numpy_would_make_a_table_of_them():
    assert (TRUTH - TRUTH[:, 0]).shape == (5, 5)
    with pytest.raises(jaxtyping.TypeCheckError, match="prediction"):
        split_half_widths(TRUTH, TRUTH[:, 0])
    assert split_half_widths(TRUTH, TRUTH, coverage=0.5).shape == (1,)


def test_predictions_of_one_quantity_are_refused_beside_the_truth_of_two():
    truth, cases = np.zeros((4, 2)), np.arange(4)
    with pytest.raises(jaxtyping.TypeCheckError, match="predictions"):
        RowTable(truth, np.zeros((3, 4, 1)), cases, cases, "")
    assert RowTable(truth, np.zeros((3, 4, 2)), cases, cases, "").predictions.shape == (3, 4, 2)


def test_predictions_without_components_are_refused_where_rows_would_be_averaged():
    with pytest.raises(jaxtyping.TypeCheckError, match="predictions"):
        mean(TRUTH)


def test_errors_of_other_rows_than_the_validation_rows_are_refused():
    with pytest.raises(jaxtyping.TypeCheckError, match="errors"):
        hard_rows(TRUTH, TRUTH, np.zeros(4), 0.5)
    assert hard_rows(TRUTH, TRUTH, np.arange(5.0), 0.2, neighbours=1).tolist() == [False] * 4 + [True]


def test_pairs_of_which_one_side_is_longer_are_refused():
    with pytest.raises(jaxtyping.TypeCheckError, match="pairs"):
        coincidences(TRUTH, (np.arange(3), np.arange(2)))


@pytest.mark.parametrize("name", contracts.CHECKED)
def test_every_annotation_of_a_checked_module_can_be_read(name: str):
    """One that cannot, a name that only type checkers import or a shape without quotes, would be checked as Any."""
    module = importlib.import_module(name)
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        annotations = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for annotation in (a for a in annotations if a is not None):
            eval(ast.unparse(annotation), vars(module))


def test_text_is_refused_where_numbers_are_asked_for():
    with pytest.raises(jaxtyping.TypeCheckError, match="differences"):
        corrected_t(np.array(["0.1", "0.2"]), 0.5)


def test_a_whole_number_is_a_number():
    assert corrected_t(np.array([1, 2, 4]), 1).degrees == 2
