"""Artifacts are named by their content, whole or absent, never pickled, and never trusted unseen."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from campaigns.small_campaigns import python
from probatum.campaigns.artifacts import ArtifactStore
from probatum.errors import StorageError

ARRAYS = {"prediction": np.arange(6.0).reshape(3, 2), "rows": np.array([3, 1, 2], dtype=np.int32)}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def files(store: ArtifactStore) -> list[Path]:
    return [p for p in store.folder.rglob("*") if p.is_file()]


def said(error: pytest.ExceptionInfo[StorageError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


numbers = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int32, np.int64, np.bool_]), hnp.array_shapes(min_dims=1, max_dims=3)
)


@given(st.dictionaries(st.sampled_from(["a", "offsets", "curve/loss"]), numbers, min_size=1))
def test_arrays_come_back_bit_by_bit(arrays: dict[str, np.ndarray]):
    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder))
        again = store.read_arrays(store.write_arrays(arrays))
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert again[name].shape == array.shape
        assert again[name].tobytes() == array.tobytes()


def test_weights_come_back(store: ArtifactStore):
    tensors = {"layer/weight": np.arange(6, dtype=np.float32).reshape(2, 3).T, "layer/bias": np.ones(3)}
    name = store.write_tensors(tensors)
    assert name.endswith(".safetensors")
    for key, array in store.read_tensors(name).items():
        assert np.array_equal(array, tensors[key])


def test_an_artifact_is_named_by_its_content(store: ArtifactStore):
    name = store.write_arrays(ARRAYS)
    digest, _, suffix = name.partition(".")
    assert suffix == "npz"
    assert hashlib.sha256(store.path(name).read_bytes()).hexdigest() == digest


def test_the_same_content_is_one_file(store: ArtifactStore, tmp_path: Path):
    name = store.write_arrays(ARRAYS)
    before = store.path(name).stat().st_mtime_ns
    assert store.write_arrays({k: v.copy() for k, v in ARRAYS.items()}) == name
    assert files(store) == [store.path(name)]
    assert store.path(name).stat().st_mtime_ns == before
    assert ArtifactStore(tmp_path / "other").write_arrays(ARRAYS) == name


def test_other_content_is_another_file(store: ArtifactStore):
    changed = {**ARRAYS, "rows": np.array([3, 1, 5], dtype=np.int32)}
    assert store.write_arrays(ARRAYS) != store.write_arrays(changed)
    assert len(files(store)) == 2


@pytest.mark.parametrize(
    "array", [np.array([{"a": 1}], dtype=object), np.array([(1, None)], dtype=[("x", int), ("y", object)])]
)
def test_objects_are_refused_and_leave_nothing(store: ArtifactStore, array: np.ndarray):
    with pytest.raises(TypeError, match="'bad' holds Python objects"):
        store.write_arrays({**ARRAYS, "bad": array})
    assert files(store) == []


def test_a_pickle_is_never_opened(store: ArtifactStore, tmp_path: Path):
    """A file whose checksum fits its name, as somebody who wants our trust would make it."""

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "trap.npz", a=np.array([Trap()], dtype=object))
    content = (tmp_path / "trap.npz").read_bytes()
    name = f"{hashlib.sha256(content).hexdigest()}.npz"
    store.path(name).parent.mkdir()
    store.path(name).write_bytes(content)
    with pytest.raises(ValueError, match="allow_pickle"):
        store.read_arrays(name)
    assert not (tmp_path / "sprung").exists()


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_one_changed_byte_is_noticed(place: int, change: int):
    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder))
        path = store.path(name := store.write_arrays(ARRAYS))
        content = bytearray(path.read_bytes())
        content[place % len(content)] ^= change
        path.write_bytes(content)
        with pytest.raises(StorageError) as raised:
            store.read_arrays(name)
    assert "checksum differs" in said(raised)
    assert name in said(raised)


def test_a_cut_or_missing_file_is_noticed(store: ArtifactStore):
    path = store.path(name := store.write_arrays(ARRAYS))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StorageError, match="checksum differs"):
        store.read_arrays(name)
    path.unlink()
    with pytest.raises(StorageError, match="cannot be read: No such file"):
        store.read_arrays(name)


def test_a_cut_file_is_made_whole_by_writing_again(store: ArtifactStore):
    path = store.path(name := store.write_arrays(ARRAYS))
    path.write_bytes(path.read_bytes()[:-1])
    assert store.write_arrays(ARRAYS) == name
    assert np.array_equal(store.read_arrays(name)["rows"], ARRAYS["rows"])


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from probatum.campaigns.artifacts import ArtifactStore
store = ArtifactStore(Path(sys.argv[1]))
store.write_arrays({"whole": np.ones(3)})
os.fsync = lambda handle: os.kill(os.getpid(), 9)  # killed when the bytes are written, before they have their name
store.write_arrays({"half": np.zeros(9)})
"""


def test_a_killed_writer_leaves_no_artifact_that_is_not_whole(store: ArtifactStore):
    with python(KILLED, store.folder) as process:
        process.communicate(timeout=60)
    assert process.returncode == -9
    kinds = sorted(p.suffix for p in files(store))
    assert kinds == ["", ".npz"]  # the partial file has no name that anybody could know
    assert store.sweep() == 1
    (left,) = files(store)
    assert np.array_equal(store.read_arrays(left.name)["whole"], np.ones(3))
    assert store.sweep() == 0


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from probatum.campaigns.artifacts import ArtifactStore
from probatum.errors import StorageError
store = ArtifactStore(Path(sys.argv[1]))
small = store.write_arrays({"small": np.zeros(8)})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    store.write_arrays({"large": np.zeros(4096)})
except StorageError as error:
    print(error)
assert store.read_arrays(small)["small"].sum() == 0
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system limits no file sizes")
def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written(store: ArtifactStore):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(store.folder)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().splitlines() == [done.stdout.strip()]
    assert "the disk is full; free space and run again; what is recorded is kept" in done.stdout
    assert len(files(store)) == 1


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError) as raised:
        ArtifactStore(tmp_path / "file" / "artifacts")
    assert "make the folder writable" in said(raised)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(store: ArtifactStore):
    """A file where the artifact's own folder should be: nobody may write there, whoever they are."""
    first = store.write_arrays(ARRAYS)
    store.path(first).unlink()
    store.path(first).parent.rmdir()
    store.path(first).parent.write_text("in the way")
    with pytest.raises(StorageError) as raised:
        store.write_arrays(ARRAYS)
    assert str(store.path(first).parent) in said(raised)
    assert "cannot be written" in said(raised)


def test_many_threads_may_write_the_same_artifact(store: ArtifactStore):
    names: list[str] = []
    together = threading.Barrier(8)

    def write() -> None:
        together.wait()
        names.extend(store.write_arrays({"i": np.arange(i % 4)}) for i in range(12))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 96
    assert sorted(p.name for p in files(store)) == sorted(set(names))
    for name in set(names):
        store.read_arrays(name)


def test_artifacts_can_be_read_by_whom_new_files_can_be_read(tmp_path: Path):
    store = ArtifactStore(tmp_path / "store")
    name = store.write_arrays({"a": np.arange(3)})
    usual = tmp_path / "usual"
    usual.touch()
    assert store.path(name).stat().st_mode == usual.stat().st_mode
