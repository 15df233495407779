"""The public names: all there, nothing else, and none of them costs anything before it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

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


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("jax", "numpy", "sklearn", "scipy", "sqlalchemy", "pandas", "pydantic", "rich", "typer")
    check = f"import sys, probatum; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"
