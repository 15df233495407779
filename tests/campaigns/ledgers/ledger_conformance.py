"""What every ledger promises (the docstring of `Ledger`), as tests; a new one subclasses them and says its URL."""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.small_campaigns import python
from probatum.campaigns.ledgers.ledger import (
    DONE,
    FAILED,
    FRESH_SEEDS,
    HELD_OUT_SET,
    NEEDED,
    PLANNED,
    SCORED,
    TIMED_OUT,
    CampaignRecord,
    Confirmation,
    ExperimentRecord,
    FitResult,
    Ledger,
    PlannedFit,
    SplitRecord,
)
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.errors import FinishedExperimentError, UnknownNameError

CAMPAIGN = CampaignRecord({"kind": "table", "options": {"path": "t.csv"}}, ("table",), {"seeds": 2}, {"table": "abc"})
SPLITS = tuple(SplitRecord(f"split-{i}", "table", 0, f"fold {i}", "rows.npz", i, 8, 2) for i in range(3))
RECIPE = {"model": {"kind": "ridge", "alpha": 0.1}, "features": ["a", "é"]}


def planned(prefix: str, role: str = SCORED) -> list[PlannedFit]:
    return [PlannedFit(f"{prefix}-{i}-{seed}", f"split-{i}", seed, role) for i in range(3) for seed in range(2)]


def record(name: str, digest: str = "d", **more: Any) -> ExperimentRecord:
    return ExperimentRecord(name, RECIPE, digest, **more)


def result(key: str, seconds: float = 0.5, value: float = 1.25) -> FitResult:
    return FitResult(key, seconds, f"{key}.npz", 3, {"y": value, "z": 2 * value}, 2)


_jobs = itertools.count()


def finish(ledger: Ledger, keys: list[str]) -> None:
    """Records a job of these fits, begun and finished."""
    job = f"finished-{next(_jobs)}"
    ledger.start_jobs({job: keys}, {"code": 1})
    ledger.finish_jobs({job: [result(key) for key in keys]})


def everything(ledger: Ledger) -> str:
    """All that a ledger says, to see whether a call changed anything."""
    experiments = ledger.experiments()
    return json.dumps(
        [
            asdict(frozen) if (frozen := ledger.frozen()) else None,
            [asdict(e) for e in experiments],
            [[asdict(f) for f in ledger.fits(e.name)] for e in experiments],
            [sorted(ledger.scores(e.name)) for e in experiments],
            [asdict(look) for look in ledger.held_out_accesses()],
            [asdict(s) for s in ledger.submissions()],
            [asdict(c) for c in ledger.confirmations()],
            asdict(ledger.summary()),
        ],
        sort_keys=True,
        default=str,
    )


KILLED = """
import os, sys
from probatum.campaigns.ledgers.ledger import FitResult
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
ledger = SqlLedger(sys.argv[1])
"""


