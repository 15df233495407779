import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import CampaignFileError
from probatum.learning.curriculum import DIFFICULTIES, PACINGS, Curriculum, CurriculumChoice, curriculum_choice

START, UNTIL, EPOCHS = 0.2, 0.5, 40
HERE = f"{__name__}"


def order_of_inputs(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return inputs[:, 0]


def of_nothing(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.full(len(inputs), np.nan)


@pytest.mark.parametrize("pacing", PACINGS)
def test_the_share_shown_grows_from_its_start_to_all_rows(pacing: str) -> None:
    shares = CurriculumChoice("target_size", pacing, START, UNTIL).shares(EPOCHS)
    assert shares.shape == (EPOCHS,)
    assert shares[0] == pytest.approx(START)
    assert (np.diff(shares) >= 0).all()
    assert (shares[: int(UNTIL * EPOCHS)] < 1).all()
    assert (shares[int(UNTIL * EPOCHS) :] == 1).all()


def test_an_exponential_pacing_grows_by_a_constant_ratio() -> None:
    shares = CurriculumChoice("target_size", "exponential", START, UNTIL).shares(EPOCHS)[: int(UNTIL * EPOCHS)]
    np.testing.assert_allclose(shares[1:] / shares[:-1], START ** (-1 / (UNTIL * EPOCHS)))


@given(st.integers(1, 60), st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.sampled_from(sorted(PACINGS)))
def test_an_epoch_shows_the_easiest_rows_alone_and_each_about_as_often(
    count: int, start: float, until: float, pacing: str
) -> None:
    generator = np.random.default_rng(count)
    rows = generator.choice(1000, count, replace=False)
    difficulty = generator.permutation(count).astype(float)
    shares = CurriculumChoice("target_size", pacing, start, until).shares(8)
    dealt = Curriculum(difficulty, shares).dealt(rows, generator)
    assert dealt.shape == (8, count)
    for share, epoch in zip(shares, dealt, strict=True):
        shown, times = np.unique(epoch, return_counts=True)
        limit = difficulty[np.isin(rows, shown)].max()
        assert (difficulty <= limit).sum() == len(shown)
        assert share * count <= len(shown) + 1e-6 < share * count + 1.1
        assert times.max() - times.min() <= 1
    assert sorted(dealt[-1]) == sorted(rows) or shares[-1] < 1


def test_rows_far_from_the_median_are_hard_whatever_their_unit() -> None:
    generator = np.random.default_rng(0)
    targets = generator.normal(size=(101, 2))
    inputs = np.column_stack([generator.normal(size=101), np.full(101, 7.0)])
    by_hand = np.abs(targets - np.median(targets, axis=0))
    by_hand /= by_hand.mean(axis=0)
    found = DIFFICULTIES["target_size"](inputs, targets)
    assert np.array_equal(np.argsort(found), np.argsort(by_hand.mean(axis=1)))
    np.testing.assert_allclose(DIFFICULTIES["target_size"](inputs, targets * [1e3, 1e-3] + 5), found)
    assert np.argmax(DIFFICULTIES["inputs_size"](inputs, targets)) == np.argmax(
        np.abs(inputs[:, 0] - np.median(inputs[:, 0]))
    )


def test_a_difficulty_of_the_users_own_is_imported_and_must_be_a_number_a_row() -> None:
    inputs, targets = np.arange(6.0).reshape(3, 2), np.zeros((3, 1))
    own = curriculum_choice({"kind": "curriculum", "by": f"{HERE}:order_of_inputs"})
    assert own is not None
    assert own.difficulty(inputs, targets).tolist() == [0, 2, 4]
    spoilt = curriculum_choice({"kind": "curriculum", "by": f"{HERE}:of_nothing"})
    assert spoilt is not None
    with pytest.raises(CampaignFileError, match="one finite number a row"):
        spoilt.difficulty(inputs, targets)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("randm", "did you mean 'random'"),
        ({"kind": "curriculum", "by": "target_sise"}, "did you mean 'target_size'"),
        ({"kind": "curriculum", "by": "nowhere_at_all:f"}, "cannot be imported"),
        ({"kind": "curriculum", "pacing": "linaer"}, "did you mean 'linear'"),
        ({"kind": "curriculum", "start": 0}, "above 0"),
        ({"kind": "curriculum", "until": 1.5}, "a share up to 1"),
        ({"kind": "curriculum", "untill": 0.5}, "did you mean 'until'"),
        ({"kind": "random", "start": 0.5}, "unknown key 'start'"),
        (3, "a name"),
    ],
)
def test_orders_that_cannot_be_used_are_refused_by_name(order: object, message: str) -> None:
    with pytest.raises(CampaignFileError, match=message):
        curriculum_choice(order)


def test_random_is_no_curriculum() -> None:
    assert curriculum_choice("random") is None
