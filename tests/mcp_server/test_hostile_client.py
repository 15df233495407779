"""A client that wants what it must not have: each attempt ends in one sentence, and changes nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError

from mcp_server.small_campaign import Agent, in_process, over_stdio
from probatum.campaigns.ledgers.files import open_ledger
from probatum.campaigns.splits import held_out_rows
from probatum.errors import CampaignFileError
from probatum.laboratory import Laboratory
from probatum.mcp_server import reading_tools
from probatum.mcp_server.limits import Limits
from probatum.mcp_server.server import CampaignServer

EVIL = "from pathlib import Path\nPath(__file__).with_name('imported').touch()\nloss = Model = print\n"


@pytest.fixture
def trap(campaign: Path) -> Path:
    """A file that is there as soon as the module `evil`, beside the campaign, has been imported."""
    (campaign.parent / "evil.py").write_text(EVIL, encoding="utf-8")
    return campaign.parent / "imported"


def what_is_kept(campaign: Path) -> tuple[Any, ...]:
    """The campaign file, and the ledger's rows."""
    ledger = open_ledger(campaign)
    scores = {r.name: (r.digest, r.status, r.score) for r in ledger.experiments()}
    frozen, looks = ledger.frozen(), ledger.held_out_accesses()
    ledger.close()
    return campaign.read_text(), scores, frozen, looks


def test_no_answer_holds_the_truth_of_a_held_out_case(campaign: Path):
    dataset = Laboratory.open(campaign).campaign.datasets["table"]
    held = held_out_rows(dataset, Laboratory.open(campaign).campaign.file.protocol)
    truth = [f"{value:.9f}"[:9] for value in dataset.targets()[held, 0]]
    seen = [f"{value:.9f}"[:9] for value in dataset.targets()[:, 0]]
    assert len(held) == 12

    async def talk(agent: Agent) -> None:
        for tool in ("list_problems", "describe", "status", "compare", "effects", "audit", "next", "report"):
            await agent.call(tool)
        for topic in ("protocol", "run", "audit", "ridge"):
            await agent.call("explain", topic=topic)
        cases = [
            {"temperature": float(t), "solvent": str(s)}
            for t, s in zip(
                dataset.observations["temperature"][held], dataset.observations["solvent"][held], strict=True
            )
        ]
        await agent.call("predict", experiment="ridge", cases=cases)
        await agent.call("confirm_champion")
        for uri in ("probatum://campaign", "probatum://log"):
            await agent.read(uri)
        assert "is none itself" in await agent.refused(
            "compare", experiments=["held out: ridge"], baseline="held out: mean"
        )
        for name in ("held out: ridge", " held out: ridge", "held-out", "fresh seeds: ridge"):
            await agent.refused("compare", experiments=[name])
            await agent.refused("predict", experiment=name, cases=cases)

    told = "\n".join(over_stdio(campaign, talk).told)
    assert len(told) > 10_000
    assert not [value for value in truth if value in told]
    assert any(value in (campaign.parent / "lab.csv").read_text() for value in seen)  # so it would have been found


