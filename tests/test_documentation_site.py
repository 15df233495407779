"""The documentation site: complete, made from the program, readable without a network; and what it says is computed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from conftest import real_data_folder

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path[:0] = [str(DOCS / "site"), str(DOCS / "case_studies")]

import build_site as site  # noqa: E402 (beside the pages)
import navigation  # noqa: E402
import reference  # noqa: E402
from quotations import QUOTED  # noqa: E402


def test_every_page_stands_in_the_navigation_once():
    pages = {str(at) for source, at in site.sources().items() if source.suffix == ".md"} | set(reference.pages())
    placed = list(navigation.placed(navigation.complete(pages)))
    assert sorted(placed) == sorted(pages)


def test_the_reference_names_every_public_name_command_key_and_check():
    import probatum
    from probatum.audit.catalogue import BUILT_IN
    from probatum.campaigns.protocol import Protocol

    pages = reference.pages()
    for name in set(probatum.__all__) - {"__version__"}:
        assert f"heading: probatum.{name}\n" in pages["reference/api/probatum.md"]
    for command in ("probatum run", "probatum data fetch", "probatum rocking-curve fit"):
        assert f"## `{command}`\n" in pages["reference/commands.md"]
    for key in Protocol.model_fields:
        assert f"| `{key}` |" in pages["reference/campaign_file.md"]
    assert re.findall(r"^## (PB\d+):", pages["reference/checks.md"], re.MULTILINE) == list(BUILT_IN)


def test_keys_of_tables_in_tables_are_in_the_reference():
    from probatum.campaigns.executors.dask_settings import DaskSettings

    page = reference.pages()["reference/campaign_file.md"]
    assert "### `[run.dask]`" in page
    assert all(f"| `{key}` |" in page for key in DaskSettings.model_fields)


def test_links_are_turned_to_where_pages_stand_in_the_site():
    places = {
        PurePosixPath("docs/a.md"): PurePosixPath("a.md"),
        PurePosixPath("SECURITY.md"): PurePosixPath("project/S.md"),
    }
    text = "[`s`](../SECURITY.md#x), `docs/a.md`, `a[0](b)`\n```sh\n[s](../SECURITY.md)\n```\n"
    turned = site.relinked(text, PurePosixPath("docs/a.md"), places)
    assert turned == "[`s`](project/S.md#x), [a](a.md), `a[0](b)`\n```sh\n[s](../SECURITY.md)\n```\n"
    with pytest.raises(site.LinkError, match=r"nowhere\.md"):
        site.relinked("[s](nowhere.md)", PurePosixPath("docs/a.md"), places)


def test_what_a_page_loads_from_elsewhere_is_found(tmp_path: Path):
    page = tmp_path / "a.html"
    page.write_text('<script src="https://example.org/a.js"></script><a href="https://example.org">b</a>')
    assert len(list(site.loads(page))) == 1


def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere():
    pytest.importorskip("zensical")
    built = subprocess.run([sys.executable, DOCS / "site" / "build_site.py"], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    index = (ROOT / "build" / "docs" / "site" / "index.html").read_text(encoding="utf-8")
    assert "assets/iframe-worker.js" in index
    assert "unpkg" not in index


def test_the_page_about_loops_says_what_its_script_computes(tmp_path: Path):
    """In a process of its own: its script has modules of its own beside it."""
    check = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('pages', sys.argv[1]); "
        "m = importlib.util.module_from_spec(spec); spec.loader.exec_module(m); "
        "sys.stdout.reconfigure(encoding='utf-8'); print(m.page(m.computed()[0]), end='')"
    )
    script = DOCS / "case_studies" / "write_page.py"
    said = subprocess.run(
        [sys.executable, "-c", check, script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout == (DOCS / "why_loops_fool.md").read_text(encoding="utf-8")


def test_what_the_page_says_of_the_catechol_data_stands_in_its_readme():
    readme = (ROOT / "src/probatum/problems/catechol/README.md").read_text(encoding="utf-8")
    assert "pooled variance of 0.00051" in readme
    assert "11 independent clusters of solvents tell differences of .004" in readme


@pytest.mark.real
def test_figures_that_are_quoted_stand_in_the_logs():
    data = real_data_folder()
    logs = None if data is None else data.parent / "seeds"
    if logs is None or not logs.is_dir():
        pytest.skip("the logs are absent")
    lines = {log: (logs / log).read_text(encoding="utf-8").split("\n") for log in {q.log for q in QUOTED.values()}}
    for name, quoted in QUOTED.items():
        assert quoted.text in lines[quoted.log][quoted.line - 1], name


def test_pictures_follow_the_readers_setting_and_load_nothing():
    for path in (DOCS / "pictures").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert "prefers-color-scheme: dark" in text, path
        assert 'aria-label="' in text, path
        assert not re.search(r"<script|href=\"http|url\(http", text), path
    assert os.path.getsize(DOCS / "pictures" / "best_of_many.svg") < 50_000
