"""YAML that strangers wrote, as PEtab and Weights & Biases keep it."""

from __future__ import annotations

from typing import Any

from probatum.errors import DataError, UsageError

DEEPEST = 100
"""Brackets within brackets; files of people have five. PyYAML's time grows with the square of them."""


def parse_yaml(text: str, where: str, remedy: str, install: str = "pip install pyyaml") -> Any:
    """What a YAML text says: mappings, lists, texts, numbers, and no objects of classes.

    Args:
        text: of the file.
        where: its name, for errors.
        remedy: what to do where it is no YAML.
        install: what to do where PyYAML is missing.

    Raises:
        DataError: it is no YAML, or nested absurdly deeply.
        UsageError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise UsageError("reading it needs PyYAML, which is not installed", where=where, remedy=install) from None

    class Loader(yaml.SafeLoader):
        def fetch_flow_collection_start(self, TokenClass: Any) -> None:
            if self.flow_level >= DEEPEST:
                raise yaml.scanner.ScannerError(None, None, f"more than {DEEPEST} brackets are open", self.get_mark())
            super().fetch_flow_collection_start(TokenClass)

    try:
        return yaml.load(text, Loader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:  # ValueError: a date such as 2026-02-31
        said = " ".join(str(error).split())[:160]
        raise DataError(f"is no YAML: {said}", where=where, remedy=remedy) from None
