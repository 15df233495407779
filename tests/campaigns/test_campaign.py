"""A campaign is planned, run, recorded, resumed, and cannot be changed behind its own back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from campaigns.small_campaigns import ROWS, SMALL, Workplace, run, stored
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, ExperimentFinished, RoundStarted
from probatum.campaigns.ledgers.lock import CampaignLock
from probatum.campaigns.members import member_seed
from probatum.errors import (
    CampaignFileError,
    CampaignLockedError,
    StorageError,
    UnknownNameError,
)
from probatum.learning.blends import simplex_weights

WHOLE = """[protocol]
splits = "leave-one-group-out"
seeds = 2

[run]
cores = 2

[[experiment]]
name = "ridge"
features = ["a", "b"]
model.kind = "ridge"

[[experiment]]
name = "ridge of each"
parent = "ridge"
per_target = true

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "noisy of each"
parent = "noisy"
per_target = true

[[experiment]]
name = "one member"
parent = "noisy"
ensemble.members = 1

[[experiment]]
name = "three members"
parent = "noisy"
ensemble.members = 3

[[experiment]]
name = "equal"
components = ["ridge", "noisy", "steep"]

[[experiment]]
name = "fixed"
components = ["ridge", "noisy"]
model.weights = [1, 3]
model.kind = "blend"

[[experiment]]
name = "inner"
components = ["steep", "noisy"]
model = { kind = "blend", weights = "inner", inner_folds = 3 }

[[experiment]]
name = "blend of blends"
components = ["inner", "ridge"]

[[experiment]]
name = "steep"
parent = "ridge"
model.alpha = 40
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def whole(place: Workplace) -> tuple[Campaign, list[Event]]:
    """A healthy campaign with blends and ensembles, run in worker processes; tests only look at it."""
    return place.run(WHOLE)


@pytest.fixture(scope="module")
def campaign(whole: tuple[Campaign, list[Event]]) -> Campaign:
    return whole[0]


@pytest.fixture(scope="module")
def truth(campaign: Campaign) -> np.ndarray:
    return campaign.datasets["table"].targets()


# ---------------------------------------------------------------------- what is run


def test_every_experiment_is_finished_and_told_of(whole: tuple[Campaign, list[Event]]):
    campaign, told = whole
    names = ["trivial: mean", *(e.name for e in campaign.file.experiments)]
    assert [e.name for e in campaign.ledger.experiments()] == names
    assert {e.status for e in campaign.ledger.experiments()} == {"done"}
    assert sorted(e.name for e in told if isinstance(e, ExperimentFinished)) == sorted(names)


def test_the_trivial_baseline_is_always_there_and_is_the_mean(campaign: Campaign, truth: np.ndarray):
    for p in campaign.predictions("trivial: mean"):
        train, _ = campaign.split_rows(p.split_digest)
        assert np.allclose(p.prediction, truth[train].mean(axis=0))


@pytest.mark.parametrize("name", ["ridge", "noisy", "equal", "inner"])
def test_each_row_is_predicted_by_fits_that_did_not_train_on_it(campaign: Campaign, name: str):
    rows = []
    for p in campaign.predictions(name):
        train, test = campaign.split_rows(p.split_digest)
        assert np.array_equal(p.rows, test)
        assert not set(train) & set(test)
        rows += p.rows.tolist()
    seeds = 1 if name == "ridge" else 2
    assert sorted(rows) == sorted([*range(ROWS)] * seeds)


def test_a_model_that_knows_no_seed_is_run_with_one(campaign: Campaign):
    assert {fit.seed for fit in campaign.ledger.fits("ridge")} == {0}
    assert len(campaign.ledger.fits("ridge")) == 6
    assert {fit.seed for fit in campaign.ledger.fits("noisy")} == {0, 1}
    assert {fit.seed for fit in campaign.ledger.fits("equal", "scored")} == {0, 1}


def test_ridge_predicts_what_scikit_learn_predicts(campaign: Campaign, truth: np.ndarray):
    table = campaign.datasets["table"]
    inputs = np.stack([table.observations["a"], table.observations["b"]], axis=1)  # type: ignore[arg-type]
    for p in campaign.predictions("ridge"):
        train, test = campaign.split_rows(p.split_digest)
        model = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(inputs[train], truth[train])
        assert np.allclose(p.prediction, model.predict(inputs[test]), rtol=1e-12)


