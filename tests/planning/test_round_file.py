"""Rounds as TOML are read back as they were written, and a campaign file grows without losing a word."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.small_history import campaign_file, history
from probatum.campaigns.campaign_file import CampaignFile, read_campaign_file
from probatum.errors import CampaignFileError, StorageError, UnknownNameError
from probatum.planning.candidates import collected
from probatum.planning.proposal import Expected, Proposal
from probatum.planning.round_file import RoundFile, add_to_campaign, proposals_text, read_proposals, toml

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
plain = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
edit = st.dictionaries(
    st.sampled_from(("model", "training", "features", "ensemble")), st.dictionaries(text, plain, max_size=3), min_size=1
)
proposal = st.builds(
    Proposal,
    text.filter(bool),
    edit,
    name=text,
    hypothesis=text,
    reason=text,
    expected=st.none()
    | st.builds(
        Expected,
        st.floats(-1e6, 1e6),
        st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
        st.integers(1, 99),
    ),
    priority=st.sampled_from(("HIGH", "LOW")),
    slot=st.none() | st.sampled_from(("exploit", "principle test")),
    proposer=text,
)


@given(plain)
def test_plain_values_survive_toml(value: Any):
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


@given(st.lists(proposal, min_size=1, max_size=3))
def test_a_round_is_read_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, said: list[Proposal]):
    path = tmp_path_factory.getbasetemp() / "round.toml"
    path.write_text(proposals_text(said, "a round\nof two lines"), encoding="utf-8")
    assert read_proposals(path) == tuple(said)


def test_a_person_writes_a_parent_and_an_edit_and_no_more(file: CampaignFile, tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text('[[proposal]]\nparent = "net"\nmodel.dropout = 0.4\n[[experiment]]\nname = "line+x"\n'
                    'parent = "line"\nfeatures.add = ["x"]\n', encoding="utf-8")  # fmt: skip
    found, dropped = collected([RoundFile(path)], history(file), 1)
    assert dropped == []
    assert [str(c.experiment.mutation) for c in found] == ["model.dropout: 0.1 -> 0.4", "features: +x"]
    assert {c.proposal.proposer for c in found} == {"person"}


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        ("", CampaignFileError, "no proposals"),
        ("[[proposal]]\nmodel.dropout = 0.4", CampaignFileError, "without a parent"),
        ('[[proposal]]\nparent = "net', CampaignFileError, "no valid TOML"),
        ('[[proposals]]\nparent = "net"', UnknownNameError, "unknown key 'proposals'"),
        ('[[proposal]]\nparent = 3', CampaignFileError, "parent = 3 must be text"),
        ('[[proposal]]\nparent = "net"\nexpected = { mean = "much" }', CampaignFileError, "expected = "),
        ('proposal = ["net"]', CampaignFileError, "no proposals"),
    ],
)  # fmt: skip
def test_a_file_that_says_no_proposals_is_refused(tmp_path: Path, content: str, error: type[Exception], says: str):
    (tmp_path / "x.toml").write_text(content, encoding="utf-8")
    with pytest.raises(error, match=says):
        read_proposals(tmp_path / "x.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CampaignFileError, match="no such file of proposals"):
        read_proposals(tmp_path / "none.toml")


def test_a_campaign_file_grows_at_its_end_and_keeps_every_word(file: CampaignFile):
    before = file.path.read_text(encoding="utf-8")
    said = [Proposal("net", {"model": {"dropout": 0.4}}, "wet", 'it "over-fits"\n', "PB203: rises", slot="exploit")]
    add_to_campaign(file.path, said, "Round 1")
    after = file.path.read_text(encoding="utf-8")
    assert after.startswith(before.rstrip())
    grown = {e.name: e for e in read_campaign_file(file.path).experiments}
    assert str(grown["wet"].mutation) == "model.dropout: 0.1 -> 0.4"
    assert grown["wet"].hypothesis == 'it "over-fits"\n'
    add_to_campaign(file.path, said, "Round 1")
    assert file.path.read_text(encoding="utf-8") == after


def test_experiments_in_a_form_that_nothing_can_be_added_to_are_refused_and_left_alone(tmp_path: Path):
    content = 'problem = { kind = "table", path = "rows.csv", target = ["y"] }\n' \
              'experiment = [{ name = "line", model = { kind = "ridge" } }]\n'  # fmt: skip
    path = campaign_file(tmp_path, content).path
    with pytest.raises(CampaignFileError, match="nothing can be added"):
        add_to_campaign(path, [Proposal("line", {"model": {"alpha": 2.0}}, "stiff")], "Round 1")
    assert path.read_text(encoding="utf-8") == content


def test_a_campaign_file_that_cannot_be_written_stays_whole(file: CampaignFile, monkeypatch: pytest.MonkeyPatch):
    before = file.path.read_text(encoding="utf-8")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        add_to_campaign(file.path, [Proposal("net", {"model": {"dropout": 0.4}}, "wet")], "Round 1")
    assert file.path.read_text(encoding="utf-8") == before
    assert sorted(p.name for p in file.path.parent.iterdir()) == ["rows.csv", "small.toml"]


def test_what_toml_has_no_form_for_is_refused():
    with pytest.raises(CampaignFileError, match="NoneType None cannot be written in TOML"):
        toml({"x": [None]})
