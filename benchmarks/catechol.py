"""Yields in solvents and ramps never seen: the shipped recipe against the published scores, on the real data.

The recipe `physics-and-statistics` is fixed in `recipes.toml`; the commit that fixed it is printed. Everything else is
chosen inside the training folds. Baselines of the verdicts: the MLP [32, 16] + LightGBM blend that published loops end
with, and the trivial arms of every campaign.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from result import Row, benchmark
from scipy.stats import norm, t

from probatum.campaigns.fit_inputs import inputs_of
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.evidence.scores import ArmScores, arm_scores
from probatum.laboratory import Laboratory, Results
from probatum.learning.metrics import metric
from probatum.problems.catechol.learners import KineticRegressor
from probatum.problems.catechol.problem import Catechol
from probatum.problems.problem import Dataset

ARM, RIVAL = "physics-and-statistics", "mlp-lightgbm"
ALONE = ("kinetic", "mlp-subspaces", "lightgbm-small", "extra-trees")
COVERAGE = 0.9
CAMPAIGN = """
problem = "catechol"
task = {tasks}

[protocol]
splits = "leave-one-group-out"
seeds = {seeds}
metric = "mse"
scoring = "pooled"
margin = 0.0002
baseline = "{baseline}"
"""
PUBLISHED = {
    "single": (0.0094, 0.0106, "GP, separated kernel, Spange (NLPD -6.09)"),
    "full": (0.0102, 0.0124, "MLP Spange (NLPD of the best GP -5.66)"),
}
"""Task to the best published score without Acetonitrile, with it, and whose it is (arXiv:2506.07619, tables)."""
SIZES = (6, 12, 18, 23)
"""Training solvents of the learning curve."""


def measure(quick: bool) -> list[Row]:
    """All rows; the quick version has the task `single` and the kinetic model alone."""
    tasks = ["single"] if quick else ["single", "full"]
    arm = "kinetic" if quick else ARM
    names = [arm] if quick else [RIVAL, *ALONE, arm]
    print(f"recipes fixed by {commit()}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "campaign.toml"
        text = CAMPAIGN.format(tasks=tasks, seeds=1 if quick else 3, baseline=names[0])
        file.write_text(text + "".join(f'\n[[experiment]]\nname = "{n}"\nrecipe = "{n}"\n' for n in names))
        laboratory = Laboratory.open(file)
        results = laboratory.run()
        show_table(laboratory, results, [*names, *(a.name for a in results.arms if a.name.startswith("trivial"))])
        rows = scored_rows(laboratory, arm, tasks)
        rows += predictive_rows(laboratory.campaign.predictions(arm), laboratory.campaign.datasets, quick)
    return rows + learning_curve(Catechol().dataset("single"), sizes=(6, 23) if quick else SIZES)


def commit() -> str:
    """The commit that last changed what the recipe is made of, and its date."""
    folder = Path(__file__).parents[1] / "src" / "probatum" / "problems" / "catechol"
    parts = ["recipes.toml", "learners.py", "rate_regression.py", "kinetic_fit.py", "kinetics.py", "features.py"]
    asked = ["git", "-C", str(folder), "log", "-1", "--format=%h of %cI", "--", *parts]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return found or "no commit: this is no checkout"


def scored_rows(laboratory: Laboratory, arm: str, tasks: Sequence[str]) -> list[Row]:
    """Pooled and paper scores, each with its interval over seeds."""
    rows = []
    if len(tasks) == 2:
        rows.append(Row("pooled_mse", shown("pooled_mse", scores(laboratory, arm, "pooled")), "1", 0.0080))
    targets = {"single": (0.0054, 0.0063), "full": (0.0055, 0.0070)}
    for task in tasks:
        for scoring, name, target in (
            ("paper-without-acetonitrile", f"{task}_mse_paper", targets[task][0]),
            ("paper", f"{task}_mse_paper_all_folds", targets[task][1]),
        ):
            rows.append(Row(name, shown(name, scores(laboratory, arm, scoring, task)), "1", target))
    return rows


def scores(laboratory: Laboratory, arm: str, scoring: str, task: str | None = None) -> ArmScores:
    """An arm's scores by another scoring, of one task or all."""
    predictions = [p for p in laboratory.campaign.predictions(arm) if task in (None, p.task)]
    how = laboratory.campaign.file.problem.scorings[scoring]
    return arm_scores(arm, predictions, laboratory.campaign.datasets, metric("mse"), how)


def shown(name: str, arm: ArmScores) -> float:
    """The score; prints its 95 % interval over seeds."""
    by_seed = arm.values.mean(axis=2) @ arm.weights
    return over_seeds(name, by_seed)


def over_seeds(name: str, by_seed: np.ndarray) -> float:
    mean, seeds = float(by_seed.mean()), len(by_seed)
    if seeds > 1:
        half = t.ppf(0.975, seeds - 1) * by_seed.std(ddof=1) / np.sqrt(seeds)
        print(f"  {name:34} {mean:.5g} [{mean - half:.5g}, {mean + half:.5g}] over {seeds} seeds")
    return mean


