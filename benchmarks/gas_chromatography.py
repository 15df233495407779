"""Runs of gas chromatography: speed of reading, of training and of an answer, and what each part of a recipe is worth.

1. From a file of two million rows to the seven blocks, against pandas. All sides read the same file and run in this
   process, one after the other; times are processor time, the least of a few runs. The largest memory is that of a
   process of its own that does nothing else.
2. Ten folds of soups on 1,100 runs, and one answer.
3. Every arm on the same divisions of the compounds: scored runs hold no compound that trained. What is found is written
   line by line to a file in the user's cache, so that a run that is cut goes on where it was.
4. The seed's own way to a soup, and what an audit says of it.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs
from result import Row, benchmark

from probatum.audit.importers import history_of
from probatum.audit.inspection import inspect
from probatum.audit.run_tables import Line
from probatum.campaigns.fit import code_versions
from probatum.campaigns.fit_inputs import inputs_of
from probatum.campaigns.members import joined, member_seed
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.recipe_book import recipe_book
from probatum.campaigns.splits import Split, make_splits
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.evidence.comparison import compare
from probatum.evidence.scores import ArmScores, arm_scores
from probatum.learning.blends import blend
from probatum.learning.learner import RowSet, fit_many
from probatum.learning.metrics import metric
from probatum.problems.gas_chromatography.family_model import family_model, trained
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.seven_blocks import seven_blocks
from probatum.problems.gas_chromatography.written_soup import written_soup

LOWEST, HIGHEST = 2, 335
LINES = platformdirs.user_cache_path("probatum") / "benchmarks" / "gas_chromatography.jsonl"
SEED, BEST = "seed", "blend"
ABLATION = (
    "priors", "l1-masses", "l1-blocks", "l1-blocks-all", "l1-images", "lightgbm", "automl", "mlp", "mlp-without-prior",
    "mlp+layer-norm", "mlp+hinge", "mlp+lcg", "mlp+lcg-closed", "seed", "soup", "ensemble", "ensemble+l1",
    "convolutional", "spectra", "spectra-ensemble", "blend-uncalibrated", "blend-isotonic", "blend",
)  # fmt: skip
"""Named recipes, on every division of the compounds."""
QUESTIONS = (
    ("layer norm", "mlp+layer-norm", "mlp"),
    ("prior bias", "mlp+layer-norm", "mlp-without-prior"),
    ("hinge", "mlp+hinge", "mlp+layer-norm"),
    ("grid of label correlations, sampled", "mlp+lcg", "mlp+layer-norm"),
    ("grid of label correlations, closed form", "mlp+lcg-closed", "mlp+layer-norm"),
    ("soup against one network", "soup", "mlp+layer-norm"),
    ("soup against the ensemble", "soup", "ensemble"),
    ("without the ten least varying m/z", "l1-blocks", "l1-blocks-all"),
    ("logistic regression beside the ensemble", "ensemble+l1", "ensemble"),
    ("single spectra against seven blocks", "spectra-ensemble", "ensemble"),
    ("temperature", "blend", "blend-uncalibrated"),
    ("isotonic", "blend-isotonic", "blend-uncalibrated"),
    ("best against the seed", BEST, SEED),
)
"""What is asked: name, arm, and what it is compared with."""
MARGIN = 0.001
"""Nats of log loss that do not matter."""
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


@dataclass(frozen=True)
class Study:
    """How much is done.

    Attributes:
        runs: of each division of the compounds; four of its five blocks train, one is scored.
        draws: divisions.
        prefix: of the names of recipes that have a narrow version, 'compact-' for those.
        arms: recipes.
        fold_runs: of the ten folds that are timed; 0 leaves them out.
        soup_rounds: of the seed's way to a soup.
    """

    runs: int = 1100
    draws: int = 10
    prefix: str = ""
    arms: tuple[str, ...] = ABLATION
    fold_runs: int = 1100
    soup_rounds: int = 40

    def recipe(self, arm: str) -> str:
        """The name of an arm's recipe."""
        narrow = f"{self.prefix}{arm}"
        return narrow if narrow in recipe_book(GasChromatography()) else arm


FULL = Study()
QUICK = Study(100, 2, "compact-", ("priors", "l1-masses", "seed"), 0, 3)


def measure(quick: bool) -> list[Row]:
    """All rows."""
    study = QUICK if quick else FULL
    rows, seconds = reading(quick)
    return [*rows, *answering(quick), *folds_of_soups(study, seconds), *ablation(study), *seeds_way(study)]


# ---------------------------------------------------------------------- reading


def reading(quick: bool) -> tuple[list[Row], float]:
    """Seconds, ratios, memory and disagreement; and the seconds of one file."""
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
    ], ours


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


# ---------------------------------------------------------------------- time of an answer, and of ten folds


def answering(quick: bool) -> list[Row]:
    """From a file of two million rows to probabilities; the model is there, and everything compiled."""
    model = trained(GasChromatography(runs=50, blocks=2).dataset(TASK)) if quick else family_model()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.csv"
        write_run(path, 500_000 if quick else 2_000_000)
        seconds, _ = fastest(lambda: model.predict([read_run(path)]), 5)
    return [Row("an answer, from the file to probabilities", seconds, "s", 0.5)]


