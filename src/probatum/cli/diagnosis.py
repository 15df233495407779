"""What this installation has: versions, machine, accelerator, caches, extras, data, and the campaigns of this folder.

Looks only: nothing is downloaded, made or locked.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.errors import ProbatumError
from probatum.version import __version__

if TYPE_CHECKING:
    from probatum.campaigns.ledgers.files import LedgerSite

SCHEMA = 1
OK, MISSING, FAULT = "ok", "missing", "fault"
CORE = ("jax", "numba", "numpy", "scipy", "scikit-learn", "lightgbm", "sqlalchemy")
LEAST_DISK = 200 * 2**20
"""Free bytes below which a run is likely to fill the disk."""
HOLDER = "lock.holder"


def diagnosis() -> dict[str, Any]:
    """What is here.

    Returns:
        {'schema': 1, 'checks': rows of {'what', 'state', 'remark', 'values'}}. A state is 'ok', 'missing' (optional) or
        'fault'; a remark is for people, values are the same for programs.
    """
    here = Path.cwd()
    rows = [*_program(), _cores(), _memory(), _disk(here), _accelerator(), _programs(), *_extras(), *_data()]
    return {"schema": SCHEMA, "checks": [*rows, *_campaigns(here)]}


def _row(what: str, state: str, remark: str, **values: Any) -> dict[str, Any]:
    return {"what": what, "state": state, "remark": remark, "values": values}


def _program() -> Iterator[dict[str, Any]]:
    yield _row("probatum", OK, __version__, version=__version__, folder=str(Path(__file__).parents[1]))
    system = {"version": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    yield _row("python", OK, "{version} on {system} {machine}".format(**system), **system)
    for name in CORE:
        try:
            yield _row(name, OK, version(name), version=version(name))
        except PackageNotFoundError:
            yield _row(name, FAULT, "not installed: pip install probatum")


# ---------------------------------------------------------------------- the machine


def _cores() -> dict[str, Any]:
    there = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    remark = str(there) if usable == there else f"{usable} of {there} may be used by this process"
    return _row("cores", OK, remark, cores=there, usable=usable)


def _memory() -> dict[str, Any]:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # systems that do not say
        return _row("memory", OK, "this system does not say")
    return _row("memory", OK, f"{_size(total)}, of which {_size(free)} are unused", total=total, unused=free)


def _disk(here: Path) -> dict[str, Any]:
    try:
        free = shutil.disk_usage(here).free
    except OSError as error:
        return _row("disk", FAULT, f"{here}: {error.strerror}")
    writable = os.access(here, os.W_OK)
    remark = f"{_size(free)} free at {here}" + ("" if writable else ", where nothing can be written")
    return _row("disk", OK if free > LEAST_DISK else FAULT, remark, free=free, writable=writable)


def _accelerator() -> dict[str, Any]:
    try:
        import jax

        devices = jax.devices()
    except (ImportError, RuntimeError) as error:
        return _row("accelerator", FAULT, f"JAX does not start: {error}")
    kinds = [device.device_kind for device in devices]
    if devices[0].platform == "cpu":
        return _row("accelerator", MISSING, "none; nothing needs one", platform="cpu", devices=kinds)
    remark = f"{len(devices)} x {kinds[0]}"
    return _row("accelerator", OK, remark, platform=devices[0].platform, devices=kinds)


def _programs() -> dict[str, Any]:
    """The cache of compiled programs, which the first run of a network fills."""
    what = "compiled programs"
    try:
        from probatum.learning.compilation import programs_folder

        folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR") or programs_folder())
    except ImportError as error:
        return _row(what, FAULT, str(error))
    # Another process may clear it meanwhile.
    sizes = [entry.stat().st_size for entry in folder.glob("*") if entry.is_file()] if folder.is_dir() else []
    parent = next(place for place in (folder, *folder.parents) if place.exists())
    values = {"folder": str(folder), "files": len(sizes), "bytes": sum(sizes), "writable": os.access(parent, os.W_OK)}
    if not values["writable"]:
        return _row(what, MISSING, f"{folder} cannot be written: every process compiles again", **values)
    if not sizes:
        return _row(what, MISSING, f"none yet in {folder}: the first run of a network compiles", **values)
    return _row(what, OK, f"{len(sizes)} files, {_size(sum(sizes))} in {folder}", **values)


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"


# ---------------------------------------------------------------------- extras and data


def _extras() -> list[dict[str, Any]]:
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
        install = f"pip install 'probatum[{extra}]'"
        remark = f"lacks {', '.join(lacking)}: {install}" if lacking else ", ".join(packages)
        state = MISSING if lacking else OK
        rows.append(_row(f"extra {extra}", state, remark, packages=packages, lacking=lacking, install=install))
    return rows


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return importlib.util.find_spec(package.replace("-", "_")) is not None
    return True


def _data() -> Iterator[dict[str, Any]]:
    """The published files of every problem that has some, compared with their checksums."""
    from probatum.problems import registry
    from probatum.problems.data_files import local_files

    for name in registry.names():
        what = f"data of {name}"
        try:
            source = registry.problem_class(name).data_source
            if source is None:
                continue
            found = local_files(source)
        except (ProbatumError, OSError) as error:
            yield _row(what, FAULT, str(error))
            continue
        values = {"folder": str(found.folder or ""), "missing": found.missing, "other": found.other}
        if found.missing:
            lacking = "not here" if found.folder is None else f"lacks {', '.join(found.missing)}"
            yield _row(what, MISSING, f"{lacking}; {source.remedy}", **values)
        elif found.other:
            remark = f"{found.folder}: not the published {', '.join(found.other)}, which a copy of your own may well be"
            yield _row(what, OK, remark, **values)
        else:
            yield _row(what, OK, f"{found.folder}: every file as published", **values)


# ---------------------------------------------------------------------- campaigns


def _campaigns(folder: Path) -> Iterator[dict[str, Any]]:
    """Every campaign that was run here, with what is wrong with its record."""
    from probatum.campaigns.ledgers.files import LedgerSite

    for state in sorted(folder.glob("*.probatum")):
        file = state.with_suffix(".toml")
        try:
            site = LedgerSite.of(file)
            if site.exists():
                yield _campaign(file, site)
        except (ProbatumError, OSError) as error:
            yield _row(f"campaign {file.name}", FAULT, str(error))


def _campaign(file: Path, site: LedgerSite) -> dict[str, Any]:
    from probatum.campaigns.ledgers.files import state_folder
    from probatum.campaigns.ledgers.schema import SCHEMA_VERSION
    from probatum.campaigns.verification import verify

    found = verify(file, scores=False)  # opens the ledger, and so refuses another schema
    ledger = site.open()
    try:
        summary = ledger.summary()
    finally:
        ledger.close()
    holder = site.holder()
    stale = holder is None and not site.shared and (state_folder(file) / HOLDER).exists()
    values = {
        "schema": SCHEMA_VERSION, "shared": site.shared, "holder": holder, "stale_lock": stale,
        "experiments": sum(summary.experiments.values()), "fits": summary.fits, "done": summary.done,
        "failed": summary.failed, "artifacts": found.artifacts, "bytes": found.size, "missing": len(found.missing),
        "changed": len(found.changed), "unnamed": len(found.unnamed), "rows": len(found.rows), "ledger": found.ledger,
        "file": file.exists(),
    }  # fmt: skip
    said = [
        f"{values['experiments']} experiments, {summary.done} of {summary.fits} fits done, {summary.failed} failed",
        f"{found.artifacts} artifacts ({_size(found.size)}), "
        + ("all as they were written" if not (found.missing or found.changed) else "not all as they were written"),
        f"ledger of schema {SCHEMA_VERSION}" + (f" is damaged: {found.ledger}" if found.ledger else ", whole"),
    ]
    if found.rows:
        said.append(f"{len(found.rows)} rows of it were changed")
    if holder is not None:
        said.append(f"in use: {holder}")
    elif stale:
        said.append("its last run was killed: run it again")
    if not file.exists():
        said.append("its campaign file is gone")
    if not found.whole:
        said.append(f"see 'probatum verify {file.name}'")
    return _row(f"campaign {file.name}", OK if found.whole else FAULT, "; ".join(said), **values)
