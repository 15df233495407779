"""An audit looks at everything once, shares one budget of false alarms, and forgets nothing that is ignored."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import FALSE_ALARMS, Alarm, Check
from probatum.audit.history import History, Partition, Run, Side
from probatum.audit.inspection import inspect
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
