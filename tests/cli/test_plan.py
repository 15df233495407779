"""`next`, `auto` and `knowledge` as a person calls them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from cli.small_lab import Call
from probatum.campaigns.ledgers.files import open_ledger
from probatum.campaigns.ledgers.ledger import PrincipleRecord
from probatum.cli.plan import duration_seconds
from probatum.errors import UsageError


def test_the_next_round_is_written_edited_and_read(call: Call, contest: Path):
    said = call(contest, "next", "contest.toml", "--slots", "2", "--out", "round.toml", "--json")
    assert said.code == 0, said.err
    names = [p["name"] for p in said.values["proposals"]]
    assert len(names) == 2
    assert all(p["reason"] and p["change"] for p in said.values["proposals"])
    assert said.values["control"] in ("trees", "other trees", "flat trees")
    written = tomllib.loads((contest / "round.toml").read_text(encoding="utf-8"))
    assert [p["name"] for p in written["proposal"]] == names
    mine = '[[proposal]]\nname = "mine"\nparent = "trees"\nmodel.n_estimators = 20\n'
    (contest / "round.toml").write_text(mine, encoding="utf-8")
    again = call(contest, "next", "contest.toml", "--from", "round.toml", "--json")
    assert [(p["name"], p["proposer"]) for p in again.values["proposals"]] == [("mine", "person")]
    assert "fits to train" not in again.err  # nothing had to be run
    assert [r.name for r in open_ledger(contest / "contest.toml").experiments() if r.name == "mine"] == []


def test_a_proposal_that_cannot_be_is_named_and_nothing_is_run(call: Call, contest: Path):
    text = '[[proposal]]\nparent = "trees"\nmodel = { n_estimators = 20, max_depth = 3 }\n'
    (contest / "bad.toml").write_text(text, encoding="utf-8")
    said = call(contest, "next", "contest.toml", "--from", "bad.toml", "--json")
    assert said.code == 0
    assert said.values["proposals"] == []
    assert "2 changes at once" in said.values["dropped"][0]["why"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("auto", "contest.toml", "--budget", "0m"), "runs nothing"),
        (("auto", "contest.toml", "--budget", "soon"), "'soon' is no duration"),
        (("auto", "contest.toml", "--budget", "10"), "'10' is no duration"),
        (("auto", "contest.toml", "--slots", "0"), "0 slots"),
        (("next", "contest.toml", "--slots", "-1"), "-1 slots"),
        (("next", "contest.toml", "--candidates", "0"), "--candidates"),
        (("next", "contest.toml", "--from", "none.toml"), "no such file of proposals"),
        (("next", "contest.toml", "--run", "--out", "x.toml"), "do not go together"),
        (("next", "contest.toml", "--sampler", "cma"), "unknown sampler 'cma'"),
        (("next", "contest.toml", "--proposer", "nowhere:Me"), "cannot be imported"),
        (("next", "contest.toml", "--proposer", "math:pi"), "is no proposer"),
        (("knowledge", "-C", "contest.toml", "--state", "open"), "which principle?"),
        (("knowledge", "x", "-C", "contest.toml", "--state", "sure"), "unknown state 'sure'"),
        (("knowledge", "x", "-C", "contest.toml", "--forget"), "unknown principle 'x'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(call: Call, contest: Path, arguments: tuple[str, ...], says: str):
    assert says in call(contest, *arguments).error


def test_principles_are_shown_held_and_forgotten(call: Call, contest: Path):
    ledger = open_ledger(contest / "contest.toml", read_only=False)
    content = {"statement": "x helps", "pairs": [["a", "b"]], "effect": -0.1, "interval": [-0.2, 0.0]}
    ledger.write_principles([PrincipleRecord("features +x", "open", False, content)])
    ledger.close()
    shown = call(contest, "knowledge")
    assert "features +x" in shown.out
    assert "-0.1 (-0.2 to +0)" in shown.out
    held = call(contest, "knowledge", "features +x", "--state", "refuted", "--note", "seen in 2019", "--json")
    (principle,) = held.values["principles"]
    assert (principle["state"], principle["held"], principle["note"]) == ("refuted", True, "seen in 2019")
    assert call(contest, "knowledge", "features +x", "--forget", "--json").values["principles"] == []


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("60m", 3600), ("2h", 7200), (" 1.5 h ", 5400)])
def test_durations_are_read_with_their_unit(text: str, seconds: float):
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "5", "-5m", "5d", "m"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(UsageError):
        duration_seconds(text)
