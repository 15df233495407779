"""`serve`: starts the dashboard and says where it is."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import typer

from probatum.cli.find import campaign_path
from probatum.errors import UsageError

NEEDED = ("starlette", "uvicorn", "python_multipart")


def serve_campaign(file: Path | None, *, host: str, port: int, token: str | None) -> None:
    """Serves a campaign until Ctrl-C."""
    if any(find_spec(name) is None for name in NEEDED):
        what = "the dashboard needs packages that are not installed"
        raise UsageError(what, where="probatum serve", remedy="pip install 'probatum[web]'")
    from probatum.web.access import Access
    from probatum.web.server import serve

    path = campaign_path(file)

    def tell(access: Access) -> None:
        typer.echo(f"{path.name}: {access.address}/?token={access.token}")
        typer.echo("this link lets its reader start and change things; Ctrl-C ends the dashboard", err=True)

    with suppress(KeyboardInterrupt):  # the way to end it
        serve(path, host=host, port=port, token=token, tell=tell)
