"""What is wrong: checks of data, trainings, scores, configurations, selection and physics, each with a code.

`audit.split(X_train, X_test, groups=(g_train, g_test))` looks at a split of one's own, `audit.read_runs(path)` reads
somebody's table of runs, and `audit.inspect(history)` looks at it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probatum.audit.finding import Finding as Finding
    from probatum.audit.importers import read_runs as read_runs
    from probatum.audit.inspection import Audit as Audit
    from probatum.audit.inspection import inspect as inspect
    from probatum.audit.partitions import split as split
    from probatum.audit.partitions import split_of_tables as split_of_tables

_HOMES = {
    "Audit": "inspection",
    "Finding": "finding",
    "inspect": "inspection",
    "read_runs": "importers",
    "split": "partitions",
    "split_of_tables": "partitions",
}
__all__ = ["Audit", "Finding", "inspect", "read_runs", "split", "split_of_tables"]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"probatum.audit.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'probatum.audit' has no attribute '{name}'")
