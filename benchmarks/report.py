"""Seconds to report a campaign of 50 and of 1,000 experiments, and the size of the page.

The campaign is real but for its trainings: planned, recorded and stored as any other, with predictions and learning
curves that were drawn at random instead of learned.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from result import Row, benchmark

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import DONE, Job, JobReport
from probatum.laboratory import Laboratory
from probatum.learning.learner import FitOutcome
from probatum.learning.probes import TRAINING, VALIDATION
from probatum.reporting.report import write_report

SMALL, LARGE, QUICK = 50, 1000, 200
GROUPS, ROWS = 8, 12
EPOCHS = 60
HEAD = """\
problem = { kind = "table", path = "table.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 2
margin = 0.0001
baseline = "e0"
"""


class DrawnTrainings(Executor):
    """Carries jobs out in this process, with predictions that are the truth and noise.

    Args:
        campaign: whose jobs it gets.
    """

    def __init__(self, campaign: Campaign):
        self._bench = _DrawnBench(campaign.setup)
        self._done: list[JobReport] = []

    @property
    def cores(self) -> int:
        return 1

    @property
    def free_cores(self) -> int:
        return 0 if self._done else 1

    def submit(self, job: Job) -> None:
        results, failures = self._bench.carry_out(job)
        self._done.append(JobReport(job.id, DONE, results, failures, seconds=0.01 * len(job.fits)))

    def wait(self) -> list[JobReport]:
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        pass


class _DrawnBench(Bench):
    def outcomes(self, job: Job) -> list[FitOutcome]:
        truth = self._dataset(job.task, job.draw).targets()
        return [self._outcome(fit.key, float(fit.recipe["training"].get("rate", 1e-3)), truth[self._rows(fit.split)[1]])
                for fit in job.fits]  # fmt: skip

    def _outcome(self, key: str, rate: float, truth: np.ndarray) -> FitOutcome:
        """The rate says how good the experiment is, so that some are better, some worse."""
        rng = np.random.default_rng(int(key[:12], 16))
        noise = 0.02 + 0.05 * abs(np.log10(rate) + 2.5)
        prediction = truth + rng.normal(0, noise, truth.shape)
        epochs = np.arange(EPOCHS)
        fall = noise**2 + np.exp(-epochs / 10) + rng.normal(0, 0.002, EPOCHS) ** 2
        curves = {TRAINING: fall, VALIDATION: 1.2 * fall + noise**2}
        return FitOutcome(prediction, 0.01, curves={name: c.astype(np.float32) for name, c in curves.items()})


def write_campaign(folder: Path, experiments: int) -> Path:
    """A campaign of networks that differ in one number from their parents, run to its end.

    Args:
        folder: that exists; nothing of the kind is in it yet.
        experiments: how many.
    """
    rng = np.random.default_rng(0)
    lines = ["x,z,batch,yield"]
    for row in range(GROUPS * ROWS):
        x, z = rng.uniform(0, 1, 2)
        lines.append(f"{x:.4f},{z:.4f},b{row % GROUPS},{0.2 + 0.5 * x - 0.2 * z + rng.normal(0, 0.02):.4f}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    parts = [HEAD]
    for i in range(experiments):
        parent = f'parent = "e{rng.integers(max(0, i - 40), i)}"\n' if i else ""
        rate = 10 ** rng.uniform(-4, -1)
        parts.append(
            f'[[experiment]]\nname = "e{i}"\n{parent}hypothesis = "a rate of {rate:.3g} learns faster"\n'
            f'model = {{ kind = "mlp", hidden = [16] }}\ntraining = {{ epochs = {EPOCHS}, rate = {rate:.6g} }}\n'
        )
    path = folder / "campaign.toml"
    path.write_text("\n".join(parts), encoding="utf-8")
    campaign = Campaign.open(path)
    executor = DrawnTrainings(campaign)
    campaign.run(executor=executor)
    executor.close()
    return path


def report_seconds(path: Path) -> tuple[float, int]:
    """Seconds of results, audit and report of a campaign that is looked at for the first time; bytes of the page."""
    started = time.perf_counter()
    laboratory = Laboratory.open(path)
    written = write_report(laboratory, laboratory.results())
    return time.perf_counter() - started, written.stat().st_size


def measure(quick: bool) -> Sequence[Row]:
    rows = []
    for count, target in ((SMALL, None), (QUICK if quick else LARGE, 20.0)):
        with tempfile.TemporaryDirectory() as folder:
            seconds, size = report_seconds(write_campaign(Path(folder), count))
        label = SMALL if count == SMALL else LARGE
        rows.append(Row(f"report, {label} experiments", seconds * label / count, "s", target))
        if count == SMALL:
            rows.append(Row(f"report, {label} experiments, size", size / 1e6, "MB", 3.0))
    return rows


if __name__ == "__main__":
    benchmark("report", measure, ["probatum", "numpy", "matplotlib", "jinja2"])
