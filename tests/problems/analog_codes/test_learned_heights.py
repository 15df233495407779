"""Heights are learned from streams of fresh codes: better than the mean, rising with m, and the same each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probatum.errors import CampaignFileError, DataError, FitError
from probatum.problems.analog_codes.heights import float64_height_profiles, height_profile
from probatum.problems.analog_codes.learned_heights import (
    HeightTraining,
    LearnedHeights,
    learn_heights,
    learned_heights,
    mixed_heights,
    seen,
)
from probatum.problems.analog_codes.stream_training import StreamTraining, train_on_stream
from probatum.problems.analog_codes.tableaux import TableauView, describe
from probatum.problems.analog_codes.training_stream import CodeStream

SHORT = HeightTraining(9, 4, 32_768, width=32, layers=1, batch=256)


@pytest.fixture(scope="module")
def model() -> LearnedHeights:
    return learn_heights(SHORT)


@pytest.fixture(scope="module")
def fresh() -> tuple[np.ndarray, np.ndarray]:
    return CodeStream(9, 4).labelled(0, 3000)


def test_a_short_training_beats_the_mean_of_every_height_on_fresh_codes(model: LearnedHeights, fresh):
    P, truth = fresh
    assert (((model(P) - truth) ** 2).mean(axis=0) < 0.85 * truth.var(axis=0)).all()


def test_learned_heights_rise_with_m_and_are_at_least_one(model: LearnedHeights, fresh):
    predicted = model(fresh[0])
    assert (predicted >= 0).all()
    assert (np.diff(predicted, axis=1) >= 0).all()


def test_a_code_is_predicted_alike_in_any_company_and_in_any_order_of_rows_and_columns(model: LearnedHeights, fresh):
    P = fresh[0][:100]
    together = model(P)
    np.testing.assert_allclose(model(P[50:51]), together[50:51], rtol=1e-5)
    np.testing.assert_allclose(model(-P[:, ::-1][:, :, [2, 0, 1, 4, 3]]), together, rtol=1e-3, atol=1e-3)
    assert model(P[:0]).shape == (0, 5)


def test_equal_trainings_give_equal_bits_and_other_seeds_other_networks(model: LearnedHeights):
    assert SHORT.codes == model.codes
    again, other = learn_heights(SHORT), learn_heights(replace(SHORT, seed=1, codes=1024))
    assert all(np.array_equal(a, b) for a, b in zip(model.weights, again.weights, strict=True))
    assert not np.array_equal(model.weights[0], other.weights[0])


def test_a_stream_that_begins_again_shows_the_same_codes_again():
    once = replace(SHORT, codes=8192)
    with_pool, without = learn_heights(replace(once, pool=8192)), learn_heights(once)
    assert all(np.array_equal(a, b) for a, b in zip(with_pool.weights, without.weights, strict=True))
    twice = learn_heights(replace(SHORT, codes=16_384, pool=8192))
    assert twice.codes == 16_384
    assert not np.array_equal(twice.weights[0], learn_heights(replace(SHORT, codes=16_384)).weights[0])


def test_a_trained_network_is_kept_and_read_back(model: LearnedHeights, fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = learned_heights(SHORT)
    monkeypatch.setattr("probatum.problems.analog_codes.learned_heights.learn_heights", None)
    again = learned_heights(SHORT)
    np.testing.assert_array_equal(again(fresh[0]), first(fresh[0]))
    np.testing.assert_array_equal(again(fresh[0]), model(fresh[0]))
    assert again.training == SHORT


def test_a_mixture_errs_no_more_than_its_networks_and_rises_with_m(model: LearnedHeights, fresh):
    P, truth = fresh
    other = learn_heights(replace(SHORT, view=TableauView(2, (0,)), seed=1))
    mixture = mixed_heights([model, other], 4096)
    np.testing.assert_allclose(mixture.weights.sum(axis=0), 1.0)
    assert (mixture.weights >= 0).all()
    errors = [((one(P) - truth) ** 2).mean(axis=0) for one in (mixture, model, other)]
    assert (errors[0] <= 1.02 * np.minimum(errors[1], errors[2])).all()
    assert (np.diff(mixture(P), axis=1) >= 0).all()
    np.testing.assert_allclose(mixed_heights([model, model], 100)(P[:10]), model(P[:10]))


def test_codes_of_another_shape_are_refused(model: LearnedHeights):
    with pytest.raises(DataError, match="shape"):
        model(np.ones((1, 5, 4)))


def test_a_network_that_sees_searches_is_given_their_bounds_beside_the_tableaux(fresh):
    training = replace(SHORT, vertex_bases=4, minor_steps=50)
    P = fresh[0][:20]
    columns = seen(P, training)
    np.testing.assert_array_equal(columns[:, :-10], describe(P, TableauView()))
    assert (columns[:, -10:] <= fresh[1][:20].repeat(2, axis=0).reshape(20, 10).max() + 1e-4).all()
    assert (np.diff(columns[:, -5:]) >= 0).all()


def test_a_stream_gives_the_same_codes_in_any_pieces_with_exact_heights():
    stream = CodeStream(9, 6, "integer", seed=3, draw=2)
    P, heights = stream.labelled(100, 700)
    np.testing.assert_array_equal(stream.labelled(300, 400)[0], P[200:300])
    np.testing.assert_array_equal(2**heights, 2 ** np.log2(float64_height_profiles(P)))
    assert np.isinf(heights[:, -1]).any()
    assert not np.array_equal(CodeStream(9, 6, "integer", seed=3, draw=3).codes(100, 700), P)


def test_heights_of_long_codes_are_kept_and_exact(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("probatum.problems.analog_codes.training_stream.KEPT", 4)
    monkeypatch.setattr("probatum.problems.analog_codes.training_stream.KEPT_LONG", 2)
    for n in (13, 17):
        stream = CodeStream(n, 4)
        P, heights = stream.labelled(1, 4)
        expected = [height_profile(np.hstack([np.eye(4), one])) for one in P]
        np.testing.assert_allclose(2**heights, expected, rtol=1e-8)
        np.testing.assert_array_equal(stream.labelled(1, 4)[1], heights)
    with pytest.raises(DataError, match="length 25"):
        CodeStream(25, 4)


def test_a_training_whose_loss_is_no_number_fails_and_numbers_that_make_no_sense_are_refused():
    from probatum.problems.analog_codes.height_network import initial_height_network

    network = initial_height_network(3, 2, 4, 1, "silu", np.random.default_rng(0), profile=[1.0, 2.0])

    def make(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full((stop - start, 3), np.nan, np.float32), np.ones((stop - start, 2), np.float32)

    with pytest.raises(FitError, match="loss"):
        train_on_stream(network, make, np.ones(2), StreamTraining(64, batch=32))
    with pytest.raises(CampaignFileError):
        StreamTraining(0)


def test_targets_that_are_not_finite_do_not_count():
    import jax.numpy as jnp

    from probatum.problems.analog_codes.height_network import initial_height_network, profile_of_rows

    network = initial_height_network(1, 2, 8, 1, "silu", np.random.default_rng(0), profile=[1.0, 2.0])

    def make(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        x = np.random.default_rng(start).normal(size=(stop - start, 1)).astype(np.float32)
        last = np.where(np.arange(start, stop) % 2 == 0, np.inf, 3.0)
        return x, np.stack([np.full(stop - start, 1.0), last], axis=1).astype(np.float32)

    trained, outcome = train_on_stream(network, make, np.ones(2), StreamTraining(32_768, batch=32, rate=1e-2))
    profile = np.asarray(profile_of_rows(trained, jnp.asarray(make(0, 64)[0])))
    np.testing.assert_allclose(profile, np.tile([1.0, 3.0], (64, 1)), atol=0.05)
    assert outcome.rows == 32_768
