"""Runs the benchmarks and writes what they print as one page: what was promised beside what was measured.

`python benchmarks/page.py` runs all of them, which takes hours; `python benchmarks/page.py heights metabolism` runs
these two and keeps what the page holds of the others; `--quick` runs the short forms; `--read FILE ...` takes what a
run with `--json` printed before. The page is docs/benchmarks.md, and docs/benchmarks.json for programs.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE, DATA = HERE.parent / "docs" / "benchmarks.md", HERE.parent / "docs" / "benchmarks.json"
Result = Mapping[str, Any]
"""What a benchmark prints as its last line, with 'measured', the day, and 'quick', whether it was the short form."""


def scripts() -> dict[str, str]:
    """Name of every benchmark to the first line of its docstring, in alphabetical order."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
        if any(call.func.id == "benchmark" for call in calls if isinstance(call.func, ast.Name)):
            found[path.stem] = (ast.get_docstring(tree) or path.stem).splitlines()[0]
    return found


def run(name: str, quick: bool) -> Result:
    """Runs one benchmark and shows its rows as they come.

    Raises:
        RuntimeError: it ended with an error, or printed no object.
    """
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", *(["--quick"] if quick else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=HERE.parent) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if not line.startswith('{"benchmark"'):
                print(line, end="", flush=True)
    if process.returncode:
        raise RuntimeError(f"{name} ended with exit code {process.returncode}")
    return {**last_object(lines, name), "measured": datetime.now(UTC).date().isoformat(), "quick": quick}


def read(path: Path) -> Result:
    """What a run printed into a file, dated by the file."""
    found = last_object(path.read_text(encoding="utf-8").splitlines(), str(path))
    day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    return {**found, "measured": day, "quick": False}


def last_object(lines: list[str], where: str) -> Result:
    """The object among printed lines."""
    found = [line for line in lines if line.startswith('{"benchmark"')]
    if not found:
        raise RuntimeError(f"{where}: no object was printed; run it with --json")
    return json.loads(found[-1])


def page(results: Mapping[str, Result], about: Mapping[str, str]) -> str:
    """The page, Markdown.

    Args:
        results: name of a benchmark to what it printed.
        about: name of every benchmark to a sentence.
    """
    rows = [(name, row) for name, result in results.items() for row in result["rows"] if row["target"] is not None]
    missed = [(name, row) for name, row in rows if not row["holds"]]
    text = [
        "# Benchmarks",
        "",
        "What was promised beside what was measured. Written by `make bench` (`benchmarks/page.py`); every table is",
        "what one script printed, both sides in one process run. Ratios carry over to other machines, seconds do not.",
        "",
        f"{len(rows)} figures have a target; {len(rows) - len(missed)} hold, {len(missed)} are missed.",
        "",
    ]
    if missed:
        text += ["## Missed", "", "| benchmark | figure | measured | target |", "|---|---|---|---|"]
        text += [
            f"| [{name}](#{name}) | {cell(row['name'])} | {measured(row)} | {target(row)} |" for name, row in missed
        ]
        text += [""]
    for name, sentence in about.items():
        text += [f"## {name}", "", cell(sentence), ""]
        if name not in results:
            text += [f"Not measured yet: `python benchmarks/{name}.py --json`.", ""]
            continue
        result = results[name]
        versions = ", ".join(f"{library} {version}" for library, version in result["versions"].items())
        short = " (the short form, `--quick`)" if result["quick"] else ""
        text += [
            f"`python benchmarks/{name}.py`{short}, {result['measured']}, {result['machine']},",
            f"{result['seconds']:.0f} s; {versions}.",
            "",
            "| figure | measured | target | |",
            "|---|---|---|---|",
        ]
        for row in result["rows"]:
            holds = "" if row["target"] is None else "holds" if row["holds"] else "**missed**"
            text.append(f"| {cell(row['name'])} | {measured(row)} | {target(row)} | {holds} |")
        text.append("")
    return "\n".join(text)


def cell(words: str) -> str:
    """Text that stays in its cell."""
    return words.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def measured(row: Mapping[str, Any]) -> str:
    return f"{number(row['value'])} {row['unit']}".removesuffix(" 1").strip()


def target(row: Mapping[str, Any]) -> str:
    if row["target"] is None:
        return ""
    return f"{'at least' if row['better'] == 'higher' else 'at most'} {number(row['target'])}"


def number(value: float) -> str:
    """Four digits; large ones whole, with commas."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def main() -> None:
    about = scripts()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(about)}")
    parser.add_argument("--quick", action="store_true", help="the short forms")
    parser.add_argument("--read", nargs="+", type=Path, default=[], metavar="FILE", help="printed results to take in")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in about:
            parser.error(f"no benchmark '{name}'; there are {', '.join(about)}")
    results: dict[str, Result] = json.loads(DATA.read_text(encoding="utf-8")) if DATA.is_file() else {}
    names = arguments.names or ([] if arguments.read else list(about))
    failed = []
    for found in map(read, arguments.read):
        results[found["benchmark"]] = found
    for name in names:
        print(f"{name}: {about[name]}", flush=True)
        try:
            results[name] = run(name, arguments.quick)
        except RuntimeError as error:
            failed.append(str(error))
        else:
            write(results, about)
    write(results, about)
    for error in failed:
        print(error, file=sys.stderr)
    sys.exit(bool(failed))


def write(results: Mapping[str, Result], about: Mapping[str, str]) -> None:
    """Writes both files; a result of a benchmark that is no more is left out."""
    kept = {name: results[name] for name in about if name in results}
    DATA.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept, about), encoding="utf-8")


if __name__ == "__main__":
    main()
