from collections import OrderedDict
from dataclasses import replace

import jax
import numpy as np
import pytest

from probatum.learning import compilation, program
from probatum.learning.curriculum import Curriculum
from probatum.learning.networks.mlp import initial_mlp
from probatum.learning.objective import Objective
from probatum.learning.procedure import Procedure, Stage
from probatum.learning.replicas import Replica, Trained, _order, at_most, evaluated, steps_per_epoch, train


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (64, 1), (65, 2), (600, 10), (650, 12), (1102, 20), (1191, 20)])
def test_an_epoch_has_few_different_lengths(rows: int, steps: int) -> None:
    assert steps_per_epoch(rows, 64) == steps


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_an_epoch_holds_all_rows_and_no_empty_mini_batch(batch: int) -> None:
    for rows in range(1, 400):
        steps = steps_per_epoch(rows, batch)
        assert rows / batch <= steps <= rows
        assert steps <= 1.25 * -(-rows // batch)


def replica(norm: str, seed: int, rows: int = 20, columns: int = 3) -> Replica:
    stage = {
        "rate": 1e-2,
        "weight_decay": 0.0,
        "loss": {},
        "penalties": [],
        "schedule": {},
        "paces": [],
        "target_weights": np.ones(1),
        "units": np.stack([np.zeros(1), np.ones(1)]),
    }
    numbers = jax.tree.map(lambda number: np.asarray(number, dtype=np.float32), {"stages": [stage]})
    generator = np.random.default_rng(seed)
    network = initial_mlp((columns, 6, 1), "relu", norm, "linear", generator)
    as_is = [np.stack([np.zeros(k), np.ones(k)]).astype(np.float32) for k in (columns, 1)]
    return Replica(network, numbers, np.arange(rows), seed, generator, *as_is, validation=np.arange(rows, rows + 5))


INPUTS = np.random.default_rng(0).normal(size=(35, 3)).astype(np.float32)
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:2]
ONE_EPOCH = Procedure((Stage(1, Objective()),), watching=True)


def trained(norm: str, count: int = 1) -> list[Trained]:
    patient = [replica(norm, seed) for seed in range(count)]
    for one in patient:
        one.numbers["patience"] = np.float32(np.inf)
    return train(ONE_EPOCH, patient, INPUTS, TARGETS, batch=10)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_cases_are_evaluated_in_blocks_as_they_are_whole(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = trained(norm)
    monkeypatch.setattr(program, "BLOCK", 8)  # four blocks and three cases
    monkeypatch.setattr(compilation, "_programs", OrderedDict())
    (blocks,) = trained(norm)
    np.testing.assert_allclose(blocks.outputs, whole.outputs, rtol=1e-5, atol=1e-6)
    assert blocks.curves["dead units"] == whole.curves["dead units"]
    assert jax.tree.structure(blocks.statistics) == jax.tree.structure(whole.statistics)
    for a, b in zip(jax.tree.leaves(blocks.statistics), jax.tree.leaves(whole.statistics), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_network_evaluated_apart_is_as_it_was_when_it_was_trained() -> None:
    (one,) = trained("batch")
    again = evaluated(ONE_EPOCH, replica("batch", 0), one.network, INPUTS, TARGETS)
    np.testing.assert_allclose(again.outputs, one.outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(again.dead, one.curves["dead units"][0])
    np.testing.assert_allclose(again.score, one.curves["validation loss"][0], rtol=1e-4)
    np.testing.assert_allclose(again.score, ((one.outputs[20:25] - TARGETS[20:25]) ** 2).mean(), rtol=1e-4)


def test_a_width_that_memory_forced_before_is_kept_to() -> None:
    with at_most(2):
        assert {one.width for one in trained("none", 3)} == {2}
    with at_most(None):
        assert {one.width for one in trained("none", 3)} == {8}


def test_without_a_curriculum_all_rows_are_shown_in_every_epoch_and_with_one_the_easiest_first() -> None:
    procedure = Procedure((Stage(6, Objective()),))
    shares = np.array([0.2, 0.2, 0.5, 0.5, 1.0, 1.0])
    easy_first = replace(replica("none", 0), curriculum=Curriculum(np.arange(20)[::-1], shares))
    for one, counts in ((replica("none", 0), [20] * 6), (easy_first, [4, 4, 10, 10, 20, 20])):
        order, filled = _order(one, procedure, 3, 8)
        assert order.shape == (6, 3, 8)
        assert filled.sum() == 20
        shown = [np.unique(epoch[filled > 0]) for epoch in order]
        assert [len(rows) for rows in shown] == counts
        assert all((rows == np.arange(20)[-len(rows) :]).all() for rows in shown)
