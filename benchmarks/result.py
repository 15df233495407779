"""How every benchmark prints: rows for people, and as its last line with --json one object for programs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One figure and what it should be.

    Attributes:
        name: unique; says the work and the peer.
        value, unit: as measured.
        target: what it should reach; None where nothing is promised.
        better: which way.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["higher", "lower"] = "lower"

    @property
    def holds(self) -> bool:
        if self.target is None:
            return True
        return self.value <= self.target if self.better == "lower" else self.value >= self.target


def benchmark(name: str, measure: Callable[[bool], Sequence[Row]], libraries: Sequence[str] = ()) -> None:
    """Runs a benchmark from the command line.

    Args:
        name: of the script.
        measure: called with `quick`, returns the rows.
        libraries: whose versions matter.
    """
    parser = argparse.ArgumentParser(description=f"benchmark: {name}")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--quick", action="store_true", help="a version under 60 s")
    arguments = parser.parse_args()
    started = time.perf_counter()
    rows = measure(arguments.quick)
    for row in rows:
        target = "" if row.target is None else f"  target {row.target:g}  {'holds' if row.holds else 'MISSED'}"
        print(f"{row.name:42} {row.value:12.5g} {row.unit:8}{target}", flush=True)
    if arguments.json:
        print(
            json.dumps({
                "benchmark": name,
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
                "versions": {"python": platform.python_version(), **{lib: version(lib) for lib in libraries}},
                "seconds": time.perf_counter() - started,
                "rows": [{**asdict(row), "holds": row.holds} for row in rows],
            })
        )  # fmt: skip
