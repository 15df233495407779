"""The public names: all there, nothing else, and none of them costs anything before it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import probatum
from probatum.version import __version__


@pytest.mark.parametrize("name", probatum.__all__)
def test_every_public_name_is_there(name: str):
    found = getattr(probatum, name)
    if name == "__version__":
        assert found == __version__
    elif name != "open":
        assert found.__name__ == name
        assert getattr(import_module(found.__module__), name) is found


def test_no_other_name_is():
    with pytest.raises(AttributeError, match="Laboratry"):
        _ = probatum.Laboratry
    exported: dict[str, object] = {}
    exec("from probatum import *", exported)
    assert set(probatum.__all__) <= set(exported)


@pytest.mark.parametrize("name", [name for name in probatum.__all__ if name != "__version__"])
def test_every_public_name_says_what_it_is_and_what_it_can_do(name: str):
    found = getattr(probatum, name)
    assert found.__doc__
    if inspect.isclass(found):
        methods = inspect.getmembers(found, inspect.isfunction)
        assert not [method for method, it in methods if not method.startswith("_") and not inspect.getdoc(it)]


def test_type_checkers_see_the_same_names():
    """What `if TYPE_CHECKING` imports is what asking for a name gives."""
    source = Path(probatum.__file__).read_text(encoding="utf-8")
    seen = {
        alias.name: node.module
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(seen) == set(probatum.__all__) - {"__version__", "open"}
    for name, module in seen.items():
        assert module is not None
        assert getattr(import_module(module), name) is getattr(probatum, name)


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("jax", "numpy", "sklearn", "scipy", "sqlalchemy", "pandas", "pydantic", "rich", "typer")
    check = f"import sys, probatum; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"
