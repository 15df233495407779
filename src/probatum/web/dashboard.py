"""What every page has at hand: the campaign, the processes, the pictures, and how a page is made from its template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from probatum.reporting import numbers
from probatum.version import __version__
from probatum.web.access import Access
from probatum.web.campaign_pictures import Drawings
from probatum.web.look import Look
from probatum.web.observer import Observer
from probatum.web.processes import Processes
from probatum.web.round_editing import Drafts

PAGES = (
    ("/", "Overview"), ("/tree", "Tree"), ("/experiments", "Experiments"), ("/compare", "Compare"),
    ("/findings", "Findings"), ("/effects", "Effects"), ("/proposals", "Proposals"), ("/ask", "Predict"),
)  # fmt: skip
TRAINING_PAGES = ("/proposals",)
"""Those that imported runs have no use for: nothing can be trained of them."""
MOST_FILES, MOST_FIELDS, LARGEST_FIELD = 8, 200, 2**18
"""Of one form; bytes of a field that is no file."""


@dataclass(eq=False)
class Dashboard:
    """What one dashboard works with.

    Attributes:
        path: of the campaign file, absolute.
        access: who may do what.
        observer: of the campaign.
        processes: that were started.
        drawings: that were made.
        drafts: of the next round, as far as somebody asked for them.
    """

    path: Path
    access: Access
    observer: Observer
    processes: Processes
    drawings: Drawings = field(default_factory=Drawings)
    drafts: Drafts = field(default_factory=Drafts)

    @classmethod
    def of(cls, path: Path, access: Access) -> Dashboard:
        """For a campaign file."""
        path = path.resolve()
        return cls(path, access, Observer(path), Processes(path.parent))

    def close(self) -> None:
        """Ends what was started and lets go of files."""
        self.processes.close()
        self.observer.close()


def dashboard_of(request: Request) -> Dashboard:
    """The dashboard of the application that a request came to."""
    return request.app.state.dashboard


def may_change(request: Request) -> bool:
    """Whether a request carries the token."""
    return bool(request.scope.get("state", {}).get("may_change"))


def page(
    request: Request, template: str, *, status: int = 200, look: Look | None = None, **values: Any
) -> HTMLResponse:
    """A page, or a part of one.

    Args:
        request: that it answers.
        template: its file.
        status: of the answer.
        look: at the campaign; default: it is taken now.
        values: of the template.
    """
    dashboard = dashboard_of(request)
    look = look or dashboard.observer.look()
    imported = look.progress.importer
    text = (
        environment()
        .get_template(template)
        .render(
            look=look,
            imported=imported,
            campaign=dashboard.path.stem,
            file=dashboard.path.name,
            pages=[p for p in PAGES if not (imported and p[0] in TRAINING_PAGES)],
            here=request.url.path,
            address=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            may_change=may_change(request),
            work=dashboard.processes.running("campaign"),
            last_work=next(iter(dashboard.processes.recent("campaign")), None),
            version=__version__,
            **values,
        )
    )
    return HTMLResponse(text, status)


async def form_sent(request: Request) -> FormData:
    """The fields and files of a post; more than a form of ours has are refused."""
    return await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD)


async def fields_sent(request: Request) -> dict[str, str]:
    """The texts of a post; files that somebody sent with them are closed unread."""
    form = await form_sent(request)
    try:
        return {name: value for name, value in form.items() if isinstance(value, str)}
    finally:
        await form.close()


def go_to(path: str) -> RedirectResponse:
    """Sends the browser to a page after a post."""
    return RedirectResponse(path, 303)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; everything that they print is escaped, and a name that nobody gave is an error."""
    made = Environment(
        loader=PackageLoader("probatum.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    filters: dict[str, Callable[..., Any]] = {
        "figure": numbers.figure,
        "signed": lambda value: "–" if value is None else numbers.signed(value),
        "interval": lambda bounds: numbers.interval(tuple(bounds) if bounds else None),  # type: ignore[arg-type]
        "probability": numbers.probability,
        "duration": numbers.duration,
        "plural": lambda count, what: f"{count:,} {what}{'' if count == 1 else 's'}",
    }
    made.filters.update(filters)
    made.globals["query"] = _query  # pyright: ignore[reportArgumentType]  (jinja names the types of its own alone)
    return made


def _query(**values: Any) -> str:
    return urlencode({k: v for k, v in values.items() if v not in (None, "")})
