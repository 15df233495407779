"""Runs of gas chromatography: from a file of two million rows to the seven blocks, against pandas.

All sides read the same file and run in this process, one after the other; times are processor time, the least of a few
runs. The largest memory is that of a process of its own that does nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from result import Row, benchmark

from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.seven_blocks import seven_blocks

LOWEST, HIGHEST = 2, 335
ALONE = """
import sys
from pathlib import Path
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.seven_blocks import seven_blocks
seven_blocks(read_run(Path(sys.argv[1])), 2, 335)
# Not getrusage's ru_maxrss, which counts the parent's memory as well.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""


def measure(quick: bool) -> list[Row]:
    """Seconds, ratios, memory and disagreement."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.csv"
        rows = write_run(path, 500_000 if quick else 2_000_000)
        ours, found = fastest(lambda: seven_blocks(read_run(path), LOWEST, HIGHEST), 5)
        loop, by_loop = fastest(lambda: blocks_in_a_loop(path), 1 if quick else 2)
        grouped, by_group = fastest(lambda: blocks_by_group(path), 2 if quick else 3)
        alone = subprocess.run([sys.executable, "-c", ALONE, path], capture_output=True, text=True, check=True)
    worst = max(float(np.abs(found - other).max()) for other in (by_loop, by_group))
    return [
        Row(f"reading {rows} rows and seven blocks", ours, "s"),
        Row("times faster than pandas, m/z after m/z", loop / ours, "", 8.0, "higher"),
        Row("times faster than pandas, grouped", grouped / ours, "", 2.3, "higher"),
        Row("disagreement with both", worst, "", 1e-6),
        Row("largest memory", float(alone.stdout), "MiB", 300.0),
    ]


def write_run(path: Path, rows: int) -> int:
    """A run of 4,000 scans with all digits of float64."""
    rng, scans = np.random.default_rng(0), 4000
    points = rows // scans
    times = np.repeat(np.linspace(0, 30, scans), points)
    masses = np.sort(rng.uniform(1, 340, (scans, points)), axis=1).ravel()
    frame = {"time": times, "mass": masses, "intensity": rng.exponential(1000.0, scans * points)}
    pd.DataFrame(frame).to_csv(path, index=False)
    return scans * points


def _read_by_pandas(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path)
    frame["mass"] = frame.mass.round().astype(int)
    frame["scan"] = (frame.time.diff().fillna(0) > 0).cumsum()
    x = frame.intensity
    frame["dx"], frame["dxx"] = x.diff(1).fillna(0) / 1000, x.diff(2).fillna(0) / 1000
    frame["dxdx"] = x.diff(1).diff().fillna(0) / 10
    return frame


def blocks_in_a_loop(path: Path) -> np.ndarray:
    """As the entry that introduced these features computed them: one selection of rows after the other."""
    frame = _read_by_pandas(path)
    found = np.zeros((7, HIGHEST - LOWEST + 1))
    top, last = frame.intensity.max(), frame.scan.max()
    for mass in range(LOWEST, HIGHEST + 1):
        rows = frame[frame.mass == mass]
        if not len(rows):
            found[2, mass - LOWEST] = -1
            continue
        means = rows[["intensity", "dx", "dxx", "dxdx"]].mean()
        x = rows.intensity
        found[:, mass - LOWEST] = [
            np.log1p(means.intensity),
            np.sign(means.dx) * np.log1p(abs(means.dx)),
            rows.scan[x.idxmax()] / last,
            np.log1p(x.max()) / 10,
            np.sign(means.dxx) * np.log1p(abs(means.dxx)),
            x.max() / top,
            np.sign(means.dxdx) * np.log1p(abs(means.dxdx)),
        ]
    return found


def blocks_by_group(path: Path) -> np.ndarray:
    """The same with one groupby."""
    frame = _read_by_pandas(path)
    groups = frame.groupby("mass")
    wanted = range(LOWEST, HIGHEST + 1)
    means = groups[["intensity", "dx", "dxx", "dxdx"]].mean().reindex(wanted).fillna(0.0)
    largest = groups.intensity.max().reindex(wanted).fillna(0.0)
    place = groups.intensity.idxmax().reindex(wanted)
    scan = frame.scan.reindex(place).to_numpy() / frame.scan.max()
    logs = np.sign(means) * np.log1p(means.abs())
    return np.stack(
        [
            np.log1p(means.intensity),
            logs.dx,
            np.where(np.isnan(scan), -1.0, scan),
            np.log1p(largest) / 10,
            logs.dxx,
            largest / frame.intensity.max(),
            logs.dxdx,
        ]
    )


def fastest(do: Callable[[], np.ndarray], times: int) -> tuple[float, np.ndarray]:
    """Least processor time, and what it gave; compiled code is compiled before."""
    found, taken = do(), []
    for _ in range(times):
        started = time.process_time()
        found = do()
        taken.append(time.process_time() - started)
    return min(taken), found


if __name__ == "__main__":
    benchmark("gas_chromatography", measure, ["probatum", "numpy", "numba", "pandas"])
