"""The experiment log says of every node what a person would write down, and prints the number behind each judgement."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from cli.small_lab import Said, program, write_lab
from probatum.laboratory import Laboratory
from probatum.reporting.experiment_log import EXPLORATION, _Tree, experiment_log
from probatum.reporting.experiment_log_text import log_text
from probatum.reporting.log_entries import _direction, visual_verdict
from probatum.reporting.log_records import Figure

CAMPAIGN = """
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }
[protocol]
splits = "leave-one-group-out"
metric = "r2"
scoring = "macro"
margin = 0.01
[[experiment]]
name = "a"
model = { kind = "ridge", alpha = 1.0 }
[[experiment]]
name = "b"
parent = "a"
model.alpha = 10.0
hypothesis = "more ridge helps <b>a lot</b>"
[[experiment]]
name = "c"
parent = "a"
model.alpha = 0.1
[[experiment]]
name = "d"
parent = "b"
model.alpha = 1e6
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_lab(tmp_path_factory.mktemp("log"), CAMPAIGN)
    said = program(folder, "run", "lab.toml")
    assert said.code in (0, 3), said.err
    return folder


@pytest.fixture(scope="module")
def laboratory(lab: Path) -> Laboratory:
    return Laboratory.open(lab / "lab.toml")


def test_batches_are_slots_in_the_order_of_the_file(laboratory: Laboratory):
    log = experiment_log(laboratory, laboratory.results(), slots=3)
    assert [[e.name for e in batch.entries] for batch in log.batches] == [["a", "b", "c"], ["d"]]
    assert [e.number for batch in log.batches for e in batch.entries] == [1, 2, 3, 4]
    assert [e.parent for batch in log.batches for e in batch.entries] == [None, "a", "a", "b"]


def test_an_entry_says_what_changed_and_what_came_of_it(laboratory: Laboratory):
    log = experiment_log(laboratory, laboratory.results(), slots=3)
    a, b, c = log.batches[0].entries
    assert a.mutation is None
    assert a.mode == "exploit"
    assert b.mutation == "alpha: 1.0 -> 10.0"
    assert (b.strategy, c.strategy) == ("alpha high", "alpha low")
    (verdict,) = laboratory.compare(["b"], "a")
    assert b.verdict == verdict
    assert b.observation.startswith(f"{verdict.outcome} against id=a: {verdict.difference:+.3g}")
    (d,) = log.batches[1].entries
    assert d.parent_rule.startswith("UCB of id=b was ")


def test_metrics_are_those_of_each_fit(laboratory: Laboratory):
    log = experiment_log(laboratory, laboratory.results())
    entries = log.batches[0].entries
    for entry in entries:
        by_fit = laboratory.score(entry.name).values.mean(axis=2).ravel()
        assert entry.metrics["r2"].mean == pytest.approx(by_fit.mean())
        assert entry.metrics["r2"].spread == pytest.approx(by_fit.std(ddof=1))
        status = "converged" if by_fit.mean() > 0.9 else "partial" if by_fit.mean() >= 0.1 else "failed"
        assert entry.status == status
    assert not any(entry.visual for entry in entries)


def test_the_next_parent_has_the_best_ucb(laboratory: Laboratory):
    log = experiment_log(laboratory, laboratory.results(), slots=3)
    score = {e.name: min(max(e.metrics["r2"].mean, 0), 1) for e in log.batches[0].entries}
    ucb = {"a": score["a"] + EXPLORATION * math.sqrt(3) / 4} | {
        name: score[name] + EXPLORATION * math.sqrt(3) / 2 for name in "bc"
    }
    assert {e.next_parent for e in log.batches[0].entries} == {max(ucb, key=ucb.__getitem__)}


