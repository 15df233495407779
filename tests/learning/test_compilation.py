import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from probatum.learning import compilation

TRAINING = """
import numpy as np
from probatum.learning.networks.mlp_regressor import MLPRegressor
X = np.random.default_rng(0).normal(size=(20, 3))
print(MLPRegressor((4,), epochs=2).fit(X, X[:, 0]).predict(X)[:2].tolist())
"""


def train(cache: Path, **environment: str) -> subprocess.Popen:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    variables |= {"XDG_CACHE_HOME": str(cache), **environment}
    command = [sys.executable, "-W", "error", "-c", TRAINING]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_programs_are_kept_and_several_processes_may_share_them(tmp_path: Path) -> None:
    together = [train(tmp_path) for _ in range(2)]
    printed = {p.communicate() for p in together}
    kept = list((tmp_path / "probatum" / "programs").rglob("*-cache"))
    printed.add(train(tmp_path).communicate())
    assert kept
    assert len(printed) == 1
    assert next(iter(printed))[1] == ""


def test_a_damaged_cache_only_means_compiling_again(tmp_path: Path) -> None:
    before = train(tmp_path).communicate()
    for kept in (tmp_path / "probatum" / "programs").rglob("*-cache"):
        kept.write_bytes(kept.read_bytes()[:100])
    assert train(tmp_path).communicate() == before


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "probatum").write_text("a file where the folder should be")
    printed, errors = train(tmp_path).communicate()
    assert printed
    assert errors == ""


def test_a_cache_of_the_users_own_is_left_in_place(tmp_path: Path) -> None:
    train(tmp_path, JAX_COMPILATION_CACHE_DIR=str(tmp_path / "own")).communicate()
    assert not (tmp_path / "probatum").exists()


def test_programs_that_were_not_used_for_long_are_let_go(monkeypatch) -> None:
    monkeypatch.setattr(compilation, "_programs", compilation._programs.copy())
    monkeypatch.setattr(compilation, "PROGRAMS_KEPT", 3)
    row = np.ones(2, dtype=np.float32)
    for shift in range(5):
        program = compilation.compiled(f"shift {shift}", lambda x, shift=shift: x + shift, (row,))
        np.testing.assert_array_equal(program(row), row + shift)
        compilation.compiled("used again and again", lambda x: 2 * x, (row,))
    names = [key[0] for key in compilation._programs]  # type: ignore[index]
    assert names == ["shift 3", "shift 4", "used again and again"]
