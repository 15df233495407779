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


@pytest.mark.parametrize(("columns", "copies", "noise"), [(2, 10, 0.003), (1, 5, 1e-5)])
def test_copies_of_few_inputs_are_found_where_their_targets_are_copied_too(columns: int, copies: int, noise: float):
    found, honest = 0, 0
    for seed in range(40):
        inputs, targets, test = measured(seed, 200, columns)
        honest += bool(looked("PB102", halves(inputs, targets, test)))
        generator = np.random.default_rng([seed, 2])
        chosen = generator.choice(np.flatnonzero(~test), copies, replace=False)
        for values in (inputs, targets):
            jitter = noise * generator.normal(size=(copies, values.shape[1]))
            values[np.flatnonzero(test)[:copies]] = values[chosen] + jitter
        found += bool(looked("PB102", halves(inputs, targets, test)))
    assert found >= 36
    assert honest == 0


@pytest.mark.parametrize("kind", ["curve", "series", "rounded", "repeated", "cut off"])
def test_honest_rows_of_one_input_and_a_target_are_no_copies(kind: str):
    generator = np.random.default_rng(23)
    alarms = 0
    for trial in range(60):
        rows = (60, 150, 300)[trial % 3]
        x = np.arange(rows) / rows if kind == "series" else generator.uniform(size=rows)
        if kind == "repeated":
            x = x[np.arange(rows) // 3]
        y = np.sin(6 * x) + (0 if kind == "curve" else generator.normal(0, 0.2, rows))
        y = np.round(y, 1) if kind == "rounded" else np.maximum(y, 0) if kind == "cut off" else y
        partition = halves(x[:, None], y[:, None], generator.permutation(rows) < rows // 5)
        alarms += len(looked("PB102", partition, 0.01))
    assert alarms <= 3


def test_a_few_copies_among_very_many_rows_are_found():
    generator = np.random.default_rng(25)
    train, test = generator.normal(size=(12_000, 12)), generator.normal(size=(4_000, 12))
    test[1_000:1_012] = train[:12] + 0.01 * generator.normal(size=(12, 12))
    (alarm,) = looked("PB102", Partition("many", Side(train), Side(test)))
    assert alarm.figures["rows"] == 12


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


@pytest.mark.parametrize("factor", [60.0, 100.0, 1000.0])
def test_rows_of_one_source_in_two_units_are_found_with_the_stated_power(factor: float):
    found = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        inputs = generator.uniform(size=(400, 3))
        inputs[generator.permutation(400) < 100, 1] *= factor
        alarms = looked("PB105", halves(inputs, None, generator.permutation(400) < 80))
        found += len([a for a in alarms if 0.5 < a.figures["factor"] / factor < 2])
        assert all("'x1' is on two scales" in a.message for a in alarms)
        assert all(abs(a.figures["rows"] - 100) <= 10 for a in alarms)
    assert found >= 36


def wide(kind: str, generator: np.random.Generator, rows: int) -> np.ndarray:
    """A column of values of very different size that are all in one unit."""
    match kind:
        case "decades":
            return 10 ** generator.uniform(-3, 3, rows)
        case "lognormal":
            return np.exp(3 * generator.normal(size=rows))
        case "heavy tails":
            return generator.standard_cauchy(rows)
        case "doses":
            return 100.0 ** generator.integers(0, 2, rows) * generator.normal(1, 0.1, rows)
        case "absent and present":
            return np.where(generator.uniform(size=rows) < 0.5, 0.01 * generator.normal(size=rows), 1.0) + (
                generator.uniform(-0.005, 0.5, rows) * (generator.uniform(size=rows) < 0.5)
            )
        case _:
            return generator.normal(size=rows) ** 4


@pytest.mark.parametrize("kind", ["decades", "lognormal", "heavy tails", "doses", "absent and present", "powers"])
def test_columns_of_very_different_sizes_are_in_one_unit(kind: str):
    generator = np.random.default_rng(26)
    alarms = 0
    for trial in range(60):
        rows = (60, 200, 500)[trial % 3]
        inputs = np.column_stack([wide(kind, generator, rows), generator.normal(size=rows)])
        alarms += len(looked("PB105", halves(inputs, None, generator.permutation(rows) < rows // 5), 0.01))
    assert alarms <= 3


def test_two_sizes_that_another_column_or_a_group_tells_apart_are_meant():
    generator = np.random.default_rng(27)
    large = generator.uniform(size=400) < 0.4
    amounts = generator.uniform(size=400) * np.where(large, 100, 1)
    test = generator.permutation(400) < 80
    assert looked("PB105", halves(np.column_stack([amounts, generator.normal(size=400)]), None, test))
    assert looked("PB105", halves(np.column_stack([amounts, large]), None, test)) == []


def test_a_column_that_is_missing_in_the_test_rows_alone_is_found():
    inputs, targets, _ = measured(28, 200)
    test = np.arange(200) < 30
    inputs[test, 2] = np.nan
    (alarm,) = looked("PB105", halves(inputs, targets, test))
    assert "'x2' is nan in all 30 test rows" in alarm.message
    inputs[:, 2] = np.nan  # missing everywhere
    assert looked("PB105", halves(inputs, targets, test)) == []


def test_the_scale_of_a_source_is_found_in_a_sample_of_very_many_rows():
    generator = np.random.default_rng(29)
    inputs = generator.uniform(size=(150_000, 2))
    source = np.repeat(["a", "b", "c"], 50_000)
    inputs[source == "b", 0] *= 100
    (alarm,) = looked("PB105", halves(inputs, None, np.arange(150_000) % 5 == 0, sources=source))
    assert alarm.figures["factor"] == 100


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


ODD = {
    "missing": [np.nan],
    "infinite": [np.inf, -np.inf],
    "largest": [1e308, -1e308],
    "least": [1e-310],
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("values", ODD.values(), ids=ODD)
@pytest.mark.parametrize("where", ["train", "test", "both"])
def test_values_that_are_missing_or_of_no_size_raise_no_warning(values: list[float], where: str, whole: bool):
    inputs, targets, test = measured(30, 120)
    labels = np.char.add("g", (np.arange(120) % 4).astype(str))
    rows = np.flatnonzero({"train": ~test, "test": test, "both": test | True}[where])
    rows = rows if whole else rows[:8]
    inputs[rows, 1] = np.resize(values, len(rows))
    partition = halves(inputs, targets, test, groups={"batch": labels}, sources=labels, replicates=np.arange(120) // 2)
    found = [(check.code, a.severity) for check in ALL for a in check.look(partition, LEVEL) if check.code != "PB103"]
    assert set(found) <= {("PB105", None)}


def test_a_clean_partition_is_silent_and_an_empty_side_too():
    for seed in range(10):
        assert quiet(halves(*measured(seed), groups={"none": np.repeat("a", 100)}))
    inputs, targets, _ = measured(0)
    assert quiet(halves(inputs, targets, np.zeros(100, dtype=bool)))
    assert quiet(halves(inputs, targets, np.ones(100, dtype=bool)))