def test_the_text_holds_the_vocabulary(laboratory: Laboratory):
    text = log_text(experiment_log(laboratory, laboratory.results(), slots=3))
    for line in (
        "# Experiment Log: lab (parallel)",
        "## Batch 1 (Iter 1-3): PARALLEL START",
        "**Slot 1 (id=b)**: explore (alpha high)",
        "Node: id=b, parent=id=a",
        "Node: id=a, parent=root",
        "Mode/Strategy: explore (alpha high)",
        "Config: alpha=10.0",
        "Mutation: alpha: 1.0 -> 10.0",
        "Hypothesis: more ridge helps <b>a lot</b> -> ",
        "Parent rule: root (initial batch)",
        "### Batch 1 Summary",
        "**Critical Finding**:",
        "**Next batch strategy:**",
        "- Slot 0: alpha: 10.0 -> 1000000.0 (id=d)",
        "**Next batch:**",
        "- Slot 0: exploit the top: parent=id=",
    ):
        assert line in text
    assert text.count("Observation: ") == text.count("Next: parent=id=") == 4
    assert "Metrics: r2=" in text


def test_the_command_writes_it(lab: Path):
    said: Said = program(lab, "report", "lab.toml", "--format", "log", "--slots", "2", "--json")
    values = json.loads(said.out)
    assert [len(batch["entries"]) for batch in values["log"]["batches"]] == [2, 2]
    assert Path(values["report"]).name == "experiment_log.md"
    assert (lab / values["report"]).read_text(encoding="utf-8").startswith("# Experiment Log: lab")
    entry = values["log"]["batches"][0]["entries"][1]
    assert (entry["node"], entry["parent"], entry["mutation"]) == ("b", "a", "alpha: 1.0 -> 10.0")


def test_a_format_that_is_unknown_is_refused_by_name(lab: Path):
    said = program(lab, "report", "lab.toml", "--format", "lgo")
    assert said.code == 2
    assert "unknown format 'lgo'; did you mean 'log'?" in said.err


class Told:
    """A problem with diagnostics, around another."""

    headline, deviations = "agreement", ("curve",)

    def __init__(self, problem: object):
        self.problem = problem

    def __getattr__(self, name: str) -> object:
        return getattr(self.problem, name)

    def diagnostics(self, task: str, draw: int, curves: Mapping[str, np.ndarray]) -> Mapping[str, float]:
        return {"agreement": 0.95, "curve": 0.07}


def test_what_a_problem_tells_is_printed_and_judged(lab: Path):
    laboratory = Laboratory.open(lab / "lab.toml")
    results = laboratory.results()
    object.__setattr__(laboratory.campaign.file, "problem", Told(laboratory.campaign.file.problem))
    (first, *_) = experiment_log(laboratory, results).batches[0].entries
    assert first.status == "converged"
    assert first.visual == {"curve": ("close", pytest.approx(0.07))}
    assert first.metrics["agreement"].mean == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("deviation", "verdict"),
    [(0.0, "good"), (0.02, "good"), (0.021, "close"), (0.1, "close"), (0.5, "bad"), (math.nan, "bad")],
)
def test_curves_are_judged_by_their_deviation(deviation: float, verdict: str):
    assert visual_verdict(deviation) == verdict


def test_figures_leave_out_what_is_no_number_and_say_so_if_all_are():
    assert str(Figure.of([1.0, 2.0, math.nan])) == "1.5±0.71"
    assert Figure.of([1.0, 2.0, math.nan]).fits == 2
    assert str(Figure.of([math.nan])) == "none"
    assert str(Figure.of([0.25])) == "0.25"


def test_directions_are_those_of_one_number():
    assert _direction("training.lr_k: 0.005 -> 0.01") == "high"
    assert _direction("a: 2 -> 1") == "low"
    assert _direction("model.kind: ridge -> mlp") == ""
    assert _direction("a: 1 -> 2; b: 2 -> 1") == ""
    assert _direction(None) == ""


def test_a_node_with_many_descendants_is_explored_less():
    tree = _Tree({"a": 0.5, "b": 0.5, "c": 0.5}, {"a": None, "b": "a", "c": "b"})
    ranked = dict(tree.ranked())
    assert ranked["c"] > ranked["b"] > ranked["a"]
    assert ranked["a"] == pytest.approx(0.5 + 1.414 * math.sqrt(3) / 4)
