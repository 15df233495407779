"""Compiles the hand-written floor on the spot, where a C++ compiler is."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("floor.cpp")


def compiled() -> ctypes.CDLL | None:
    """The floor as a library; None where there is no compiler."""
    compiler = next((c for c in ("g++", "clang++", "c++") if shutil.which(c)), None)
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp()) / "floor.so"
    options = ["-O3", "-march=native", "-ffast-math", "-std=c++17", "-shared", "-fPIC", "-pthread"]
    subprocess.run([compiler, *options, str(SOURCE), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def train(
    library: ctypes.CDLL,
    inputs: np.ndarray,
    targets: np.ndarray,
    rows: Sequence[np.ndarray],
    epochs: int,
    rate: float,
    decay: float,
    threads: int,
) -> np.ndarray:
    """[replica, case, quantity] float32 predictions of networks trained on each set of rows."""

    def pointer(array: np.ndarray):
        kind = ctypes.c_float if array.dtype == np.float32 else ctypes.c_int
        return array.ctypes.data_as(ctypes.POINTER(kind))

    x, y = np.ascontiguousarray(inputs, dtype=np.float32), np.ascontiguousarray(targets, dtype=np.float32)
    flat = np.concatenate(rows).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int32)
    predictions = np.empty((len(rows), len(x), y.shape[1]), dtype=np.float32)
    numbers = (ctypes.c_float(rate), ctypes.c_float(decay), threads)
    library.train(pointer(x), pointer(y), len(x), pointer(flat), pointer(offsets), len(rows), epochs, *numbers, pointer(predictions))  # fmt: skip  # noqa: E501
    return predictions
