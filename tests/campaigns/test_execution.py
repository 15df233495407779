"""What one job makes of its fits: ensembles joined, spreads and widths stored, stacks learned inside."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from campaigns.small_campaigns import ROWS, Inline, Workplace, make_memory_small, stored
from probatum.campaigns.artifact_arrays import stored_prediction, stored_spread, stored_width
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench
from probatum.campaigns.jobs import Job, JobFit, Place, Setup
from probatum.campaigns.members import joined
from probatum.campaigns.plan import Planner, store_splits
from probatum.learning.ensembles import Stack, logit_mean, mixture
from probatum.learning.learner import FitOutcome

GENERATOR = np.random.default_rng(0)
SHARES = GENERATOR.uniform(0.05, 0.95, size=(3, 6, 2))
SPREADS = GENERATOR.uniform(0.1, 1.0, size=(3, 6, 2))


def member(place: int, spread: bool = True, apart: bool = False) -> list[FitOutcome]:
    """A member's outcome, as one block of both quantities or a block each."""
    blocks = [[0], [1]] if apart else [[0, 1]]
    return [
        FitOutcome(SHARES[place][:, q], 1.0, SPREADS[place][:, q] if spread else None, {}, {"w": np.zeros(1)}, None, 4)
        for q in blocks
    ]


def test_one_member_is_left_as_it_is() -> None:
    (only,) = member(0)
    assert joined([[only]], "mean") is only


@pytest.mark.parametrize("spread", [True, False])
@pytest.mark.parametrize("apart", [True, False])
def test_members_are_a_mixture_with_its_spread(spread: bool, apart: bool) -> None:
    one = joined([member(place, spread, apart) for place in range(3)], "mean")
    mean, deviation = mixture(SHARES, SPREADS if spread else None)
    assert one.spread is not None
    np.testing.assert_allclose(one.prediction, mean)
    np.testing.assert_allclose(one.spread, deviation)
    assert one.width == 4
    assert len(one.weights) == (6 if apart else 3)


def test_blocks_of_one_member_keep_their_own_spread() -> None:
    one = joined([member(1, apart=True)], "mean")
    assert one.spread is not None
    np.testing.assert_allclose(one.spread, SPREADS[1])
    assert joined([[*member(1, apart=True)[:1], *member(1, False, apart=True)[1:]]], "mean").spread is None


def test_curves_of_members_and_of_quantities_are_averaged_until_the_first_one_stops() -> None:
    curves = [{"loss": np.array([4.0, 2.0, last], np.float32), "own": np.zeros(n)} for last, n in ((1, 2), (np.nan, 3))]
    members = [[FitOutcome(SHARES[place], 1.0, curves=curves[place])] for place in range(2)]
    joined_curves = joined(members, "mean").curves
    assert list(joined_curves) == ["loss"], "those that every member has, of one shape"
    np.testing.assert_array_equal(joined_curves["loss"], np.array([4, 2, np.nan], np.float32))


def test_probabilities_may_be_joined_by_their_log_odds_and_other_numbers_may_not() -> None:
    members = [member(place) for place in range(3)]
    np.testing.assert_allclose(joined(members, "logit_mean").prediction, logit_mean(SHARES))
    members[2] = [FitOutcome(SHARES[2] + 1, 1.0)]
    assert "needs probabilities" in str(joined(members, "logit_mean").error)


def test_a_member_that_failed_fails_its_ensemble() -> None:
    failed = FitOutcome(np.empty((0, 0)), 1.0, error="the flask broke")
    assert joined([member(0), [failed]], "mean").error == "the flask broke"


# ---------------------------------------------------------------------- jobs

NETWORKS = """[protocol]
splits = "leave-one-group-out"

[[experiment]]
name = "one"
model = { kind = "mlp", hidden = [3], norm = "none" }
training = { epochs = 2, batch = 8 }

[[experiment]]
name = "three"
parent = "one"
ensemble.members = 3
"""


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Workplace(tmp_path_factory.mktemp("networks")).open(NETWORKS)


def arrays_of(campaign: Campaign, width: int | None) -> Mapping[str, np.ndarray]:
    """The artifact of a job of one fit of 'one' and one of 'three'."""
    file = campaign.file
    recipes = {e.name: e.recipe for e in campaign.experiments}
    planner = Planner(file.problem, campaign.draws, file.protocol, range(1))
    fits = [planner.fits(recipes[name], campaign.splits)[0] for name in ("one", "three")]
    record = store_splits(fits, campaign.store)[fits[0].split.digest]
    split = Place(record.artifact, record.position)
    jobs = tuple(JobFit(fit.key, fit.recipe.canonical(), fit.seed, split) for fit in fits)
    setup = Setup(str(campaign.store.folder), file.problem_record, str(file.protocol.metric))
    bench = Bench(setup)
    job = Job("job", fits[0].split.task, fits[0].split.draw, "mlp", 1, 60.0, jobs, width=width)
    results, failures = bench.carry_out(Job.from_json(job.to_json()))
    assert failures == ()
    return campaign.store.read_arrays(results[0].artifact)


