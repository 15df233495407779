"""PB301-PB306 in small real campaigns: each fault is found under its own code, and its clean twin is silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from faults.conftest import Ran
from faults.table import line_table, table
from probatum.audit.contradictions import predictions_of
from probatum.audit.history import History, Run
from probatum.audit.inspection import inspect

CAMPAIGN = """
problem = { kind = "table", path = "table.csv", target = "y"REPLICATE }

[protocol]
splits = "repeated-k-fold"
folds = 5
repeats = 5
metric = "METRIC"

[run]
cores = 2
"""


def campaign(*alphas: float, metric: str = "mse", replicate: str = "") -> str:
    """Ridge regressions of some strengths; the larger, the smaller are their predictions."""
    roles = f', replicate = "{replicate}"' if replicate else ""
    head = CAMPAIGN.replace("METRIC", metric).replace("REPLICATE", roles)
    models = [f'[[experiment]]\nname = "ridge {a:g}"\nmodel = {{ kind = "ridge", alpha = {a} }}\n' for a in alphas]
    return head + "".join(models)


def with_outliers() -> str:
    """A line with three of 60 measurements a hundred times too large."""
    lines = line_table().splitlines()
    for row in (7, 21, 40):
        *inputs, y = lines[row].split(",")
        lines[row] = ",".join([*inputs, f"{float(y) * 100:.6f}"])
    return "\n".join(lines) + "\n"


def repeated() -> str:
    """30 samples, measured twice with a noise of variance 0.25."""
    generator = np.random.default_rng(0)
    sample = np.arange(60) % 30
    inputs = generator.normal(size=(30, 2))[sample]
    y = inputs @ np.array([2.0, -1.0]) + generator.normal(0, 0.5, 60)
    columns = {"x0": inputs[:, 0], "x1": inputs[:, 1], "sample": np.array([f"s{n:02d}" for n in sample]), "y": y}
    return table(columns)


def reported(history: History, r2: Callable[[np.ndarray, np.ndarray], float]) -> History:
    """The history with an R2 that somebody computed from the stored predictions."""

    def with_r2(run: Run) -> Run:
        truth, prediction = (side[:, 0] for side in predictions_of(run))
        return run if run.trivial else replace(run, metrics={"R2": r2(truth, prediction)})

    return replace(history, runs=tuple(map(with_r2, history.runs)))


def identity(truth: np.ndarray, prediction: np.ndarray) -> float:
    return 1 - float(((prediction - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def squared_correlation(truth: np.ndarray, prediction: np.ndarray) -> float:
    return float(np.corrcoef(truth, prediction)[0, 1] ** 2)


@pytest.fixture(scope="module")
def plain(ran: Ran) -> History:
    """Five ridges on a line; its submissions are in the unit of its own score."""
    alphas = (1e-3, 10.0, 20.0, 30.0, 40.0)
    same_unit = [(f"ridge {a:g}", "mse", lambda score: 1.1 * score) for a in alphas]
    return ran(campaign(*alphas), {"table.csv": line_table()}, same_unit, target=0.02)


@pytest.fixture(scope="module")
def rooted(ran: Ran) -> History:
    alphas = (1e-3, 10.0, 20.0, 30.0, 40.0)
    root = [(f"ridge {a:g}", "rmse", lambda score: 0.97 * score**0.5) for a in alphas]
    return ran(campaign(*alphas), {"table.csv": line_table(slopes=(0.3, -0.2), noise=0.02)}, root)


def codes(history: History) -> dict[str, str]:
    """Errors and warnings, by their code."""
    return {f.code: f"{f.subject}: {f.message}" for f in inspect(history).findings if f.severity != "note"}


def test_scores_of_two_metrics_ranked_together_are_found(ran, plain):
    absolute = ran(campaign(1e-3, metric="mae"), {"table.csv": line_table()})
    other = tuple(replace(run, name=f"{run.name} (mae)") for run in absolute.runs)
    assert "metric = mae" in codes(replace(plain, runs=(*plain.runs, *other)))["PB301"]


def test_metrics_that_contradict_each_other_are_found(ran):
    assert "of the squared error" in codes(ran(campaign(1e-3), {"table.csv": with_outliers()}))["PB302"]


def test_a_squared_correlation_called_r2_is_found(ran):
    shrunk = ran(campaign(40.0), {"table.csv": line_table()})
    assert "squared correlation" in codes(reported(shrunk, squared_correlation))["PB303"]
    assert "PB303" not in codes(reported(shrunk, identity))


def test_a_model_no_better_than_the_mean_is_found(ran):
    unrelated = ran(campaign(1e3), {"table.csv": line_table(slopes=(0, 0), noise=1.0)})
    assert "trivial: mean" in codes(unrelated)["PB304"]


def test_a_target_below_the_noise_floor_is_found(ran):
    twice = campaign(1e-3, replicate="sample")
    assert "noise floor" in codes(ran(twice, {"table.csv": repeated()}, target=0.1))["PB305"]
    assert not codes(ran(twice, {"table.csv": repeated()}, target=0.5))


def test_an_external_score_that_is_a_root_is_found(rooted):
    assert "an RMSE of what the internal one is an MSE of" in codes(rooted)["PB306"]
    assert set(codes(rooted)) == {"PB306"}


def test_a_target_that_submissions_cannot_reach_is_found(rooted):
    assert "PB305" in codes(replace(rooted, target=1e-4))


@pytest.mark.parametrize("of", [lambda h: h, lambda h: reported(h, identity)])
def test_the_clean_twin_is_silent(plain, of):
    assert codes(of(plain)) == {}
