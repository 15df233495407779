"""The seven blocks are those that pandas computes row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import Run, run_of_scans
from probatum.problems.gas_chromatography.seven_blocks import BLOCKS, seven_blocks


def by_pandas(run: Run, lowest: int, highest: int, differences: str) -> np.ndarray:
    """The blocks as one writes them down with a data frame."""
    frame = pd.DataFrame({"scan": run.scan_of_point, "mass": np.rint(run.masses).astype(int), "x": run.intensities})
    x = frame.x if differences == "rows" else frame.groupby("mass").x
    one = x.diff(1)
    bend = one.diff() if differences == "rows" else one.groupby(frame.mass).diff()
    frame["dx"], frame["dxx"], frame["dxdx"] = one.fillna(0) / 1000, x.diff(2).fillna(0) / 1000, bend.fillna(0) / 10
    found = np.zeros((7, highest - lowest + 1))
    found[2] = -1
    for mass, rows in frame.groupby("mass"):
        if lowest <= mass <= highest:
            means = rows[["dx", "dxx", "dxdx"]].mean()
            logs = np.sign(means) * np.log1p(np.abs(means))
            found[:, mass - lowest] = [
                np.log1p(rows.x.mean()),
                logs.dx,
                rows.scan[rows.x.idxmax()] / (len(run) - 1),
                np.log1p(rows.x.max()) / 10,
                logs.dxx,
                rows.x.max() / frame.x.max() if frame.x.max() > 0 else 0,
                logs.dxdx,
            ]
    return found


@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.sampled_from(["rows", "time"]))
def test_blocks_are_those_of_a_data_frame(seed: int, most: int, differences: str):
    rng = np.random.default_rng(seed)
    scans = []
    for number in range(15):
        count = int(rng.integers(0, most + 1)) + (number == 3)
        masses = np.sort(rng.uniform(10, 20, count))
        scans.append((30.0 + number, masses, np.round(rng.exponential(1e3, count) * (rng.random(count) < 0.8))))
    run = run_of_scans("random", scans, where="here")
    expected = by_pandas(run, 12, 18, differences)
    np.testing.assert_allclose(seven_blocks(run, 12, 18, differences), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("differences", ["rows", "time"])
def test_blocks_of_the_real_run(real_data: Path, differences: str):
    run = read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")
    found = seven_blocks(run, 2, 335, differences)
    assert found.shape == (len(BLOCKS), 334)
    # Sums in another order; a mean of differences that cancel keeps what rounding left.
    np.testing.assert_allclose(found, by_pandas(run, 2, 335, differences), rtol=1e-7, atol=1e-9)
    assert found[5].max() == 1.0


def test_differences_along_rows_and_along_time_are_different(real_data: Path):
    run = read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")
    rows, time = seven_blocks(run, 12, 335, "rows"), seven_blocks(run, 12, 335, "time")
    for block, name in enumerate(BLOCKS):
        assert np.array_equal(rows[block], time[block]) == (not name.startswith("dx"))


def test_impossible_ranges_are_refused():
    run = run_of_scans("one", [(30.0 + t, np.array([41.0]), np.array([1.0])) for t in range(10)], where="here")
    with pytest.raises(DataError, match="no m/z from 5 to 4"):
        seven_blocks(run, 5, 4)
    with pytest.raises(DataError, match="'columns'"):
        seven_blocks(run, 1, 4, "columns")  # pyright: ignore[reportArgumentType]
