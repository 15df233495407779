"""How programs are compiled: each execution on one thread, and kept on disk so that no program compiles twice."""

from __future__ import annotations

import hashlib
import os
import platform
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
from platformdirs import user_cache_dir

ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}
"""Parallelism comes from chunks on Python threads; inside a chunk it would cost time and tie bits to the core count."""

PROGRAMS_KEPT = 64
"""Executables kept in a process, the last used ones. Each holds some 350 memory mappings, and Linux gives a process
65,530: without a limit, a campaign of 180 architectures ends in an abort."""

_programs: OrderedDict[Hashable, Any] = OrderedDict()
_compiling = threading.Lock()


def compiled(key: Hashable, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The executable of a function for arguments of these shapes; the last `PROGRAMS_KEPT` are kept in the process.

    Args:
        key: what the function is, apart from the shapes of its arguments.
        function: to be traced.
        arguments: pytrees of arrays; only structures, shapes and types matter.
    """
    leaves, structure = jax.tree.flatten(arguments)
    whole = (key, structure, tuple((leaf.shape, leaf.dtype.str) for leaf in leaves))
    with _compiling:
        if whole not in _programs:
            keep_programs_on_disk()
            options = ONE_THREAD if jax.default_backend() == "cpu" else None
            with warnings.catch_warnings():
                # An unreadable or half-written cache entry only means compiling again.
                warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")
                _programs[whole] = jax.jit(function, compiler_options=options).lower(*arguments).compile()
        _programs.move_to_end(whole)
        while len(_programs) > PROGRAMS_KEPT:
            _programs.popitem(last=False)
        return _programs[whole]


def programs_folder() -> Path:
    """Where compiled programs are kept, one folder for each kind of machine; it need not be there."""
    return Path(user_cache_dir("probatum", appauthor=False)) / "programs" / _machine()


@lru_cache(maxsize=1)
def keep_programs_on_disk() -> Path | None:
    """Points JAX's persistent cache to the user's cache folder, unless the user has set one or it cannot be written.

    Returns:
        The folder in use by us, or None.
    """
    if getattr(jax.config, "jax_compilation_cache_dir", None) is not None:
        return None
    folder = programs_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def _machine() -> str:
    """A name for this kind of processor: code compiled for another one may not run, and home folders are shared."""
    try:
        flags = [
            line
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith(("flags", "Feat"))
        ]
    except OSError:
        flags = []
    known = f"{jax.__version__} {platform.machine()} {platform.processor()} {flags[:1]}"
    return hashlib.sha256(known.encode()).hexdigest()[:12]
