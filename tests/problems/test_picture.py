"""What a picture may be called, and which rows it may show."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from probatum.errors import DataError
from probatum.problems.picture import Picture, scored
from problems.fakes import Codes, Rows


@pytest.mark.parametrize("name", ["", "Strain", "strain profiles", "../strain", "a--b", "-a", '"><script>'])
def test_a_name_that_cannot_stand_in_a_file_or_an_address_is_refused(name: str):
    with pytest.raises(ValueError, match="lower case words"):
        Picture(name, "Strain", "Strain.", lambda figure: None)


def test_a_notebook_shows_a_picture_with_text_in_any_script():
    picture = Picture("a-line", "A line", "A line.", titled)
    assert picture._repr_svg_().count("<svg") == 1
    assert picture._repr_svg_() == picture._repr_svg_()


def titled(figure: Figure) -> None:
    figure.subplots().set_title("растворитель 溶媒 $5")


def test_predictions_are_laid_beside_the_truth_by_ascending_row():
    dataset = Rows().dataset("rows")
    rows = np.array([7, 2, 5])
    found = scored(dataset, rows, dataset.targets()[rows] + np.array([[70.0], [20.0], [50.0]]))
    assert found.rows.tolist() == [2, 5, 7]
    np.testing.assert_allclose((found.prediction - found.truth)[:, 0], [20, 50, 70])
    assert (len(found), found.left_out) == (3, 0)


def test_what_is_not_finite_is_left_out_and_counted():
    dataset = Codes().dataset("square")
    endless = int((~dataset.scorable).sum())
    assert 0 < endless < len(dataset)
    predictions = np.zeros((len(dataset), 1))
    predictions[int(np.flatnonzero(dataset.scorable)[0])] = np.nan
    found = scored(dataset, np.arange(len(dataset)), predictions)
    assert found.left_out == endless + 1
    assert len(found) == len(dataset) - endless - 1
    assert np.isfinite(found.truth).all()


def test_predictions_of_other_rows_are_refused():
    dataset = Rows().dataset("rows")
    with pytest.raises(DataError, match="2 x 3 predictions for 2 rows of 1 quantities"):
        scored(dataset, np.array([0, 1]), np.zeros((2, 3)))
    for row in (-1, len(dataset)):
        with pytest.raises(DataError, match=f"of a dataset of {len(dataset)}"):
            scored(dataset, np.array([row]), np.zeros((1, 1)))
