"""Under which code, environment and data a fit was run."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from probatum.problems.problem import Dataset
from probatum.version import __version__

LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm", "jax", "jaxlib", "equinox", "optax", "numba", "pandas")


def manifest(problem: Mapping[str, Any], draws: Mapping[tuple[str, int], Dataset]) -> dict[str, Any]:
    """Code, environment and data, as plain values.

    Args:
        problem: {'kind', 'options'}.
        draws: (task, draw) to dataset.
    """
    return {
        "code": {"probatum": __version__, "source": source_digest()},
        "environment": {
            "python": platform.python_version(),
            "implementation": sys.implementation.name,
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "libraries": libraries(),
        },
        "problem": dict(problem),
        "data": {
            label: {
                "digest": d.digest,
                "files": dict(d.origin.files),
                "generator": d.origin.generator,
                "seed": d.origin.seed,
                "count": d.origin.count,
                "licence": d.origin.licence,
            }
            for label, d in datasets_by_label(draws).items()
        },
    }


def datasets_by_label(draws: Mapping[tuple[str, int], Dataset]) -> dict[str, Dataset]:
    """`data_label` to dataset."""
    return {data_label(task, draw): dataset for (task, draw), dataset in draws.items()}


def data_label(task: str, draw: int) -> str:
    """How a campaign's record names a dataset: its task, with the number of the draw after the first."""
    return f"{task} draw {draw + 1}" if draw else task


def libraries(names: Sequence[str] = LIBRARIES) -> dict[str, str | None]:
    """The versions of libraries, those that fits depend on; None for one that is not installed."""
    return {name: _version(name) for name in names}


@cache
def source_digest() -> str:
    """sha256 over the package's own source files."""
    root = Path(__file__).parents[1]
    h = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        h.update(file.relative_to(root).as_posix().encode())
        h.update(file.read_bytes())
    return h.hexdigest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
