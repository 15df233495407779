"""Findings for people, programs, code scanners and the annotations of GitHub say the same, and nothing breaks them."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.reporting.findings import (
    Place,
    audit_values,
    check_values,
    findings_summary,
    findings_table,
    github_annotations,
    sarif,
)

HOSTILE = "[red]x[/] %0A, a:b\n::error::forged\r <b>"
AUDIT = Audit(
    "lab.toml",
    (
        Finding("PB101", "error", "table / b0", "2 of 9 test rows", {"rows": 2.0}),
        Finding("PB304", "error", HOSTILE, HOSTILE, {"score": float("nan")}),
        Finding("PB203", "warning", "net", "rises by 30 %", {"rise": 0.3}),
        Finding("PB604", "note", None, "three rows"),
        Finding("PB101", "error", "table / b1", "1 row", {"rows": 1.0}, ignored="a control, [known]"),
    ),
    tuple(CHECKS),
)
PLACE = Place("my runs/lab 1.toml", {"net": 7})


def test_plain_values_hold_everything_once():
    values = audit_values(AUDIT)
    assert values["audited"] == "lab.toml"
    assert values["counts"] == {"error": 2, "warning": 1, "note": 1}
    assert values["checked"] == list(CHECKS)
    first, *_, last = values["findings"]
    assert first == {
        "code": "PB101",
        "title": CHECKS["PB101"].title,
        "severity": "error",
        "subject": "table / b0",
        "message": "2 of 9 test rows",
        "figures": {"rows": 2.0},
        "remedy": CHECKS["PB101"].remedy,
        "ignored": None,
    }
    assert last["ignored"] == "a control, [known]"


def printed(audit: Audit) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(findings_table(audit))
    return out.getvalue()


def test_the_table_prints_names_and_reasons_as_they_are():
    text = printed(AUDIT)
    assert "[red]x[/] %0A, a:b" in text
    assert "(ignored: a control, [known])" in text
    assert re.search(r"PB604 +note +all +three rows", text)


def test_the_summary_counts_and_says_what_to_do_about_what_is_not_ignored():
    first, *remedies = findings_summary(AUDIT)
    assert first == f"lab.toml: {len(CHECKS)} checks, 2 errors, 1 warning, 1 note, 1 ignored"
    assert remedies == [f"{code}: {CHECKS[code].remedy}" for code in ("PB101", "PB203", "PB304", "PB604")]
    assert findings_summary(Audit("x", (), ("PB101",))) == ["x: 1 checks, nothing found"]
    ignored = Audit("x", AUDIT.findings[-1:], ("PB101",))
    assert findings_summary(ignored) == ["x: 1 checks, 1 ignored"]


# ---------------------------------------------------------------------- SARIF


def check_sarif(log: Any) -> dict[str, Any]:
    """Holds a log against the parts of SARIF 2.1.0 (OASIS, sections 3.13 to 3.34) that it uses; returns its run."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "results"}  # 3.14: 'tool' is needed, 'results' where a scan was made
    driver = run["tool"]["driver"]
    assert driver["name"] == "probatum"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", driver["semanticVersion"])
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(set(rules)) == len(rules)  # 3.19.23: unique
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"}
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("none", "note", "warning", "error")
        assert isinstance(result["message"]["text"], str)
        assert isinstance(result["properties"], dict)
        for location in result["locations"]:
            assert set(location) <= {"logicalLocations", "physicalLocation"}
            assert all(set(one) == {"name", "kind"} for one in location["logicalLocations"])
            if "physicalLocation" in location:
                assert re.fullmatch(r"[\w\-.~/%]+", location["physicalLocation"]["artifactLocation"]["uri"])
                assert location["physicalLocation"]["region"]["startLine"] >= 1
        for suppression in result.get("suppressions", []):
            assert suppression["kind"] in ("inSource", "external")
            assert suppression["justification"]
    return run


