"""Whoever installs `probatum[all]` gets permissive licences, and a few others that are named here with a reason."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PERMISSIVE = re.compile(
    r"""MIT(-CMU|-0)?|MIT[ ]License|0?BSD([ -][234][ -]Clause)?([ ]License)?|[234][ -]Clause[ ]BSD([ ]License)?
    |Apache[ -]2\.0|Apache([ ]Software)?[ ]License|(The[ ])?Apache[ ]License,?[ ](Version[ ])?2\.0
    |ISC([ ]License[ ]\(ISCL\))?|PSF-2\.0|Python[ ]Software[ ]Foundation[ ]License
    |Zlib|CC0-1\.0|Unlicense|BSL-1\.0|LLVM-exception|HPND""",
    re.VERBOSE | re.IGNORECASE,
)
NAMED = {
    "certifi": "MPL 2.0: a list of certificates, used as it is",
    "tqdm": "MPL 2.0 in part: used as it is",
    "python-libsbml": "LGPL: an extension module that is loaded, in the extra 'metabolism' alone",
    "rainbow-api": "LGPL: imported as it is, in the extra 'gas_chromatography' alone",
    "psycopg": "LGPL: imported as it is, in the extra 'postgres' alone",
    "psycopg-binary": "LGPL: imported as it is, in the extra 'postgres' alone",
    "nvidia-nccl-cu12": "proprietary: drfp asks for the xgboost that brings it on Linux; nothing here loads it",
}
"""Licences that ask for more than a notice, and why that is no trouble here."""


def needed() -> dict[str, Distribution | None]:
    """Every distribution that `probatum[all]` brings, by its normalised name; None where it is not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line) for line in (*project["dependencies"], "probatum[all]")]
    found: dict[str, Distribution | None] = {}
    looked_at: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        if requirement.name == "probatum":
            waiting += [Requirement(line) for e in requirement.extras for line in project["optional-dependencies"][e]]
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        try:
            found[name] = distribution(requirement.name)
        except PackageNotFoundError:
            found[name] = None
        for extra in {"", *requirement.extras} - {extra for known, extra in looked_at if known == name}:
            looked_at.add((name, extra))
            for line in (() if found[name] is None else found[name].requires) or ():
                further = Requirement(line)
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    waiting.append(further)
    return found


def licence_of(found: Distribution) -> str:
    """As the distribution states it: an SPDX expression, its classifiers, or free text."""
    metadata = found.metadata
    classifiers = [c.split(" :: ")[-1] for c in metadata.get_all("Classifier") or () if c.startswith("License ::")]
    return metadata.get("License-Expression") or "; ".join(classifiers) or (metadata.get("License") or "")[:60]


def is_permissive(licence: str) -> bool:
    """Whether each licence that an expression names is; any one of alternatives will do."""
    parts = re.split(r"\s+(?:AND|WITH)\s+|;\s*", licence.split(" OR ")[0].replace("(", " (").strip())
    return bool(licence) and all(PERMISSIVE.fullmatch(part.strip(" ").replace("  ", " ")) for part in parts)


def test_licences_of_all_that_is_installed_are_permissive_or_named():
    found = {name: licence_of(one) for name, one in needed().items() if one is not None}
    assert len(found) > 50
    others = {name: licence for name, licence in found.items() if not is_permissive(licence) and name not in NAMED}
    assert not others


def test_no_licence_spreads_to_the_program():
    """The GPL stays in an extra of the benchmarks, which nothing of the program imports."""
    for name, one in needed().items():
        if one is not None:
            assert not re.search(r"(?<!L)GPL|Affero|GNU General Public", licence_of(one)), name