def test_recorded_scores_are_the_metric_of_the_recorded_predictions(campaign: Campaign, truth: np.ndarray):
    recorded = {(key, quantity): value for key, quantity, value in campaign.ledger.scores("noisy")}
    predicted = stored(campaign, "noisy")
    for fit in campaign.ledger.fits("noisy"):
        _, test = campaign.split_rows(fit.split)
        errors = ((predicted[fit.split, fit.seed] - truth[test]) ** 2).mean(axis=0)
        assert [recorded[fit.key, "y"], recorded[fit.key, "z"]] == pytest.approx(errors.tolist())


# ---------------------------------------------------------------------- targets and members


def test_one_model_for_each_target_is_trained_apart(campaign: Campaign, truth: np.ndarray):
    """Ridge treats targets apart anyway; the noisy mean does not: each target's noise starts anew."""
    together, apart = stored(campaign, "ridge"), stored(campaign, "ridge of each")
    assert all(np.allclose(apart[key], together[key], rtol=1e-12) for key in together)
    for (split, seed), prediction in stored(campaign, "noisy of each").items():
        train, test = campaign.split_rows(split)
        noise = np.random.default_rng(seed).normal(size=len(test))
        assert np.allclose(prediction, truth[train].mean(axis=0) + noise[:, None])


def test_an_ensemble_of_one_is_the_fit_without_an_ensemble(campaign: Campaign):
    assert {f.key for f in campaign.ledger.fits("one member")} == {f.key for f in campaign.ledger.fits("noisy")}


def test_members_are_averaged_and_the_first_is_the_fit_without_an_ensemble(campaign: Campaign, truth: np.ndarray):
    single = stored(campaign, "noisy")
    for (split, seed), prediction in stored(campaign, "three members").items():
        train, test = campaign.split_rows(split)
        mean = truth[train].mean(axis=0)
        others = [
            mean + np.random.default_rng(member_seed(seed, member)).normal(size=(len(test), 2)) for member in (1, 2)
        ]
        assert np.allclose(prediction, np.mean([single[split, seed], *others], axis=0))


def test_no_two_members_of_a_campaign_start_alike():
    seeds = [member_seed(seed, member) for seed in range(40) for member in range(25) if member or seed < 2**31]
    assert len(set(seeds)) == 1000
    assert member_seed(7, 0) == 7


# ---------------------------------------------------------------------- blends


def test_equal_weights_are_the_mean_of_the_components(campaign: Campaign):
    ridge, noisy, steep = (stored(campaign, name) for name in ("ridge", "noisy", "steep"))
    for (split, seed), prediction in stored(campaign, "equal").items():
        assert np.allclose(prediction, (ridge[split, 0] + noisy[split, seed] + steep[split, 0]) / 3, rtol=1e-12)


def test_fixed_weights_are_those_of_the_recipe(campaign: Campaign):
    ridge, noisy = (stored(campaign, name) for name in ("ridge", "noisy"))
    for (split, seed), prediction in stored(campaign, "fixed").items():
        assert np.allclose(prediction, 0.25 * ridge[split, 0] + 0.75 * noisy[split, seed], rtol=1e-12)


def inner_fits(campaign: Campaign, split: str, seed: int) -> list[tuple[str, list[np.ndarray]]]:
    """(inner split, predictions of 'steep' and of 'noisy') of the fits that weights on a split were chosen on."""
    train, _ = campaign.split_rows(split)
    outer = {fit.key for name in ("steep", "noisy") for fit in campaign.ledger.fits(name)}
    parts: dict[str, dict[bool, np.ndarray]] = {}
    for fit in campaign.ledger.fits("inner", "needed"):
        inner_train, inner_test = campaign.split_rows(fit.split)
        if fit.key in outer or sorted([*inner_train, *inner_test]) != train.tolist():
            continue
        arrays = campaign.store.read_arrays(str(fit.artifact))
        start, stop = arrays["offsets"][fit.position : fit.position + 2]  # type: ignore[operator]
        assert np.array_equal(arrays["rows"][start:stop], inner_test)
        prediction = arrays["prediction"][start:stop]
        noisy = not is_steep(prediction, campaign, inner_train, inner_test)
        if not noisy or fit.seed == seed:
            parts.setdefault(fit.split, {})[noisy] = prediction
    return [(split, [both[False], both[True]]) for split, both in parts.items()]


