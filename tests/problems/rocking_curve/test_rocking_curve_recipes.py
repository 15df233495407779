"""The six approaches of a log as recipes, its honest comparison, and its own protocol, whose flaws the audit names."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest

from faults.small_logs.write_up import of_one_fit
from probatum.audit import inspect
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.recipe_book import recipe_book
from probatum.laboratory import Laboratory
from probatum.learning.learner import learner_kind
from probatum.problems.rocking_curve.problem import RockingCurve

EXAMPLES = Path(__file__).parents[3] / "examples"
BOOK = recipe_book(RockingCurve())
SIX = ("baseline", "augmented-sampling", "sensitivity-weights", "multi-task", "hierarchical", "attention")
NEXT = ("augmented-by-error", "hierarchical+augmented", "augmented-3", "augmented-4", "augmented-ensemble")


def parameters(name: str, points: int = 701) -> int:
    """Numbers that a recipe's network learns."""
    recipe = BOOK[name].recipe
    estimator = learner_kind(recipe.kind).build(recipe.parameters, 0)
    network = estimator.initial_network(points, 7, np.random.default_rng(0))
    return sum(leaf.size for leaf in jax.tree.leaves(network))


def test_the_six_approaches_and_what_the_log_recommends_next_are_there_in_both_sizes():
    assert {*SIX, *NEXT, "multi-task-curve"} <= set(BOOK)
    small = {"compact", *(f"compact-{name}" for name in (*SIX[1:], "multi-task-curve", *NEXT) if name != "augmented-4")}
    assert small <= set(BOOK)


def test_the_networks_are_as_large_as_the_log_says():
    assert parameters("baseline") == pytest.approx(600_000, rel=0.25)  # 'about 500k'
    assert parameters("attention") == pytest.approx(1_528_168, rel=0.05)
    assert parameters("compact", points=88) < 10_000


@pytest.mark.parametrize("name", [n for n in BOOK if n not in ("baseline", "compact") and "attention" not in n])
def test_every_approach_is_its_baseline_with_that_one_idea(name: str):
    recipe, parent = BOOK[name].recipe, BOOK["compact" if name.startswith("compact") else "baseline"].recipe
    assert recipe.features == parent.features
    assert all(recipe.parameters[key] == value for key, value in parent.parameters.items())


@pytest.mark.parametrize("name", BOOK)
def test_every_approach_trains_fifty_epochs(name: str):
    recipe = BOOK[name].recipe
    estimator = learner_kind(recipe.kind).build(recipe.parameters, 0)
    assert sum(stage.epochs for stage in estimator.stage_choices) == 50


def test_the_honest_comparison_repeats_every_arm_on_the_same_splits_and_seeds():
    file = read_campaign_file(EXAMPLES / "rocking_curve.toml")
    assert (file.protocol.repeats, file.protocol.seeds) == (8, 2)
    assert file.protocol.margin > 0
    names = [experiment.name for experiment in file.experiments]
    assert names == [
        "baseline", "augmented sampling", "sensitivity weights", "multi-task", "multi-task, curve", "hierarchical",
        "attention",
    ]  # fmt: skip


# ---------------------------------------------------------------------- the log's own protocol


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """The flawed example with fewer curves and a network that trains in a second."""
    text = (EXAMPLES / "rocking_curve_flawed.toml").read_text(encoding="utf-8")
    small = 'model = { kind = "mlp", hidden = [16], norm = "none", output = "sigmoid" }\n'
    small += "training = { epochs = 30, validation_fraction = 0.2 }"
    changed = text.replace("curves = 400", "curves = 150").replace('recipe = "compact"', small)
    assert changed.count("150") == changed.count(small) == 1
    file = tmp_path_factory.mktemp("flawed") / "flawed.toml"
    file.write_text(changed, encoding="utf-8")
    laboratory = Laboratory.open(file)
    laboratory.run()
    return laboratory


def alarms(audit) -> dict[tuple[str, str | None], str]:
    return {(f.code, f.subject): f.severity for f in audit.findings if f.severity != "note"}


def test_the_audit_names_each_flaw_of_the_protocol(flawed: Laboratory):
    found = alarms(flawed.audit(flawed.results()))
    assert {code for code, _ in found} >= {"PB101", "PB404", "PB503", "PB601"}
    assert {subject for code, subject in found if code == "PB503"} == {"augmented sampling", "sensitivity weights"}
    assert {subject for code, subject in found if code == "PB404"} == {"sensitivity weights"}


def test_copies_made_before_the_split_are_on_both_sides_and_block_the_champion(flawed: Laboratory):
    results = flawed.results()
    assert any(f.code == "PB101" and f.severity == "error" for f in flawed.audit(results).findings)
    assert flawed.champion(results) is None


def test_a_write_up_of_it_compares_weighted_losses_and_reports_its_best_epochs(flawed: Laboratory):
    plain, weighted = {"loss": "smooth L1"}, {"loss": "weighted smooth L1"}
    claim = {"parent": "baseline", "claim": "p < 0.001"}
    said = {
        "baseline": {"baseline": True, "scored_on": plain},
        "augmented sampling": {"chosen": True, "scored_on": plain, **claim},
        "sensitivity weights": {"scored_on": weighted, **claim},
    }
    found = alarms(inspect(of_one_fit(flawed, said)))
    assert ("PB301", "sensitivity weights") in found
    assert ("PB502", "augmented sampling") in found
    assert {subject for code, subject in found if code == "PB503"} == {"augmented sampling", "sensitivity weights"}
