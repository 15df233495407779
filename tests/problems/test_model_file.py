"""A trained model is kept as arrays, found again as it was, and made again where its file is damaged."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from probatum.problems import model_file
from probatum.problems.catechol.calibration import Known, LeftOut, Situation
from probatum.problems.catechol.kinetic_fit import KineticFit
from probatum.problems.catechol.learners import KineticRegressor

numbers = st.floats(allow_nan=False) | st.integers(-(2**60), 2**60) | st.booleans() | st.none() | st.text(max_size=5)
some_arrays = arrays(np.float64, array_shapes(max_dims=2, max_side=3), elements=st.floats(-1e9, 1e9))
values = st.recursive(
    numbers | some_arrays,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(model_file.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path


def same(one: Any, other: Any) -> bool:
    """Equal in value, type and arrangement, arrays bit by bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if hasattr(one, "__dict__") and not isinstance(one, Situation):
        return same(vars(one), vars(other))
    return one == other


@given(values)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, value: Any):
    path = tmp_path_factory.mktemp("models") / "one.npz"
    model_file.write(path, value)
    assert same(model_file.read(path), value)


def test_records_estimators_and_enumerations_are_kept(tmp_path: Path):
    learner = KineticRegressor(noise=0.05)
    learner.kinetics_ = KineticFit(np.arange(2.0), np.eye(2), np.zeros(2))
    rows = LeftOut(*(np.ones((2, 3)) * k for k in (1, 2, 3)), np.array(["a", "bc"]), np.ones(2), np.ones(2))
    model = {
        "learner": learner,
        "rows": {Situation.MEASURED: rows},
        "known": Known({"a": (1.0, np.inf)}, {("a", "b"): (0.0, 1.0)}),
    }
    model_file.write(tmp_path / "one.npz", model)
    found = model_file.read(tmp_path / "one.npz")
    assert same(found, model)
    assert next(iter(found["rows"])) is Situation.MEASURED
    assert isinstance(found["learner"], KineticRegressor)


def test_a_model_is_made_once(cache: Path):
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"weights": np.arange(4.0)}

    first, second = (model_file.cached("problem/kind", "a" * 64, make) for _ in range(2))
    assert len(made) == 1
    assert same(first, second)
    model_file.cached("problem/kind", "b" * 64, make)
    assert len(made) == 2  # other data, or other code
    assert [path.suffix for path in cache.rglob("*") if path.is_file()] == [".npz", ".npz"]


def _flip(data: bytes) -> bytes:
    middle = data.index(b"array0.npy") + 60
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:100], lambda data: b"", _flip, lambda data: b"no archive at all"],
    ids=["cut short", "empty", "a bit flipped", "something else"],
)  # fmt: skip
def test_a_damaged_file_is_made_again(cache: Path, damage: Callable[[bytes], bytes]):
    key = "c" * 64
    model_file.cached("kind", key, lambda: {"weights": np.arange(400.0)})
    path = model_file.path_of("kind", key)
    path.write_bytes(damage(path.read_bytes()))
    again = model_file.cached("kind", key, lambda: {"weights": np.ones(3)})
    assert same(again, {"weights": np.ones(3)})
    assert same(model_file.read(path), {"weights": np.ones(3)})


def test_a_cache_that_cannot_be_written_is_no_error(cache: Path):
    (cache / "probatum").write_text("a file where the folder should be")
    assert model_file.cached("kind", "d" * 64, lambda: 5) == 5
    assert (cache / "probatum").is_file()


@pytest.mark.parametrize(
    "arrangement",
    [
        {"record": "subprocess:Popen", "parts": {"args": "true"}},
        {"record": "probatum.errors:nearest", "parts": {}},
        {"record": "probatum.problems.model_file:Path", "parts": {}},
        {"record": "probatum.problems.model_file:NoSuchClass", "parts": {}},
        {"enumeration": "probatum.errors:UsageError", "value": "x"},
        {"what": "is this"},
    ],
)
def test_a_file_cannot_name_anything_but_records_of_this_package(tmp_path: Path, arrangement: Any):
    path = tmp_path / "foreign.npz"
    np.savez(path, arrangement=np.array(json.dumps(arrangement)))
    with pytest.raises((ValueError, TypeError)):
        model_file.read(path)


def test_what_cannot_be_kept_is_refused(tmp_path: Path):
    with pytest.raises(TypeError, match="set cannot be written"):
        model_file.write(tmp_path / "one.npz", {1, 2})
    assert not list(tmp_path.iterdir())


def test_nothing_in_the_file_is_pickled(tmp_path: Path):
    model_file.write(tmp_path / "one.npz", {"names": np.array(["a", "b"]), "x": np.ones(2)})
    with zipfile.ZipFile(tmp_path / "one.npz") as archive:
        for name in archive.namelist():
            header = archive.read(name)[:128]
            assert b"|O" not in header


def test_a_key_depends_on_every_part_and_on_the_bytes_of_code(tmp_path: Path):
    one, other = tmp_path / "a.py", tmp_path / "b.py"
    one.write_text("x = 1")
    other.write_text("x = 1")
    keys = {model_file.key_of("a", "b"), model_file.key_of("ab"), model_file.key_of("b", "a")}
    keys |= {model_file.key_of("a", "b", code=[one]), model_file.key_of("a", "b", code=[other])}
    before = model_file.key_of("a", "b", code=[one, other])
    assert before == model_file.key_of("a", "b", code=[other, one])
    one.write_text("x = 2")
    assert len({*keys, before, model_file.key_of("a", "b", code=[one, other])}) == 7
