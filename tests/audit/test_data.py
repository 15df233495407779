"""Rows on both sides, torn groups, overlapping sources, columns on two scales, labels that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.audit.catalogue import CHECKS
from probatum.audit.data import CHECKS as ALL
from probatum.audit.finding import Alarm
from probatum.audit.history import Partition, Side
from probatum.audit.rows import near_rows, reading_step, row_hashes, set_values
from probatum.problems.problem import Quantity

LEVEL = 1e-4
Labels = Mapping[str, np.ndarray]


def looked(code: str, partition: Partition, level: float = LEVEL) -> list[Alarm]:
    return list(CHECKS[code].look(partition, level))


def halves(
    inputs: np.ndarray,
    targets: np.ndarray | None,
    test: np.ndarray,
    *,
    groups: Labels | None = None,
    sources: np.ndarray | None = None,
    replicates: np.ndarray | None = None,
    **more: Any,
) -> Partition:
    """A partition by a mask of test rows."""

    def side(rows: np.ndarray) -> Side:
        return Side(
            inputs[rows],
            None if targets is None else targets[rows],
            {name: labels[rows] for name, labels in (groups or {}).items()},
            None if sources is None else sources[rows],
            tuple(f"x{i}" for i in range(inputs.shape[1])),
        )

    together = None if replicates is None else np.concatenate([replicates[~test], replicates[test]])
    return Partition("fold 1", side(~test), side(test), replicates=together, **more)


def measured(seed: int, rows: int = 100, columns: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Honest rows: inputs, targets, and a mask of a fifth of them."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(rows, columns))
    targets = inputs[:, :1] + generator.normal(0, 0.3, size=(rows, 1))
    return inputs, targets, generator.permutation(rows) < rows // 5


def quiet(partition: Partition) -> bool:
    return not [a for check in ALL for a in check.look(partition, LEVEL) if a.severity != "note"]


# ---------------------------------------------------------------------- PB101


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10))
def test_every_test_row_that_was_copied_is_counted(seed: int, copies: int):
    inputs, targets, test = measured(seed)
    chosen = np.random.default_rng(seed).choice(np.flatnonzero(~test), copies, replace=False)
    inputs[np.flatnonzero(test)[:copies]] = inputs[chosen]
    targets[np.flatnonzero(test)[:copies]] = targets[chosen]
    (alarm,) = looked("PB101", halves(inputs, targets, test))
    assert alarm.figures == {"rows": copies, "share": copies / test.sum()}
    assert alarm.severity is None


def test_rows_duplicated_before_the_split_are_found_without_targets_too():
    inputs, _, _ = measured(0, 1000)
    edge = np.flatnonzero(np.abs(inputs[:, 0]) > 0.52)
    augmented = np.concatenate([inputs, inputs[edge]])
    test = np.random.default_rng(0).permutation(len(augmented)) < 321
    (alarm,) = looked("PB101", halves(augmented, None, test))
    independent = sum(tuple(row) in {tuple(r) for r in augmented[~test]} for row in augmented[test])
    assert alarm.figures["rows"] == independent > 100


def test_minus_zero_is_zero_and_missing_values_are_equal():
    inputs = np.array([[0.0, np.nan, 1.0], [-0.0, np.nan, 1.0], [0.0, 2.0, 1.0]])
    hashes = row_hashes(inputs)
    assert hashes[0] == hashes[1] != hashes[2]
    assert row_hashes(inputs[:, [0, 1]], inputs[:, [2]]).tolist() == hashes.tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, -1.5]), min_size=3, max_size=3), min_size=1, max_size=20))
def test_hashes_are_equal_exactly_where_rows_are(rows: list[list[float]]):
    hashes = row_hashes(np.array(rows))
    assert len(np.unique(hashes)) == len({tuple(row) for row in rows})


def test_repeated_measurements_of_a_grid_on_both_sides_are_no_duplicates():
    generator = np.random.default_rng(1)
    grid = np.array([(t, s) for t in range(6) for s in range(6)], dtype=float)
    inputs = np.repeat(grid, 3, axis=0)
    targets = inputs[:, :1] + generator.normal(0, 0.2, (108, 1))
    assert looked("PB101", halves(inputs, targets, generator.permutation(108) < 30)) == []


def test_readings_that_agree_by_rounding_are_no_duplicates_and_copies_among_them_are():
    generator = np.random.default_rng(2)
    alarms = 0
    inputs = np.repeat(np.arange(40.0)[:, None], 3, axis=0)
    targets = inputs.copy()
    for _ in range(40):
        targets = np.round(inputs / 10 + generator.normal(0, 0.05, (120, 1)), 2)  # steps of a fifth of the scatter
        alarms += len([a for a in looked("PB101", halves(inputs, targets, np.arange(120) % 3 == 0)) if not a.severity])
    assert alarms == 0
    targets[0::3] = targets[1::3]
    assert looked("PB101", halves(inputs, targets, np.arange(120) % 3 == 0))[0].figures["rows"] >= 40


def test_the_step_of_readings_is_found():
    spread = np.random.default_rng(22).normal(size=50)
    assert reading_step(np.round(spread, 2)) == pytest.approx(0.01)
    assert reading_step(np.round(spread * 20) / 20) == pytest.approx(0.05)
    assert reading_step(np.array([1.0, 1.2, 1.5, 2.2])) == pytest.approx(0.1)
    assert reading_step(np.array([20.0, 50.0, 90.0])) == pytest.approx(10)
    assert reading_step(spread) == reading_step(np.ones(3)) == 0


def test_set_values_that_recur_may_read_the_same_where_readings_are_rounded():
    generator = np.random.default_rng(21)
    errors = 0
    inputs, targets = np.zeros((60, 2)), np.zeros((60, 1))
    for _ in range(60):
        inputs = generator.integers(0, 8, (60, 2)).astype(float)
        targets = np.round(inputs[:, :1] + generator.normal(0, 0.3, (60, 1)), 1)
        partition = halves(inputs, targets, generator.permutation(60) < 15)
        errors += len([a for a in looked("PB101", partition) if a.severity is None])
    assert errors <= 1
    targets = generator.normal(size=(60, 1))  # read finely, one equal row is no accident
    inputs[0], targets[0] = inputs[1], targets[1]
    (alarm,) = looked("PB101", halves(inputs, targets, np.arange(60) % 60 == 0))
    assert alarm.figures["rows"] == 1


def test_groups_that_share_their_times_and_temperatures_are_silent_where_they_are_kept_apart():
    generator = np.random.default_rng(3)
    times = generator.uniform(0, 10, (12, 2))
    inputs, solvent = np.tile(times, (8, 1)), np.repeat(np.arange(8), 12).astype(str)
    partition = halves(inputs, None, solvent == "3", groups={"solvent": solvent}, separated=("solvent",))
    assert looked("PB101", partition) == []
    (unnamed,) = looked("PB101", halves(inputs, None, solvent == "3"))
    assert unnamed.figures["share"] == 1


def test_equal_inputs_with_other_targets_are_a_note_where_nothing_is_kept_apart():
    inputs, targets, _ = measured(4)
    inputs[1::2] = inputs[::2]
    (alarm,) = looked("PB101", halves(inputs, targets, np.arange(100) % 10 == 0))
    assert alarm.severity == "note"
    assert alarm.figures["rows"] == 10


# ---------------------------------------------------------------------- PB102


def with_copies(seed: int, rows: int, columns: int, copies: int) -> Partition:
    inputs, targets, test = measured(seed, rows, columns)
    generator = np.random.default_rng([seed, 1])
    chosen = generator.choice(np.flatnonzero(~test), copies, replace=False)
    inputs[np.flatnonzero(test)[:copies]] = inputs[chosen] + 0.01 * generator.normal(size=(copies, columns))
    return halves(inputs, targets, test)


@pytest.mark.parametrize(("rows", "columns", "copies"), [(200, 8, 3), (200, 3, 10)])
def test_noisy_copies_are_found_with_the_stated_power(rows: int, columns: int, copies: int):
    found = [looked("PB102", with_copies(seed, rows, columns, copies)) for seed in range(40)]
    assert sum(map(bool, found)) >= 36
    assert all(alarms[0].figures["rows"] <= copies for alarms in found if alarms)
    assert all(alarms[0].figures["distance"] < 0.05 for alarms in found if alarms)


def honest(kind: str, generator: np.random.Generator, rows: int) -> np.ndarray:
    """Inputs of independent rows, of shapes that come near each other for other reasons than copying."""
    match kind:
        case "normal":
            return generator.normal(size=(rows, 6))
        case "heavy tails":
            return np.exp(2 * generator.normal(size=(rows, 4)))
        case "categories":
            return np.column_stack([np.eye(5)[generator.integers(0, 5, rows)], generator.uniform(size=(rows, 2))])
        case "grid":
            return generator.integers(0, 8, (rows, 3)).astype(float)
        case "jitter about set values":
            values = generator.integers(0, 4, (rows, 3)).astype(float)
            values[:, 2] += generator.normal(0, 0.02, rows)
            return values
        case "powers of one":
            t = generator.uniform(size=rows)
            return np.column_stack([t, t**2, np.sin(6 * t)])
        case _:
            return np.round(generator.normal(size=(rows, 4)), 1)


KINDS = ("normal", "heavy tails", "categories", "grid", "jitter about set values", "powers of one", "rounded")


@pytest.mark.parametrize("kind", KINDS)
def test_honest_rows_are_no_copies(kind: str):
    generator = np.random.default_rng(5)
    alarms = 0
    for trial in range(60):
        rows = (50, 120, 300)[trial % 3]
        inputs = honest(kind, generator, rows)
        test = generator.permutation(rows) < rows // 5
        alarms += len(looked("PB102", halves(inputs, None, test), 0.01))
    assert alarms <= 3  # 60 looks at a level of 0.01


def test_three_copies_of_each_row_before_the_split_are_found():
    generator = np.random.default_rng(6)
    once = generator.normal(size=(60, 6))
    inputs = np.repeat(once, 3, axis=0) + 0.01 * generator.normal(size=(180, 6))
    (alarm,) = looked("PB102", halves(inputs, None, generator.permutation(180) < 36))
    assert alarm.figures["rows"] > 25


def test_columns_beyond_counting_keep_their_copies():
    (alarm,) = looked("PB102", with_copies(7, 200, 300, 3))
    assert alarm.figures["rows"] == 3


def test_set_values_are_found_and_spread_values_are_left():
    generator = np.random.default_rng(8)
    exact = generator.integers(0, 4, 80) * 10.0
    taken = set_values(exact + generator.normal(0, 0.1, 80))
    assert len(np.unique(taken)) == 4
    assert np.abs(taken - exact).max() < 0.1
    spread = generator.uniform(size=80)
    assert (set_values(spread) == spread).all()


def test_too_few_rows_say_nothing():
    assert near_rows(np.zeros((0, 2)), np.ones((3, 2))) is None
    assert near_rows(np.arange(8.0).reshape(4, 2), np.ones((3, 2))) is None
    assert near_rows(np.ones((50, 2)), np.ones((3, 2))) is None


# ---------------------------------------------------------------------- PB103


def test_a_torn_group_is_found_and_counted():
    inputs, targets, test = measured(9)
    batch = np.where(test, "b9", np.char.add("b", (np.arange(100) % 7).astype(str)))
    assert looked("PB103", halves(inputs, targets, test, groups={"batch": batch}, separated=("batch",))) == []
    batch[np.flatnonzero(test)[:4]] = "b3"
    (alarm,) = looked("PB103", halves(inputs, targets, test, groups={"batch": batch}, separated=("batch",)))
    assert alarm.figures == {"rows": 4, "groups": 1, "share": 4 / 20}
    assert "b3" in alarm.message
    assert looked("PB103", halves(inputs, targets, test, groups={"batch": batch})) == []  # nobody promised


def test_one_sample_on_both_sides_is_an_error_and_may_be_meant_where_other_groups_are_kept_apart():
    inputs, targets, _ = measured(10)
    test = np.arange(100) < 20
    sample = np.arange(100) // 8  # sample 2 has rows 16 to 23
    (alarm,) = looked("PB103", halves(inputs, targets, test, replicates=sample))
    assert (alarm.severity, alarm.figures["rows"], alarm.figures["groups"]) == (None, 4, 1)
    day = np.where(test, "monday", "tuesday")
    apart = halves(inputs, targets, test, replicates=sample, groups={"day": day}, separated=("day",))
    assert [a.severity for a in looked("PB103", apart)] == ["warning"]


# ---------------------------------------------------------------------- PB104


def test_nested_sources_are_found_and_disjoint_ones_are_not():
    inputs, targets, _ = measured(11, 90)
    source = np.repeat(["small", "middle", "large"], 30)
    test = np.arange(90) % 5 == 0
    assert looked("PB104", halves(inputs, targets, test, sources=source)) == []
    inputs[30:50], targets[30:50] = inputs[:20], targets[:20]
    (alarm,) = looked("PB104", halves(inputs, targets, test, sources=source))
    assert alarm.figures == {"share": 20 / 30, "rows": 20, "pairs": 1}
    assert "'small'" in alarm.message
    assert "'middle'" in alarm.message
    assert looked("PB104", halves(inputs, targets, test)) == []  # no sources are named


def test_sources_measured_at_the_same_set_values_do_not_overlap():
    inputs = np.tile(np.array([(t, s) for t in range(5) for s in range(5)], dtype=float), (2, 1))
    source = np.repeat(["a", "b"], 25)
    targets = np.random.default_rng(12).normal(size=(50, 1))
    assert looked("PB104", halves(inputs, targets, np.arange(50) % 5 == 0, sources=source)) == []
    assert looked("PB104", halves(inputs, None, np.arange(50) % 5 == 0, sources=source)) == []


# ---------------------------------------------------------------------- PB105


@pytest.mark.parametrize("factor", [10.0, 100.0, 60.0])
def test_a_source_in_another_unit_is_found_with_the_stated_power(factor: float):
    found = 0
    for seed in range(40):
        inputs, targets, test = measured(seed, 60, 3)
        inputs = np.random.default_rng(seed).uniform(0, 1, size=inputs.shape)
        source = np.repeat(["a", "b", "c"], 20)
        inputs[source == "b", 1] *= factor
        alarms = looked("PB105", halves(inputs, targets, test, sources=source))
        found += len([a for a in alarms if 0.5 < a.figures["factor"] / factor < 2])  # 20 rows: 60 or 100?
        assert all("'x1' is on another scale in source 'b'" in a.message for a in alarms)
    assert found >= 36


def test_a_batch_in_percent_is_found_where_it_is_left_out_and_where_it_trains():
    generator = np.random.default_rng(13)
    inputs, batch = generator.uniform(size=(100, 2)), np.repeat(np.arange(5).astype(str), 20)
    inputs[batch == "2", 0] *= 100
    for left_out in ("2", "4"):
        partition = halves(inputs, None, batch == left_out, groups={"batch": batch}, separated=("batch",))
        (alarm,) = looked("PB105", partition)
        assert alarm.figures["factor"] == 100


def test_groups_of_many_concentrations_and_shifted_groups_are_on_one_scale():
    generator = np.random.default_rng(14)
    alarms = 0
    for _ in range(60):
        batch = np.repeat(np.arange(6), 15)
        size = 10.0 ** generator.uniform(-2, 2, 6)[batch]
        inputs = np.column_stack(
            [size * generator.uniform(1, 2, 90), generator.normal(size=90) + generator.normal(0, 3, 6)[batch]]
        )
        labels = batch.astype(str)
        partition = halves(inputs, None, batch == 0, groups={"batch": labels}, separated=("batch",))
        alarms += len([a for a in looked("PB105", partition, 0.01) if a.severity != "note"])
    assert alarms <= 2


def test_a_column_that_stands_still_in_the_test_rows_is_found():
    inputs, targets, _ = measured(15, 200)
    test = np.arange(200) < 30
    assert looked("PB105", halves(inputs, targets, test)) == []
    inputs[test, 3] = 25.0
    (alarm,) = looked("PB105", halves(inputs, targets, test))
    assert "'x3' is 25 in all 30 test rows" in alarm.message
    inputs[:, 3] = 25.0  # constant everywhere: nobody varied it
    assert looked("PB105", halves(inputs, targets, test)) == []


def test_rare_values_and_descriptors_of_a_group_may_stand_still():
    generator = np.random.default_rng(16)
    alarms = 0
    for _ in range(100):
        inputs = np.column_stack([generator.normal(size=100), generator.uniform(size=100) < 0.05]).astype(float)
        alarms += len(looked("PB105", halves(inputs, None, generator.permutation(100) < 20), 0.01))
    assert alarms <= 3
    batch = np.repeat(np.arange(10), 12)
    inputs = np.column_stack([generator.normal(size=120), generator.normal(size=10)[batch]])
    partition = halves(inputs, None, batch == 0, groups={"batch": batch.astype(str)}, separated=("batch",))
    assert looked("PB105", partition) == []


# ---------------------------------------------------------------------- PB106


def in_pairs(seed: int, noise: str = "normal") -> tuple[np.ndarray, np.ndarray]:
    """[60, 1] targets of 30 samples measured twice, and the samples."""
    generator = np.random.default_rng(seed)
    sample = np.arange(60) // 2
    level = generator.uniform(1, 10, 30)[sample]
    match noise:
        case "normal":
            scatter = generator.normal(0, 0.1, 60)
        case "heavy tails":
            scatter = 0.1 * generator.standard_t(7, 60)
        case _:
            scatter = 0.1 * level * generator.normal(size=60)
    return (level + scatter)[:, None], sample


def pairs(targets: np.ndarray, sample: np.ndarray) -> Partition:
    inputs = np.random.default_rng(0).normal(size=(30, 3))[sample]
    return halves(inputs, targets, sample < 6, replicates=sample, quantities=(Quantity("yield", "%"),))


def test_contradictory_readings_are_found_with_the_stated_power():
    found = 0
    for seed in range(40):
        targets, sample = in_pairs(seed)
        targets[20] = targets[21] + 16 * 0.1
        alarms = looked("PB106", pairs(targets, sample))
        found += bool(alarms)
        for alarm in alarms:
            assert sorted(targets[20:22, 0]) == pytest.approx([alarm.figures["lowest"], alarm.figures["highest"]])
    assert found >= 36


@pytest.mark.parametrize("noise", ["normal", "heavy tails", "proportional"])
def test_honest_scatter_is_no_contradiction(noise: str):
    alarms = sum(len(looked("PB106", pairs(*in_pairs(seed, noise)), 0.01)) for seed in range(150))
    assert alarms <= 5


def test_samples_are_rows_of_equal_inputs_where_none_are_named():
    targets, sample = in_pairs(1)
    inputs = np.random.default_rng(0).normal(size=(30, 3))[sample]
    assert looked("PB106", halves(inputs, targets, sample < 6)) == []
    targets[20] += 5
    (alarm,) = looked("PB106", halves(inputs, targets, sample < 6))
    assert alarm.figures["ratio"] > 20


def test_labels_that_are_not_finite_are_counted():
    inputs, targets, test = measured(17, 150)
    targets[:15] = np.inf
    (alarm,) = looked("PB106", halves(inputs, targets, test))
    assert (alarm.severity, alarm.figures["rows"], alarm.figures["share"]) == ("error", 15, 0.1)
    inputs, targets, test = measured(17, 1348)
    (dropped,) = looked("PB106", halves(inputs, targets, test, unscorable=152))
    assert (dropped.severity, dropped.figures["rows"]) == ("note", 152)
    assert "152 of 1500" in dropped.message


def test_a_label_far_beyond_its_limits_is_found_and_noise_about_a_limit_is_not():
    inputs, _, test = measured(18)
    fraction = Quantity("fraction", "1", 0.0, 1.0)
    targets = np.clip(np.random.default_rng(18).uniform(0, 1.05, (100, 1)), 0, None)
    assert looked("PB106", halves(inputs, targets, test, quantities=(fraction,))) == []
    targets[5] = 87.0
    (alarm,) = looked("PB106", halves(inputs, targets, test, quantities=(fraction,)))
    assert (alarm.severity, alarm.figures["worst"], alarm.figures["rows"]) == ("error", 87, 1)


# ---------------------------------------------------------------------- all together


def test_a_clean_partition_is_silent_and_an_empty_side_too():
    for seed in range(10):
        assert quiet(halves(*measured(seed), groups={"none": np.repeat("a", 100)}))
    inputs, targets, _ = measured(0)
    assert quiet(halves(inputs, targets, np.zeros(100, dtype=bool)))
    assert quiet(halves(inputs, targets, np.ones(100, dtype=bool)))
