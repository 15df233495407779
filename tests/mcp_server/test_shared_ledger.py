"""An agent on a campaign whose ledger is on a server, beside a driver that somebody else started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.small_campaign import CAMPAIGN, Agent, in_process, write_campaign
from postgresql_fixture import server  # noqa: F401
from probatum.laboratory import Laboratory
from probatum.mcp_server import served_campaign


@pytest.fixture
def shared(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    monkeypatch.setattr(served_campaign, "PATIENCE", 0.2)
    run = f'[run]\nledger = "{server.url(campaign=tmp_path.name)}"'
    return write_campaign(tmp_path, CAMPAIGN.replace("[run]", run))


def test_what_another_driver_finished_is_seen_and_a_server_that_is_away_is_one_sentence(shared: Path, server: Any):  # noqa: F811
    async def talk(agent: Agent) -> None:
        assert "has not been run yet" in await agent.refused("compare")
        assert (await agent.call("status"))["fits"] == 0
        edit = {"model": {"alpha": 0.01}}
        assert (await agent.call("propose", parent="ridge", edit=edit, hypothesis="less"))["waiting"] == 1
        Laboratory.open(shared).run()
        status = await agent.call("status")
        assert (status["experiments"]["done"], status["confirmation_left"]) == (3, True)
        assert (await agent.call("compare"))["champion"]["name"] == "ridge"
        assert (await agent.call("effects"))["effects"] == []
        assert (await agent.call("audit"))["audited"] == "lab.toml"
        server.stop()
        try:
            for tool in ("status", "compare", "effects", "confirm_champion"):
                assert "campaigns" in await agent.refused(tool)
        finally:
            server.start()
        assert (await agent.call("status"))["experiments"]["done"] == 3

    in_process(shared, talk)
