"""The dashboard in a real browser: a campaign from its start to its next round, a curve, keys, screens and readers.

Needs Chromium; where there is none these tests are skipped, or fail if PROBATUM_REQUIRE_CHROMIUM=1.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from probatum.web import tree_steps
from probatum.web.access import Access
from probatum.web.application import application
from web.small_dashboard import CAMPAIGN, HOSTILE, TOKEN, write_lab

SPACE = "\n[space]\nmodel.alpha = { low = 1e-3, high = 100.0, log = true }\n"
LONG = 150_000
"""Milliseconds for what trains; the rest is quick."""
PAGES = (
    "/", "/tree", "/experiments", "/experiment?name=ridge", "/compare?a=ridge&b=mean", "/findings", "/effects",
    "/proposals", "/ask", "/ask/rocking-curve-fit", "/ask/analog-codes-height", "/nothing",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "there is no Chromium here: apt install chromium"
        if os.environ.get("PROBATUM_REQUIRE_CHROMIUM") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a dashboard whose campaign was not run."""
    path = write_lab(tmp_path_factory.mktemp("browser"), CAMPAIGN + SPACE)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        app = application(path, Access.of("127.0.0.1", port, TOKEN))
        config = uvicorn.Config(app, log_level="error", access_log=False, ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        app.state.closing.set()
        server.should_exit = True
        thread.join()


class Watched:
    """A page of the dashboard, and everything that its browser complained of."""

    def __init__(self, browser: Browser, address: str, **options):
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.address = address
        self.page.goto(f"{address}/?token={TOKEN}")

    def goto(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture(scope="module")
def campaign(browser: Browser, address: str) -> Iterator[Watched]:
    """The campaign, run from the page and watched to its end without loading the page again."""
    watched = Watched(browser, address)
    page = watched.page
    expect(page.get_by_role("status")).to_contain_text("Not run yet.", timeout=LONG)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("status")).to_contain_text("Running.", timeout=LONG)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Finished. 4 experiments.", timeout=LONG)
    expect(page.get_by_role("heading", name="Champion")).to_be_visible(timeout=LONG)
    yield watched
    assert watched.complaints == []
    watched.context.close()


def test_a_campaign_runs_and_its_verdicts_appear_by_themselves(campaign: Watched):
    page = campaign.page
    expect(page.locator("main")).to_contain_text("better than 'mean'")
    reveal_first_picture(page)


def test_two_of_the_tree_are_compared(campaign: Watched):
    page = campaign.goto("/")
    page.get_by_role("link", name="Tree").click()
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    page.get_by_role("checkbox", name="Compare ridge").check()
    page.get_by_role("checkbox", name="Compare mean", exact=True).check()
    page.get_by_role("button", name="Compare ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    expect(page.locator(".verdict .badge")).to_have_text("worse")  # the mean, which stands first, against ridge
    reveal_first_picture(page)


def test_a_branch_that_was_left_out_comes_when_it_is_opened(campaign: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tree_steps, "MOST", 2)
    page = campaign.goto("/tree")
    child = page.get_by_role("link", name="ridge", exact=True)
    expect(child).not_to_be_visible()
    page.get_by_text("1 made from mean").click()
    expect(child).to_be_visible()


def test_a_proposal_is_accepted_and_becomes_an_experiment(campaign: Watched):
    page = campaign.goto("/proposals")
    page.get_by_label("Experiments").fill("2")
    page.get_by_role("button", name="Ask what to try next").click()
    accept = page.get_by_role("checkbox", name="Accept")
    expect(accept.first).to_be_checked(timeout=LONG)
    name = page.locator(".draft h2").first.inner_text()
    for i in range(1, accept.count()):
        accept.nth(i).uncheck()
    page.get_by_role("button", name="Start accepted").click()
    expect(page.get_by_role("status")).to_contain_text("Finished. 5 experiments.", timeout=LONG)
    page.get_by_role("link", name="Tree").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_an_edit_that_cannot_be_tried_says_why(campaign: Watched):
    page = campaign.goto("/proposals")
    draft = page.locator(".draft").last
    draft.get_by_text("Write it").click()
    draft.get_by_role("textbox").fill('[[proposal]]\nparent = "rigde"\nmodel.alpha = 2.0\n')
    draft.get_by_role("checkbox").check()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("did you mean 'ridge'?")
    expect(page.locator(".draft textarea").first).to_be_visible()
    campaign.complaints[:] = [c for c in campaign.complaints if "422" not in c]  # how the browser reports a refusal


def test_a_curve_is_sent_and_its_profile_is_drawn(campaign: Watched, tmp_path: Path):
    from probatum.problems.rocking_curve.problem import RockingCurve

    problem = RockingCurve(curves=2)
    curve = problem.dataset("parameters").observations["intensity"][1]
    np.savetxt(tmp_path / "garnet.txt", np.column_stack([problem.scan.seconds, np.asarray(curve)]), fmt="%.5f")
    page = campaign.goto("/ask")
    page.get_by_role("link", name="Strain profile of a rocking curve").click()
    page.get_by_label("Curve", exact=False).first.set_input_files(tmp_path / "garnet.txt")
    page.get_by_label("Profile").select_option("splines")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("main [role=status]")).to_contain_text("done", timeout=LONG)
    picture = page.get_by_role("img", name="Strain profile of a rocking curve")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    expect(page.get_by_role("columnheader", name="strain, %")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(scheme, campaign: Watched, browser: Browser):
    watched = Watched(browser, campaign.address, color_scheme=scheme, viewport={"width": 390, "height": 800})
    for path in PAGES:
        page = watched.goto(path)
        page.wait_for_load_state("load")
        assert_accessible(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} pixels wide"
    assert [c for c in watched.complaints if "404" not in c] == []
    watched.context.close()


def test_keys_alone_reach_the_content(campaign: Watched):
    page = campaign.goto("/experiments")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()
    outline = page.get_by_role("searchbox").evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline == "solid"


def test_a_page_elsewhere_cannot_post_with_the_reader_s_cookie(campaign: Watched, tmp_path: Path):
    """The same machine, another origin: `localhost` shares no cookie policy with `127.0.0.1`, ports share cookies."""
    page = campaign.context.new_page()
    form = f'<form method="post" action="{campaign.address}/run"><button>x</button></form>'
    page.route("http://127.0.0.1:1/**", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://127.0.0.1:1/")
    page.get_by_role("button").click()
    expect(page.locator("body")).to_contain_text("this server's own pages alone")
    page.close()


def reveal_first_picture(page: Page) -> None:
    """Pictures are drawn when a reader comes to them."""
    page.get_by_role("heading", name="Pictures").scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    expect(page.locator("svg.picture").first).to_be_visible(timeout=LONG)


def assert_accessible(page: Page) -> None:
    """No finding of axe, WCAG 2.2 AA and good practice."""
    found = Axe().run(page).response["violations"]
    told = [f"{page.url} {f['id']}: {f['help']}: {[n['html'][:160] for n in f['nodes'][:3]]}" for f in found]
    assert told == []
