"""An agent drives a whole campaign: `probatum mcp` in a process of its own, a real client at the other end."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import anyio
import pytest

from mcp_server.small_campaign import CAMPAIGN, MLP, Agent, over_stdio, write_campaign
from probatum.campaigns.ledgers.files import open_ledger
from probatum.cli.main import app
from probatum.laboratory import Laboratory
from probatum.reporting.findings import audit_values
from probatum.reporting.records import effects_values, verdict_values

TOOLS = {
    "list_problems", "describe", "propose", "withdraw", "run_batch", "status", "compare", "effects", "audit", "explain",
    "next", "report", "predict", "confirm_champion",
}  # fmt: skip


def test_an_agent_drives_a_whole_campaign(tmp_path: Path):
    campaign = write_campaign(tmp_path, CAMPAIGN + MLP)

    async def talk(agent: Agent) -> None:
        listed = (await agent.client.list_tools()).tools
        assert {tool.name for tool in listed} == TOOLS
        assert all(tool.output_schema and tool.description for tool in listed)
        assert {t.name for t in listed if t.annotations and t.annotations.destructive_hint} == {"confirm_champion"}

        assert "call run_batch first" in await agent.refused("compare")
        before = await agent.call("status")
        assert (before["fits"], before["list"], before["champion"]) == (0, [], None)
        described = await agent.call("describe")
        assert described["tasks"][0]["cases"] == 36
        assert described["tasks"][0]["held_out"] == 12
        assert described["experiments"] == ["mean", "ridge", "mlp"]
        assert (await agent.call("list_problems"))["served"] == "table"

        first = await agent.call("run_batch")
        assert first["stopped"] == "nothing waits"
        assert agent.progress[-1][0] == agent.progress[-1][1] > 0
        assert [done for done, _, _ in agent.progress] == sorted(done for done, _, _ in agent.progress)

        proposed = await agent.call(
            "propose", parent="ridge", edit={"model": {"alpha": 1e-3}}, hypothesis="less shrinkage", name="free ridge"
        )
        assert proposed == {"name": "free ridge", "parent": "ridge", "change": proposed["change"], "waiting": 1}
        wider = {"model": {"hidden": [8]}}
        await agent.call("propose", parent="mlp", edit=wider, hypothesis="it is too small", reason="high training loss")
        assert len((await agent.call("status"))["waiting"]) == 2

        second = await agent.call("run_batch")
        assert second["stopped"] == "rounds"
        assert second["waiting"] == 0
        assert {r["name"] for r in second["round"]["results"]} == {"free ridge", "5 hidden [8]"}
        assert {r["status"] for r in second["round"]["results"]} == {"done"}
        await agent.read("probatum://log")

        assert "hypothesis" in await agent.refused(
            "propose", parent="ridge", edit={"model": {"alpha": 9.0}}, hypothesis=""
        )
        await agent.call("propose", parent="ridge", edit={"model": {"alpha": 9.0}}, hypothesis="more", name="stiff")
        await agent.call("propose", parent="ridge", edit={"model": {"alpha": 99.0}}, hypothesis="more", name="dear")
        assert "dear" in await agent.refused("withdraw", names=["deer"])
        assert await agent.call("withdraw", names=["dear"]) == {"withdrawn": ["dear"], "waiting": ["stiff"]}
        third = await agent.call("run_batch", seconds=1e-6)
        told = third["stopped"], third["round"], third["waiting"]
        assert told == ("budget", None, 1)  # nothing of the round before
        assert "before a round began" in third["why"]

    agent = over_stdio(campaign, talk)
    assert any("free ridge" in told for told in agent.told)
    (record,) = open_ledger(campaign).rounds()
    assert {p["proposer"] for p in record.content["proposals"]} == {"agent"}
    assert 'name = "free ridge"' in campaign.read_text()


def test_what_the_tools_say_is_what_the_commands_print(campaign: Path):
    said: dict[str, dict] = {}

    async def talk(agent: Agent) -> None:
        for tool in ("compare", "effects", "audit", "status"):
            said[tool] = await agent.call(tool)
        said["explain"] = await agent.call("explain", topic="PB101")
        said["next"] = await agent.call("next", slots=2)
        report = await agent.call("report")
        assert (campaign.parent / report["report"]).read_text().startswith("<!")
        assert report["log"].startswith("# Experiment Log")
        for picture in ("verdicts", "effects", "tree"):
            assert base64.b64decode(await agent.read(f"probatum://pictures/{picture}")).startswith(b"\x89PNG")
        assert await agent.read("probatum://campaign") == campaign.read_text()

    over_stdio(campaign, talk)
    laboratory = Laboratory.open(campaign)
    results = laboratory.results()
    as_json = json.loads(json.dumps([verdict_values(v) for v in results.verdicts]))
    assert said["compare"]["verdicts"] == as_json
    assert said["compare"]["champion"]["name"] == "ridge"
    assert said["effects"] == json.loads(json.dumps(effects_values(laboratory, results)))
    assert said["audit"] == json.loads(json.dumps(audit_values(laboratory.audit(results))))
    assert said["status"]["done"] == laboratory.campaign.ledger.summary().done
    assert said["explain"]["topic"] == "PB101"
    assert all(p["reason"] for p in said["next"]["proposals"])


def test_the_server_answers_while_a_batch_runs_and_a_cancelled_batch_goes_on_later(tmp_path: Path):
    long = CAMPAIGN + MLP.replace("epochs = 4", "epochs = 20000")
    campaign = write_campaign(tmp_path, long)

    async def talk(agent: Agent) -> None:
        with anyio.CancelScope() as scope:

            async def when_it_trains(done: float, total: float | None, message: str | None) -> None:
                if message and message.startswith("training") and "mlp" in message:
                    trains.set()

            trains = anyio.Event()
            async with anyio.create_task_group() as group:

                async def meanwhile() -> None:
                    await trains.wait()
                    assert (await agent.call("status"))["busy"]
                    assert "is running" in await agent.refused("run_batch")
                    assert "is running" in await agent.refused("next")
                    scope.cancel()

                group.start_soon(meanwhile)
                await agent.client.call_tool("run_batch", {}, progress_callback=when_it_trains)
                pytest.fail("the batch was not cancelled")
        assert scope.cancelled_caught
        status = await agent.call("status")
        for _ in range(100):
            if not status["busy"]:
                break
            await anyio.sleep(0.1)
            status = await agent.call("status")
        assert not status["busy"]
        campaign.write_text(campaign.read_text().replace("20000", "2"))
        again = await agent.call("run_batch")
        assert again["stopped"] == "nothing waits"

    over_stdio(campaign, talk)
    states = {r.name: r.status for r in open_ledger(campaign).experiments()}
    assert states["mlp"] == states["ridge"] == "done"


def test_the_champion_is_confirmed_once_and_every_look_is_counted(campaign: Path):
    async def talk(agent: Agent) -> None:
        assert (await agent.call("status"))["confirmation_left"]
        first = await agent.call("confirm_champion")
        assert first["confirmed_now"]
        assert first["confirmation"]["outcome"] in ("better", "undecided")
        assert [look["experiment"] for look in first["looks"]] == ["ridge", "mean"]
        second = await agent.call("confirm_champion")
        assert not second["confirmed_now"]
        assert second["looks"] == first["looks"]
        status = await agent.call("status")
        assert status["held_out_accesses"] == 2
        assert not status["confirmation_left"]

    over_stdio(campaign, talk)


def test_predictions_of_new_cases_say_where_they_extrapolate(campaign: Path):
    async def talk(agent: Agent) -> None:
        cases = [{"temperature": 50.0, "solvent": "water"}, {"temperature": 500.0, "solvent": "oil"}]
        said = await agent.call("predict", experiment="ridge", cases=cases)
        inside, outside = said["predictions"]
        assert abs(inside["values"][0] - 0.6) < 0.05  # 0.2 + 0.008 * 50
        assert inside["outside"] == []
        assert set(outside["outside"]) == {"temperature", "solvent"}
        assert said["trained_on"] == 36
        assert said["out_of_fold"]["yield"] > 0
        assert "case 1: no 'solvent'" in await agent.refused("predict", experiment="ridge", cases=[{"temperature": 5}])
        assert "is not a number" in await agent.refused(
            "predict", experiment="ridge", cases=[{"temperature": "hot", "solvent": "water"}]
        )

    over_stdio(campaign, talk)


def test_the_commands_are_declared():
    commands = [c for group in app.registered_groups for c in group.typer_instance.registered_commands]
    assert {"mcp", "plug-ins"} <= {c.name or c.callback.__name__ for c in commands}
