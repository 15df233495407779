"""YAML that strangers wrote, as PEtab and Weights & Biases keep it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from probatum.errors import DataError, UsageError

DEEPEST = 100
"""Brackets within brackets; files of people have five. PyYAML's time grows with the square of them."""
MOST = 1_000_000
"""Values of a text whose aliases are written out, as every reader of it does sooner or later."""


def parse_yaml(text: str, where: str, remedy: str, install: str = "pip install pyyaml") -> Any:
    """What a YAML text says: mappings, lists, texts, numbers, and no objects of classes.

    Args:
        text: of the file.
        where: its name, for errors.
        remedy: what to do where it is no YAML.
        install: what to do where PyYAML is missing.

    Raises:
        DataError: it is no YAML, or is nested absurdly deeply, or holds more values than its length tells.
        UsageError: PyYAML is not installed.
    """
    try:
        import yaml
        from yaml.scanner import ScannerError
    except ImportError:
        raise UsageError("reading it needs PyYAML, which is not installed", where=where, remedy=install) from None

    class Loader(yaml.SafeLoader):
        def fetch_flow_collection_start(self, TokenClass: Any) -> None:
            if self.flow_level >= DEEPEST:
                raise ScannerError(None, None, f"more than {DEEPEST} brackets are open", self.get_mark())
            super().fetch_flow_collection_start(TokenClass)

        def get_single_node(self) -> Any:
            node = super().get_single_node()
            if node is not None and _values(node, {}) > MOST:
                raise ScannerError(None, None, "its aliases hold one another again and again", node.start_mark)
            return node

    try:
        loader = Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (ValueError, RecursionError, yaml.YAMLError) as error:  # ValueError: a date such as 2026-02-31
        said = " ".join(str(error).split())[:160]
        raise DataError(f"is no YAML: {said}", where=where, remedy=remedy) from None


def _values(node: Any, known: dict[int, float]) -> float:
    """How many values a node of PyYAML holds; inf where it holds itself.

    Args:
        node: of the text's graph.
        known: values of nodes by their identity; those that are being counted hold infinitely many.
    """
    if id(node) not in known:
        known[id(node)] = math.inf
        children: Iterable[Any] = () if isinstance(node.value, str) else node.value
        inner = (part for child in children for part in (child if isinstance(child, tuple) else (child,)))
        known[id(node)] = 1 + sum(_values(one, known) for one in inner)
    return known[id(node)]
