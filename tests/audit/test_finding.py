"""A check is a function that says what it looks for; a finding stands against a result until a reason is given."""

import re
from dataclasses import replace

import pytest

from probatum.audit import configuration, data, physics, scores, selection, training
from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import SEVERITIES, Alarm, Check, Finding, check


def test_only_an_error_that_nobody_explains_stands_against_a_result():
    error = Finding("PB101", "error", "net", "one row")
    assert error.blocks
    assert not replace(error, ignored="the row is a control").blocks
    assert not any(replace(error, severity=s).blocks for s in ("warning", "note"))


def test_the_docstring_of_a_check_is_its_explanation():
    @check("PB999", "odd rows", "note", "run", remedy="drop them", detects="one, always")
    def odd(looked_at, level):
        """Rows are odd.

        They cannot be halved.
        """
        yield Alarm(f"{looked_at} at {level}")

    assert odd.explanation == "Rows are odd.\n\nThey cannot be halved."
    assert not odd.statistical
    assert [a.message for a in odd.look("rows", 0.5)] == ["rows at 0.5"]


def test_no_two_checks_share_a_code():
    families = (data, training, scores, configuration, selection, physics)
    assert len(CHECKS) == sum(len(family.CHECKS) for family in families)
    assert list(CHECKS) == sorted(CHECKS)


@pytest.mark.parametrize("one", CHECKS.values(), ids=CHECKS)
def test_a_check_says_all_that_a_reader_needs(one: Check):
    assert re.fullmatch(r"PB[1-6]\d\d", one.code)
    assert one.severity in SEVERITIES
    assert one.explanation.strip().endswith(".")
    assert len(one.explanation.split()) >= 8
    assert one.remedy
    assert one.detects
    for line in (one.title, one.remedy, one.detects):
        assert "\n" not in line