def folds_of_soups(study: Study, seconds_a_file: float) -> list[Row]:
    """Ten folds, stratified by all families, of soups of five; two threads, compilation counted."""
    if not study.fold_runs:
        return []
    problem = GasChromatography(runs=study.fold_runs)
    dataset, recipe = problem.dataset(TASK), named(problem, study.recipe("soup"))
    protocol = Protocol(splits="grouped-k-fold", group="run", folds=10, repeats=1, stratify="quantities")
    splits = make_splits(dataset, protocol.completed(problem, where="protocol"))
    inputs = inputs_of(problem, dataset, recipe.features)
    started, processor = time.perf_counter(), time.process_time()
    row_sets = [RowSet(split.train, split.test, 0) for split in splits]
    estimators = [recipe.learner.build(recipe.parameters, 0) for _ in splits]
    outcomes = fit_many(estimators, inputs, dataset.targets(), row_sets, 2, quantities=9)
    trained_in, processor = time.perf_counter() - started, time.process_time() - processor
    failed = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    if failed is not None:
        raise RuntimeError(failed)
    kept("folds", runs=study.fold_runs, recipe=recipe.digest(), seconds=trained_in, processor=processor)
    files = study.fold_runs * seconds_a_file / 2
    return [
        Row(f"reading {study.fold_runs} such files, two cores", files, "s"),
        Row(f"ten folds of soups on {study.fold_runs} runs, processor time", processor, "s"),
        Row(f"ten folds of soups on {study.fold_runs} runs, files included", files + trained_in, "s", 1200.0),
    ]


# ---------------------------------------------------------------------- every arm on the same divisions


def ablation(study: Study) -> list[Row]:
    """Log losses of all arms, answers to the questions, and what the targets are about."""
    arms = scored(study)
    rows = [Row(f"{name}: log loss", arm.score, "nats") for name, arm in arms.items()]
    for name, arm in arms.items():
        by_draw = arm.by_unit
        print(f"  {name:22} {arm.score:.4f}   spread over divisions {by_draw.std(ddof=1):.4f}")
    for question, name, against in QUESTIONS:
        if name not in arms or against not in arms:
            continue
        # Divisions of one library share compounds, so they are judged as resamples of one data set.
        (verdict,) = compare([arms[name]], arms[against], splits="grouped-k-fold", margin=MARGIN)
        low, high = verdict.interval or (np.nan, np.nan)
        print(f"  {question}: {verdict.outcome}, {verdict.difference:+.4f} [{low:+.4f}, {high:+.4f}],"
              f" {verdict.units} divisions; {verdict.method}")  # fmt: skip
        rows.append(Row(f"{question}: {verdict.outcome}, difference", verdict.difference, "nats"))
        if (name, against) == (BEST, SEED):
            ratio = arms[BEST].score / arms[SEED].score
            rows += [
                Row("best arm is better than the seed's", float(verdict.outcome == "better"), "", 1.0, "higher"),
                Row("log loss of the best arm over the seed's", ratio, "", 0.92),
            ]
    if BEST in arms:
        rows.append(Row("calibration error of the best arm", calibration_error(arms[BEST]), "", 0.02))
        rows += [Row(f"calibration error, {n}", calibration_error(a), "") for n, a in arms.items() if n != BEST]
    return rows


def calibration_error(arm: ArmScores) -> float:
    """Expected calibration error over all runs and families of all divisions."""
    assert arm.rows is not None
    truth = np.concatenate([table.truth for table in arm.rows])
    predicted = np.concatenate([table.predictions[0] for table in arm.rows])
    return metric("calibration_error").score(truth, predicted)


def scored(study: Study) -> dict[str, ArmScores]:
    """Arm to its scores; what is not in the file of lines is trained, two recipes at a time, each on one core."""
    problem = GasChromatography(runs=study.runs)
    recipes = {arm: named(problem, study.recipe(arm)) for arm in study.arms}
    trained_once = {
        key_of(problem, leaf): leaf for recipe in recipes.values() for leaf in recipe.components or [recipe]
    }
    found = kept_predictions()
    missing = [
        (key, draw) for draw in range(study.draws) for key in trained_once if (key, study.runs, draw) not in found
    ]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(predicted, study.runs, draw, trained_once[key]): (key, draw) for key, draw in missing}
        for done in as_completed(waiting):
            key, draw = waiting[done]
            found[key, study.runs, draw], seconds = done.result()
            arm = next((arm for arm, recipe in recipes.items() if key_of(problem, recipe) == key), key)
            kept("arm", arm=arm, key=key, runs=study.runs, draw=draw, processor=seconds,
                 prediction=np.round(found[key, study.runs, draw], 7).tolist())  # fmt: skip
            print(f"  {arm}, division {draw}: {seconds:.0f} s of processor time", flush=True)

    def prediction(recipe: Recipe, draw: int) -> np.ndarray:
        parts = [found[key_of(problem, leaf), study.runs, draw] for leaf in recipe.components or [recipe]]
        return blend(np.stack(parts), np.array(recipe.model["weights"])) if recipe.is_blend else parts[0]

    datasets = {(TASK, draw): problem.dataset(TASK, draw) for draw in range(study.draws)}
    splits = {draw: division(problem, draw) for draw in range(study.draws)}
    scores = {}
    for arm, recipe in recipes.items():
        fits = [
            StoredPrediction(TASK, draw, split.name, split.digest, 0, split.test, prediction(recipe, draw))
            for draw, split in splits.items()
        ]
        scores[arm] = arm_scores(arm, fits, datasets, metric("log_loss"), problem.scorings["macro"])
    return scores


