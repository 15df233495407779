"""The application: addresses and their pages, errors as pages, and the guard before all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from probatum.errors import ProbatumError, UnknownNameError
from probatum.web import campaign_actions, pages, progress_events, question_pages
from probatum.web.access import Access
from probatum.web.dashboard import Dashboard, page
from probatum.web.guard import LARGEST_POST, Guard, TooLarge, too_large

ASSETS_KEPT = "max-age=3600"


def application(path: Path, access: Access, *, largest: int = LARGEST_POST) -> Starlette:
    """The dashboard of a campaign file.

    Args:
        path: of the campaign file.
        access: who may do what.
        largest: bytes that a post may have.
    """
    dashboard = Dashboard.of(path, access)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        app.state.closing = asyncio.Event()
        await run_in_threadpool(dashboard.observer.look)  # results are on their way before the first page is asked for
        yield
        app.state.closing.set()
        await run_in_threadpool(dashboard.close)

    handlers: dict[Any, Any] = {
        ProbatumError: _refused,
        HTTPException: _http_error,
        TooLarge: lambda *_: too_large(largest),
        Exception: _broken,
    }
    app = Starlette(routes=_routes(), exception_handlers=handlers, lifespan=lifespan)
    app.state.dashboard, app.state.streams = dashboard, set()
    app.add_middleware(Guard, access=access, largest=largest)
    return app


def _routes() -> list[Route | Mount]:
    get, post = ["GET"], ["POST"]
    return [
        Route("/", pages.overview, methods=get),
        Route("/tree", pages.tree, methods=get),
        Route("/experiments", pages.experiments, methods=get),
        Route("/experiment", pages.experiment, methods=get),
        Route("/compare", pages.compare, methods=get),
        Route("/findings", pages.findings, methods=get),
        Route("/effects", pages.effects, methods=get),
        Route("/picture", pages.picture, methods=get),
        Route("/events", progress_events.events, methods=get),
        Route("/run", campaign_actions.run, methods=post),
        Route("/proposals", campaign_actions.proposals, methods=get),
        Route("/proposals", campaign_actions.judge_drafts, methods=post),
        Route("/proposals/ask", campaign_actions.ask_planner, methods=post),
        Route("/proposals/resume", campaign_actions.resume, methods=post),
        Route("/ask", question_pages.questions, methods=get),
        Route("/ask/{slug}", question_pages.form_of, methods=get),
        Route("/ask/{slug}", question_pages.ask, methods=post),
        Route("/work/{id}", question_pages.work_page, methods=get),
        Route("/work/{id}/part", question_pages.work_part, methods=get),
        Route("/work/{id}/picture.svg", question_pages.work_picture, methods=get),
        Route("/work/{id}/answer.json", question_pages.work_answer, methods=get),
        Route("/work/{id}/stop", campaign_actions.stop, methods=post),
        Route("/assets/pictures.css", _picture_styles, methods=get),
        Mount("/assets", _Assets(directory=str(files("probatum.web") / "assets"))),
    ]


class _Assets(StaticFiles):
    """The files that came with the package."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = ASSETS_KEPT
        return response


def _picture_styles(request: Request) -> Response:
    from probatum.reporting.inline_svg import theme_css

    return PlainTextResponse(theme_css(), media_type="text/css", headers={"cache-control": ASSETS_KEPT})


def _refused(request: Request, error: Exception) -> Response:
    """What the program refuses, as a page that says why and what to do."""
    assert isinstance(error, ProbatumError)
    status = 404 if isinstance(error, UnknownNameError) else 409
    return page(request, "error.html", status=status, what=error.what, remedy=error.remedy)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {404: "There is no such page", 405: "This address takes no such request"}
    return page(
        request, "error.html", status=error.status_code, what=known.get(error.status_code, error.detail), remedy=None
    )


def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours: said without its traceback, which goes to the terminal."""
    return PlainTextResponse("this page failed; the terminal of 'probatum serve' says why\n", 500)
