"""The autopilot: what it reaches at equal fits, and how often it promotes noise.

A planted campaign: the score of a recipe is a known surface over four of its parameters, and its noise is known.
Nothing is trained; everything else is the autopilot's own: proposals, their checks, slots, verdicts with the round's
share of alpha, promotion. Peers are asked for as many points, and every point costs everybody the same fits: Optuna's
TPE and random search, which take the best of what they saw, and a greedy loop over the same proposals that keeps
whatever scores better than what it has. Regret is the true score of what is recommended less the best there is, over
that of the start. Beside the champion, which is proven, stands the leader, which looks best, as the peers' choice does.
On a flat surface nothing is better than anything, so that every promotion is false.

With `--real` the rows on real problems come too, and `--real=NAME` gives those of one problem alone:

- catechol, from 'mlp' alone within 45 minutes, and then a confirmation. The score of the champion, which is proven, and
  that of what looks best stand apart: the loop by hand that the target comes from took what looked best;
- metabolism, from the failing first batch of a log of such work, all of its learner's faults in place. Its settings are
  the log's, on a fifth of its network and a quarter of its frames, with a quarter of its steps for each frame: 4,500
  steps a fit, not 72,000, so that three rounds of five slots take about a quarter of an hour on two cores. The kind of
  model and its inputs are fixed, and so is the switch that solves for constants by least squares: rounds have to stay
  with the log's own learner.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from result import Row, benchmark
from scipy import stats

from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.experiment import Experiment
from probatum.campaigns.recipe import Recipe
from probatum.evidence.scores import ArmScores, Unit, arm_scores
from probatum.laboratory import Laboratory
from probatum.laboratory.autopilot import Autopilot
from probatum.laboratory.promotion import final_promotion, promotion
from probatum.learning.metrics import metric
from probatum.planning.proposal import History
from probatum.planning.rounds import plan_round
from probatum.planning.samplers import distribution, optuna
from probatum.planning.space import Dimension, space_of
from probatum.planning.standing import standings
from probatum.planning.surrogate import Surrogate
from probatum.problems.problem import Scoring

ALPHA = 0.05
ROUNDS, SLOTS = 10, 4
FOLDS = 20
"""Groups that are left out in turn, one fit each."""
NOISE = 0.05
"""Standard deviation of one fold's score, over the drop of the surface from the start to the best."""
CATECHOL_BUDGET = 45 * 60.0
CAMPAIGN = """
problem = { kind = "table", path = "rows.csv", target = "y" }
[protocol]
splits = "leave-one-group-out"
[space]
model.dropout = { low = 0.0, high = 0.6 }
training.rate = { low = 1e-4, high = 1e-1, log = true }
training.weight_decay = { low = 1e-5, high = 1.0, log = true }
training.epochs = { low = 20, high = 1000, log = true }
[[experiment]]
name = "start"
model = { kind = "mlp", hidden = [32], dropout = 0.0 }
training = { rate = 1e-3, weight_decay = 1e-5, epochs = 20 }
"""


@dataclass(frozen=True, eq=False)
class Surface:
    """A response surface with known best and known noise.

    Attributes:
        dimensions: of the space.
        best: [dimension] where the best is, each from 0 to 1 of the range.
        weights: [dimension] curvatures, whose sum at the start is 1; all 0 for a flat surface.
        turn: strength of the coupling of neighbouring dimensions.
        seed: of the noise.
    """

    dimensions: tuple[Dimension, ...]
    best: np.ndarray
    weights: np.ndarray
    turn: float
    seed: int

    @classmethod
    def drawn(cls, dimensions: tuple[Dimension, ...], start: Mapping[str, Any], seed: int, *, flat: bool) -> Surface:
        """A surface whose drop from the start to the best is 1."""
        generator = np.random.default_rng(seed)
        best = generator.uniform(0.3, 0.9, len(dimensions))
        weights = generator.uniform(0.5, 1.5, len(dimensions))
        found = cls(dimensions, best, weights, 0.3, seed)
        scale = 0.0 if flat else 1 / found.true(start)
        return cls(dimensions, best, scale * weights, 0.3 * scale, seed)

    def true(self, point: Mapping[str, Any]) -> float:
        """The true score above the best: 0 there, 1 at the start."""
        away = np.array([place(d, point[d.path]) for d in self.dimensions]) - self.best
        return float(self.weights @ away**2 + self.turn * (away[:-1] + away[1:]) ** 2 @ np.ones(len(away) - 1))

    def measured(self, point: Mapping[str, Any]) -> np.ndarray:
        """[fold]: the score on every fold. Folds differ for all alike; a point's own noise has a part that its folds
        share, for they train on nearly the same rows, of the variance that the corrected t expects."""
        place_seed = abs(hash((self.seed, *(round(place(d, point[d.path]), 12) for d in self.dimensions)))) % 2**63
        own, common = np.random.default_rng(place_seed), np.random.default_rng(self.seed)
        ratio = 1 / (FOLDS - 1)
        noise = NOISE * (own.normal(size=FOLDS) + math.sqrt(ratio) * own.normal())
        return 2 + self.true(point) + common.normal(size=FOLDS) + noise


