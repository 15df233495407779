"""Parameters of a network by path: 'weights.0', 'encoder.bias'; groups of them by prefix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from probatum.errors import CampaignFileError, nearest


def paths(tree: Any) -> list[str]:
    """The path of every leaf, in the order of `jax.tree.leaves`: attributes, keys and places joined by dots."""
    return [".".join(map(_name, path)) for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]


def under(path: str, prefix: str) -> bool:
    """Whether a path is the prefix or below it: 'weights.0' is under 'weights', 'weights.10' not under 'weights.1'."""
    return path == prefix or path.startswith(prefix + ".")


def selected(tree: Any, prefixes: Sequence[str]) -> Any:
    """A tree of bools: which leaves are under one of the prefixes."""
    structure = jax.tree.structure(tree)
    return jax.tree.unflatten(structure, [any(under(path, p) for p in prefixes) for path in paths(tree)])


def check_prefixes(tree: Any, prefixes: Sequence[str]) -> None:
    """Refuses prefixes that nothing is under.

    Raises:
        CampaignFileError: offering the nearest group.
    """
    known = paths(tree)
    for prefix in prefixes:
        if not any(under(path, prefix) for path in known):
            whole = sorted({".".join(path.split(".")[:depth]) for path in known for depth in (1, 2)})
            raise CampaignFileError(f"no parameters under '{prefix}'", remedy=nearest(prefix, whole))


def layers(tree: Any) -> dict[str, list[int]]:
    """The matrices of each layer: a top-level attribute, or an entry of one that is a list.

    Returns:
        From the layer's name to the places of its matrices among `jax.tree.leaves`; vectors (biases, gains) are left
        out.
    """
    found: dict[str, list[int]] = {}
    flat = jax.tree_util.tree_flatten_with_path(tree)[0]
    for place, (path, leaf) in enumerate(flat):
        if np.ndim(leaf) > 1:
            listed = len(path) > 1 and isinstance(path[1], jax.tree_util.SequenceKey)
            found.setdefault(".".join(map(_name, path[: 1 + listed])), []).append(place)
    return found


def _name(key: Any) -> str:
    for attribute in ("name", "idx", "key"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)
