"""An audit looks only at what changed, and finds what an audit of everything finds."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probatum.audit import memory
from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import Alarm
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.laboratory import Laboratory
from probatum.laboratory.auditor import MEMORY

NEW = """
[[experiment]]
name = "two changes"
parent = "line"
features = ["numbers"]
model.alpha = 5
"""
RUN_CHECKS = {code for code, check in CHECKS.items() if check.scope == "run"}
PARTITION_CHECKS = {code for code, check in CHECKS.items() if check.scope == "partition"}
HISTORY_CHECKS = {code for code, check in CHECKS.items() if check.scope == "history"}
Looks = Counter[tuple[str, str | None]]


@pytest.fixture
def file(contest: Path, tmp_path: Path) -> Path:
    shutil.copytree(contest.parent, tmp_path / "contest")
    return tmp_path / "contest" / contest.name


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """(code, name of the run or partition) to how often the check was asked; the checks find what they find."""
    taken: Looks = Counter()

    def counting(code: str, look: Callable[[Any, float], Iterable[Alarm]]) -> Callable[[Any, float], Iterable[Alarm]]:
        def counted(shown: Any, level: float) -> Iterable[Alarm]:
            of = shown[0] if isinstance(shown, tuple) else shown
            taken[code, None if code in HISTORY_CHECKS else of.name] += 1
            return look(shown, level)

        return counted

    for code, one in CHECKS.items():
        monkeypatch.setitem(CHECKS, code, replace(one, look=counting(code, one.look)))
    return taken


def audited(file: Path, **asked: Any):
    """What a new process finds."""
    laboratory = Laboratory.open(file)
    return laboratory.audit(laboratory.results(), **asked)


def grown(file: Path, more: str = NEW) -> Laboratory:
    """The campaign with another round."""
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    laboratory = Laboratory.open(file)
    laboratory.run()
    return laboratory


def test_the_first_audit_looks_at_everything_once(file: Path, looks: Looks):
    audit = audited(file)
    runs = ["trivial: mean", "mean", "line", "stiff"]
    assert {name for code, name in looks if code in RUN_CHECKS} == set(runs)
    assert len({name for code, name in looks if code in PARTITION_CHECKS}) == 16
    assert {code for code, _ in looks} == set(audit.checked) == set(CHECKS)
    assert {looks[look] for look in looks if look[0] not in HISTORY_CHECKS} == {1}
    assert {looks[code, None] for code in HISTORY_CHECKS} == {2}  # before a champion is chosen, and with it


def test_an_unchanged_campaign_is_not_looked_at_again(file: Path, looks: Looks):
    first = audited(file)
    assert any(f.severity != "note" for f in first.findings)
    looks.clear()
    laboratory = Laboratory.open(file)
    results = laboratory.run()
    assert laboratory.audit(results) == first
    assert laboratory.champion(results) is not None
    assert looks == {}


def test_a_new_experiment_is_looked_at_and_the_others_are_not(file: Path, looks: Looks):
    before = audited(file)
    looks.clear()
    laboratory = grown(file)
    after = laboratory.audit(laboratory.results())
    assert {look for look in looks if look[0] not in HISTORY_CHECKS} == {(c, "two changes") for c in RUN_CHECKS}
    assert {code for code, name in looks if name is None} == HISTORY_CHECKS
    assert ("PB404", "two changes") in {(f.code, f.subject) for f in after.findings}
    assert {f for f in _plain(before) if f[0] not in HISTORY_CHECKS} <= set(_plain(after))
    (file.parent / "contest.probatum" / MEMORY).unlink()
    assert audited(file) == after
    assert {looks[look] for look in looks if look[1] == "line"} == {1}  # now all were looked at


def test_a_confirmation_is_news_for_the_history_alone(file: Path, looks: Looks):
    before = audited(file)
    assert "PB502" in {f.code for f in before.findings}
    Laboratory.open(file).confirm()
    looks.clear()
    after = audited(file)
    assert {code for code, _ in looks} == HISTORY_CHECKS
    assert "PB502" not in {f.code for f in after.findings}


def test_what_is_asked_for_in_part_is_found_and_forgets_nothing(file: Path, looks: Looks):
    whole = audited(file)
    looks.clear()
    assert audited(file, codes=["PB404"]).findings == tuple(f for f in whole.findings if f.code == "PB404")
    only = {f for f in _plain(audited(file, only=["stiff"])) if f[0] in RUN_CHECKS}
    assert only == {f for f in _plain(whole) if f[0] in RUN_CHECKS and f[1] == "stiff"}
    assert "PB305" not in {f.code for f in audited(file, target=0.0).findings}  # no floor, no pairs: nothing to say
    looks.clear()
    assert audited(file) == whole
    assert looks == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: b"\xff\x00 no text",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"changes from", b"reasons for"),
        lambda text: text.partition(b"\n")[0] + b"\n{}",
        lambda text: b"[" * 100_000,
    ],
    ids=["empty", "no text", "cut off", "a word changed", "another body", "deep"],
)
def test_a_damaged_memory_is_not_believed_and_not_fatal(file: Path, damage: Callable[[bytes], bytes], looks: Looks):
    whole = audited(file)
    stored = file.parent / "contest.probatum" / MEMORY
    kept = stored.read_bytes()
    assert b"changes from" in kept
    stored.write_bytes(damage(kept))
    looks.clear()
    assert audited(file) == whole
    assert {code for code, _ in looks} == set(CHECKS)
    assert stored.read_bytes() == kept


@pytest.mark.parametrize(
    "body", [b"[]", b"3", b'{"a": 3}', b'{"a": [["m", {}, null]]}', b'{"a": [[1, {}, null, null]]}']
)
def test_a_memory_of_another_form_is_not_believed(file: Path, body: bytes):
    stored = file.parent / "contest.probatum" / MEMORY
    stored.write_bytes(memory.sealed(body))
    assert audited(file) == audited(file)


def test_a_memory_of_other_checks_is_not_believed(file: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch):
    whole = audited(file)
    looks.clear()
    monkeypatch.setattr(memory, "checks_version", lambda: "another program")
    assert audited(file) == whole
    assert {code for code, _ in looks} == set(CHECKS)


def test_a_memory_that_cannot_be_written_is_not_fatal(file: Path):
    whole = audited(file)
    stored = file.parent / "contest.probatum" / MEMORY
    stored.unlink()
    stored.mkdir()
    assert audited(file) == whole
    assert not list(stored.parent.glob(".partial-*"))


# ---------------------------------------------------------------------- what the file tells the audit


def told(file: Path, section: str) -> Laboratory:
    file.write_text(file.read_text(encoding="utf-8") + section, encoding="utf-8")
    return Laboratory.open(file)


def test_what_is_ignored_must_exist_before_anything_is_trained(file: Path):
    shutil.rmtree(file.parent / "contest.probatum")
    laboratory = told(file, '[audit.ignore]\n"PB404 stif" = "known"\n')
    with pytest.raises(UnknownNameError, match=r"contest\.toml \[audit\]: unknown experiment 'stif'; did you mean"):
        laboratory.run()
    assert not (file.parent / "contest.probatum").exists()


@pytest.mark.parametrize("subject", ["stiff", "trivial: mean", "table / b01"])
def test_experiments_and_splits_may_be_ignored_from_the_first_run_on(file: Path, subject: str):
    shutil.rmtree(file.parent / "contest.probatum")
    laboratory = told(file, f'[audit.ignore]\n"PB604 {subject}" = "known"\n')
    laboratory.auditor.check_ignored_subjects()


def test_ignoring_is_no_reason_to_look_again(file: Path, looks: Looks):
    first = audited(file)
    assert "PB502" in {f.code for f in first.findings}
    looks.clear()
    laboratory = told(file, '[audit.ignore]\nPB502 = "to be confirmed next week"\n')
    reasons = {f.code: f.ignored for f in laboratory.audit(laboratory.results()).findings}
    assert reasons["PB502"] == "to be confirmed next week"
    assert looks == {}


def test_a_wanted_score_is_a_number(file: Path):
    with pytest.raises(CampaignFileError, match=r"\[audit\]: target = nan is not finite"):
        told(file, "[audit]\ntarget = nan\n")


def test_unknown_codes_name_the_nearest(file: Path):
    with pytest.raises(UnknownNameError, match=r"\[audit\]: unknown check 'PB40'; did you mean 'PB40\d'"):
        told(file, '[audit.ignore]\nPB40 = "known"\n')


def _plain(audit: Any) -> list[tuple[str, str | None, str]]:
    return [(f.code, f.subject, f.message) for f in audit.findings]
