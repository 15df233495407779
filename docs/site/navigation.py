"""What stands where in the site: titles and pages, in the order of reading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from typing import TypeAlias

Entry: TypeAlias = "str | Mapping[str, Entry]"

HOW_TO = "How-to"
NAVIGATION: Mapping[str, Entry] = {
    "Probatum": "index.md",
    "Tutorials": {
        "A first campaign": "tutorials/first_campaign.md",
        "Your own table": "tutorials/your_own_table.md",
        "Your own problem": "tutorials/your_own_problem.md",
        "With an agent": "tutorials/with_an_agent.md",
        "On a cluster": "tutorials/on_a_cluster.md",
    },
    HOW_TO: {
        "Audit what you have": "audit.md",
        "Plan the next round": "planning.md",
        "Leave it to the autopilot": "autopilot.md",
        "Let an agent work": "agents.md",
        "Report": "reporting.md",
        "Watch in the browser": "dashboard.md",
        "Watch in the terminal": "terminal.md",
        "Use notebooks": "notebooks.md",
        "Write plug-ins": "plugins.md",
        "Exchange with other tools": "interop.md",
        "Use more than one machine": "scaling.md",
        "Share a ledger": "shared_ledger.md",
    },
    "Explanation": {
        "Why your experiment loop fools you": "why_loops_fool.md",
        "How results are judged": "evidence.md",
        "How Probatum is built": "architecture.md",
        "What was measured": "performance.md",
        "Benchmarks": "benchmarks.md",
        "Safety": "project/SECURITY.md",
    },
    "Reference": {
        "Commands": "reference/commands.md",
        "Campaign file": "reference/campaign_file.md",
        "Checks": "reference/checks.md",
        "Python": {
            "probatum": "reference/api/probatum.md",
            "probatum.audit": "reference/api/probatum.audit.md",
            "probatum.learning": "reference/api/probatum.learning.md",
            "probatum.planning": "reference/api/probatum.planning.md",
            "probatum.reporting.figures": "reference/api/probatum.reporting.figures.md",
            "probatum.errors": "reference/api/probatum.errors.md",
        },
    },
    "Problems": {
        "catechol": {"The problem": "problems/catechol.md"},
        "analog_codes": {
            "The problem": "problems/analog_codes.md",
            "Data": "analog_codes_data.md",
            "Heights": "analog_codes_heights.md",
            "Learning": "analog_codes_learning.md",
            "Fault models": "analog_codes_design.md",
        },
        "rocking_curve": {
            "The problem": "problems/rocking_curve.md",
            "Physics": "rocking_curve_physics.md",
            "Six ways to train": "rocking_curve_approaches.md",
            "From counts to strain": "rocking_curve_inversion.md",
        },
        "gas_chromatography": {
            "The problem": "problems/gas_chromatography.md",
            "What each part is worth": "gas_chromatography_learning.md",
            "Runs of your own": "gas_chromatography_predict.md",
        },
        "metabolism": {
            "The problem": "problems/metabolism.md",
            "Estimators": "metabolism_estimators.md",
            "Learning": "metabolism_learning.md",
            "Models of your own": "metabolism_fit.md",
        },
    },
    "Project": {
        "What changed": "project/CHANGELOG.md",
        "Working on it": "project/CONTRIBUTING.md",
    },
}


def complete(pages: Set[str]) -> Mapping[str, Entry]:
    """The navigation with the pages that nobody placed at the end of the how-to.

    Args:
        pages: paths below `docs/` of all that the site has.
    """
    left = sorted(pages - set(placed(NAVIGATION)))
    how_to = NAVIGATION[HOW_TO]
    assert not isinstance(how_to, str)
    return {**NAVIGATION, HOW_TO: {**how_to, **{_title(page): page for page in left}}}


def placed(entry: Entry) -> Iterator[str]:
    """Paths of all pages of a part of the navigation."""
    if isinstance(entry, str):
        yield entry
    else:
        for below in entry.values():
            yield from placed(below)


def as_toml(entries: Mapping[str, Entry]) -> str:
    """As the site's configuration writes it; JSON strings are TOML strings."""
    return "[" + ", ".join(f"{{ {json.dumps(title)} = {_value(entry)} }}" for title, entry in entries.items()) + "]"


def _value(entry: Entry) -> str:
    return json.dumps(entry) if isinstance(entry, str) else as_toml(entry)


def _title(page: str) -> str:
    return page.removesuffix(".md").replace("_", " ").capitalize()
