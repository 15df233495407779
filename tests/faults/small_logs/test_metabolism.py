"""The exploration of an oscillating metabolism, in small: its own structure, and learners with its script's faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from faults.small_logs.conftest import Found
from faults.small_logs.metabolism import METABOLITES, structure
from faults.test_scores_faults import identity, squared_correlation
from faults.test_training_faults import LEARNERS
from probatum.audit import inspect
from probatum.audit.campaign_history import campaign_history
from probatum.audit.contradictions import predictions_of
from probatum.audit.history import History
from probatum.laboratory import Laboratory

HEAD = """
problem = { kind = "small_metabolism", PROBLEM }
[protocol]
splits = "fresh-draws"
repeats = 6
test_fraction = 0.25
metric = "r2"
scoring = "macro"
baseline = "iteration 1"
SEEDS
"""


def experiment(name: str, model: str, parent: str | None = None) -> str:
    lines = [f'[[experiment]]\nname = "{name}"', *([f'parent = "{parent}"'] if parent else []), model]
    return "\n".join(lines) + "\n"


def network(kind: str) -> str:
    model = f'{{ kind = "LEARNERS:{kind}", hidden = [8], norm = "none" }}'
    return experiment("MLP_node", f"model = {model}\ntraining = {{ epochs = 100, rate = 1e-2 }}")


def rollout(kind: str, more: str = "") -> str:
    return f'model = {{ kind = "faults.small_logs.learners:{kind}"{more} }}'


REPEATS = tuple(f"iteration {n}" for n in (1, 2, 3, 4))
ROLLOUTS = (*REPEATS, "lr_k high", "scale not pinned")
FLAWED = HEAD.replace("PROBLEM", 'rings = "drawn", own_trajectories = false').replace(
    "SEEDS", "margin = 0.3"
) + "".join(
    [
        *(experiment(name, rollout("Rollout", f", seed = {42 + n}")) for n, name in enumerate(REPEATS)),
        experiment("lr_k high", "model.lr_k = 1.0", "iteration 1"),
        experiment("scale not pinned", "model.alpha = 0.52", "iteration 1"),
        network("AllZero"),
    ]
)
REPAIRED = HEAD.replace("PROBLEM", 'rings = "distinct"').replace("SEEDS", "seeds = 4\nmargin = 0.3") + "".join(
    [
        experiment("iteration 1", rollout("SeededRollout")),
        experiment("lr_k high", "model.lr_k = 0.1", "iteration 1"),
        network("Own"),
    ]
)


@pytest.fixture(scope="module")
def flawed(place) -> Laboratory:
    return place.laboratory(FLAWED, pd.DataFrame(), LEARNERS)


@pytest.fixture(scope="module")
def repaired(place) -> Laboratory:
    return place.laboratory(REPAIRED, pd.DataFrame(), LEARNERS)


@pytest.fixture(scope="module")
def alarms_of_flawed(flawed, found) -> Found:
    return found(flawed.audit(flawed.results()))


def reported(laboratory: Laboratory, name: str, r2: Callable[[np.ndarray, np.ndarray], float]) -> History:
    """A run with an R2 that somebody computed from its predictions."""
    history = campaign_history(laboratory.campaign, laboratory.results().arms)
    (run,) = (run for run in history.runs if run.name == name)
    truth, prediction = (side[:, 0] for side in predictions_of(run))
    return replace(history, runs=(replace(run, metrics={"R2": r2(truth, prediction)}),))


def scores(laboratory: Laboratory, *names: str) -> list[float]:
    return [laboratory.results().arm(name).score for name in names]


def test_a_rollout_that_ran_away_is_found_with_its_r2(flawed, alarms_of_flawed):
    assert {s for c, s in alarms_of_flawed if c == "PB201"} == {"lr_k high"}
    (r2,) = scores(flawed, "lr_k high")
    assert r2 < -1e3
    assert alarms_of_flawed["PB201", "lr_k high"].figures["score"] == pytest.approx(r2)


def test_a_module_that_starts_at_zero_is_dead_and_no_better_than_the_mean(alarms_of_flawed):
    assert (
        {s for c, s in alarms_of_flawed if c == "PB202"}
        == {"MLP_node"}
        == {s for c, s in alarms_of_flawed if c == "PB304"}
    )
    assert alarms_of_flawed["PB202", "MLP_node"].figures == {"fits": 6}


def test_four_runs_of_one_configuration_show_what_cannot_be_told_apart(flawed, alarms_of_flawed):
    figures = alarms_of_flawed["PB206", None].figures
    assert figures["runs"] == 4
    assert figures["spread"] == pytest.approx(np.std(scores(flawed, *REPEATS), ddof=1))
    # Student's t of three degrees of freedom, 97.5 %, is 3.18245.
    assert figures["limit"] == pytest.approx(3.18245 * np.sqrt(2) * figures["spread"], rel=1e-4)


def test_a_prediction_of_the_wrong_scale_contradicts_its_correlation(alarms_of_flawed):
    assert {s for c, s in alarms_of_flawed if c == "PB302"} == {"scale not pinned"}
    figures = alarms_of_flawed["PB302", "scale not pinned"].figures
    assert figures["pearson"] ** 2 - figures["r2"] > 0.3


def test_a_squared_correlation_called_r2_is_found(flawed, found):
    wrong, right = (reported(flawed, "scale not pinned", r2) for r2 in (squared_correlation, identity))
    figures = found(inspect(wrong, codes=["PB303"]))["PB303", "scale not pinned"].figures
    assert figures["squared correlation"] == pytest.approx(wrong.runs[0].metrics["R2"])
    assert figures["r2"] == pytest.approx(right.runs[0].metrics["R2"])
    assert found(inspect(right, codes=["PB303"])) == {}


def test_the_seed_that_nothing_reads_is_found(alarms_of_flawed):
    assert {s for c, s in alarms_of_flawed if c == "PB401"} == set(ROLLOUTS)
    assert alarms_of_flawed["PB401", "iteration 1"].message == "nothing read 'model.seed'"


def test_one_fit_trained_again_gives_another_result(flawed, found):
    again = found(flawed.audit(flawed.results(), only=["iteration 1"], retrain=True))
    assert again["PB402", "iteration 1"].figures["difference"] > 1e-3


def test_seventeen_of_256_rate_constants_are_not_determined(alarms_of_flawed):
    first, second = structure("drawn")
    pairs = Counter(frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True))
    empty = pairs.pop(frozenset({-1}))
    assert (len(first), METABOLITES) == (256, 100)
    figures = alarms_of_flawed["PB601", None].figures
    assert figures["parameters"] == empty + sum(count for count in pairs.values() if count > 1) == 17
    assert figures["rank"] == len(pairs)


def test_draws_that_are_the_training_trajectories_again_are_found(alarms_of_flawed):
    assert alarms_of_flawed["PB603", None].figures == {"rows": 128, "pairs": 15}


def test_no_other_check_raises_an_alarm(alarms_of_flawed):
    codes = {"PB201", "PB202", "PB206", "PB302", "PB304", "PB401", "PB601", "PB603"}
    assert {code for code, _ in alarms_of_flawed} == codes


def test_the_repaired_campaign_is_silent(repaired, found):
    results = repaired.results()
    assert found(repaired.audit(results)) == {}
    assert found(repaired.audit(results, only=["iteration 1", "lr_k high"], retrain=True)) == {}