def test_a_held_out_set_that_somebody_looked_at_confirms_nothing(campaign: Path):
    Laboratory.open(campaign).score_held_out("ridge")
    before = what_is_kept(campaign)

    async def talk(agent: Agent) -> None:
        assert "was looked at 1 times before (by ridge)" in await agent.refused("confirm_champion")

    in_process(campaign, talk)
    assert what_is_kept(campaign) == before


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"protocol": {"margin": 9.0}}, "'protocol' cannot be changed here"),
        ({"seeds": 1}, "'seeds' cannot be changed here"),
        ({"metric": "mae"}, "'metric' cannot be changed here"),
        ({"held_out": 0.0}, "'held_out' cannot be changed here"),
        ({"audit": {"ignore": {"PB101": "no"}}}, "'audit' cannot be changed here"),
        ({"problem": {"kind": "table", "path": "/etc/passwd"}}, "'problem' cannot be changed here"),
        ({"name": "ridge"}, "the edit sets 'name'"),
        ({"parent": "mean"}, "the edit sets 'parent'"),
        ({"model": {"kind": "evil:Model"}}, "looks like an import path"),
        ({"model": "evil:Model"}, "looks like an import path"),
        ({"model": {"kind": "mlp"}, "training": {"loss": "evil:loss"}}, "looks like an import path"),
        ({"training": {"penalties": {"evil:loss": 1.0}}}, "looks like an import path"),
        ({"training": {"stages": [{"loss": {"kind": "evil:loss"}}]}}, "looks like an import path"),
        ({"model": {"symmetry": "os:system"}}, "looks like an import path"),
        ({"model": {"kind": "model.pkl"}}, "looks like a file"),
        ({"model": {"kind": "../evil"}}, "looks like a file"),
        ({"model": {"kind": "/tmp/weights.safetensors"}}, "looks like a file"),
        ({"model": {"kind": "pickle"}}, "unknown model 'pickle'"),
        ({"features": ["evil:feature"]}, "unknown feature 'evil:feature'"),
        ({"features": {"add": ["batch"]}}, "unknown feature 'batch'"),
        ({"features": {"add": ["yield"]}}, "unknown feature 'yield'"),
        ({"components": ["ridge", "../other.toml:ridge"]}, "unknown component"),
        ({"recipe": "../recipes.toml"}, "looks like a file"),
        ({"recipe": {}}, "recipe is no name"),
        ({"model": {"kind": "mlp", "epochs": 10**9}}, "at most 20000"),
        ({"model": {"kind": "mlp", "hidden": [10**6, 10**6]}}, "at most 2048"),
        ({"model": {"kind": "mlp", "hidden": [8] * 1000}}, "at most 64"),
        ({"ensemble": {"members": 10**7}}, "at most 20000"),
        ({"model": {"alpha": "x" * 100_000}}, "an edit of"),
        ({"model": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}}, "tables too deep"),
        ({"model": {"alpha": 1.0, "\x1b[31m": 1}}, "is no name of anything"),
        ({"model": {"alpha": "\u202e"}}, "is no name of anything"),
        ({"<script>": 1}, "unknown key of an edit"),
        ({"model.alpha": 1.0}, "'model.alpha' is a dotted key"),
        ({}, "it changes nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_edit_names_registered_things_within_limits_and_nothing_else(
    server: Any, trap: Path, edit: dict[str, Any], said: str
):
    async def talk(agent: Agent) -> None:
        assert said in await agent.refused("propose", parent="ridge", edit=edit, hypothesis="why not")
        assert (await agent.call("status"))["waiting"] == []

    server(talk)
    assert not trap.exists()


