"""The comparison of six ways to train on rocking curves, in small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from faults.small_logs.conftest import Found
from faults.small_logs.write_up import of_all_repeats, of_one_fit
from probatum.audit import inspect
from probatum.laboratory import Laboratory

CAMPAIGN = """
problem = { kind = "small_rocking_curve", rows = 220, PROBLEM }
[protocol]
splits = "repeated-k-fold"
folds = 5
repeats = 2
baseline = "baseline"
[run]
cores = 2
[[experiment]]
name = "baseline"
model = { kind = "mlp", hidden = [16], norm = "none", activation = "tanh" }
training = { epochs = 60, batch = 32, rate = 3e-3, validation_fraction = 0.2 }
[[experiment]]
name = "augmented sampling"
model = { kind = "faults.small_logs.learners:Script"COPIES }
[[experiment]]
name = "sensitivity weights"
parent = "baseline"
model.target_weights = WEIGHTS
training = { TRAINED }
[[experiment]]
name = "attention"
parent = "baseline"
model.hidden = LARGER
training = { LONGER }
"""
FLAWED = {
    "PROBLEM": "copies = 1",
    "COPIES": ", edge_rows_again = 1",
    "WEIGHTS": "[0.5, 1.2, 1.8, 2.0, 2.5]",
    "TRAINED": "epochs = 10, rate = 1e-3",
    "LARGER": '[64]\nmodel.activation = "relu"',
    "LONGER": "epochs = 150, weight_decay = 0.0, restore_best = false",
}
REPAIRED = {
    "PROBLEM": 'free = ["Dmax1", "L1", "Rp1", "L2"]',
    "COPIES": "",
    "WEIGHTS": "[0.5, 1.2, 1.8, 2.0]",
    "TRAINED": "epochs = 60",
    "LARGER": "[16, 16]",
    "LONGER": "epochs = 60",
}


def campaign(words: dict[str, str]) -> str:
    text = CAMPAIGN
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


@pytest.fixture(scope="module")
def flawed(place) -> Laboratory:
    return place.laboratory(campaign(FLAWED), pd.DataFrame(), "")


@pytest.fixture(scope="module")
def repaired(place) -> Laboratory:
    return place.laboratory(campaign(REPAIRED), pd.DataFrame(), "")


PLAIN, WEIGHTED = ({"loss": loss} for loss in ("mean squared error", "weighted mean squared error"))
SIGNIFICANT = {"parent": "baseline", "claim": "p < .001"}
SAID = {
    "baseline": {"baseline": True, "scored_on": PLAIN},
    "augmented sampling": {"chosen": True, "scored_on": PLAIN, **SIGNIFICANT},
    "sensitivity weights": {"scored_on": WEIGHTED, **SIGNIFICANT},
    "attention": {"scored_on": PLAIN, **SIGNIFICANT},
}


@pytest.fixture(scope="module")
def alarms_of_flawed(flawed, found) -> Found:
    return found(flawed.audit(flawed.results()))


@pytest.fixture(scope="module")
def alarms_of_write_up(flawed, found) -> Found:
    return found(inspect(of_one_fit(flawed, SAID)))


def test_rows_that_were_copied_before_splitting_stand_on_both_sides(flawed, alarms_of_flawed):
    ((code, split), error), *others = [item for item in alarms_of_flawed.items() if item[0][0] == "PB101"]
    assert (code, others) == ("PB101", [])
    sides = {f"{s.task} / {s.name}": s for s in flawed.campaign.splits}
    (curves,) = (np.asarray(d.observations["curve"]) for d in flawed.campaign.datasets.values())
    shared = {n: sum((curves[s.train] == curves[row]).all(axis=1).any() for row in s.test) for n, s in sides.items()}
    assert error.figures["rows"] == shared[split] == max(shared.values())


def test_nobody_is_champion_on_copied_rows(flawed):
    results = flawed.results()
    assert flawed.champion(results) is None
    for errors in flawed.blocked(results).values():
        assert {error.code for error in errors} == {"PB101"}


def test_the_attention_over_fits_and_two_arms_stop_too_early(flawed, alarms_of_flawed):
    assert {s for c, s in alarms_of_flawed if c == "PB203"} == {"attention"}
    assert {s for c, s in alarms_of_flawed if c == "PB204"} == {"augmented sampling", "sensitivity weights"}
    losses = np.mean([p.curves["validation loss"] for p in flawed.campaign.predictions("attention")], axis=0)
    assert alarms_of_flawed["PB203", "attention"].figures["best"] == pytest.approx(1 + losses.argmin(), abs=8)


def test_the_winners_validation_is_better_than_its_training(flawed, alarms_of_flawed):
    assert {s for c, s in alarms_of_flawed if c == "PB205"} == {"augmented sampling"}
    curves = [p.curves for p in flawed.campaign.predictions("augmented sampling")]
    gaps = [1 - np.mean(c["validation loss"][50:]) / np.mean(c["training loss"][50:]) for c in curves]
    figures = alarms_of_flawed["PB205", "augmented sampling"].figures
    assert (figures["gap"], figures["fits"]) == (pytest.approx(np.mean(gaps), abs=0.05), 10)


def test_rp2_is_not_determined(alarms_of_flawed):
    assert alarms_of_flawed["PB601", None].message.endswith("do not determine 1 of 5 parameters (rank 5): Rp2")


def test_no_other_check_raises_an_alarm(alarms_of_flawed):
    assert {code for code, _ in alarms_of_flawed} == {"PB101", "PB203", "PB204", "PB205", "PB404", "PB601"}


def test_the_write_up_ranks_a_weighted_loss_and_claims_what_one_run_cannot_show(alarms_of_write_up):
    assert {s for c, s in alarms_of_write_up if c == "PB301"} == {"sensitivity weights"}
    assert {s for c, s in alarms_of_write_up if c == "PB503"} == set(SAID) - {"baseline"}
    assert alarms_of_write_up["PB502", "augmented sampling"].figures == {"runs": 4}


def test_the_write_up_reports_the_best_epoch_of_the_curve_that_chose_it(flawed, alarms_of_write_up):
    curve = flawed.campaign.predictions("attention")[0].curves["validation loss"]
    figures = alarms_of_write_up["PB501", "attention"].figures
    assert figures == {"epoch": 1 + int(np.argmin(curve)), "last": len(curve)}


def test_the_repaired_campaign_is_silent(repaired, found):
    assert found(repaired.audit(repaired.results())) == {}


def test_the_repaired_write_up_is_silent(repaired, found):
    said = {name: {"scored_on": PLAIN, **(SIGNIFICANT if name != "baseline" else {})} for name in SAID}
    assert found(inspect(of_all_repeats(repaired, said))) == {}
