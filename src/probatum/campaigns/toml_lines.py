"""Finds the lines of a campaign file that keys stand in, so that an error can name them."""

from __future__ import annotations

import re


class TomlLines:
    """The lines of a campaign file.

    Args:
        text: of the file.
        name: of the file.
    """

    def __init__(self, text: str, name: str):
        self.lines, self.name = text.splitlines(), name
        self.headers = [i for i, line in enumerate(self.lines) if re.match(r"\s*\[\[\s*experiment\s*\]\]", line)]

    def place(self, key: str, *, section: str | None = None) -> str:
        """'file:line' of a key, at the top or in a section."""
        start = 0
        if section is not None:
            pattern = rf"\s*\[{re.escape(section)}\]"
            start = next((i for i, line in enumerate(self.lines) if re.match(pattern, line)), 0)
        return self._find(key, start, len(self.lines)) or self.name

    def header(self, section: str) -> str:
        """'file:line' of a section's header; where it has none, of the key that is its name."""
        pattern = rf"\s*\[{re.escape(section)}\]"
        line = next((i for i, line in enumerate(self.lines) if re.match(pattern, line)), None)
        if line is not None:
            return f"{self.name}:{line + 1}"
        outer, _, key = section.rpartition(".")
        return self.place(key, section=outer or None)

    def experiment(self, index: int, word: str | None = None) -> str:
        """'file:line' of an experiment's header, or of the first line in it that names the word."""
        if index >= len(self.headers):
            return f"{self.name}: experiment {index + 1}"
        start = self.headers[index]
        end = self.headers[index + 1] if index + 1 < len(self.headers) else len(self.lines)
        if word is not None:
            for before in (r"\w.", r"\w"):  # 'kind' stands in 'model.kind' only where it does not stand alone
                for i in range(start, end):
                    if re.search(rf"(?<![{before}]){re.escape(word)}(?!\w)", self.lines[i].split("#")[0]):
                        return f"{self.name}:{i + 1}"
            last = word.rpartition(".")[2]
            if last != word:
                return self.experiment(index, last)
        return f"{self.name}:{start + 1}"

    def _find(self, key: str, start: int, end: int) -> str | None:
        for i in range(start, end):
            if re.match(rf"\s*(\[+\s*)?\"?{re.escape(key)}\b", self.lines[i]):
                return f"{self.name}:{i + 1}"
        return None
