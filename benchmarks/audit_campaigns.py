"""Small real campaigns on random tables, run inside this process and audited as the laboratory does it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from probatum.audit.campaign_history import campaign_history
from probatum.audit.history import History, Run, Training
from probatum.audit.inspection import Audit, inspect
from probatum.audit.retraining import retrained
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import DONE, Job, JobReport, Setup
from probatum.laboratory import Laboratory

Columns = dict[str, np.ndarray]
Generator = np.random.Generator
K_FOLD = 'splits = "repeated-k-fold"\nfolds = 5\nrepeats = 2'
LEAVE_OUT = 'splits = "leave-one-group-out"'


class InProcess(Executor):
    """Carries jobs out at once, where they are submitted: small campaigns take longer to start a worker than to run."""

    def __init__(self, setup: Setup):
        self._bench = Bench(setup)
        self._ended: list[JobReport] = []

    @property
    def cores(self) -> int:
        return 1

    @property
    def free_cores(self) -> int:
        return 1

    def submit(self, job: Job) -> None:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):  # some are to diverge
            results, failures = self._bench.carry_out(job)
        self._ended.append(JobReport(job.id, DONE, results, failures))

    def wait(self) -> list[JobReport]:
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        self._ended.clear()


# ---------------------------------------------------------------------- tables


def table_size(generator: Generator) -> tuple[int, int]:
    """40 to 400 rows and 2 to 20 columns, at least five rows a column."""
    rows = round(float(np.exp(generator.uniform(np.log(40), np.log(401)))))
    return rows, int(generator.integers(2, min(20, rows // 5) + 1))


def column(generator: Generator, rows: int, kind: str) -> np.ndarray:
    """[row] of independent values, of a kind that tables of measurements have."""
    match kind:
        case "normal":
            return generator.normal(generator.normal(0, 5), np.exp(generator.normal()), rows)
        case "uniform":
            return generator.uniform(0, 10.0 ** generator.integers(0, 3), rows)
        case "lognormal":
            return np.exp(generator.uniform(0.2, 1) * generator.normal(size=rows))
        case "set values":
            return generator.integers(0, generator.integers(2, 6), rows) * 10.0
        case _:
            return np.round(generator.normal(20, 5, rows), 1)


CONTINUOUS, OTHERS = ("normal", "uniform", "lognormal"), ("set values", "rounded")


def honest_table(
    generator: Generator, rows: int, columns: int, *, noise: float | None = None, quantities: int = 1
) -> Columns:
    """Independent rows: inputs of several kinds, and quantities that depend on up to four of them, with noise.

    Args:
        generator: of everything.
        rows, columns: how many; the first two columns are continuous.
        noise: its share of the targets' variance; default: 5 to 40 %.
        quantities: number of targets, 'y0', ...
    """
    kinds = [*generator.choice(CONTINUOUS, 2), *generator.choice((*CONTINUOUS, *OTHERS), columns - 2)]
    inputs = [column(generator, rows, kind) for kind in kinds]
    noise = generator.uniform(0.05, 0.4) if noise is None else noise
    scaled = np.stack([(x - x.mean()) / (x.std() + 1e-12) for x in inputs[: int(generator.integers(1, 5))]], axis=1)
    targets = {}
    for q in range(quantities):
        signal = scaled @ generator.uniform(0.5, 1, scaled.shape[1]) * generator.choice([-1, 1])
        signal = signal + generator.uniform(0, 0.3) * np.sin(2 * signal)
        signal = np.sqrt(1 - noise) * (signal - signal.mean()) / signal.std()
        targets[f"y{q}"] = signal + np.sqrt(noise) * generator.normal(size=rows)
    return {**{f"x{i}": x for i, x in enumerate(inputs)}, **targets}


def designed_table(generator: Generator, rows: int) -> Columns:
    """Two to four inputs at set values, as a plan of experiments has them; rows may be measured again."""
    levels = generator.integers(3, 7, int(generator.integers(2, 5)))
    inputs = {f"x{i}": 10.0 * generator.integers(0, n, rows) for i, n in enumerate(levels)}
    signal = sum(x / x.std() * generator.uniform(0.5, 1) for x in inputs.values())
    return {**inputs, "y0": signal + generator.uniform(0.1, 0.6) * generator.normal(size=rows)}


def csv(columns: Columns) -> str:
    rows = zip(*(c.tolist() for c in columns.values()), strict=True)
    lines = [",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"


# ---------------------------------------------------------------------- campaigns


def experiment(name: str, model: str, *more: str) -> str:
    """An [[experiment]] of a campaign file; `model` and `more` are TOML."""
    return "\n".join(["[[experiment]]", f'name = "{name}"', f"model = {model}", *more]) + "\n"


LINE = experiment("line", '{ kind = "ridge", alpha = 1.0 }')


def own(learner: str, parameters: str = "") -> str:
    """The model of a learner of `audit_learners`, with its parameters in TOML."""
    return f'{{ kind = "audit_learners:{learner}"{", " if parameters else ""}{parameters} }}'


@dataclass(frozen=True)
class Planted:
    """A campaign to be run.

    Attributes:
        table: its rows.
        experiments: TOML.
        protocol: TOML.
        roles: of the table's columns, TOML, as 'group = "batch"'.
        keep_weights: whether trained weights are stored.
        target: the score that is wanted.
        retrain: whether fits are trained again.
        confirm: whether a champion is confirmed; an unconfirmed one is named all the same.
    """

    table: Columns
    experiments: str
    protocol: str = K_FOLD
    roles: str = ""
    keep_weights: bool = False
    target: float | None = None
    retrain: bool = False
    confirm: bool = False

    @property
    def file(self) -> str:
        targets = ", ".join(f'"{name}"' for name in self.table if name.startswith("y"))
        roles = f", {self.roles}" if self.roles else ""
        weights = "[run]\nkeep_weights = true\n" if self.keep_weights else ""
        problem = f'problem = {{ kind = "table", path = "table.csv", target = [{targets}]{roles} }}'
        return f"{problem}\n[protocol]\n{self.protocol}\n{weights}{self.experiments}"


def written(folder: Path, campaign: Planted) -> Laboratory:
    """The laboratory of a campaign, not yet run."""
    (folder / "table.csv").write_text(csv(campaign.table), encoding="utf-8")
    (folder / "campaign.toml").write_text(campaign.file, encoding="utf-8")
    return Laboratory.open(folder / "campaign.toml")


def in_process() -> Any:
    """A context in which campaigns train in this process."""
    return patch.object(Campaign, "executor", lambda campaign: InProcess(campaign.setup))


def history_of(campaign: Planted) -> History:
    """What a campaign's audit looks at.

    A champion that its confirmation does not bear out is none, and is not named.
    """
    with tempfile.TemporaryDirectory() as folder, in_process():
        laboratory = written(Path(folder), campaign)
        results = laboratory.run()
        champion = laboratory.champion(results)
        confirmed = False
        if champion is not None and campaign.confirm:
            confirmed = laboratory.confirm()[0].result["outcome"] == "better"
            champion = champion if confirmed else None
        history = campaign_history(
            laboratory.campaign,
            results.arms,
            results.verdicts,
            floors=results.floors,
            chosen=None if champion is None else champion.name,
            confirmed=confirmed,
            target=campaign.target,
        )
        if campaign.retrain:
            history = replace(history, runs=retrained(laboratory.campaign, history.runs))
        return history


def audit_of(campaign: Planted) -> Audit:
    """What the audit of a campaign finds."""
    return inspect(history_of(campaign))


def alarms(audit: Audit) -> Sequence[str]:
    """Codes of its errors and warnings."""
    return [f.code for f in audit.findings if f.severity != "note"]


# ---------------------------------------------------------------------- records of runs


def of_runs(*runs: Run, **of_history: Any) -> Audit:
    """Audit of somebody's table of runs."""
    return inspect(History("runs", runs, **{"source": "table", **of_history}))


