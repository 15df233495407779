"""Builds the documentation site: `python docs/site/build_site.py`, then open build/docs/site/index.html.

Pages are gathered in build/docs/pages (those of docs/, READMEs of the problems, the project's own pages, and the
reference that `reference.py` makes from the program), links between them are turned to where they stand there, and
Zensical builds the site. A link that leads nowhere, a missing name or anything that a page would load from elsewhere
fails the build.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).parent))

from navigation import as_toml, complete

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("docs/site")
BUILD = ROOT / "build" / "docs"
PROJECT = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[#)])")
MENTION = re.compile(r"\A`(docs/[\w/]+\.md)`\Z")
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](https?:)?//|<link\b(?=[^>]*stylesheet)[^>]*href=["'](https?:)?//"""
)
IMPORTED = re.compile(r"""(?:@import|url\()\s*["']?https?://""")


class LinkError(Exception):
    """A link that leads to nothing that the site has."""


def main() -> int:
    """Gathers and builds; the exit code."""
    from reference import pages as generated

    shutil.rmtree(BUILD, ignore_errors=True)
    pages = BUILD / "pages"
    places = sources()
    try:
        texts = {
            str(at): relinked((ROOT / source).read_text(encoding="utf-8"), source, places)
            for source, at in places.items()
            if source.suffix == ".md"
        }
    except LinkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    texts |= generated()
    for at, text in texts.items():
        _write(pages / at, text)
    for source, at in places.items():
        if source.suffix != ".md":
            _copy(ROOT / source, pages / at)
    for name in ("site.css", "iframe-worker.js"):
        _copy(ROOT / HERE / name, pages / "assets" / name)
    _write(BUILD / "zensical.toml", configuration(set(texts)))
    built = subprocess.run([Path(sys.executable).parent / "zensical", "build", "--strict"], cwd=BUILD)
    foreign = [f"{page.relative_to(BUILD)}: {what}" for page in (BUILD / "site").rglob("*") for what in loads(page)]
    for line in foreign:
        print(f"error: {line}", file=sys.stderr)
    return built.returncode or int(bool(foreign))


def sources() -> Mapping[PurePosixPath, PurePosixPath]:
    """Every file that the site shows: where it stands in the repository, and where in the site."""
    docs = [
        p.relative_to(ROOT / "docs")
        for p in (ROOT / "docs").rglob("*")
        if p.suffix in (".md", ".png", ".svg") and HERE.name not in p.relative_to(ROOT / "docs").parts
    ]
    problems = [p.relative_to(ROOT) for p in (ROOT / "src/probatum/problems").glob("*/README.md")]
    examples = [p.relative_to(ROOT) for p in (ROOT / "examples").iterdir() if p.suffix in (".toml", ".py")]
    places = {PurePosixPath("docs") / p.as_posix(): PurePosixPath(p.as_posix()) for p in docs}
    places |= {PurePosixPath(name): PurePosixPath("project", name) for name in PROJECT}
    places |= {PurePosixPath(p.as_posix()): PurePosixPath("problems", f"{p.parent.name}.md") for p in problems}
    return places | {PurePosixPath(p.as_posix()): PurePosixPath(p.as_posix()) for p in examples}


def relinked(text: str, source: PurePosixPath, places: Mapping[PurePosixPath, PurePosixPath]) -> str:
    """The text of a page with its links, and names of other pages, leading to where these stand in the site.

    Raises:
        LinkError: a link to what is not in the site.
    """
    here = places[source].parent

    def lead(target: str) -> str:
        found = PurePosixPath(os.path.normpath(source.parent / target))
        if found in places:
            return os.path.relpath(places[found], here)
        if places[source] == PurePosixPath("index.md") or str(found).startswith("docs/reference/"):
            return target  # generated; the build finds out whether it is there
        raise LinkError(f"{source}: '{target}' leads to nothing that the site has")

    def turn(match: re.Match[str]) -> str:
        return lead(match[1])

    def mention(match: re.Match[str]) -> str:
        target = PurePosixPath(match[1])
        return (
            f"[{target.stem.replace('_', ' ')}]({os.path.relpath(places[target], here)})"
            if target in places
            else match[0]
        )

    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", text, flags=re.DOTALL | re.MULTILINE)  # prose and code in turn
    parts[::2] = [LINK.sub(turn, prose) for prose in parts[::2]]
    parts[1::2] = [MENTION.sub(mention, code) for code in parts[1::2]]
    return "".join(parts)


def configuration(pages: set[str]) -> str:
    """The site's configuration: that of zensical.toml, paths and navigation."""
    own = (ROOT / HERE / "zensical.toml").read_text(encoding="utf-8")
    added = f'docs_dir = "pages"\nsite_dir = "site"\nnav = {as_toml(complete(pages))}\n'
    python = f"\n[project.plugins.mkdocstrings.handlers.python]\npaths = [{str(ROOT / 'src')!r}]\n"
    return own.replace("[project]\n", f"[project]\n{added}", 1) + python


def loads(page: Path) -> Iterator[str]:
    """What a page of the built site would load from elsewhere."""
    pattern = {".html": LOADED, ".css": IMPORTED}.get(page.suffix)
    if pattern:
        for found in pattern.finditer(page.read_text(encoding="utf-8")):
            yield f"loads from elsewhere: {found[0][:120]}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
