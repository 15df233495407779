"""What is trained and recorded of experiments: what is missing, under their own code, and nothing that is finished."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns.small_campaigns import SMALL, Inline, Workplace, run, stored
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import ExperimentKept, RoundStarted
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.training import Training
from probatum.errors import FinishedExperimentError


def test_a_new_experiment_is_a_new_round_and_the_old_ones_are_left_alone(small: Workplace):
    text = SMALL + '\n[[experiment]]\nname = "steep"\nparent = "ridge"\nmodel.alpha = 9\n'
    before = small.open(SMALL).ledger.fits("ridge")
    campaign, told = small.run(text)
    (started,) = (e for e in told if isinstance(e, RoundStarted))
    assert (started.round, started.fits) == (2, 4)
    assert campaign.ledger.fits("ridge") == before
    assert {e.name: e.round for e in campaign.ledger.experiments()} == {
        "trivial: mean": 1, "ridge": 1, "own": 1, "steep": 2,
    }  # fmt: skip
    (steep,) = (e for e in campaign.ledger.experiments() if e.name == "steep")
    assert (steep.parent, steep.mutation) == ("ridge", "model.alpha: none -> 9")


def test_an_edited_recipe_of_a_finished_experiment_is_refused_by_its_change(small: Workplace):
    before = small.open(SMALL).ledger.experiments()
    with pytest.raises(FinishedExperimentError) as raised:
        small.run(SMALL.replace('features = ["a", "b"]', 'features = ["a"]'))
    assert str(raised.value).startswith("small.toml: experiment 'ridge' was run with another recipe (features: -b)")
    assert "give the new recipe a new name" in str(raised.value)
    assert small.open(SMALL).ledger.experiments() == before


def edit(place: Workplace) -> None:
    """Changes the learners' source, as an editor would."""
    place.module.write_text(place.module.read_text() + "# improved\n")
    later = place.module.stat().st_mtime_ns + 10**9
    os.utime(place.module, ns=(later, later))


def test_a_finished_experiment_keeps_its_results_when_its_code_changes(tmp_path: Path):
    """They are of the old code, and never mixed with new ones."""
    place = Workplace(tmp_path)
    campaign, _ = place.run(SMALL)
    fits, predicted = campaign.ledger.fits("own"), stored(campaign, "own")
    edit(place)
    again, told = run(Campaign.open(campaign.file.path))
    assert [e.name for e in told if isinstance(e, ExperimentKept)] == ["own"]
    (started,) = (e for e in told if isinstance(e, RoundStarted))
    assert started.fits == 0
    assert again.ledger.fits("own") == fits
    assert stored(again, "own").keys() == predicted.keys()


def test_half_finished_experiments_start_over_with_other_code(tmp_path: Path):
    """One of two seeds fails; the other's result was made by the old code, and is not mixed with new ones."""
    place = Workplace(tmp_path)
    text = SMALL.replace("@Weighted", "@Diverging")
    campaign, _ = place.run(text)
    fits = campaign.ledger.fits("own")
    edit(place)
    again, _ = run(Campaign.open(campaign.file.path))
    assert not {f.key for f in again.ledger.fits("own")} & {f.key for f in fits}


class Watched(Inline):
    """Remembers whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_who_trains_is_started_where_something_is_missing_and_closed_whatever_happens(tmp_path: Path):
    campaign = Workplace(tmp_path).open(SMALL)
    started: list[Watched] = []

    def start() -> Executor:
        started.append(Watched(campaign))
        return started[-1]

    def interrupt(event: object) -> None:
        raise KeyboardInterrupt

    with campaign.ledger_site.driving() as ledger:
        training = Training(campaign.file, campaign.draws, campaign.store, ledger, start, lambda _: None)
        training.run((), campaign.splits, 1)
        assert started == []
        one = Training(campaign.file, campaign.draws, campaign.store, ledger, start, interrupt)
        with pytest.raises(KeyboardInterrupt):
            one.run(campaign.experiments, campaign.splits, 1)
        training.run(campaign.experiments, campaign.splits, 1)
        assert [executor.closed for executor in started] == [True]
        training.run(campaign.experiments, campaign.splits, 1)
        given, control = Watched(campaign), replace(campaign.experiment("own"), name="control: own")
        training.run((control,), campaign.splits, 1, seeds=range(7, 8), executor=given)
    assert len(started) == 1
    assert given.begun
    assert not given.closed
