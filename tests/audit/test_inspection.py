"""An audit looks at everything once, shares one budget of false alarms, and forgets nothing that is ignored."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probatum.audit.catalogue import CHECKS
from probatum.audit.content import Contents
from probatum.audit.finding import FALSE_ALARMS, Alarm, Check
from probatum.audit.history import History, Partition, Run, Side
from probatum.audit.inspection import inspect
from probatum.audit.memory import Memory
from probatum.audit.subjects import subjects_of
from probatum.errors import CampaignFileError, UnknownNameError


def partition(name: str, shared: int = 0) -> Partition:
    """A split of 30 and 10 rows, of which some test rows are training rows."""
    rng = np.random.default_rng(len(name) + ord(name[-1]))
    inputs, targets = rng.normal(size=(40, 5)), rng.normal(size=(40, 1))
    for row in range(shared):
        inputs[30 + row], targets[30 + row] = inputs[row], targets[row]
    return Partition(name, Side(inputs[:30], targets[:30]), Side(inputs[30:], targets[30:]))


def history(*shared: int, runs: int = 3) -> History:
    return History(
        "somebody's",
        tuple(Run(f"run {n}", score=1.0 + n) for n in range(runs)),
        tuple(partition(f"split {n}", rows) for n, rows in enumerate(shared)),
        source="table",
    )


def campaign(rounds: int, per_round: int) -> History:
    """Some runs a round, the first of them the baseline and each the child of the one before."""
    runs = [
        Run(f"run {r}.{n}", parent=f"run {r - 1}.0" if r > 1 else None, score=1.0 + r + n / 8, round=r)
        for r in range(1, rounds + 1)
        for n in range(per_round if r == rounds else 1 + r % 4)
    ]
    return replace(history(0, 0), runs=tuple(runs), baseline="run 1.0", source="campaign")


def random_campaign(rounds: list[int], seed: int) -> History:
    """Scores, curves and claims that checks find something in; the first rounds do not depend on the later ones."""
    rng, runs = np.random.default_rng(seed), [Run("trivial: mean", score=1.0, scores=np.ones(6), trivial=True, round=1)]
    for number, count in enumerate(rounds, start=1):
        for n in range(count):
            scores = rng.normal(1, 0.3, 6)
            changed = ("model.alpha", "features")[: rng.integers(0, 3)]
            parent = runs[int(rng.integers(len(runs)))].name
            claims = ("significant",) * int(rng.integers(2))
            name = f"run {number}.{n}"
            runs.append(
                Run(name, parent, changed=changed, score=scores.mean(), scores=scores, claims=claims, round=number)
            )
    return History("c", tuple(runs), (partition("a", 1), partition("b")), baseline=runs[1].name)


@pytest.fixture
def nervous(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget so large that chance finds much."""
    monkeypatch.setattr("probatum.audit.inspection.FALSE_ALARMS", 3.0)


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """Code to the levels that its looks were given; no check finds anything."""
    given: dict[str, list[float]] = {code: [] for code in CHECKS}

    def noting(code: str) -> Any:
        def look(_: Any, level: float) -> Iterator[Alarm]:
            given[code].append(level)
            return iter(())

        return look

    for code, one in CHECKS.items():
        monkeypatch.setitem(CHECKS, code, replace(one, look=noting(code)))
    return given


@pytest.mark.parametrize(("splits", "runs"), [(0, 0), (1, 1), (4, 3), (50, 40)])
def test_all_looks_together_spend_at_most_the_budget(levels: dict[str, list[float]], splits: int, runs: int):
    inspect(history(*[0] * splits, runs=runs))
    assert sum(map(sum, levels.values())) <= FALSE_ALARMS * (1 + 1e-9)
    assert all(level == 0 for code, given in levels.items() if not CHECKS[code].statistical for level in given)
    if splits and runs:
        assert sum(map(sum, levels.values())) == pytest.approx(FALSE_ALARMS)
        assert all(min(given) > 0 for code, given in levels.items() if CHECKS[code].statistical)


def test_all_rounds_of_a_campaign_together_spend_at_most_the_budget(levels: dict[str, list[float]]):
    """Every look that was ever taken counts: remembered looks are not taken again, those at all runs are."""
    memory = Memory()
    for rounds in range(1, 31):
        inspect(campaign(rounds, per_round=1 + rounds % 4), memory=memory)
    assert len(levels["PB304"]) == sum(1 + r % 4 for r in range(1, 31))
    assert len(levels["PB306"]) == 30
    assert len(levels["PB102"]) == 2
    for code, spent in levels.items():
        share = FALSE_ALARMS / sum(c.statistical for c in CHECKS.values())
        assert sum(spent) <= (share if CHECKS[code].statistical else 0.0) * (1 + 1e-9)
    assert sum(map(sum, levels.values())) > 0.9 * FALSE_ALARMS


@given(rounds=st.lists(st.integers(1, 4), min_size=2, max_size=5), seed=st.integers(0, 2**16))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("nervous")
def test_round_after_round_finds_what_one_audit_of_all_finds(rounds: list[int], seed: int):
    memory = Memory()
    for last in range(1, len(rounds) + 1):
        whole = random_campaign(rounds[:last], seed)
        assert inspect(whole, memory=memory) == inspect(whole)


def test_what_a_run_is_shown_does_not_change_while_the_campaign_grows():
    def seen(rounds: int) -> dict[str | None, tuple[Any, ...]]:
        return {s.name: s.parts for s in subjects_of("run", campaign(rounds, 2))}

    contents, early, late = Contents(), seen(2), seen(4)
    for name, parts in early.items():
        assert [contents.name(part) for part in parts] == [contents.name(part) for part in late[name]]