def predictive_rows(predictions: Sequence[StoredPrediction], datasets: Mapping[str, Dataset], quick: bool) -> list[Row]:
    """NLPD as published, and how many yields 90 % intervals hold, over all rows and for each yield."""
    rows = []
    for task, dataset in datasets.items():
        of_task = [p for p in predictions if p.task == task]
        seeds = sorted({p.seed for p in of_task})
        low, high = {"single": (-6.5, -6.0), "full": (-6.4, -4.9)}[task]
        for name, left_out, target in ((f"{task}_nlpd", "Acetonitrile", low), (f"{task}_nlpd_all_folds", None, high)):
            folds = [p for p in of_task if left_out is None or left_out not in p.split]
            by_seed = [np.mean([nlpd(dataset, p) for p in folds if p.seed == seed]) for seed in seeds]
            rows.append(Row(name, over_seeds(name, np.array(by_seed)), "nats", target))
    inside = {task: held(predictions, task, dataset) for task, dataset in datasets.items()}
    together = np.concatenate(list(inside.values()))
    rows.append(Row("coverage_90", float(together.mean()), "1", 0.87, "higher"))
    rows.append(Row("coverage_90_at_most", float(together.mean()), "1", 0.93))
    for task, of_task in inside.items():
        for yield_, share in zip(datasets[task].quantity_names, of_task.mean(axis=0), strict=True):
            name = f"coverage_90 {task} {yield_}"
            rows += [Row(name, float(share), "1", 0.84, "higher"), Row(f"{name} at most", float(share), "1", 0.96)]
    return rows


def nlpd(dataset: Dataset, p: StoredPrediction) -> float:
    """Mean over rows of the sum over yields of (y - mu)^2 / (2 s^2) + ln(s^2) / 2, repeated measurements averaged."""
    assert p.spread is not None
    assert dataset.replicates is not None
    truth = dataset.truth.open_for_scoring()[p.rows]
    sample = np.unique(dataset.replicates[p.rows], return_inverse=True)[1].ravel()
    counts = np.bincount(sample)[:, None]

    def averaged(values: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(sample, column) for column in values.T], axis=1) / counts

    variance = averaged(p.spread**2)
    losses = (averaged(truth) - averaged(p.prediction)) ** 2 / (2 * variance) + np.log(variance) / 2
    return float(losses.sum(axis=1).mean())


def held(predictions: Sequence[StoredPrediction], task: str, dataset: Dataset) -> np.ndarray:
    """[row and seed, yield] bool: whether the interval mu +- z s holds the measured yield."""
    truth, found = dataset.truth.open_for_scoring(), []
    for p in predictions:
        if p.task == task:
            assert p.spread is not None
            found.append(np.abs(truth[p.rows] - p.prediction) <= norm.ppf((1 + COVERAGE) / 2) * p.spread)
    return np.concatenate(found)


def learning_curve(dataset: Dataset, sizes: Sequence[int], draws: int = 2) -> list[Row]:
    """Score of the kinetic model by how many solvents it was trained on, and where a + b / size ends."""
    inputs, targets = inputs_of(Catechol(), dataset, ["solvents_apart"]), dataset.targets()
    solvent = dataset.groups["solvent"]
    names, generator = np.unique(solvent), np.random.default_rng(0)
    found = []
    for size in sizes:
        errors = []
        for left_out in names:
            others = names[names != left_out]
            for _ in range(1 if size == len(others) else draws):
                known = np.isin(solvent, generator.choice(others, size, replace=False))
                model = KineticRegressor().fit(inputs[known], targets[known])
                test = solvent == left_out
                errors.append(((model.predict(inputs[test]) - targets[test]) ** 2).mean())
        found.append(float(np.mean(errors)))
    rows = [Row(f"kinetic model, {n} training solvents", e, "1") for n, e in zip(sizes, found, strict=True)]
    slope, limit = np.polyfit(1 / np.array(sizes), found, 1)
    print(f"  learning curve over solvents: {limit:.4f} + {slope:.4f} / solvents, so 48 solvents would give"
          f" {limit + slope / 48:.4f}")  # fmt: skip
    return rows


def show_table(laboratory: Laboratory, results: Results, names: Sequence[str]) -> None:
    """Every arm under every scoring, beside the published scores and the noise floor."""
    verdicts = {v.arm: v for v in results.verdicts}
    tasks = list(laboratory.campaign.datasets)
    ways: list[tuple[str, Callable[[str], float]]] = [("pooled", lambda n: scores(laboratory, n, "pooled").score)]
    ways += [
        (f"{task} {scoring}", lambda n, s=scoring, k=task: scores(laboratory, n, s, k).score)
        for task in tasks
        for scoring in ("paper-without-acetonitrile", "paper")
    ]
    print(f"{'':42}" + "".join(f"{name.replace('paper-without-acetonitrile', 'paper-AN'):>18}" for name, _ in ways))
    for name in names:
        verdict = verdicts.get(name)
        told = "" if verdict is None else f"   {verdict.outcome}, {verdict.difference:+.5f} p {verdict.p:.2g}"
        print(f"{name:42}" + "".join(f"{score(name):18.5f}" for _, score in ways) + told)
    for task in tasks:
        without, all_folds, whose = PUBLISHED[task]
        print(f"published, {task}: {without} without Acetonitrile, {all_folds} all folds; {whose}")
    for floor in results.floors:
        print(f"noise floor of {floor.task}: {floor.variance:.5f} on raw rows")


if __name__ == "__main__":
    benchmark("catechol", measure, ["numpy", "jax", "scikit-learn", "lightgbm"])