class LedgerConformance:
    """Subclasses say where their ledger is: a fixture `url`."""

    @pytest.fixture
    def reopen(self, url: str) -> Iterator[Callable[[], Ledger]]:
        """Opens the ledger again, as another process would."""
        opened: list[Ledger] = []

        def open_it() -> Ledger:
            opened.append(SqlLedger(url))
            return opened[-1]

        yield open_it
        for ledger in opened:
            ledger.close()

    @pytest.fixture
    def ledger(self, reopen: Callable[[], Ledger]) -> Ledger:
        """A new ledger with one experiment of six fits."""
        ledger = reopen()
        ledger.add_experiment(record("first"), planned("a"), SPLITS)
        return ledger

    # ------------------------------------------------------------------ the campaign

    def test_what_was_frozen_first_stays_frozen(self, reopen: Callable[[], Ledger]):
        ledger = reopen()
        assert ledger.frozen() is None
        ledger.freeze(CAMPAIGN)
        ledger.freeze(replace(CAMPAIGN, protocol={"seeds": 99}))
        assert ledger.frozen() == CAMPAIGN
        assert reopen().frozen() == CAMPAIGN

    def test_every_look_at_the_held_out_set_is_kept(self, ledger: Ledger, reopen: Callable[[], Ledger]):
        for score in (0.5, 0.5, 0.25):
            ledger.count_held_out("first", score)
        looks = reopen().held_out_accesses()
        assert [(look.experiment, look.score) for look in looks] == [("first", 0.5), ("first", 0.5), ("first", 0.25)]
        assert [look.when for look in looks] == sorted(look.when for look in looks)
        assert ledger.summary().held_out_accesses == 3

    def test_every_external_score_is_kept_with_its_time(self, ledger: Ledger, reopen: Callable[[], Ledger]):
        ledger.add_experiment(record("second"), planned("b"), SPLITS)
        given = [("first", "rmse", 0.5), ("second", "rmse", 0.25), ("first", "rmse", 0.5), ("first", "mae", -1.0)]
        told = [ledger.submit(*submission) for submission in given]
        kept = reopen().submissions()
        assert kept == told
        assert [(s.experiment, s.metric, s.score) for s in kept] == given
        assert [s.when for s in kept] == sorted(s.when for s in kept)

    def test_an_external_score_of_nobody_is_refused(self, ledger: Ledger):
        before = everything(ledger)
        with pytest.raises(UnknownNameError, match="did you mean 'first'"):
            ledger.submit("frist", "rmse", 0.5)
        assert everything(ledger) == before

    def test_a_champion_is_confirmed_once_with_the_looks_it_took(self, ledger: Ledger, reopen: Callable[[], Ledger]):
        made = Confirmation("first", "base", HELD_OUT_SET, {"outcome": "better", "interval": [-1.0, -0.5], "p": None})
        ledger.confirm(made, {"first": 0.5, "base": 0.75})
        (kept,) = reopen().confirmations()
        assert replace(kept, when="") == made
        assert kept.when
        looks = [(look.experiment, look.score) for look in ledger.held_out_accesses()]
        assert looks == [("first", 0.5), ("base", 0.75)]
        before = everything(ledger)
        with pytest.raises(FinishedExperimentError, match="has confirmed 'first'"):
            ledger.confirm(replace(made, result={"outcome": "worse"}), {"first": 0.1})
        assert everything(ledger) == before
        fresh = replace(made, kind=FRESH_SEEDS)
        for other in (fresh, replace(fresh, baseline="b"), replace(fresh, experiment="c")):
            ledger.confirm(other, {})
        with pytest.raises(FinishedExperimentError, match="'first' was confirmed before"):
            ledger.confirm(fresh, {})
        assert len(ledger.confirmations()) == 4
        assert len(ledger.held_out_accesses()) == 2

    def test_the_held_out_set_confirms_one_champion(self, ledger: Ledger):
        ledger.confirm(Confirmation("first", "base", HELD_OUT_SET, {}), {"first": 0.5})
        before = everything(ledger)
        for other in (Confirmation("second", "base", HELD_OUT_SET, {}), Confirmation("first", "b", HELD_OUT_SET, {})):
            with pytest.raises(FinishedExperimentError, match="the held-out set has confirmed 'first'"):
                ledger.confirm(other, {"second": 0.25})
        assert everything(ledger) == before

    # ------------------------------------------------------------------ experiments

    def test_an_experiment_comes_back_as_it_was_recorded(self, ledger: Ledger, reopen: Callable[[], Ledger]):
        child = record("child", "e", parent="first", mutation="model.alpha: 1 -> 2", hypothesis="übung", round=4)
        ledger.add_experiment(child, planned("b"), SPLITS)
        assert reopen().experiments() == [replace(record("first"), fits=6), replace(child, fits=6)]

    def test_rounds_are_counted_by_the_last_one(self, reopen: Callable[[], Ledger]):
        ledger = reopen()
        assert ledger.last_round() == 0
        for name, number in (("a", 1), ("b", 3), ("c", 2)):
            ledger.add_experiment(record(name, round=number), [], [])
        assert ledger.last_round() == 3

    def test_adding_an_experiment_again_changes_nothing(self, ledger: Ledger):
        finish(ledger, ["a-0-0"])
        before = everything(ledger)
        ledger.add_experiment(record("first", round=7), planned("a"), SPLITS)
        assert everything(ledger) == before

    def test_a_finished_experiment_gets_no_other_recipe(self, ledger: Ledger):
        finish(ledger, ["a-0-0"])
        before = everything(ledger)
        with pytest.raises(FinishedExperimentError, match="'first' was run with another recipe"):
            ledger.add_experiment(record("first", "other"), planned("b"), SPLITS)
        assert everything(ledger) == before
        assert ledger.fit_states(["b-0-0"]) == {}

    def test_a_finished_experiment_gets_no_other_fits(self, ledger: Ledger):
        """Other keys under the same recipe are other code: two results of one name would be mixed."""
        finish(ledger, [fit.key for fit in planned("a")])
        before = everything(ledger)
        for fits in (planned("b"), [*planned("a"), *planned("b")], planned("a")[1:]):
            with pytest.raises(FinishedExperimentError, match="'first' was run with other code"):
                ledger.add_experiment(record("first"), fits, SPLITS)
        assert everything(ledger) == before

    def test_a_half_finished_experiment_is_planned_anew_with_other_code(self, ledger: Ledger):
        finish(ledger, ["a-0-0"])
        ledger.add_experiment(record("first"), planned("b"), SPLITS)
        assert {fit.key for fit in ledger.fits("first")} == {fit.key for fit in planned("b")}
        assert ledger.experiments()[0].done == 0
        assert ledger.fit_states(["a-0-0"])["a-0-0"].status == DONE

    @pytest.mark.parametrize("digest", ["d", "other"])
    def test_an_experiment_that_nothing_finished_of_may_still_change(self, ledger: Ledger, digest: str):
        ledger.start_jobs({"job": ["a-0-0"]}, {})
        ledger.fail_fit("job", "a-0-0", FAILED, "broke")
        ledger.add_experiment(record("first", digest, hypothesis="better"), planned("b"), SPLITS)
        (now,) = ledger.experiments()
        assert (now.digest, now.hypothesis, now.fits, now.failed) == (digest, "better", 6, 0)
        assert {fit.key for fit in ledger.fits("first")} == {fit.key for fit in planned("b")}

    def test_a_score_stays(self, ledger: Ledger):
        ledger.set_score("first", 0.5)
        ledger.set_score("first", 0.5)
        with pytest.raises(FinishedExperimentError, match=r"already has the score 0\.5"):
            ledger.set_score("first", 0.6)
        ledger.set_score("first", 0.5 * (1 + 1e-15))  # another machine rounds otherwise
        assert ledger.experiments()[0].score == 0.5

    def test_what_nobody_recorded_is_not_known(self, ledger: Ledger):
        for ask in (
            lambda: ledger.set_score("none", 1.0),
            lambda: ledger.split("none"),
            lambda: ledger.manifest("none"),
            lambda: ledger.manifest("a-0-0"),  # planned, never begun
            lambda: ledger.fail_fit("job", "none", FAILED, ""),
        ):
            with pytest.raises(UnknownNameError):
                ask()
        assert ledger.fits("none") == []
        assert ledger.scores("none") == []
        assert ledger.fit_states(["none"]) == {}

    # ------------------------------------------------------------------ fits and jobs

    def test_fits_come_by_split_and_seed_whatever_order_they_were_planned_in(self, reopen: Callable[[], Ledger]):
        ledger = reopen()
        ledger.add_experiment(record("first"), planned("a")[::-1], SPLITS)
        assert [fit.key for fit in ledger.fits("first")] == [fit.key for fit in planned("a")]

    def test_a_fit_knows_its_split_and_role(self, ledger: Ledger):
        ledger.add_experiment(record("blend", "e"), [*planned("b"), *planned("a", NEEDED)], SPLITS)
        assert {fit.role for fit in ledger.fits("first")} == {SCORED}
        assert [fit.key for fit in ledger.fits("blend", SCORED)] == [fit.key for fit in planned("b")]
        assert [fit.key for fit in ledger.fits("blend", NEEDED)] == [fit.key for fit in planned("a")]
        fit = ledger.fits("blend", NEEDED)[3]
        assert (fit.task, fit.split, fit.split_name, fit.seed, fit.status) == ("table", "split-1", "fold 1", 1, PLANNED)
        assert ledger.split("split-2") == SPLITS[2]

    def test_a_finished_job_is_recorded_with_all_that_it_gave(self, ledger: Ledger, reopen: Callable[[], Ledger]):
        finish(ledger, ["a-0-0", "a-2-1"])
        other = reopen()
        fit = other.fit_states(["a-2-1"])["a-2-1"]
        assert (fit.status, fit.attempts, fit.seconds, fit.error) == (DONE, 1, 0.5, None)
        assert (fit.artifact, fit.position) == ("a-2-1.npz", 3)
        assert sorted(other.scores("first")) == [
            (key, *score) for key in ("a-0-0", "a-2-1") for score in (("y", 1.25), ("z", 2.5))
        ]
        (experiment,) = other.experiments()
        assert (experiment.fits, experiment.done, experiment.seconds) == (6, 2, 1.0)
        assert experiment.status == "running"

    def test_a_fit_knows_what_it_was_run_under(self, ledger: Ledger):
        ledger.start_jobs({"one": ["a-0-0"]}, {"code": {"probatum": "1"}, "n": [1, 2]})
        ledger.start_jobs({"two": ["a-1-1"]}, {"code": {"probatum": "2"}})
        assert ledger.manifest("a-0-0") == {
            "code": {"probatum": "1"}, "n": [1, 2], "fit": "a-0-0", "split": "split-0", "seed": 0,
        }  # fmt: skip
        assert ledger.manifest("a-1-1")["code"] == {"probatum": "2"}
        assert ledger.manifest("a-1-1")["seed"] == 1

    def test_each_beginning_of_a_fit_is_counted(self, ledger: Ledger):
        for job in ("one", "two"):
            ledger.start_jobs({job: ["a-0-0", "a-0-1"]}, {})
        ledger.finish_jobs({"two": [result("a-0-0")]})
        ledger.start_jobs({"three": ["a-0-0", "a-0-1"]}, {})
        states = ledger.fit_states(["a-0-0", "a-0-1"])
        assert (states["a-0-0"].attempts, states["a-0-1"].attempts) == (2, 3)

    def test_a_job_that_was_killed_leaves_its_fits_planned(self, ledger: Ledger, reopen: Callable[[], Ledger]):
        ledger.start_jobs({"job": ["a-0-0"]}, {})
        fit = reopen().fit_states(["a-0-0"])["a-0-0"]
        assert (fit.status, fit.attempts) == (PLANNED, 1)

    def test_a_done_fit_stays_done_as_it_was(self, ledger: Ledger):
        finish(ledger, ["a-0-0"])
        before = everything(ledger)
        ledger.finish_jobs({"job": [result("a-0-0", seconds=9.0, value=7.0)]})
        assert everything(ledger) == before
        for status in (FAILED, TIMED_OUT):
            with pytest.raises(FinishedExperimentError, match="cannot fail any more"):
                ledger.fail_fit("job", "a-0-0", status, "late")
        assert everything(ledger) == before

    @pytest.mark.parametrize("status", [FAILED, TIMED_OUT])
    def test_a_failed_fit_keeps_its_reason_and_may_be_tried_again(self, ledger: Ledger, status: str):
        finish(ledger, ["a-0-0"])
        ledger.start_jobs({"job": ["a-1-0"]}, {})
        ledger.fail_fit("job", "a-1-0", status, "Traceback\n  ValueError: ü")
        fit = ledger.fit_states(["a-1-0"])["a-1-0"]
        assert (fit.status, fit.error) == (status, "Traceback\n  ValueError: ü")
        assert ledger.experiments()[0].status == "failed"
        assert ledger.reset_failed() == 1
        assert ledger.reset_failed() == 0
        fit = ledger.fit_states(["a-1-0"])["a-1-0"]
        assert (fit.status, fit.error, fit.attempts) == (PLANNED, None, 1)
        assert ledger.fit_states(["a-0-0"])["a-0-0"].status == DONE
        assert ledger.experiments()[0].status == "running"
        finish(ledger, ["a-1-0"])
        assert ledger.fit_states(["a-1-0"])["a-1-0"].status == DONE

    def test_a_fit_of_two_experiments_is_one_fit(self, ledger: Ledger):
        ledger.add_experiment(record("twin"), planned("a"), SPLITS)
        finish(ledger, [fit.key for fit in planned("a")])
        assert [e.status for e in ledger.experiments()] == ["done", "done"]
        assert ledger.scores("first") == ledger.scores("twin")
        assert len(ledger.scores("first")) == 12

    def test_a_job_without_scores_is_recorded(self, ledger: Ledger):
        ledger.start_jobs({"job": ["a-0-0"]}, {})
        ledger.finish_jobs({"job": [replace(result("a-0-0"), scores={})]})
        assert ledger.fit_states(["a-0-0"])["a-0-0"].status == DONE

    def test_more_fits_than_a_statement_holds(self, ledger: Ledger):
        fits = [PlannedFit(f"many-{i}", "split-0", i) for i in range(1203)]
        ledger.add_experiment(record("many"), fits, SPLITS)
        finish(ledger, [fit.key for fit in fits])
        assert ledger.experiments()[1].done == 1203
        assert len(ledger.fit_states(f.key for f in fits)) == 1203

    def test_a_summary_adds_up(self, ledger: Ledger):
        ledger.freeze(CAMPAIGN)
        ledger.add_experiment(record("failing", "e"), planned("b"), SPLITS)
        ledger.add_experiment(record("done", "f"), planned("c")[:1], SPLITS)
        ledger.add_experiment(record("planned", "g"), planned("d"), SPLITS)
        finish(ledger, ["a-0-0", "c-0-0"])
        ledger.fail_fit("", "b-0-0", FAILED, "broke")
        summary = ledger.summary()
        assert (summary.problem, summary.protocol) == ("table", {"seeds": 2})
        assert summary.experiments == {"planned": 1, "running": 1, "done": 1, "failed": 1}
        assert (summary.fits, summary.done, summary.failed, summary.seconds) == (19, 2, 1, 1.0)

    def test_an_empty_ledger_has_an_empty_summary(self, reopen: Callable[[], Ledger]):
        summary = reopen().summary()
        assert (summary.problem, summary.fits, summary.seconds) == ("", 0, 0.0)
        assert sum(summary.experiments.values()) == 0

    @given(actions=st.lists(st.tuples(st.sampled_from("sfxr"), st.integers(0, 5)), max_size=14))
    @settings(
        max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    )
    def test_counters_are_what_counting_would_give(self, ledger: Ledger, actions: list[tuple[str, int]]):
        keys = [fit.key for fit in planned("a")]
        for action, i in actions:
            if action == "s":
                ledger.start_jobs({f"counted-{next(_jobs)}": [keys[i]]}, {})
            elif action == "f":
                ledger.finish_jobs({"f": [result(keys[i])]})
            elif action == "r":
                ledger.reset_failed()
            elif ledger.fit_states([keys[i]])[keys[i]].status != DONE:
                ledger.fail_fit("x", keys[i], FAILED, "broke")
        fits, (experiment,) = ledger.fits("first"), ledger.experiments()
        assert experiment.done == sum(fit.status == DONE for fit in fits)
        assert experiment.failed == sum(fit.status == FAILED for fit in fits)
        assert math.isclose(experiment.seconds, sum(fit.seconds or 0.0 for fit in fits))
        assert len(ledger.scores("first")) == 2 * experiment.done

    # ------------------------------------------------------------------ transactions, processes, threads

    def test_a_call_that_raised_changed_nothing(self, ledger: Ledger):
        """The second of three results cannot be recorded, so the first is not either."""
        keys = ["a-0-0", "a-0-1", "a-1-0"]
        ledger.start_jobs({"job": keys}, {})
        before = everything(ledger)
        results = [result(key) for key in keys]
        results[1] = replace(results[1], scores={"y": object()})  # type: ignore[dict-item]
        with pytest.raises(Exception, match="object"):
            ledger.finish_jobs({"job": results})
        assert everything(ledger) == before

    def test_a_job_is_recorded_whole_or_not_at_all_when_its_process_is_killed(
        self, ledger: Ledger, url: str, reopen: Callable[[], Ledger]
    ):
        keys = [fit.key for fit in planned("a")]
        ledger.start_jobs({"job": keys}, {})
        ledger.close()
        code = KILLED + (
            "import probatum.campaigns.ledgers.fit_rows as module\n"
            "module._count = lambda *_: os.kill(os.getpid(), 9)\n"  # fits and scores are written, counters are not
            "ledger.finish_jobs({'job': [FitResult(k, 1.0, 'f.npz', 0, {'y': 1.0}, 2) for k in sys.argv[2:]]})\n"
        )
        with python(code, url, *keys) as process:
            process.communicate(timeout=60)
        assert process.returncode == -9
        again = reopen()
        assert {fit.status for fit in again.fits("first")} == {PLANNED}
        assert again.scores("first") == []
        finish(again, keys)
        assert again.experiments()[0].status == "done"

    def test_what_returned_outlives_the_death_of_the_process(self, url: str, reopen: Callable[[], Ledger]):
        reopen().add_experiment(record("first"), planned("a"), SPLITS)
        code = KILLED + (
            "for i, key in enumerate(sys.argv[2:]):\n"
            "    ledger.start_jobs({f'job-{i}': [key]}, {})\n"
            "    ledger.finish_jobs({f'job-{i}': [FitResult(key, 1.0, 'f.npz', 0, {'y': 1.0}, 2)]})\n"
            "os.kill(os.getpid(), 9)\n"
        )
        keys = [fit.key for fit in planned("a")]
        with python(code, url, *keys) as process:
            process.communicate(timeout=60)
        assert process.returncode == -9
        assert {fit.status for fit in reopen().fits("first")} == {DONE}

    def test_others_read_whole_transactions_while_one_writes(self, url: str, reopen: Callable[[], Ledger]):
        """Another process finishes two fits at a time; nobody ever sees one of them alone."""
        ledger = reopen()
        keys = [f"pair-{i}" for i in range(120)]
        fits = [PlannedFit(key, "split-0", i) for i, key in enumerate(keys)]
        ledger.add_experiment(record("pairs"), fits, SPLITS)
        code = KILLED + (
            "keys = sys.argv[2:]\n"
            "for i in range(0, len(keys), 2):\n"
            "    results = [FitResult(k, 1.0, 'f.npz', 0, {'y': 1.0}, 2) for k in keys[i : i + 2]]\n"
            "    ledger.start_jobs({f'job-{i}': keys[i : i + 2]}, {})\n"
            "    ledger.finish_jobs({f'job-{i}': results})\n"
        )
        seen = set()
        with python(code, url, *keys) as process:
            while process.poll() is None:
                (experiment,) = ledger.experiments()
                seen.add(experiment.done)
                assert sum(fit.status == DONE for fit in ledger.fits("pairs")) % 2 == 0
            assert process.returncode == 0, process.communicate()[1]
        assert all(done % 2 == 0 for done in seen)
        assert ledger.experiments()[0].done == 120

    def test_threads_of_a_process_may_call_at_once(self, reopen: Callable[[], Ledger]):
        ledger = reopen()
        together, errors = threading.Barrier(8), []

        def work(thread: int) -> None:
            together.wait()
            try:
                # All add the same experiment and one of their own, and finish its fits.
                ledger.add_experiment(record("shared"), planned("shared"), SPLITS)
                for i in range(3):
                    name = f"{thread}-{i}"
                    ledger.add_experiment(record(name), planned(name), SPLITS)
                    finish(ledger, [fit.key for fit in planned(name)])
                    ledger.summary()
                ledger.finish_jobs({"shared": [result(fit.key) for fit in planned("shared")]})
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        experiments = ledger.experiments()
        assert len(experiments) == 25
        assert {e.status for e in experiments} == {"done"}
        assert len(ledger.scores("shared")) == 12
