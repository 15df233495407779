"""Makes the pictures of docs/dashboard.md: runs a campaign, serves it, and photographs its pages in Chromium.

    python docs/screenshots.py                 # examples/demo.toml, and one round that the planner proposes
    python docs/screenshots.py CAMPAIGN.toml   # one that was run before, as it is

Needs Chromium, playwright and pillow. Nothing is written beside `docs/pictures/`: the campaign runs in a folder of its
own.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PROGRAM = (sys.executable, "-P", "-c", "from probatum.cli.main import run_and_exit; run_and_exit()")
LONG = 600_000
"""Milliseconds for what trains."""


def main() -> None:
    """Makes all of them."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = sys.argv[1:]
        path = Path(given[0]) if given else Path(shutil.copy(ROOT / "examples" / "demo.toml", folder))
        if not given:
            subprocess.run([*PROGRAM, "run", str(path), "--no-groups"], check=True)
            subprocess.run([*PROGRAM, "next", "-C", str(path), "--run", "--slots", "3"], check=True)
        with served(path) as link, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            photograph(browser.new_context(viewport={"width": 1120, "height": 800}).new_page(), link, folder)
            phone = browser.new_context(viewport={"width": 400, "height": 820}, color_scheme="dark").new_page()
            phone.goto(link)
            expect(phone.get_by_role("heading", name="Champion")).to_be_visible(timeout=LONG)
            save(phone, "dashboard_phone", 820)
            browser.close()


def photograph(page: Page, link: str, folder: Path) -> None:
    """The pages, one after the other, as a person goes through them."""
    here = link.partition("/?")[0]
    page.goto(link)
    expect(page.get_by_role("heading", name="Champion")).to_be_visible(timeout=LONG)
    drawn(page)
    save(page, "dashboard_overview", 1500)
    page.goto(f"{here}/tree")
    save(page, "dashboard_tree", 760)
    page.get_by_role("checkbox").nth(-1).check()
    page.get_by_role("checkbox").nth(-2).check()
    page.get_by_role("button", name="Compare ticked").click()
    drawn(page, 1)
    save(page, "dashboard_compare", 1000)
    page.goto(f"{here}/findings")
    save(page, "dashboard_findings", 760)
    page.goto(f"{here}/proposals")
    page.get_by_label("Experiments").fill("3")
    page.get_by_role("button", name="Ask what to try next").click()
    expect(page.get_by_role("heading", name="One of your own")).to_be_visible(timeout=LONG)
    page.locator("details summary").first.click()
    save(page, "dashboard_proposals", 1000)
    page.goto(f"{here}/ask/rocking-curve-fit")
    page.get_by_label("Curve").first.set_input_files(garnet(folder))
    page.get_by_label("Profile").select_option("splines")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("main [role=status]")).to_contain_text("done", timeout=LONG)
    page.locator("figure img").evaluate("image => image.decode()")
    save(page, "dashboard_answer", 1300)


def drawn(page: Page, count: int = 10) -> None:
    """Comes to the pictures of a page, so that they are drawn, and goes back to its top."""
    waiting = page.locator(".later")
    for left in range(waiting.count() - 1, -1, -1)[:count]:
        waiting.first.scroll_into_view_if_needed()
        page.mouse.wheel(0, 100)
        expect(waiting).to_have_count(left, timeout=LONG)
    page.evaluate("window.scrollTo(0, 0)")


def save(page: Page, name: str, height: int) -> None:
    """The top of a page in 128 colours."""
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})  # type: ignore[index]
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)
    print(PICTURES / f"{name}.png")


@contextmanager
def served(path: Path) -> Iterator[str]:
    """A dashboard of a campaign; the link that it prints."""
    command = [*PROGRAM, "serve", "-C", str(path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rpartition(" ")[2].strip()
    finally:
        process.terminate()
        process.wait()


def garnet(folder: Path) -> Path:
    """A simulated rocking curve of a garnet, as a diffractometer would write it."""
    from probatum.problems.rocking_curve.problem import RockingCurve

    problem = RockingCurve(curves=2)
    curve = np.asarray(problem.dataset("parameters").observations["intensity"][1])
    path = folder / "garnet.txt"
    np.savetxt(path, np.column_stack([problem.scan.seconds, curve]), fmt="%.5f")
    return path


if __name__ == "__main__":
    main()
