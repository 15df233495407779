"""What agents may read: the campaign file, the experiment log, and pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError

from probatum.errors import ProbatumError
from probatum.mcp_server.input_checks import sentence
from probatum.mcp_server.served_campaign import ServedCampaign
from probatum.pictures import write_figure
from probatum.reporting.experiment_log import experiment_log
from probatum.reporting.experiment_log_text import log_text
from probatum.reporting.figures import effects_figure, tree_figure, verdicts_figure
from probatum.reporting.records import results_values

PICTURES: Mapping[str, tuple[Callable[[Mapping[str, Any]], Any], str]] = {
    "verdicts": (verdicts_figure, "Difference of every experiment from the baseline, with confidence intervals"),
    "effects": (effects_figure, "Effect of every kind of change, with confidence intervals"),
    "tree": (tree_figure, "The tree of experiments, with scores and verdicts"),
}


def add_resources(server: MCPServer[Any], served: ServedCampaign) -> None:
    """Adds what agents may read to a server.

    Args:
        server: of a campaign.
        served: of it.
    """

    @server.resource("probatum://campaign", title="The campaign file", mime_type="application/toml")
    def campaign() -> str:
        """The campaign file as it is now, in TOML: problem, protocol and all experiments."""
        return _told(lambda: (served.laboratory(), served.path.read_text(encoding="utf-8"))[1])

    @server.resource("probatum://log", title="The experiment log", mime_type="text/markdown")
    def log() -> str:
        """The experiment log in Markdown, batch by batch: what was tried, why, and what came of it."""
        return _told(lambda: _log(served))

    for name, (_, caption) in PICTURES.items():
        uri = f"probatum://pictures/{name}"
        server.resource(uri, name=name, title=caption, description=caption, mime_type="image/png")(
            _picture(served, name)
        )


def drawn(served: ServedCampaign, name: str) -> bytes:
    """A picture of the campaign as PNG.

    Args:
        served: of the campaign.
        name: one of `PICTURES`.
    """
    with served.turn, tempfile.TemporaryDirectory() as folder:
        values = results_values(served.laboratory(), served.results(), groups=False)
        path = Path(folder, f"{name}.png")
        write_figure(PICTURES[name][0](values), path)
        return path.read_bytes()


def _log(served: ServedCampaign) -> str:
    with served.turn:
        return log_text(experiment_log(served.laboratory(), served.results(), audit=served.audit()))


def _told(read: Callable[[], Any]) -> Any:
    """What is read; an error of this package as one sentence."""
    try:
        return read()
    except ProbatumError as error:
        raise ResourceError(sentence(error)) from None


def _picture(served: ServedCampaign, name: str) -> Callable[[], bytes]:
    def picture() -> bytes:
        return _told(lambda: drawn(served, name))

    return picture