def is_steep(prediction: np.ndarray, campaign: Campaign, train: np.ndarray, test: np.ndarray) -> bool:
    table = campaign.datasets["table"]
    inputs = np.stack([table.observations["a"], table.observations["b"]], axis=1)  # type: ignore[arg-type]
    model = make_pipeline(StandardScaler(), Ridge(alpha=40.0)).fit(inputs[train], table.targets()[train])
    return np.allclose(prediction, model.predict(inputs[test]))


def test_inner_weights_are_chosen_on_inner_predictions_alone(campaign: Campaign, truth: np.ndarray):
    steep, noisy = stored(campaign, "steep"), stored(campaign, "noisy")
    for (split, seed), prediction in stored(campaign, "inner").items():
        parts = inner_fits(campaign, split, seed)
        assert len(parts) == 3
        rows = np.concatenate([campaign.split_rows(digest)[1] for digest, _ in parts])
        predictions = np.stack([np.concatenate([both[i] for _, both in parts]) for i in (0, 1)])
        weights = simplex_weights(predictions, truth[rows])
        expected = weights[0] * steep[split, 0] + weights[1] * noisy[split, seed]
        assert np.allclose(prediction, expected, rtol=1e-9, atol=1e-12)
        assert weights.sum() == pytest.approx(1.0)


def test_inner_weights_never_saw_the_test_fold(campaign: Campaign):
    tests = {p.split_digest: set(p.rows.tolist()) for p in campaign.predictions("inner")}
    inside = [fit for fit in campaign.ledger.fits("inner", "needed") if fit.split not in tests]
    assert len({fit.split for fit in inside}) == 18
    for fit in inside:
        sides = {*map(int, np.concatenate(campaign.split_rows(fit.split)))}
        outer = [test for test in tests.values() if sides | test == set(range(ROWS))]
        assert len(outer) == 1
        assert not sides & outer[0]


def test_a_blend_may_be_a_component(campaign: Campaign):
    inner, ridge = stored(campaign, "inner"), stored(campaign, "ridge")
    for (split, seed), prediction in stored(campaign, "blend of blends").items():
        assert np.allclose(prediction, (inner[split, seed] + ridge[split, 0]) / 2, rtol=1e-12)


# ---------------------------------------------------------------------- again


def test_a_finished_campaign_runs_nothing_twice(campaign: Campaign):
    fits = {fit.key: fit for e in campaign.ledger.experiments() for fit in campaign.ledger.fits(e.name)}
    assert {fit.attempts for fit in fits.values()} == {1}
    files = sorted(p for p in (campaign.folder / "artifacts").rglob("*") if p.is_file())
    again, told = run(Campaign.open(campaign.file.path))
    (started,) = (e for e in told if isinstance(e, RoundStarted))
    assert (started.fits, started.known, started.round) == (0, len(fits), 1)
    assert {f.key: f for e in again.ledger.experiments() for f in again.ledger.fits(e.name)} == {
        key: fits[key] for key in fits
    }
    assert sorted(p for p in (campaign.folder / "artifacts").rglob("*") if p.is_file()) == files


def test_another_run_elsewhere_ends_with_the_same_bits(campaign: Campaign, place: Workplace, tmp_path: Path):
    """On one core instead of two, so that jobs are cut and ordered otherwise."""
    other = Workplace(tmp_path, place.learners).open(WHOLE.partition('[[experiment]]\nname = "equal"')[0])
    other.use_cores(1)
    run(other)
    for name in ("ridge", "noisy", "noisy of each", "three members"):
        one, two = stored(campaign, name), stored(other, name)
        assert one.keys() == two.keys()
        assert all(one[key].tobytes() == two[key].tobytes() for key in one)
        assert {f.key for f in campaign.ledger.fits(name)} == {f.key for f in other.ledger.fits(name)}