def test_another_score_of_the_baseline_is_seen_by_every_run(levels: dict[str, list[float]]):
    memory, before = Memory(), campaign(2, 3)
    inspect(before, memory=memory)
    after = replace(before, runs=(replace(before.runs[0], score=7.0), *before.runs[1:]))
    looks = {code: len(given) for code, given in levels.items()}
    inspect(after, memory=memory)
    again = {len(now) - looks[code] for code, now in levels.items() if CHECKS[code].scope == "run"}
    assert again == {len(before.runs)}


def test_one_run_alone_is_looked_at_no_more_nervously_than_with_the_others(levels: dict[str, list[float]]):
    inspect(history(0, runs=5))
    together = set(levels["PB304"])
    inspect(history(0, runs=5), only=["run 2"])
    assert set(levels["PB304"]) == together
    assert len(levels["PB304"]) == 6


def test_asking_for_one_check_does_not_make_it_more_nervous(levels: dict[str, list[float]]):
    inspect(history(0, 0))
    together = dict(levels.items())["PB102"].copy()
    inspect(history(0, 0), codes=["PB102"])
    assert levels["PB102"] == together * 2


def test_each_check_looks_at_what_it_is_for(levels: dict[str, list[float]]):
    inspect(history(0, 0, runs=5))
    looks = {"partition": 2, "run": 5, "history": 1}
    assert {code: len(given) for code, given in levels.items()} == {c.code: looks[c.scope] for c in CHECKS.values()}


def test_what_many_splits_share_is_found_once_where_it_is_worst():
    audit = inspect(history(1, 3, 0, 2), codes=["PB101"])
    (finding,) = audit.findings
    assert finding.subject == "split 1"
    assert finding.message.startswith("3 of 10 test rows")
    assert finding.message.endswith("in 3 of 4 splits, most in this one")


def test_one_split_alone_is_not_counted():
    (finding,) = inspect(history(0, 2, 0), codes=["PB101"]).findings
    assert "splits" not in finding.message


def alarming(severity: str, title: str = "odd") -> Check:
    def look(looked_at: Any, _: float) -> Iterator[Alarm]:
        yield Alarm(f"{looked_at[0].name} is odd", severity=severity)  # type: ignore[arg-type]

    return Check("", title, "error", "run", "", "", "", False, look)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of three checks that alarm at every run."""
    monkeypatch.setattr(
        "probatum.audit.inspection.CHECKS",
        {c: replace(alarming(s), code=c) for c, s in (("PB1", "note"), ("PB2", "error"), ("PB3", "warning"))},
    )


@pytest.mark.usefixtures("three")
def test_the_worst_stands_first_and_what_is_ignored_last():
    audit = inspect(history(runs=1), ignore={"PB2": "known"})
    assert [(f.code, f.severity, f.ignored) for f in audit.findings] == [
        ("PB3", "warning", None),
        ("PB1", "note", None),
        ("PB2", "error", "known"),
    ]
    assert audit.errors == ()
    assert audit.checked == ("PB1", "PB2", "PB3")


@pytest.mark.usefixtures("three")
def test_a_reason_may_be_given_for_one_experiment_alone():
    audit = inspect(history(runs=2), ignore={"PB2 run 1": "a control", "PB1": "all of them"}, codes=["PB1", "PB2"])
    reasons = {(f.code, f.subject): f.ignored for f in audit.findings}
    assert reasons == {
        ("PB1", "run 0"): "all of them",
        ("PB1", "run 1"): "all of them",
        ("PB2", "run 0"): None,
        ("PB2", "run 1"): "a control",
    }
    assert [f.subject for f in audit.against("run 0")] == ["run 0"]
    assert audit.against("run 1") == ()


@pytest.mark.usefixtures("three")
def test_only_some_runs():
    audit = inspect(history(runs=4), only=["run 2"], codes=["PB2"])
    assert [f.subject for f in audit.findings] == ["run 2"]


def test_an_error_about_all_stands_against_each(monkeypatch: pytest.MonkeyPatch):
    def look(_: Any, __: float) -> Iterator[Alarm]:
        yield Alarm("the scores are of different rows")

    monkeypatch.setattr(
        "probatum.audit.inspection.CHECKS", {"PB3": Check("PB3", "odd", "error", "history", "", "", "", False, look)}
    )
    audit = inspect(history(runs=2))
    assert audit.against("run 0") == audit.against("run 1") == audit.errors
    assert audit.errors[0].subject is None


@pytest.mark.parametrize("asked", [{"codes": ["PB999"]}, {"only": ["run 9"]}, {"ignore": {"PB999": "why"}}])
def test_what_does_not_exist_is_named(asked: dict[str, Any]):
    with pytest.raises(UnknownNameError, match=r"check 'PB999'; valid: PB101|'run 9'; did you mean 'run \d'"):
        inspect(history(), **asked)


@pytest.mark.parametrize("reason", ["", "  \n", None, 3, True])
def test_nothing_is_ignored_without_a_reason(reason: Any):
    with pytest.raises(CampaignFileError, match=r"PB101 is ignored without a reason; write PB101 = "):
        inspect(history(), ignore={"PB101": reason})


def test_nothing_at_all_is_clean():
    audit = inspect(History("empty"))
    assert audit.findings == ()
    assert audit.checked == tuple(CHECKS)
