"""Fuzzes a reader of pure Python with coverage (atheris): what it found goes into `test_found.py`.

    python tests/fuzz/atheris_readers.py jcamp -max_total_time=600 [libFuzzer's other options, and folders of a corpus]

Inputs begin at the samples of the tests. A crash is left as a file `crash-...` in the current folder.
"""

from __future__ import annotations

import inspect
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
from fuzz import test_campaign_file, test_gas_chromatography_files, test_rocking_curve_files, test_tables
from fuzz.watching import watched
from probatum.audit import importers, run_tables
from probatum.campaigns import toml_text
from probatum.errors import ProbatumError
from probatum.problems import text_table
from probatum.problems.analog_codes import matrix_file
from probatum.problems.gas_chromatography import amdis_library, jcamp_dx
from probatum.problems.metabolism import time_course
from probatum.problems.rocking_curve import readers as scans

for module in (run_tables, toml_text, text_table, matrix_file, amdis_library, jcamp_dx, time_course, scans):
    for name, function in list(vars(module).items()):
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            setattr(module, name, atheris.instrument_func(function))

Target = tuple[str, Callable[[Path], Any], str | bytes]
TARGETS: dict[str, Target] = {
    "toml": (
        "a.toml",
        lambda path: toml_text.read_toml(path.read_text("utf-8", "replace"), "a"),
        test_campaign_file.CAMPAIGN,
    ),
    "runs": ("a.jsonl", importers.read_runs, test_tables.LINES),
    "runs-csv": ("a.csv", importers.read_runs, test_tables.RUNS),
    "table": ("a.csv", text_table.read, test_tables.CSV),
    "time-course": ("a.csv", time_course.read_time_course, test_tables.LONG),
    "matrix": ("a.csv", matrix_file.read_matrix, "1,0,1/3\n0,1,-2e-3\n"),
    "jcamp": ("a.jdx", jcamp_dx.read_jcamp_dx, test_gas_chromatography_files.written("jdx")),
    "amdis": ("a.msl", amdis_library.read_amdis_library, test_gas_chromatography_files.AMDIS),
    "ras": ("a.ras", scans.read_scan, test_rocking_curve_files.RAS),
    "xrdml": ("a.xrdml", scans.read_scan, test_rocking_curve_files.XRDML),
    "scan": ("a.txt", scans.read_scan, test_rocking_curve_files.TEXT),
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"name one of: {', '.join(TARGETS)}")
    name, read_file, sample = TARGETS[sys.argv[1]]
    folder = Path(tempfile.mkdtemp(prefix="atheris-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "sample").write_bytes(sample.encode() if isinstance(sample, str) else sample)
    path = folder / name

    def attempt(content: bytes) -> None:
        path.write_bytes(content)
        try:
            with watched():
                read_file(path)
        except ProbatumError:
            pass

    atheris.Setup([sys.argv[0], *sys.argv[2:], str(corpus)], attempt)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
