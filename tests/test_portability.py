"""Linux is what is tested; nothing in the code closes the way to macOS and Windows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "probatum"
TREES = {m.relative_to(SOURCE).as_posix(): ast.parse(m.read_text(encoding="utf-8")) for m in SOURCE.rglob("*.py")}
POSIX = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "crypt", "spwd", "nis"}
WINDOWS = {"msvcrt", "winreg", "_winapi", "winsound"}
FORKS = {"os.fork", "os.forkpty", "os.wait", "os.waitpid", "os.mkfifo", "os.mknod", "os.chroot", "os.setuid", "os.nice"}
LINKS = {"os.symlink", "symlink_to"}
"""Symbolic ones, which Windows allows few people; a hard link that fails becomes a copy."""
TEXT = {"read_text", "write_text"}


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def at_the_top(tree: ast.Module) -> Iterator[str]:
    """Modules that importing this one imports, whatever the system."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_importing_a_module_needs_no_system_of_one_kind():
    for module, tree in TREES.items():
        assert not (POSIX | WINDOWS) & set(at_the_top(tree)), module


def test_no_process_forks_and_no_file_is_a_symbolic_link():
    for module, tree in TREES.items():
        for call in calls(tree):
            called = name_of(call.func)
            assert called not in FORKS, f"{module}, line {call.lineno}"
            assert called not in LINKS, f"{module}, line {call.lineno}"
            assert called.rpartition(".")[2] not in LINKS, f"{module}, line {call.lineno}"


def test_processes_are_spawned():
    """JAX and OpenMP hold threads, which a fork would lose; Windows and macOS know nothing else."""
    for module, tree in TREES.items():
        for call in calls(tree):
            called = name_of(call.func)
            if called.rpartition(".")[2] == "get_context":
                assert [ast.literal_eval(a) for a in call.args] == ["spawn"], f"{module}, line {call.lineno}"
            assert called not in ("multiprocessing.Process", "multiprocessing.Pool", "Pool"), (
                f"{module}, line {call.lineno}"
            )
            if called.rpartition(".")[2] == "ProcessPoolExecutor":
                assert "mp_context" in {word.arg for word in call.keywords}, f"{module}, line {call.lineno}"


def test_text_is_written_and_read_in_a_named_encoding():
    for module, tree in TREES.items():
        for call in calls(tree):
            called = (
                name_of(call.func).rpartition(".")[2] if isinstance(call.func, ast.Attribute) else name_of(call.func)
            )
            words = {word.arg for word in call.keywords}
            if called in TEXT:
                assert "encoding" in words or len(call.args) > (called == "write_text"), f"{module}, line {call.lineno}"
            if name_of(call.func) == "open" and module != "__init__.py":
                mode = next((a for a in call.args[1:2]), None)
                binary = isinstance(mode, ast.Constant) and "b" in str(mode.value)
                assert binary or "encoding" in words, f"{module}, line {call.lineno}"


def test_what_only_linux_has_is_asked_for_where_it_may_be_missing():
    """A path of Linux alone stands in a `try` that goes on without it."""
    for module, tree in TREES.items():
        guarded = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.Try)
            for part in node.body
            for inner in ast.walk(part)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith(("/proc/", "/sys/"))
            ):
                assert id(node) in guarded, f"{module}, line {node.lineno}"