def place(dimension: Dimension, value: float) -> float:
    """Where in its range a value lies, from 0 to 1."""
    low, high = dimension.low, dimension.high
    if dimension.log:
        return float(np.log(value / low) / np.log(high / low))
    return float((value - low) / (high - low))


@dataclass(frozen=True)
class Went:
    """How one run went.

    Attributes:
        regret: true score of what it recommends.
        false: promotions of what is truly no better than what it replaced.
        promotions: in all.
        points: that it measured.
        of_leader: regret of what looks best, proven or not; None where that is what it recommends.
    """

    regret: float
    false: int
    promotions: int
    points: int
    of_leader: float | None = None


def arm_of(name: str, values: np.ndarray) -> ArmScores:
    """Fold scores as an arm that verdicts can judge."""
    units = tuple(Unit("table", 0, f"fold {i}", f"d{i}", 1, 1, FOLDS - 1, f"g{i}") for i in range(FOLDS))
    return ArmScores(name, metric("mse"), Scoring("pooled"), ("y",), units, 1, values[None, :, None])


def autopilot(surface: Surface, start: Experiment, problem: Any, space: Any) -> Went:
    """The autopilot's rounds on a surface."""
    experiments, arms = [start], {start.name: arm_of(start.name, surface.measured(point_of(surface, start.recipe)))}
    champion, false, promotions = start.name, 0, 0
    proposer = Surrogate(surface.seed)
    for number in range(1, ROUNDS + 1):
        history = History(
            problem, tuple(experiments), standings(list(arms.values()), "leave-one-group-out"), "lower", start.name,
            champion, round=number, space=space,
        )  # fmt: skip
        planned = plan_round(history, [proposer], SLOTS)
        fresh = [c.experiment for c in planned.candidates]
        experiments += fresh
        arms |= {e.name: arm_of(e.name, surface.measured(point_of(surface, e.recipe))) for e in fresh}
        came_to = promotion(
            arms[champion], [arms[e.name] for e in fresh], splits="leave-one-group-out", margin=0.0, alpha=ALPHA,
            round=number,
        )  # fmt: skip
        if came_to.promoted:
            by_name = {e.name: surface.true(point_of(surface, e.recipe)) for e in experiments}
            false += by_name[came_to.champion] >= by_name[champion]
            promotions += 1
            champion = came_to.champion
    at_last = final_promotion(
        arms[champion], [a for name, a in arms.items() if name != champion], splits="leave-one-group-out", margin=0.0,
        alpha=ALPHA, look=1,
    )  # fmt: skip
    if at_last.promoted:
        by_name = {e.name: surface.true(point_of(surface, e.recipe)) for e in experiments}
        false += by_name[at_last.champion] >= by_name[champion]
        promotions += 1
        champion = at_last.champion
    recipes = {e.name: e.recipe for e in experiments}
    last = History(
        problem, tuple(experiments), standings(list(arms.values()), "leave-one-group-out"), "lower", start.name,
        champion, round=ROUNDS + 1, space=space,
    )  # fmt: skip
    leader = proposer.leader(last) or champion
    regret, of_leader = (surface.true(point_of(surface, recipes[name])) for name in (champion, leader))
    return Went(regret, false, promotions, len(experiments), of_leader)