def predicted(name: str, truth: np.ndarray, prediction: np.ndarray, **of_run: Any) -> Run:
    folds = np.array_split(np.arange(len(truth)), 5)
    fits = (Training("t", f"fold {i}", 0, truth=truth[f], prediction=prediction[f]) for i, f in enumerate(folds))
    return Run(name, trainings=tuple(fits), **of_run)


# ---------------------------------------------------------------------- clean campaigns


def clean_campaign(generator: Generator) -> Planted:
    """A campaign with nothing wrong: honest rows, one change an experiment, trainings that keep their best epoch."""
    rows, columns = table_size(generator)
    table = honest_table(generator, rows, columns, quantities=int(generator.integers(1, 3)))
    roles, protocol = "", K_FOLD
    match generator.choice(["rows", "rows", "groups", "groups", "samples", "hold-outs", "design"]):
        case "groups":
            groups = int(generator.integers(3, 13))
            table["batch"] = np.arange(rows) % groups
            offsets = generator.uniform(0, 0.3) * generator.normal(size=groups)
            table |= {name: y + offsets[table["batch"]] for name, y in table.items() if name.startswith("y")}
            roles = 'group = "batch"'
            protocol = generator.choice([LEAVE_OUT, 'splits = "grouped-k-fold"\nfolds = 3'])
        case "samples":
            sample = np.arange(rows) // int(generator.integers(2, 4))
            noise = generator.uniform(0.05, 0.3)
            for name, values in table.items():
                scatter = noise * generator.normal(size=rows) if name.startswith("y") else 0.0
                table[name] = values[sample] + scatter
            table["sample"] = sample
            roles = 'replicate = "sample"'
        case "hold-outs":
            protocol = 'splits = "stratified-hold-out"\nrepeats = 5\ntest_fraction = 0.25'
        case "design":
            table = designed_table(generator, rows)
    if generator.uniform() < 0.3:  # as instruments read
        table |= {name: np.round(y, 2) for name, y in table.items() if name.startswith("y")}
    metric = generator.choice(["mse", "mae"])
    protocol += f'\nseeds = {generator.integers(1, 4)}\nbaseline = "base"\nmetric = "{metric}"'
    alpha, jitter = generator.uniform(0.5, 3), generator.uniform(0.02, 0.2)
    base = {"alpha": alpha, "jitter": jitter}
    changed = {**base, "alpha": alpha * generator.uniform(2, 4)}
    experiments = [
        experiment("base", own("Line", _toml(base))),
        experiment("stronger", own("Line", _toml(changed)), 'parent = "base"'),
        experiment("ridge", f'{{ kind = "ridge", alpha = {generator.uniform(1, 10)} }}'),
    ]
    if generator.uniform() < 0.3:
        hidden = int(generator.integers(4, 17))
        experiments.append(
            experiment("network", own("Network", f"hidden = {hidden}, epochs = 100, restore_best = true"))
        )
    return Planted(table, "".join(experiments), protocol, roles, confirm=True)


def _toml(values: dict[str, float]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())
