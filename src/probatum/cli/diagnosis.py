"""What this installation has: versions, cores, accelerator, extras, data, and the campaigns of this folder."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from probatum.errors import ProbatumError
from probatum.version import __version__

OK, MISSING, FAULT = "ok", "missing", "fault"
CORE = ("jax", "numba", "numpy", "scipy", "scikit-learn", "lightgbm", "sqlalchemy")


def diagnosis() -> dict[str, Any]:
    """{'checks': rows of {'what', 'state', 'remark'}}; a state is 'ok', 'missing' (optional) or 'fault'."""
    return {"checks": [*_program(), *_extras(), *_data(), *_campaigns(Path.cwd())]}


def _row(what: str, state: str, remark: str) -> dict[str, str]:
    return {"what": what, "state": state, "remark": remark}


def _program() -> list[dict[str, str]]:
    rows = [
        _row("probatum", OK, __version__),
        _row("python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        _row("cores", OK, str(os.cpu_count() or 1)),
    ]
    for name in CORE:
        try:
            rows.append(_row(name, OK, version(name)))
        except PackageNotFoundError:
            rows.append(_row(name, FAULT, "not installed: pip install probatum"))
    return [*rows, _accelerator()]


def _accelerator() -> dict[str, str]:
    try:
        import jax

        devices = jax.devices()
    except (ImportError, RuntimeError) as error:
        return _row("accelerator", FAULT, f"JAX does not start: {error}")
    if devices[0].platform == "cpu":
        return _row("accelerator", MISSING, "none; nothing needs one")
    return _row("accelerator", OK, f"{len(devices)} x {devices[0].device_kind}")


def _extras() -> list[dict[str, str]]:
    """Optional parts, each with the packages it lacks."""
    try:
        metadata = distribution("probatum").metadata
    except PackageNotFoundError:
        return [_row("extras", FAULT, "probatum is not installed, only on the path: pip install -e .")]
    wanted: dict[str, list[str]] = {}
    for requirement in metadata.get_all("Requires-Dist") or []:
        found = re.fullmatch(r"([A-Za-z0-9._-]+)(\[.*?\])?[^;]*;\s*extra == ['\"]([\w-]+)['\"]", requirement.strip())
        if found and found[1] != "probatum":
            wanted.setdefault(found[3], []).append(found[1])
    rows = []
    for extra, packages in sorted(wanted.items()):
        lacking = [package for package in packages if not _installed(package)]
        remark = f"lacks {', '.join(lacking)}: pip install 'probatum[{extra}]'" if lacking else ", ".join(packages)
        rows.append(_row(f"extra {extra}", MISSING if lacking else OK, remark))
    return rows


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return importlib.util.find_spec(package.replace("-", "_")) is not None
    return True


def _data() -> list[dict[str, str]]:
    from probatum.problems import registry
    from probatum.problems.data_files import locate

    rows = []
    for name in registry.names():
        try:
            source = registry.problem_class(name).data_source
            if source is None:
                continue
            rows.append(_row(f"data of {name}", OK, str(locate(source))))
        except ProbatumError as error:
            remark = "; ".join(filter(None, (error.what, error.remedy)))
            rows.append(_row(f"data of {name}", MISSING, remark))
    return rows


def _campaigns(folder: Path) -> list[dict[str, str]]:
    """Every campaign that was run here, with what is wrong with its record."""
    from probatum.campaigns.verification import verify

    rows = []
    for state in sorted(folder.glob("*.probatum")):
        file = state.with_suffix(".toml")
        if not (state / "ledger.sqlite").exists():
            continue
        try:
            found = verify(file)
        except ProbatumError as error:
            rows.append(_row(f"campaign {file.name}", FAULT, str(error)))
            continue
        if found.whole:
            rows.append(_row(f"campaign {file.name}", OK, f"{found.artifacts} artifacts, all as they were written"))
        else:
            rows.append(_row(f"campaign {file.name}", FAULT, f"see 'probatum verify {file.name}'"))
    return rows
