import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.augmentation import edge_rows, hard_rows, images, mean_over_images, with_edge_copies


def test_edges_are_the_lowest_and_the_highest() -> None:
    targets = np.arange(100.0)[:, None]
    edge = np.flatnonzero(edge_rows(targets, 0.1))
    assert edge.tolist() == [0, 1, 2, 3, 4, 95, 96, 97, 98, 99]


def test_copies_are_of_training_rows_only() -> None:
    rows = np.arange(10, 60)
    shown = with_edge_copies(rows, rows[:, None].astype(float), 0.2, 2)
    assert set(shown) == set(rows)
    assert (np.bincount(shown)[[10, 59]] == 3).all()
    assert np.bincount(shown)[30] == 1
    assert np.array_equal(with_edge_copies(rows, rows[:, None], 0.2, 0), rows)


def test_the_first_image_is_the_row_itself() -> None:
    inputs = np.random.default_rng(0).normal(size=(5, 2))
    found = images(inputs, lambda x: [-x, x[:, ::-1]])
    assert found.shape == (3, 5, 2)
    assert np.array_equal(found[0], inputs)


def test_an_image_of_another_shape_is_refused() -> None:
    with pytest.raises(CampaignFileError, match=r"image 0 .*\(5, 1\)"):
        images(np.zeros((5, 2)), lambda x: [x[:, :1]])


def test_images_that_disagree_add_to_the_spread() -> None:
    mean, spread = mean_over_images(np.array([[[0.0]], [[2.0]]]), np.array([[[1.0]], [[1.0]]]))
    assert mean.item() == 1.0
    assert spread is not None
    assert spread.item() == pytest.approx(np.sqrt(2))


def test_hard_rows_are_those_near_badly_predicted_validation_rows() -> None:
    targets, known = np.linspace(0, 1, 101)[:, None], np.linspace(0, 1, 51)[:, None]
    errors = np.where(known[:, 0] > 0.8, 5.0, 0.1)
    hard = np.flatnonzero(hard_rows(targets, known, errors, 0.2))
    assert len(hard) == 20
    assert hard.min() >= 78


@pytest.mark.parametrize("validation", [1, 3])
def test_few_validation_rows_are_enough_to_rank_by(validation: int) -> None:
    targets = np.random.default_rng(0).normal(size=(30, 2))
    hard = hard_rows(targets, targets[:validation], np.arange(validation, dtype=float), 0.01)
    assert hard.sum() == 1


def test_hard_rows_do_not_depend_on_the_units_of_the_targets() -> None:
    generator = np.random.default_rng(0)
    targets, known, errors = generator.normal(size=(50, 2)), generator.normal(size=(20, 2)), generator.random(20)
    scale = np.array([1.0, 1000.0])
    assert np.array_equal(
        hard_rows(targets, known, errors, 0.3), hard_rows(targets * scale, known * scale, errors, 0.3)
    )