@pytest.fixture(scope="module")
def shared(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the campaign for all edits that are refused."""
    return Path(shutil.copytree(finished, tmp_path_factory.mktemp("shared") / "lab")) / "lab.toml"


@pytest.fixture
def server(campaign: Path):
    """Talks to a server of the campaign."""
    return lambda talk: in_process(campaign, talk)


def test_finished_experiments_stay_as_they_are(campaign: Path):
    before = what_is_kept(campaign)

    async def talk(agent: Agent) -> None:
        edit = {"model": {"alpha": 3.0}}
        for name in ("ridge", " ridge ", "mean"):
            assert "there is an experiment" in await agent.refused(
                "propose", parent="ridge", edit=edit, hypothesis="why not", name=name
            )
        for name in ("trivial: mean", "held out: ridge", "fresh seeds: ridge", "control: ridge"):
            assert "are reserved" in await agent.refused(
                "propose", parent="ridge", edit=edit, hypothesis="why not", name=name
            )
        assert "its recipe is that of 'ridge'" in await agent.refused(
            "propose", parent="mean", edit={"model": {"kind": "ridge"}}, hypothesis="why not", name="ridge again"
        )
        for tool, extra in (("propose", {"protocol": {}}), ("compare", {"margin": 0}), ("run_batch", {"retry": True})):
            assert "unknown argument" in await agent.refused(tool, **extra)
        for tool in ("submit", "held_out", "run", "write_file", "delete_experiment"):
            assert "unknown tool" in await agent.refused(tool)

    in_process(campaign, talk)
    assert what_is_kept(campaign) == before


def test_the_judge_cannot_be_moved_under_a_running_server(campaign: Path):
    for before, after in (
        ("held_out = 0.25", "held_out = 0.25\nmargin = 9.0"),
        ("[run]", '[audit]\nignore = { PB101 = "it is in my way" }\n\n[run]'),
        ("seeds = 2", "seeds = 1"),
        ('target = "yield"', 'target = "temperature"'),
    ):
        text = campaign.read_text()

        async def talk(agent: Agent, changed: str = text.replace(before, after), text: str = text) -> None:
            await agent.call("compare")
            campaign.write_text(changed)
            for tool in ("compare", "run_batch", "status", "describe", "confirm_champion"):
                assert "has changed since this server began" in await agent.refused(tool)
            campaign.write_text(text)
            await agent.call("compare")

        in_process(campaign, talk)


def test_a_campaign_that_names_code_is_refused_before_the_code_is_imported(campaign: Path, trap: Path):
    text = campaign.read_text()
    for entry in (
        'model.kind = "evil:Model"',
        'model = "evil:Model"',
        'model = { kind = "mlp" }\ntraining = { loss = "evil:loss" }',
        'model = { kind = "mlp" }\ntraining = { loss = { kind = " evil:loss " } }',
    ):
        campaign.write_text(f'{text}\n[[experiment]]\nname = "own"\n{entry}\n')
        with pytest.raises(CampaignFileError, match="is an import path, and this server takes registered names only"):
            CampaignServer(campaign)
    assert not trap.exists()


def test_a_waiting_file_that_was_edited_is_checked_again(campaign: Path, trap: Path):
    waiting = campaign.parent / "lab.probatum" / "waiting.toml"

    async def talk(agent: Agent) -> None:
        waiting.write_text('[[proposal]]\nname = "own"\nparent = "ridge"\nmodel.kind = "evil:Model"\n')
        assert "looks like an import path" in await agent.refused("run_batch")
        assert "looks like an import path" in await agent.refused("status")

    in_process(campaign, talk)
    assert not trap.exists()


def test_nothing_outside_the_campaign_can_be_read(campaign: Path):
    (campaign.parent / "other.toml").write_text(campaign.read_text())

    async def talk(agent: Agent) -> None:
        for name in ("other.toml:ridge", "../lab/other.toml:ridge", "/etc/passwd.toml:x", "OTHER.TOML:ridge"):
            assert "is of another campaign" in await agent.refused("compare", experiments=[name])
            assert "is of another campaign" in await agent.refused("compare", baseline=name)
            assert "is of another campaign" in await agent.refused("audit", experiments=[name])
            assert "is of another campaign" in await agent.refused("predict", experiment=name, cases=[{}])
        for topic in ("evil:Model", "/etc/passwd", "../lab.csv", "os.path"):
            assert "unknown topic" in await agent.refused("explain", topic=topic)
        for uri in (
            "file:///etc/passwd",
            f"file://{campaign.parent}/lab.csv",
            "probatum://pictures/../../lab.csv",
            "probatum://pictures/%2e%2e%2flab.csv",
            "probatum://campaign/../lab.csv",
            "probatum://held-out",
        ):
            with pytest.raises(MCPError, match=r"(?i)unknown|not found"):
                await agent.read(uri)

    in_process(campaign, talk)


def test_a_flood_is_refused_and_the_server_goes_on(campaign: Path):
    limits = Limits(calls=400, proposals=10, waiting=5)

    async def talk(agent: Agent) -> None:
        refusals: list[str] = []

        async def propose(number: int) -> None:
            edit = {"model": {"alpha": 2.0 + number}}
            result = await agent.client.call_tool("propose", {"parent": "ridge", "edit": edit, "hypothesis": "x"})
            if result.is_error:
                refusals.append(result.content[0].text)

        async with anyio.create_task_group() as group:
            for number in range(150):
                group.start_soon(propose, number)
        assert len((await agent.call("status"))["waiting"]) == 5
        assert len(refusals) == 145
        kinds = {"in a minute", "calls are in progress", "proposals wait already"}
        assert {kind for said in refusals for kind in kinds if kind in said} <= kinds
        assert all(any(kind in said for kind in kinds) for said in refusals)

    in_process(campaign, talk, limits)


def test_more_calls_than_a_minute_allows_are_refused(campaign: Path):
    async def talk(agent: Agent) -> None:
        for _ in range(3):
            await agent.call("status")
        assert "more than 3 calls in a minute; wait" in await agent.refused("status")

    in_process(campaign, talk, Limits(calls=3))


def test_giant_inputs_are_refused(campaign: Path):
    huge = "x" * 3_000_000

    async def talk(agent: Agent) -> None:
        edit = {"model": {"alpha": 2.0}}
        said = await agent.refused("propose", parent="ridge", edit=edit, hypothesis=huge)
        assert "characters" in said
        assert "propose, hypothesis" in said
        assert "characters" in await agent.refused(
            "propose", parent="ridge", edit={"model": {huge: 1}}, hypothesis="why not"
        )
        assert "characters" in await agent.refused("compare", experiments=[huge])
        assert "at most 1000" in await agent.refused("predict", experiment="ridge", cases=[{}] * 1001)
        assert "at most 3600" in await agent.refused("run_batch", seconds=1e9)
        assert "seconds" in await agent.refused("run_batch", seconds=-1)
        assert "most" in await agent.refused("status", most=10**9)
        assert "text of 500 characters" in await agent.refused(
            "propose", parent="ridge", edit=edit, hypothesis="why not", name="n" * 500
        )
        deep: dict[str, Any] = {"model": 1}
        for _ in range(100):
            deep = {"model": deep}
        assert "too deep" in await agent.refused("propose", parent="ridge", edit=deep, hypothesis="why not")
        await agent.call("status")

    over_stdio(campaign, talk)


def test_garbage_on_the_wire_is_passed_over(campaign: Path):
    """Lines as no client of the protocol writes them, straight into the server's standard input."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "hostile", "version": "0"},
    }
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}).encode(),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode(),
        b"\xff\xfe\x00garbage",
        b"{" * 100_000,
        b"[" * 200_000,
        b'{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": '
        + b'{"a":' * 2_000
        + b"1"
        + b"}" * 2_000
        + b"}",
        b'{"jsonrpc": "2.0", "id": 3, "method": "' + b"x" * 5_000_000 + b'"}',
        json.dumps(
            {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "status", "arguments": {}}}
        ).encode(),
    ]
    command = [Path(sys.executable).with_name("probatum"), "mcp", "-C", campaign.name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=campaign.parent, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n".join(lines) + b"\n")
        process.stdin.flush()
        for line in process.stdout:
            answer = json.loads(line)
            if answer.get("id") == 4:
                break
        process.stdin.close()
        process.stdout.read()
        process.stderr.read()
    assert answer["result"]["structuredContent"]["campaign"] == "lab.toml"
    assert process.returncode == 0


def test_control_characters_and_markup_do_not_become_names(campaign: Path):
    async def talk(agent: Agent) -> None:
        edit = {"model": {"alpha": 2.0}}
        for name in ("<script>alert(1)</script>", "a\x1b[31mred", "a\u202eb", "a\nb", "a\x00b", "a\u200bb", "   \n"):
            await agent.refused("propose", parent="ridge", edit=edit, hypothesis="why not", name=name)
            await agent.refused("compare", experiments=[name])
            await agent.refused("propose", parent=name, edit=edit, hypothesis="why not")
        assert "control character (U+001B)" in await agent.refused(
            "propose", parent="ridge", edit=edit, hypothesis="\x1b]0;title\x07"
        )
        hypothesis = '</td><script>alert(1)</script> """ [[experiment]]\nname = "evil"\n# ${jndi}'
        await agent.call("propose", parent="ridge", edit=edit, hypothesis=hypothesis, name='quo"te')
        await agent.call("run_batch")
        await agent.call("report")

    in_process(campaign, talk)
    experiments = Laboratory.open(campaign).campaign.file.experiments
    assert [e.name for e in experiments] == ["mean", "ridge", 'quo"te']
    assert "<script>alert" not in (campaign.parent / "lab.probatum" / "report.html").read_text()


def test_an_error_that_nobody_foresaw_tells_its_kind_and_nothing_else(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def breaks(*_: object) -> None:
        raise KeyError("a secret of the machine")

    monkeypatch.setattr(reading_tools, "effects_values", breaks)

    async def talk(agent: Agent) -> None:
        said = await agent.refused("effects")
        assert said == "effects: KeyError inside the server, which its log explains; tell the person; other tools go on"
        await agent.call("status")

    in_process(campaign, talk)
    assert "a secret of the machine" in caplog.text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(["ridge", "mlp"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["features", "model", "training", "per_target", "ensemble", "repeats", "group_weights", "components", "recipe"]
)


@settings(max_examples=5)
@given(st.lists(st.dictionaries(KEYS | st.text(max_size=6), VALUES, min_size=1, max_size=3), min_size=20, max_size=30))
def test_whatever_an_edit_is_it_is_taken_or_refused_with_a_sentence(shared: Path, edits: list[dict[str, Any]]):
    async def talk(agent: Agent) -> None:
        for edit in edits:
            result = await agent.client.call_tool("propose", {"parent": "ridge", "edit": edit, "hypothesis": "x"})
            if result.is_error:
                assert "inside the server" not in result.content[0].text
                assert result.content[0].text.isprintable()

    (shared.parent / "lab.probatum" / "waiting.toml").unlink(missing_ok=True)
    in_process(shared, talk, Limits(proposals=10**6, calls=10**6, waiting=10**6))
