"""A tiny campaign, and clients that talk to its server as agents do: in this process, or over standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from probatum.mcp_server.limits import Limits
from probatum.mcp_server.server import CampaignServer

CAMPAIGN = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 2
baseline = "mean"
held_out = 0.25

[run]
cores = 2

[[experiment]]
name = "mean"
model.kind = "mean"

[[experiment]]
name = "ridge"
model.kind = "ridge"
"""
MLP = """
[[experiment]]
name = "mlp"
model = { kind = "mlp", hidden = [4], norm = "none" }
training = { epochs = 4, rate = 0.01 }
"""
BATCHES = 16


def write_campaign(folder: Path, text: str = CAMPAIGN) -> Path:
    """48 rows of 16 batches; the yield follows the temperature closely, in nine digits that tell who has seen it."""
    generator = np.random.default_rng(1)
    lines = ["temperature,solvent,batch,yield"]
    for row in range(48):
        temperature = generator.uniform(20, 90)
        value = 0.2 + 0.008 * temperature + generator.normal(0, 0.01)
        lines.append(f"{temperature:.2f},{('water', 'ethanol')[row % 2]},b{row % BATCHES:02d},{value:.9f}")
    (folder / "lab.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "lab.toml").write_text(text, encoding="utf-8")
    return folder / "lab.toml"


@dataclass
class Agent:
    """A client that remembers all that it was told.

    Attributes:
        client: connected.
        told: every text that came back.
        progress: every progress of every call.
    """

    client: Client
    told: list[str] = field(default_factory=list)
    progress: list[tuple[float, float | None, str | None]] = field(default_factory=list)

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """What a tool answers; it must not refuse."""
        result = await self._call(tool, arguments)
        assert not result.is_error, result.content
        assert result.structured_content is not None
        return result.structured_content

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """The one sentence with which a tool refuses."""
        result = await self._call(tool, arguments)
        assert result.is_error, result.structured_content
        (content,) = result.content
        said = content.text
        assert "Traceback" not in said
        assert "\n" not in said
        assert said.isprintable()
        assert len(said) < 1000
        return said

    async def read(self, uri: str) -> str:
        """A resource, as text or in base 64."""
        (content,) = (await self.client.read_resource(uri)).contents
        text = getattr(content, "text", None) or content.blob
        self.told.append(text)
        return text

    async def _call(self, tool: str, arguments: dict[str, Any]):
        async def told(done: float, total: float | None, message: str | None) -> None:
            self.progress.append((done, total, message))

        result = await self.client.call_tool(tool, arguments, progress_callback=told)
        self.told += [content.text for content in result.content]
        return result


Conversation = Callable[[Agent], Awaitable[None]]


def in_process(campaign: Path, conversation: Conversation, limits: Limits | None = None) -> Agent:
    """Talks to a server in this process."""
    server = CampaignServer(campaign, limits)

    async def talk() -> Agent:
        async with Client(server) as client:
            agent = Agent(client)
            await conversation(agent)
            return agent

    return anyio.run(talk)


def over_stdio(campaign: Path, conversation: Conversation) -> Agent:
    """Talks to `probatum mcp` in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k.startswith(("PROBATUM", "OMP", "PYTHON", "JAX", "XLA"))}
    parameters = StdioServerParameters(
        command=str(Path(sys.executable).with_name("probatum")),
        args=["mcp", "-C", campaign.name],
        cwd=campaign.parent,
        env=environment,
    )

    async def talk() -> Agent:
        async with Client(parameters, read_timeout_seconds=300) as client:
            agent = Agent(client)
            await conversation(agent)
            return agent

    return anyio.run(talk)
