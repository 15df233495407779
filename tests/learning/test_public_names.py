"""The names of `probatum.learning`: all there, nothing else, and JAX loads with none of them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from probatum import learning


@pytest.mark.parametrize("name", learning.__all__)
def test_every_public_name_is_there(name: str):
    found = getattr(learning, name)
    assert found.__name__ == name
    assert getattr(import_module(found.__module__), name) is found


def test_no_other_name_is():
    with pytest.raises(AttributeError, match="MLPRegresor"):
        _ = learning.MLPRegresor  # type: ignore[attr-defined]
    exported: dict[str, object] = {}
    exec("from probatum.learning import *", exported)
    assert set(learning.__all__) <= set(exported)


def test_every_network_that_recipes_may_name_can_be_imported_by_its_class():
    from probatum.learning.networks import NETWORKS

    classes = {kind.path.partition(":")[2] for kind in NETWORKS.values()}
    assert classes == {name for name in learning.__all__ if name.endswith("Regressor")}


def test_neither_the_package_nor_an_estimators_name_imports_jax():
    names = ", ".join(learning.__all__)
    check = (
        "import sys, probatum.learning; print('sklearn' in sys.modules); "
        f"from probatum.learning import {names}; print('jax' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "False"]