def test_an_ensembles_spread_is_stored_beside_fits_that_have_none(networks: Campaign) -> None:
    arrays = dict(arrays_of(networks, None))
    assert stored_spread(arrays, 0) is None
    spread = stored_spread(arrays, 1)
    assert spread is not None
    assert spread.shape == stored_prediction(arrays, 1)[1].shape
    assert (spread > 0).all()


def test_the_width_of_a_program_is_stored_and_kept_to_where_a_job_asks_for_it(networks: Campaign) -> None:
    wide, narrow = (dict(arrays_of(networks, width)) for width in (None, 2))
    assert [stored_width(wide, place) for place in (0, 1)] == [8, 8]
    assert [stored_width(narrow, place) for place in (0, 1)] == [2, 2]
    np.testing.assert_allclose(narrow["prediction"], wide["prediction"], rtol=1e-3, atol=1e-4)


def test_a_width_that_memory_forces_is_stored(networks: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        make_memory_small(patched)
        forced = dict(arrays_of(networks, None))
    width = stored_width(forced, 0)
    assert width == 2
    again = dict(arrays_of(networks, width))
    assert np.array_equal(again["prediction"], forced["prediction"])


STACK = """[protocol]
splits = "leave-one-group-out"

[[experiment]]
name = "flat"
features = ["a", "b"]
model = { kind = "ridge", alpha = 1 }

[[experiment]]
name = "steep"
parent = "flat"
model.alpha = 40

[[experiment]]
name = "stack"
components = ["flat", "steep"]
model = { kind = "blend", weights = "stack", alpha = 0.5, inner_folds = 3 }
"""


def test_a_stack_is_learned_from_inner_out_of_fold_predictions(tmp_path: Path) -> None:
    campaign, _ = Workplace(tmp_path).run(STACK)
    table = campaign.datasets["table"]
    truth = table.targets()
    inputs = np.stack([table.observations["a"], table.observations["b"]], axis=1)  # type: ignore[arg-type]
    models = [make_pipeline(StandardScaler(), Ridge(alpha=alpha)) for alpha in (1.0, 40.0)]
    splits = {fit.split for fit in campaign.ledger.fits("stack", "needed")}
    rows = {digest: campaign.split_rows(digest) for digest in splits}
    for (digest, _), prediction in stored(campaign, "stack").items():
        train, test = campaign.split_rows(digest)
        inner = [(a, b) for a, b in rows.values() if sorted([*a, *b]) == train.tolist()]
        assert len(inner) == 3
        assert sum(len(b) for _, b in inner) == len(train) < ROWS
        out_of_fold = np.stack(
            [np.concatenate([m.fit(inputs[a], truth[a]).predict(inputs[b]) for a, b in inner]) for m in models]
        )
        stack = Stack.learned(out_of_fold, truth[np.concatenate([b for _, b in inner])], alpha=0.5)
        components = np.stack([m.fit(inputs[train], truth[train]).predict(inputs[test]) for m in models])
        np.testing.assert_allclose(prediction, stack.predict(components), rtol=1e-6, atol=1e-8)


COMPANY = """[protocol]
splits = "leave-one-group-out"

[[experiment]]
name = "flat"
model.kind = "ridge"

[[experiment]]
name = "steep"
parent = "flat"
model.alpha = 40

[[experiment]]
name = "steeper"
parent = "flat"
model.alpha = 90

[[experiment]]
name = "two"
components = ["flat", "steep"]
model.weights = [1, 3]

[[experiment]]
name = "three"
components = ["flat", "steep", "steeper"]
"""


def test_what_a_fit_keeps_does_not_depend_on_its_company(tmp_path: Path) -> None:
    """Blends of two and of three share a job; their weights have other shapes, and each keeps its own."""
    campaign = Workplace(tmp_path).open(COMPANY)
    executor = Inline(campaign, cores=1)
    campaign.run(executor=executor)
    blended = {e.name: {f.key for f in campaign.ledger.fits(e.name, "scored")} for e in campaign.experiments[-2:]}
    shared = [job for job in executor.begun if all(blended[n] & {f.key for f in job.fits} for n in ("two", "three"))]
    assert shared
    for name, weights in {"two": [1, 3], "three": [1, 1, 1]}.items():
        for p in campaign.predictions(name):
            assert p.curves["weights"].tolist() == weights
