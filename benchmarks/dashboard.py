"""Every page of the dashboard of a campaign of 1,000 experiments, and the first paint in a real browser.

The campaign is a real one: edits of a ridge regression on a small table, run in this process, so that the ledger, the
artifacts, the verdicts and the audit are those of any campaign. Each page is asked for by a server that has just
started and computes the results, and then three times more, of which the slowest counts. The first paint is what
Chromium itself reports ('first-contentful-paint'); where there is no Chromium it is left out.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import uvicorn
from audit_campaigns import InProcess
from result import Row, benchmark

from probatum.laboratory import Laboratory
from probatum.web.access import Access
from probatum.web.application import application

WITHIN = 1.0
"""Seconds that a page may take."""
ASKED = 3
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
TOKEN = "a-token-of-this-benchmark"


def table(generator: np.random.Generator) -> str:
    """60 rows of 6 batches with 6 columns."""
    X = generator.normal(size=(60, 6))
    y = X @ generator.normal(size=6) + generator.normal(0, 0.3, 60)
    lines = ["a,b,c,d,e,f,batch,yield"]
    lines += [",".join([*(f"{x:.4f}" for x in row), f"b{i % 6}", f"{y[i]:.4f}"]) for i, row in enumerate(X)]
    return "\n".join(lines) + "\n"


def campaign(count: int, generator: np.random.Generator) -> str:
    """A file of so many experiments, each an edit of an earlier one: a tree some twenty generations deep."""
    parts = [
        'problem = { kind = "table", path = "table.csv", target = "yield", group = "batch" }\n\n'
        '[protocol]\nsplits = "leave-one-group-out"\nseeds = 1\nbaseline = "0"\n\n[[experiment]]\nname = "0"\n'
        "model = { kind = 'ridge', alpha = 1.0 }\n"
    ]
    for i in range(1, count):
        alpha = float(np.exp(generator.uniform(-9, 9)))
        parent = int(generator.integers(max(0, i - 60), i))
        parts.append(f'[[experiment]]\nname = "{i}"\nparent = "{parent}"\nmodel.alpha = {alpha!r}\n')
    return "\n".join(parts)


def run_campaign(folder: Path, count: int) -> Path:
    """A finished campaign in a folder."""
    generator = np.random.default_rng(0)
    (folder / "table.csv").write_text(table(generator), encoding="utf-8")
    path = folder / "many.toml"
    path.write_text(campaign(count, generator), encoding="utf-8")
    laboratory = Laboratory.open(path)
    laboratory.campaign.run(executor=InProcess(laboratory.campaign.setup))
    for arm in laboratory.results().arms:
        laboratory.campaign.ledger.set_score(arm.name, arm.score)
    laboratory.campaign.ledger.close()
    return path


@contextmanager
def served(path: Path) -> Iterator[tuple[str, object]]:
    """A server of the campaign; its address and application."""
    import socket

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    app = application(path, Access.of("127.0.0.1", port, TOKEN))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}", app
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def seconds_of(address: str) -> float:
    """That one answer takes, whole."""
    started = time.perf_counter()
    with urlopen(address) as answer:
        answer.read()
    return time.perf_counter() - started


def measure(quick: bool) -> Sequence[Row]:
    """The slowest answer of each page."""
    count = 200 if quick else 1000
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        started = time.perf_counter()
        path = run_campaign(Path(name), count)
        rows.append(Row("the campaign that is shown: seconds to run", time.perf_counter() - started, "s"))
        last = str(count - 1)
        pages = {
            "overview": "/",
            "tree": "/tree",
            "branch": "/tree?" + urlencode({"root": "1"}),
            "experiments": "/experiments",
            "experiments by score": "/experiments?" + urlencode({"order": "score", "page": "2"}),
            "experiments sought": "/experiments?" + urlencode({"find": "alpha"}),
            "one experiment": "/experiment?" + urlencode({"name": last}),
            "two compared": "/compare?" + urlencode({"a": last, "b": "1"}),
            "findings": "/findings",
            "effects": "/effects",
            "proposals": "/proposals",
            "predict": "/ask",
            "a form": "/ask/rocking-curve-fit",
        }
        with served(path) as (address, app):
            first = {page: seconds_of(address + at) for page, at in pages.items()}  # results are being computed
            rows.append(Row("slowest page while results are computed", max(first.values()), "s", WITHIN))
            observer = app.state.dashboard.observer  # type: ignore[attr-defined]
            started = time.perf_counter()
            look = observer.wait(600)
            assert look.view is not None, look.trouble
            rows.append(Row("results are computed, in the background", time.perf_counter() - started, "s"))
            for page, at in pages.items():
                slowest = max(seconds_of(address + at) for _ in range(ASKED))
                rows.append(Row(f"{page}: slowest of {ASKED}", slowest, "s", WITHIN))
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            if chromium is not None:
                rows += paints(chromium, address, {p: pages[p] for p in ("overview", "tree", "experiments")})
    return rows


def paints(chromium: str, address: str, pages: dict[str, str]) -> list[Row]:
    """The first contentful paint of pages in a browser that has none of them cached."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        browser.new_page().goto(f"{address}/ask")  # its own start is not the page's
        for page, at in pages.items():
            slowest = 0.0
            for _ in range(ASKED):
                context = browser.new_context()
                tab = context.new_page()
                tab.goto(address + at, wait_until="load")
                while (paint := tab.evaluate(PAINT)) is None:
                    tab.wait_for_timeout(20)
                slowest = max(slowest, paint / 1000)
                context.close()
            found.append(Row(f"{page}: first paint in Chromium, slowest of {ASKED}", slowest, "s", WITHIN))
        browser.close()
    return found


if __name__ == "__main__":
    benchmark("dashboard", measure, ("starlette", "uvicorn", "jinja2"))
