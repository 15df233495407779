"""What a learner's parameters mean, read from where their author wrote it, and their defaults."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from inspect import Parameter, signature
from itertools import pairwise
from typing import Any

from probatum.learning.learner import LearnerKind

UNDERLINED = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}\n|\Z)", re.MULTILINE | re.DOTALL)
"""The section of numpydoc: headings are underlined."""
HEADED = re.compile(r"^(?:Args|Attributes|Parameters):\n((?:[ \t]+.*\n|\n)+)", re.MULTILINE)
"""The sections of Google's style: what belongs to them is indented."""
OF_NUMPYDOC = re.compile(r"^(\w+(?:, \w+)*) ?:[^\n]*\n((?:[ \t]+[^\n]*\n?)+)", re.MULTILINE)
"""Names with a type, and the indented paragraph below."""
OF_GOOGLE = re.compile(r"^(\w+(?:, \w+)*): ([^\n]*\n?(?:[ \t]+[^\n]*\n?)*)", re.MULTILINE)
"""Names, and what stands after the colon and indented below."""


def parameter_texts(kind: LearnerKind) -> dict[str, str]:
    """Each parameter that a recipe may set to what it means and its default, as far as either is known.

    Args:
        kind: of the learner.

    Raises:
        CampaignFileError: the estimator cannot be imported.
    """
    estimator = kind.estimator_class()
    meanings: dict[str, str] = {}
    defaults: dict[str, Any] = {}
    for ancestor in reversed(estimator.__mro__[:-1]):
        meanings |= _of_docstring(ancestor.__doc__) | _of_attributes(ancestor)
        if "__init__" in vars(ancestor):
            meanings |= _of_docstring(ancestor.__init__.__doc__)
            defaults |= {p.name: p.default for p in signature(ancestor.__init__).parameters.values()}
    return {name: _text(meanings.get(name, ""), defaults.get(name, Parameter.empty)) for name in kind.parameters()}


def _text(meaning: str, default: Any) -> str:
    return f"{meaning} (default: {default!r})".strip() if default is not Parameter.empty else meaning


def _of_docstring(text: str | None) -> dict[str, str]:
    text = f"{inspect.cleandoc(text or '')}\n"
    found: dict[str, str] = {}
    for section, entry in ((UNDERLINED, OF_NUMPYDOC), (HEADED, OF_GOOGLE)):
        for body in section.findall(text):
            for names, meaning in entry.findall(textwrap.dedent(body)):
                first = textwrap.dedent(meaning).strip().split("\n\n")[0]
                found |= dict.fromkeys(names.split(", "), " ".join(first.split()))
    return found


def _of_attributes(ancestor: type) -> dict[str, str]:
    """Texts that stand below the attributes of a class, as those of data classes do."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(ancestor))).body
    except (OSError, TypeError, SyntaxError, ValueError):  # compiled, or made while the program runs
        return {}
    found: dict[str, str] = {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for above, below in pairwise(body):
        named = isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name)
        written = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if named and written and isinstance(below.value.value, str):  # type: ignore[union-attr]
            found[above.target.id] = " ".join(below.value.value.split())  # type: ignore[union-attr]
    return found
