"""What works on the campaign: run, stop, ask the planner, check and start a round.

The guard has seen the token before any of these posts is reached.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from probatum.errors import CampaignFileError, CampaignLockedError, IncomparableError, UsageError
from probatum.web.dashboard import Dashboard, dashboard_of, fields_sent, go_to, page
from probatum.web.look import Progress
from probatum.web.processes import PROGRAM, Work
from probatum.web.round_editing import LARGEST_ROUND, ROUND_FILE, Draft, checked_drafts, round_text

MOST_SLOTS = 16
MOST_DRAFTS = 32


# ------------------------------------------------------------------ the campaign


async def run(request: Request) -> Response:
    """Runs what was not run."""
    dashboard = dashboard_of(request)
    form = await fields_sent(request)
    again = ["--retry-failed"] if form.get("retry") else []
    await run_in_threadpool(_start, dashboard, "run", ["run", str(dashboard.path), "--no-groups", *again])
    return go_to("/")


async def stop(request: Request) -> Response:
    """Stops what this dashboard started, as Ctrl-C does; what is finished is kept."""
    dashboard = dashboard_of(request)
    work = dashboard.processes.find(request.path_params["id"])
    await run_in_threadpool(dashboard.processes.stop, work)
    return go_to("/" if work.kind == "campaign" else f"/work/{work.id}")


# ------------------------------------------------------------------ the next round


async def ask_planner(request: Request) -> Response:
    """Asks what to try next; what the file holds and was not run is run first."""
    dashboard = dashboard_of(request)
    form = await fields_sent(request)
    slots = _slots(form.get("slots", "4"))
    command = ["next", "-C", str(dashboard.path), "--slots", str(slots), "--json"]
    dashboard.drafts.work = await run_in_threadpool(_start, dashboard, "next", command)
    return go_to("/proposals")


async def proposals(request: Request) -> Response:
    """The page of the next round."""
    dashboard = dashboard_of(request)
    await run_in_threadpool(dashboard.drafts.update)
    return await run_in_threadpool(_proposals_page, request)


async def judge_drafts(request: Request) -> Response:
    """Checks an edited round; starts it where that was asked for and nothing is wrong with it."""
    dashboard = dashboard_of(request)
    form = await fields_sent(request)
    numbers = range(min(MOST_DRAFTS, sum(key.startswith("text_") for key in form)))
    texts = [(form.get(f"text_{i}", ""), bool(form.get(f"accept_{i}"))) for i in numbers]
    texts = [(text, accepted) for text, accepted in texts if text.strip()]
    look = await run_in_threadpool(dashboard.observer.look)
    _require_trainable(look.progress)
    view = look.view
    if view is None:
        raise IncomparableError("a round is checked against results, and there are none", remedy="run the campaign")
    folder = dashboard.processes.new_folder()
    drafts, accepted = await run_in_threadpool(checked_drafts, texts, view, folder)
    known = {d.text.strip(): d.values for d in dashboard.drafts.drafts}
    dashboard.drafts.drafts = tuple(Draft(d.text, d.accepted, known.get(d.text.strip(), {}), d.trouble) for d in drafts)
    if form.get("action") != "start" or not accepted:
        shutil.rmtree(folder, ignore_errors=True)
        trouble = any(d.trouble for d in drafts)
        note = "Nothing is accepted." if not any(d.accepted for d in drafts) else "All of them can be tried."
        return await run_in_threadpool(_proposals_page, request, "" if trouble else note, 422 if trouble else 200)
    path = folder / ROUND_FILE
    path.write_text(round_text(accepted), encoding="utf-8")
    command = ["next", "-C", str(dashboard.path), "--run", "--from", str(path), "--slots", str(len(accepted)), "--json"]
    await run_in_threadpool(_start, dashboard, "round", command, folder)
    dashboard.drafts.drafts = ()
    return go_to("/")


async def resume(request: Request) -> Response:
    """Goes on with a round that was interrupted."""
    dashboard = dashboard_of(request)
    await fields_sent(request)
    await run_in_threadpool(_start, dashboard, "round", ["next", "-C", str(dashboard.path), "--run", "--json"])
    return go_to("/")


def _proposals_page(request: Request, note: str = "", status: int = 200) -> Response:
    dashboard = dashboard_of(request)
    empty = Draft('[[proposal]]\nparent = ""\n', False)
    return page(
        request, "proposals.html", status=status, drafts=dashboard.drafts, empty=empty, note=note, longest=LARGEST_ROUND
    )  # fmt: skip


def _slots(text: str) -> int:
    if not (text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MOST_SLOTS):
        raise UsageError(f"'{text[:20]}' slots", where="slots", remedy=f"choose 1 to {MOST_SLOTS}")
    return int(text)


def _require_trainable(progress: Progress) -> None:
    """Refuses to train what was trained elsewhere, before a process is started that would refuse it.

    Raises:
        CampaignFileError: the runs were imported.
    """
    if progress.importer is not None:
        what = "the runs were imported and are read-only: there is no data here to train on"
        raise CampaignFileError(what, remedy=f"run them where they were made ({progress.importer}), then import again")


def _start(dashboard: Dashboard, title: str, arguments: list[str], folder: Path | None = None) -> Work:
    """Starts the command line on the campaign, where nobody else works on it."""
    progress = dashboard.observer.progress()
    _require_trainable(progress)
    if progress.holder is not None:
        what = f"another process works on this campaign ({progress.holder})"
        raise CampaignLockedError(what, remedy="wait for it or stop it")
    return dashboard.processes.start("campaign", f"{title} {dashboard.path.stem}", [*PROGRAM, *arguments], folder)
