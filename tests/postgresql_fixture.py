"""A PostgreSQL server for the tests of a session, started when the first of them asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parents[1] / "benchmarks" / "postgresql_server.py"

REQUIRED = "PROBATUM_REQUIRE_POSTGRES"


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """A server whose databases are thrown away.

    It does not wait for the disk (fsync off): tests kill processes, and what those have handed to the system is kept.
    """
    module = _benchmarks_server()
    lacking = [
        what
        for what, there in (
            ("Debian's package postgresql", module.programs() is not None),
            ("psycopg (the extra 'postgres')", find_spec("psycopg") is not None),
        )
        if not there
    ]
    if lacking:
        message = f"a PostgreSQL server cannot be started: {' and '.join(lacking)} is not installed"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(message)
        pytest.skip(message)
    found = module.PostgresqlServer(fsync=False)
    try:
        yield found
    finally:
        found.close()


def _benchmarks_server() -> Any:
    """The server is the benchmarks' as well; their folder stays off the path, for its names are those of problems."""
    spec = spec_from_file_location("postgresql_server", SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault(spec.name, module_from_spec(spec))
    spec.loader.exec_module(module)
    return module