# ---------------------------------------------------------------------- who drives it


def state(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file() and "-shm" not in p.name}


def test_a_campaign_that_another_process_works_on_is_left_alone(small: Workplace):
    campaign = small.open(SMALL)
    before = state(campaign.folder)
    with CampaignLock(campaign.folder), pytest.raises(CampaignLockedError):
        campaign.run()
    assert {k: v for k, v in state(campaign.folder).items() if not k.startswith("lock")} == {
        k: v for k, v in before.items() if not k.startswith("lock")
    }


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_run(tmp_path: Path):
    place = Workplace(tmp_path)
    (tmp_path / "small.probatum").write_text("in the way")
    with pytest.raises(StorageError) as raised:
        place.run(SMALL)
    assert "small.probatum" in str(raised.value)
    assert "\n" not in str(raised.value)


# ---------------------------------------------------------------------- the held-out set, weights, what is not there


def test_held_out_cases_are_predicted_only_when_they_are_opened(small: Workplace):
    campaign = small.open(SMALL)
    seen = {row for name in ("ridge", "own", "trivial: mean") for p in campaign.predictions(name) for row in p.rows}
    held = set(range(ROWS)) - seen
    assert len(held) == 8
    for fit in campaign.ledger.fits("own"):
        assert not held & {*np.concatenate(campaign.split_rows(fit.split)).tolist()}
    opened = campaign.open_held_out("ridge")
    (prediction,) = opened
    train, test = campaign.split_rows(prediction.split_digest)
    assert set(prediction.rows.tolist()) == set(test.tolist()) == held
    assert set(train.tolist()) == seen
    again = campaign.open_held_out("ridge")
    assert again[0].prediction.tobytes() == prediction.prediction.tobytes()
    assert [fit.attempts for fit in campaign.ledger.fits("held out: ridge")] == [1]


def test_nothing_is_opened_where_nothing_is_held_out(campaign: Campaign):
    with pytest.raises(CampaignFileError, match="no cases are held out"):
        campaign.open_held_out("ridge")


def test_an_experiment_that_nobody_knows_is_not_found(campaign: Campaign):
    with pytest.raises(UnknownNameError, match="did you mean 'ridge'"):
        campaign.predictions("rigde")
    with pytest.raises(UnknownNameError, match="did you mean 'ridge'"):
        campaign.open_held_out("rigde")


def test_weights_are_kept_as_safetensors_where_that_is_asked_for(finished_once: Workplace, campaign: Campaign):
    kept = finished_once.open(SMALL)
    (file,) = (kept.folder / "artifacts").rglob("*.safetensors")
    tensors = ArtifactStore(kept.folder / "artifacts").read_tensors(file.name)
    fits = {fit.key: fit for fit in kept.ledger.fits("own")}
    assert set(tensors) == {f"{key}/mean" for key in fits}
    truth = kept.datasets["table"].targets()
    for key, fit in fits.items():
        train, _ = kept.split_rows(fit.split)
        assert np.allclose(tensors[f"{key}/mean"], truth[train].mean(axis=0))
        assert np.array_equal(kept.weights(key)["mean"], tensors[f"{key}/mean"])
    assert campaign.weights(campaign.ledger.fits("ridge")[0].key) == {}
    assert not list((campaign.folder / "artifacts").rglob("*.safetensors"))


def test_a_fit_knows_code_environment_data_and_split(campaign: Campaign):
    fit = campaign.ledger.fits("ridge")[0]
    known = campaign.ledger.manifest(fit.key)
    json.dumps(known)
    assert known["split"] == fit.split
    assert known["data"]["table"]["digest"] == campaign.datasets["table"].digest
    assert known["data"]["table"]["files"]["batches.csv"]
    assert known["environment"]["libraries"]["scikit-learn"]
    assert len(known["code"]["source"]) == 64


def test_a_campaign_is_not_run_by_being_opened(tmp_path: Path):
    campaign = Workplace(tmp_path).open(SMALL)
    assert not campaign.folder.exists()
    with pytest.raises(CampaignFileError, match="has not been run yet"):
        campaign.predictions("ridge")
    assert not campaign.folder.exists()
