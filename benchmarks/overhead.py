"""What a campaign costs beyond the training: milliseconds a fit, `status` on a large ledger, `--help`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from result import Row, benchmark
from sqlalchemy import insert

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers import schema as schema
from probatum.campaigns.ledgers.files import LEDGER, state_folder
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.learning.learner import RowSet, fit_many

FITS_A_CAMPAIGN = 20
QUANTITIES = ("SM", "Product 2", "Product 3")


def measure(quick: bool) -> list[Row]:
    """The three rows; `quick` measures fewer fits and a tenth of the ledger."""
    with tempfile.TemporaryDirectory() as folder:
        overhead, bare = fit_overhead(Path(folder), 30 if quick else 100)
        experiments = 1_000 if quick else 10_000
        file = large_ledger(Path(folder), experiments, fits=34)
        status = median_seconds(["status", str(file)], 3)
    return [
        Row("overhead_ms_per_fit", 1000 * overhead, "ms", 5.0),
        Row("bare_ms_per_fit", 1000 * bare, "ms"),
        Row("status_10k_experiments_s" if not quick else "status_1k_experiments_s", status, "s", 1.0),
        Row("help_s", median_seconds(["--help"], 5), "s", 0.3),
    ]


def fit_overhead(folder: Path, experiments: int) -> tuple[float, float]:
    """Seconds a fit that a campaign takes beyond the same fits called bare, and those of the bare ones.

    Both sides run on one core; the campaign's include starting its worker, reading data, splitting, and the ledger.
    """
    generator = np.random.default_rng(0)
    rows = np.column_stack([generator.normal(size=(200, 8)), np.repeat(np.arange(FITS_A_CAMPAIGN), 10)])
    header = ",".join([*(f"x{i}" for i in range(7)), "y", "group"])
    text = "\n".join([header, *(",".join(f"{v:.6f}" for v in r[:8]) + f",g{int(r[8]):02d}" for r in rows)])
    (folder / "table.csv").write_text(text, encoding="utf-8")
    entries = [
        f'[[experiment]]\nname = "ridge {i}"\nmodel = {{ kind = "ridge", alpha = {1 + i / 10} }}\n'
        for i in range(experiments)
    ]
    file = folder / "overhead.toml"
    file.write_text(
        'problem = { kind = "table", path = "table.csv", target = "y", group = "group" }\n'
        '[protocol]\nsplits = "leave-one-group-out"\nbaseline = "ridge 0"\n' + "\n".join(entries),
        encoding="utf-8",
    )
    campaign = Campaign.open(file)
    campaign.use_cores(1)
    fits = [
        (e.recipe, RowSet(s.train, s.test, 0)) for e in campaign.experiments if not e.trivial for s in campaign.splits
    ]
    dataset = campaign.datasets["table"]
    inputs = campaign.file.problem.features["numbers"].compute(dataset)
    started = time.perf_counter()
    for recipe, row_set in fits:
        estimator = recipe.learner.build(recipe.parameters, 0)
        fit_many([estimator], inputs, dataset.targets(), [row_set], quantities=1)
    bare = time.perf_counter() - started
    started = time.perf_counter()
    campaign.run()
    return (time.perf_counter() - started - bare) / len(fits), bare / len(fits)


def large_ledger(folder: Path, experiments: int, fits: int) -> Path:
    """A ledger with this many experiments and three scores for each of their fits, written in bulk."""
    file = folder / "large.toml"
    state_folder(file).mkdir()
    path = state_folder(file) / LEDGER
    SqlLedger.at(path).close()
    ledger = SqlLedger.at(path)
    total = experiments * fits
    rows: list[tuple[schema.Table, Callable[[int], dict[str, object]], int]] = [
        (schema.split, _split, fits),
        (schema.experiment, lambda i: _experiment(i, fits), experiments),
        (schema.fit, lambda i: _fit(i, fits), total),
        (schema.plan, lambda i: {"experiment_id": i // fits + 1, "fit_id": i + 1, "role": "scored"}, total),
        (schema.score, _score, total * len(QUANTITIES)),
    ]
    with ledger._database.transaction() as db:
        for table, row, count in rows:
            for start in range(0, count, 20_000):
                db.execute(insert(table), [row(i) for i in range(start, min(start + 20_000, count))])
    ledger.close()
    return file


def _split(i: int) -> dict[str, object]:
    where = {"artifact": "a.npz", "position": i, "train_rows": 600, "test_rows": 30}
    return {"id": i + 1, "digest": f"{i:064x}", "task": "t", "draw": 0, "name": f"s{i}", **where}


def _experiment(i: int, fits: int) -> dict[str, object]:
    recipe = {"features": ["spange"], "model": {"kind": "ridge", "alpha": i}, "training": {}}
    state = {"fits": fits, "done": fits, "failed": 0, "seconds": 3.0, "score": 0.01, "added_at": "2026-01-01"}
    return {
        "id": i + 1,
        "name": f"experiment {i}",
        "recipe": recipe,
        "digest": f"{i:064x}",
        "round": 1 + i // 50,
        **state,
    }


def _fit(i: int, fits: int) -> dict[str, object]:
    where = {"artifact": "a.npz", "position": i % fits, "seconds": 0.1, "attempts": 1}
    return {"id": i + 1, "key": f"{i:064x}", "split_id": i % fits + 1, "seed": 0, "status": "done", **where}


def _score(i: int) -> dict[str, object]:
    return {"fit_id": i // 3 + 1, "quantity": QUANTITIES[i % 3], "value": 0.01, "rows": 30}


def median_seconds(arguments: list[str], times: int) -> float:
    """Median wall time of a command of the program, process start included."""
    program = [sys.executable, "-c", "from probatum.cli.main import run_and_exit; run_and_exit()", *arguments]
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    benchmark("overhead", measure, ["probatum", "numpy", "scikit-learn", "sqlalchemy", "typer"])
