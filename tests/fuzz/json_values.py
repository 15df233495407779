"""Values that JSON can say: of every type, of every size, nested deep, and with texts that try to be something else."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = (
    "", "ridge", "mean", " ridge ", "nobody", "../../etc/passwd", "/etc/passwd", "..\\..\\x", "file:///etc/passwd",
    "evil:Model", "os:system", "model.pkl", "lab.toml:ridge", "held out: ridge", "trivial: mean", "<script>", "a\0b",
    "\x1b[31m", "\u202e", "\ud800", "é" * 300, "x" * 2000, "{{7*7}}", "%s%n", "NaN", "1e999", "-1", "9" * 400,
    "PB101", "protocol", "recipe", "[[proposal]]\nparent = 'ridge'\nmodel.alpha = 2.0\n",
)  # fmt: skip
"""Names that there are, names that there are not, paths, import paths, markup, control characters, long ones."""
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 4, 2**31, 2**63, -(2**64), 10**400, 0.5, 1e308, float("nan"), float("inf"), -float("inf"), True, False,
)  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    """A text that tries to be something else, or any text, lone surrogates too."""
    return st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=()), max_size=40)


def values() -> st.SearchStrategy[Any]:
    """Any value, small ones most often."""
    leaves = st.none() | st.sampled_from(NUMBERS) | st.integers() | st.floats() | texts()
    return st.recursive(
        leaves, lambda v: st.lists(v, max_size=4) | st.dictionaries(texts(), v, max_size=4), max_leaves=8
    )


def deep(levels: int, *, table: bool) -> Any:
    """Lists in lists, or tables in tables."""
    found: Any = 1.0
    for _ in range(levels):
        found = {"a": found} if table else [found]
    return found


def odd_values() -> st.SearchStrategy[Any]:
    """Any value, and now and then one that is nested deep or wide."""
    nested = st.builds(lambda levels, table: deep(levels, table=table), st.sampled_from([6, 30, 60]), st.booleans())
    wide = st.sampled_from([[0] * 3000, ["x"] * 500, {f"k{i}": i for i in range(500)}])
    return st.one_of(values(), values(), values(), nested, wide)
