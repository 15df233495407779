"""What the documents list is what the program has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probatum.audit import run_tables
from probatum.audit.catalogue import CHECKS
from probatum.reporting.findings import audit_values, finding_values

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").rglob("*.md"))
AUDIT = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[tuple[str, ...]]:
    """Cells of the table below a header row, without the ticks of code."""
    lines = iter(AUDIT.partition(f"| {heading} |")[2].splitlines()[2:])
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append(tuple(cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")))
    return found


def test_the_table_of_checks_is_the_catalogue():
    said = rows("code | severity | finds | by chance | detects")
    own = [(c.code, c.severity, c.title, "yes" if c.statistical else "", c.detects) for c in CHECKS.values()]
    assert said == [tuple(cell.replace("`", "") for cell in row) for row in own]


def test_the_columns_of_tables_of_runs_are_those_that_are_read():
    said = {name for names, _ in rows("column | meaning") for name in names.split(", ")}
    known = {*run_tables.KEYS, *(f"{key}.KEY" for key in run_tables.NESTED), run_tables.CURVES, "curve.NAME"}
    assert said == known


def test_the_keys_of_the_json_object_are_those_that_are_printed():
    from probatum.audit.finding import Finding
    from probatum.audit.inspection import Audit

    finding = Finding("PB101", "error", None, "one row")
    said = dict(rows("key | value"))
    assert set(said) == set(audit_values(Audit("x", (finding,), ())))
    for key in finding_values(finding):
        assert re.search(rf"\b{key}\b", said["findings"]), key


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(document: Path):
    """Pages of the reference are made when the site is built, which checks the links to them."""
    prose = re.sub(r"`[^`\n]+`", "", document.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
        assert "reference/" in target or (document.parent / target).exists(), target


def test_every_code_that_a_document_names_exists():
    for document in [ROOT / "README.md", *DOCUMENTS]:
        assert set(re.findall(r"\bPB\d{3}\b", document.read_text(encoding="utf-8"))) <= set(CHECKS), document.name


def test_the_example_of_its_output_counts_the_checks():
    assert re.findall(r"contest\.toml: (\d+) checks", AUDIT) == [str(len(CHECKS))]


def test_the_examples_of_the_audit_section_can_be_read():
    import tomllib

    from probatum.audit.inspection import check_ignored
    from probatum.campaigns.campaign_file import AuditSettings

    (example,) = re.findall(r"```toml\n(.*?)```", AUDIT, re.DOTALL)
    check_ignored(AuditSettings.model_validate(tomllib.loads(example)["audit"]).ignore)