def predicted(runs: int, draw: int, recipe: Recipe) -> tuple[np.ndarray, float]:
    """Probabilities [run, family] of the scored runs of a division, as a campaign trains, and processor time."""
    problem = GasChromatography(runs=runs)
    started = time.process_time()
    dataset, split = problem.dataset(TASK, draw), division(problem, draw)
    targets, groups = dataset.targets(), dataset.groups["compounds"][split.train]
    seeds = [member_seed(draw, member) for member in range(recipe.ensemble.members)]
    row_sets = [RowSet(split.train, split.test, seed, groups) for seed in seeds]
    estimators = [recipe.learner.build(recipe.parameters, seed) for seed in seeds]
    columns = [slice(None)] if recipe.learner.joint else [slice(q, q + 1) for q in range(targets.shape[1])]
    inputs = seen(problem, draw, recipe.features)
    blocks = [
        fit_many(estimators, inputs, targets[:, some], row_sets, 1, quantities=targets[:, some].shape[1])
        for some in columns
    ]
    outcome = joined([[block[m] for block in blocks] for m in range(len(seeds))], recipe.ensemble.combine)
    if outcome.error is not None:
        raise RuntimeError(outcome.error)
    return outcome.prediction, time.process_time() - started


@lru_cache(maxsize=2)
def seen(problem: GasChromatography, draw: int, features: tuple[str, ...]) -> np.ndarray:
    return inputs_of(problem, problem.dataset(TASK, draw), features)


def division(problem: GasChromatography, draw: int) -> Split:
    """Four blocks of compounds against the one that comes with the draw."""
    protocol = Protocol(splits="leave-one-group-out", group="compounds").completed(problem, where="protocol")
    splits = make_splits(problem.dataset(TASK, draw), protocol)
    return splits[draw % len(splits)]


def named(problem: GasChromatography, name: str) -> Recipe:
    return recipe_book(problem)[name].recipe


def key_of(problem: GasChromatography, recipe: Recipe) -> str:
    """Of the recipe and of our own code behind it; libraries may be newer."""
    parts = [code_versions(part, problem) for part in recipe.components or [recipe]]
    own = [{name: one[name] for name in ("learner", "features")} for one in parts]
    return hashlib.sha256(f"{recipe.digest()} {json.dumps(own, sort_keys=True)}".encode()).hexdigest()[:32]


def kept(kind: str, **what: object) -> None:
    """Adds a line to the file of results."""
    LINES.parent.mkdir(parents=True, exist_ok=True)
    with LINES.open("a") as file:
        file.write(json.dumps({"kind": kind, "at": time.time(), **what}) + "\n")


def kept_predictions() -> dict[tuple[str, int, int], np.ndarray]:
    """(key of the arm, runs, draw) to probabilities [run, family], from the file of results."""
    if not LINES.is_file():
        return {}
    lines = [json.loads(line) for line in LINES.read_text().splitlines()]
    return {(x["key"], x["runs"], x["draw"]): np.array(x["prediction"]) for x in lines if x["kind"] == "arm"}


# ---------------------------------------------------------------------- the seed's own soup


def seeds_way(study: Study) -> list[Row]:
    """What an audit finds in the seed's procedure, run as written on one fold with narrow networks."""
    problem = GasChromatography(runs=min(study.runs, 400))
    recipe, split = named(problem, "compact-seed"), division(problem, 0)
    inputs, labels = seen(problem, 0, recipe.features), problem.dataset(TASK).targets()
    soup = written_soup(recipe.parameters, inputs, labels, split.train, split.test, rounds=study.soup_rounds, cores=2)
    history = history_of([Line("soup.jsonl:1", **soup.as_line("soup", "fold 1"))], "the seed's procedure")
    codes = {finding.code for finding in inspect(history).findings}
    print(
        f"  the seed's soup reports {soup.reported:.4f}; what it keeps scores {soup.saved:.4f}; found {sorted(codes)}"
    )
    return [
        Row("the seed's soup, score reported", soup.reported, "nats"),
        Row("the seed's soup, score of what is kept", soup.saved, "nats"),
        *(Row(f"the seed's soup is flagged {c}", float(c in codes), "", 1.0, "higher") for c in ("PB501", "PB405")),
    ]


if __name__ == "__main__":
    benchmark("gas_chromatography", measure, ["probatum", "numpy", "numba", "pandas", "jax", "scikit-learn"])