def greedy(surface: Surface, start: Experiment, problem: Any, space: Any) -> Went:
    """The same proposals, and whatever scores better is kept."""
    experiments, scores = [start], {start.name: arm_of(start.name, surface.measured(point_of(surface, start.recipe)))}
    champion, false, promotions = start, 0, 0
    proposer = Surrogate(surface.seed)
    for number in range(1, ROUNDS + 1):
        history = History(
            problem, tuple(experiments), standings(list(scores.values()), "leave-one-group-out"), "lower", start.name,
            champion.name, round=number, space=space,
        )  # fmt: skip
        for candidate in plan_round(history, [proposer], SLOTS).candidates:
            one = candidate.experiment
            experiments.append(one)
            scores[one.name] = arm_of(one.name, surface.measured(point_of(surface, one.recipe)))
            if scores[one.name].score < scores[champion.name].score:
                new, old = (surface.true(point_of(surface, e.recipe)) for e in (one, champion))
                false += new >= old
                promotions += 1
                champion = one
    return Went(surface.true(point_of(surface, champion.recipe)), false, promotions, len(experiments))


def searched(kind: str) -> Callable[[Surface, Experiment, Any, Any], Went]:
    """Optuna alone: asked for as many points, and told their scores; the best of them is recommended."""

    def search(surface: Surface, start: Experiment, problem: Any, space: Any) -> Went:
        library = optuna()
        samplers = {"tpe": library.samplers.TPESampler, "random": library.samplers.RandomSampler}
        study = library.create_study(sampler=samplers[kind](seed=surface.seed))
        first = point_of(surface, start.recipe)
        distributions = {d.path: distribution(d) for d in surface.dimensions}
        told = library.trial.create_trial(
            params=dict(first), distributions=distributions, value=float(surface.measured(first).mean())
        )
        study.add_trial(told)
        seen = [(told.value, surface.true(first))]
        for _ in range(ROUNDS * SLOTS):
            trial = study.ask(distributions)
            point = dict(trial.params)
            score = float(surface.measured(point).mean())
            study.tell(trial, score)
            seen.append((score, surface.true(point)))
        return Went(min(seen)[1], 0, 0, len(seen))

    return search


def point_of(surface: Surface, recipe: Recipe) -> dict[str, Any]:
    return {d.path: d.of(recipe) for d in surface.dimensions}