def test_sarif_has_its_shape_and_all_findings():
    run = check_sarif(json.loads(json.dumps(sarif(AUDIT, PLACE))))
    assert [r["ruleId"] for r in run["results"]] == [f.code for f in AUDIT.findings]
    assert [r["level"] for r in run["results"]] == [f.severity for f in AUDIT.findings]
    assert [r["id"] for r in run["tool"]["driver"]["rules"]] == ["PB101", "PB203", "PB304", "PB604"]
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert {unquote(p["artifactLocation"]["uri"]) for p in places} == {"my runs/lab 1.toml"}
    assert [p["region"]["startLine"] for p in places] == [1, 1, 7, 1, 1]


def test_what_is_ignored_is_suppressed_with_its_reason_and_nothing_else():
    results = check_sarif(sarif(AUDIT))["results"]
    assert [r.get("suppressions") for r in results] == [None] * 4 + [
        [{"kind": "external", "justification": "a control, [known]"}]
    ]
    assert not any("physicalLocation" in r["locations"][0] for r in results)


def test_an_alert_is_the_same_when_its_figures_change_and_another_for_another_experiment():
    def fingerprint(finding: Finding) -> str:
        (result,) = check_sarif(sarif(Audit("x", (finding,), ())))["results"]
        return result["partialFingerprints"]["primaryLocationLineHash"]

    one = fingerprint(Finding("PB101", "error", "a", "2 rows", {"rows": 2}))
    assert one == fingerprint(Finding("PB101", "error", "a", "3 rows", {"rows": 3}))
    assert one != fingerprint(Finding("PB101", "error", "b", "2 rows", {"rows": 2}))
    assert one != fingerprint(Finding("PB102", "error", "a", "2 rows", {"rows": 2}))


def test_a_clean_audit_is_an_empty_log():
    run = check_sarif(sarif(Audit("clean", (), tuple(CHECKS)), PLACE))
    assert run["results"] == run["tool"]["driver"]["rules"] == []


# ---------------------------------------------------------------------- annotations


def read_annotation(line: str) -> tuple[str, dict[str, str], str]:
    """(command, properties, message) as the runner reads a workflow command: '::name key=value,key=value::message'."""

    def plain(text: str, of_property: bool) -> str:
        for code, character in (("%0D", "\r"), ("%0A", "\n"), *((("%3A", ":"), ("%2C", ",")) if of_property else ())):
            text = text.replace(code, character)
        return text.replace("%25", "%")

    assert line.startswith("::")
    head, message = line[2:].split("::", 1)
    command, _, given_ = head.partition(" ")
    properties = dict(part.split("=", 1) for part in given_.split(",")) if given_ else {}
    return command, {key: plain(value, True) for key, value in properties.items()}, plain(message, False)


def test_an_annotation_a_finding_and_none_for_what_is_ignored():
    read = [read_annotation(line) for line in github_annotations(AUDIT, PLACE)]
    assert [command for command, _, _ in read] == ["error", "error", "warning", "notice"]
    assert [p["line"] for _, p, _ in read] == ["1", "1", "7", "1"]
    assert {p["file"] for _, p, _ in read} == {"my runs/lab 1.toml"}
    assert read[0][1]["title"] == f"PB101 {CHECKS['PB101'].title}"
    assert read[0][2] == "table / b0: 2 of 9 test rows"
    assert read[3][2] == "three rows"
    assert "file" not in read_annotation(github_annotations(AUDIT)[0])[1]


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), message=st.text(min_size=1))
def test_no_name_can_forge_or_break_an_annotation(name: str, message: str):
    audit = Audit("x", (Finding("PB101", "error", name, message),), ())
    (line,) = github_annotations(audit, Place(name))
    assert not {"\n", "\r"} & set(line)
    command, properties, said = read_annotation(line.replace("%25", "%25"))
    assert command == "error"
    assert set(properties) == {"file", "line", "title"}
    if "%" not in name + message:
        assert properties["file"] == name
        assert said == f"{name}: {message}"


# ---------------------------------------------------------------------- explanations


@pytest.mark.parametrize("code", CHECKS)
def test_a_check_is_explained_in_whole_lines(code: str):
    values = check_values(CHECKS[code])
    assert list(values) == ["finds", "severity", "explanation", "remedy", "detects"]
    assert all(text and "\n" not in text for text in values.values())
