"""`new problem`: a package that brings a problem of one's own, with its tests; it works as it is."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path

from probatum.campaigns.artifacts import storage_errors
from probatum.cli.output import console, print_json
from probatum.errors import UsageError
from probatum.problems import registry

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
PARTS = {
    "pyproject.toml.template": "pyproject.toml",
    "README.md": "README.md",
    "campaign.toml.template": "@MODULE@.toml",
    "src/__init__.py.template": "src/@MODULE@/__init__.py",
    "src/problem.py.template": "src/@MODULE@/problem.py",
    "src/recipes.toml": "src/@MODULE@/recipes.toml",
    "tests/test_problem.py.template": "tests/test_@MODULE@.py",
}
"""Template to the file that is made of it."""


def write_problem_package(name: str, *, json: bool) -> None:
    """Writes the package into a new folder of this one.

    Args:
        name: of the problem and of its module: 'lime_kiln'; the folder is 'lime-kiln'.
        json: whether the answer is printed as JSON.

    Raises:
        UsageError: no name of a module, one that is taken, or a folder that is there.
    """
    module = name.replace("-", "_")
    where = "probatum new problem"
    if not NAME.fullmatch(module) or keyword.iskeyword(module):
        remedy = "lower case words joined by '_', as lime_kiln"
        raise UsageError(f"'{name}' is no name of a problem", where=where, remedy=remedy)
    if module in registry.BUILT_IN or module in sys.stdlib_module_names or module == "probatum":
        raise UsageError(f"the name '{module}' is taken", where=where, remedy="choose another")
    project = module.replace("_", "-")
    folder = Path(project)
    if folder.exists():
        raise UsageError("is already there", where=str(folder), remedy="choose another name")
    words = {"@MODULE@": module, "@PROJECT@": project, "@CLASS@": "".join(map(str.capitalize, module.split("_")))}
    templates = files("probatum.cli").joinpath("templates", "problem_package")
    written = []
    with storage_errors(folder.parent):
        for template, target in PARTS.items():
            path = folder / _filled(target, words)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = templates.joinpath(*template.split("/")).read_text(encoding="utf-8")
            path.write_text(_filled(text, words), encoding="utf-8")
            written.append(path.as_posix())
    if json:
        print_json({"folder": folder.as_posix(), "problem": module, "files": written})
        return
    out = console()
    out.print(f"wrote {folder}, a problem that works; README.md says what to replace", soft_wrap=True, markup=False)
    then = f"cd {folder} && pip install -e '.[test]' && pytest && probatum run {module}.toml"
    out.print(then, style="dim", soft_wrap=True, markup=False)


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