def planted(quick: bool) -> list[Row]:
    """Regret and false promotions on planted surfaces."""
    repeats = 4 if quick else 50
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "planted.toml"
        file.write_text(CAMPAIGN, encoding="utf-8")
        lines = ["x,y", *(f"{i},{i % 7}" for i in range(FOLDS))]
        (Path(folder) / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        campaign = read_campaign_file(file)
        space = space_of(file, campaign.space)
        (start,) = campaign.experiments
        assert space is not None
        runs: dict[str, list[Went]] = {}
        for name, run, flat in (
            ("autopilot", autopilot, False),
            ("Optuna TPE", searched("tpe"), False),
            ("random search", searched("random"), False),
            ("greedy", greedy, False),
            ("autopilot, flat", autopilot, True),
            ("greedy, flat", greedy, True),
        ):
            count = repeats if not flat else 2 * repeats
            for seed in range(count):
                surface = Surface.drawn(
                    space.dimensions, {d.path: d.of(start.recipe) for d in space.dimensions}, seed, flat=flat
                )
                runs.setdefault(name, []).append(run(surface, start, campaign.problem, space))
    return _planted_rows(runs)


def _planted_rows(runs: Mapping[str, Sequence[Went]]) -> list[Row]:
    regret = {name: np.array([w.regret for w in some]) for name, some in runs.items()}
    regret[LEADER] = np.array([w.of_leader for w in runs["autopilot"]])
    most = 1 + ROUNDS * SLOTS
    assert all(w.points <= most for w in (*runs["autopilot"], *runs["greedy"]))
    assert all(w.points == most for peer in PEERS[1:3] for w in runs[peer])
    rows = [Row(f"planted: mean regret, {name}", float(regret[name].mean()), "of start") for name in (*PEERS, LEADER)]
    for peer in PEERS[1:3]:
        difference = regret[LEADER] - regret[peer]
        error = float(difference.std(ddof=1)) / math.sqrt(len(difference))
        upper = float(difference.mean()) - float(stats.t.isf(0.05, len(difference) - 1)) * error
        rows.append(Row(f"planted: regret of the leader less that of {peer}", float(difference.mean()), "of start"))
        rows.append(Row(f"planted: the same, 95 % lower bound, {peer}", upper, "of start", 0.0))
    for name in ("autopilot", "greedy", "autopilot, flat", "greedy, flat"):
        share = float(np.mean([w.false > 0 for w in runs[name]]))
        ours = name.startswith("autopilot")
        target = ALPHA if ours else 0.3
        rows.append(
            Row(f"planted: runs with a false promotion, {name}", share, "share", target, "lower" if ours else "higher")
        )
    rows.append(
        Row("planted: promotions a run, autopilot", float(np.mean([w.promotions for w in runs["autopilot"]])), "")
    )
    rows.append(Row("planted: points a run, autopilot", float(np.mean([w.points for w in runs["autopilot"]])), ""))
    rows.append(Row("planted: points a run, peers", float(most), ""))
    return rows


LEADER = "autopilot's leader"
PEERS = ("autopilot", "Optuna TPE", "random search", "greedy")
CATECHOL = """
problem = "catechol"
task = ["single", "full"]
[protocol]
splits = "leave-one-group-out"
seeds = 2
metric = "mse"
scoring = "pooled"
margin = 0.0002
[[experiment]]
name = "mlp"
features = ["spange", "kinetics"]
model.kind = "mlp"
model.hidden = [256, 128, 64]
model.activation = "relu"
model.norm = "batch"
model.dropout = 0.3
model.output = "sigmoid"
training = { epochs = 200, optimiser = "adam", rate = 1e-3, weight_decay = 1e-4 }
"""
TARGET = 0.0087
"""Pooled squared error that a loop by hand reached after 26 experiments."""


def catechol() -> list[Row]:
    """From the first network of the loop alone, without a human, within 45 minutes; then fresh seeds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "catechol.toml"
        file.write_text(CATECHOL, encoding="utf-8")
        pilot = Autopilot(file, slots=SLOTS, say=lambda line: print(line, flush=True))
        ended = pilot.run(CATECHOL_BUDGET, target=TARGET, settle=True)
        print(f"stopped ({ended.reason}): {ended.why}", flush=True)
        experiments = 1 + sum(len(r.content["results"]) for r in ended.rounds)
        scores = {r.name: r.score for r in Laboratory.open(file).campaign.ledger.experiments() if r.score is not None}
        for name, score in sorted(scores.items(), key=lambda item: item[1]):
            print(f"  {score:.5f}  {name}", flush=True)
        rows = [
            Row("catechol: mse of the champion, from one network", ended.score, "share^2", TARGET),
            Row("catechol: mse of what looks best, as the loop by hand chose", scores[ended.leader], "share^2", TARGET),
            Row("catechol: minutes", ended.seconds / 60, "min", CATECHOL_BUDGET / 60),
            Row("catechol: experiments", float(experiments), "", 26.0),
        ]
        if ended.champion != "mlp":
            confirmed = pilot.confirm().result
            better = float(confirmed["outcome"] == "better")
            rows.append(Row("catechol: mse on fresh seeds", float(confirmed["score"]), "share^2"))
            rows.append(Row("catechol: better than the start on fresh seeds", better, "yes=1", 1.0, "higher"))
        return rows


METABOLISM = """
problem = { kind = "metabolism", metabolites = 20, reactions = 48, frames = 720, structure_seed = 7, distinct = true }
task = "identifiable"
[protocol]
splits = "fresh-draws"
repeats = 6
test_fraction = 0.95
metric = "mae"
margin = 0.02
baseline = "1"
[planning]
fixed = ["model.kind", "model.solved_constants", "features"]
"""
BATCH = ("1", "2", "3", "4")
"""Nodes of the log's first batch, which are recipes of these names."""
LOOPS = 250
"""The log's `data_augmentation_loop` was 1000."""
R2, METABOLISM_ROUNDS = 0.95, 3


def metabolism() -> list[Row]:
    """From the log's failing first batch: what is found, and R2 of log10 k on the identity line after each round."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "metabolism.toml"
        nodes = [f'name = "{n}"\nrecipe = "{n}"\ntraining.data_augmentation_loop = {LOOPS}\n' for n in BATCH]
        parents = ["", *['parent = "1"\n'] * (len(BATCH) - 1)]
        entries = [f"[[experiment]]\n{node}{parent}" for node, parent in zip(nodes, parents, strict=True)]
        file.write_text(METABOLISM + "".join(entries), encoding="utf-8")
        pilot = Autopilot(file, slots=SLOTS, say=lambda line: print(line, flush=True))
        started = time.monotonic()
        outlook = pilot.look()
        named = {code: _named(outlook.history, code) for code in ("PB202", "PB207")}
        rows = [
            Row("metabolism: runs of the first batch whose dead part is named", named["PB202"], "of 4", 4.0, "higher"),
            Row("metabolism: runs of the first batch whose scale is named", named["PB207"], "of 4", 4.0, "higher"),
        ]
        by_draw = [_r2(outlook.laboratory, outlook.history.champion)]
        while len(by_draw) <= METABOLISM_ROUNDS:
            ended = pilot.run(float("inf"), most_rounds=1)
            if len(ended.rounds) < len(by_draw):
                print(f"stopped ({ended.reason}): {ended.why}", flush=True)
                break
            by_draw.append(_r2(Laboratory.open(file), ended.champion))
            print(f"'{ended.champion}': R2 of each draw {np.round(by_draw[-1], 3).tolist()}", flush=True)
    found = [float(np.median(r2)) for r2 in by_draw]
    enough = next((float(n) for n, r2 in enumerate(found) if r2 >= R2), math.inf)
    when = ["of the first batch's champion", *(f"after round {n}" for n in range(1, len(found)))]
    return [
        *rows,
        *(
            Row(f"metabolism: R2 {w}, median of {len(by_draw[0])} draws", r2, "")
            for w, r2 in zip(when, found, strict=True)
        ),
        Row("metabolism: R2 at the end, median of draws", found[-1], "", R2, "higher"),
        Row("metabolism: R2 at the end, worst draw", float(by_draw[-1].min()), ""),
        Row(f"metabolism: rounds until R2 >= {R2}", enough, "", float(METABOLISM_ROUNDS)),
        Row("metabolism: minutes", (time.monotonic() - started) / 60, "min"),
    ]


def _named(history: History, code: str) -> float:
    """Experiments of the first batch against which a finding stands."""
    return float(len({f.subject for f in history.findings if f.code == code} & set(BATCH)))


def _r2(laboratory: Laboratory, name: str) -> np.ndarray:
    """[draw]: R2 on the identity line of log10 k over the identifiable constants that the protocol scores."""
    campaign = laboratory.campaign
    arm = arm_scores(name, campaign.predictions(name), campaign.draws, metric("r2"), Scoring("macro"))
    return arm.by_unit


REAL: dict[str, Callable[[], list[Row]]] = {"catechol": catechol, "metabolism": metabolism}


def measure(quick: bool, real: str | None = None) -> list[Row]:
    """The planted rows, and with '' as `real` all real ones; those of one real problem alone with its name."""
    if real is None:
        return planted(quick)
    if real == "":
        return [*planted(quick), *(row for rows in REAL.values() for row in rows())]
    return REAL[real]()


if __name__ == "__main__":
    asked = [a for a in sys.argv if a == "--real" or a.startswith("--real=")]
    sys.argv = [a for a in sys.argv if a not in asked]
    chosen = asked[-1].removeprefix("--real").removeprefix("=") if asked else None
    if chosen and chosen not in REAL:
        sys.exit(f"--real={chosen}: one of {', '.join(REAL)}")
    benchmark("autopilot", partial(measure, real=chosen), ("optuna", "numpy", "scipy"))
