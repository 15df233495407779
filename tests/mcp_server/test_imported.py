"""An agent before imported runs: it looks at all of them, and trains nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.foreign_runs import bring, runs_of, table_of_scores
from mcp_server.small_campaign import Agent, in_process, over_stdio
from probatum.laboratory import Laboratory

BASE, SLOW, LATE = (table_of_scores(mean, seed) for seed, mean in enumerate((1.0, 1.15, 0.8)))
TRAINING = {
    "propose": {"parent": "base", "edit": {"model": {"kind": "ridge"}}, "hypothesis": "a line is enough"},
    "next": {},
    "run_batch": {},
    "predict": {"experiment": "base", "cases": [{}]},
    "confirm_champion": {},
}


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    path = tmp_path / "runs.toml"
    bring([*runs_of("base", BASE, lr=0.1), *runs_of("slow", SLOW, lr=0.01)], path)
    return path


def test_what_looks_works_and_what_trains_is_refused(imported: Path):
    async def talk(agent: Agent) -> None:
        described = await agent.call("describe")
        assert described["imported"] == "table"
        assert described["models"] == described["recipes"] == {}
        assert described["experiments"] == ["base", "slow"]
        status = await agent.call("status")
        assert status["experiments"]["done"] == 2
        assert not status["confirmation_left"]
        (verdict,) = (await agent.call("compare"))["verdicts"]
        assert verdict["outcome"] == "worse"
        (effect,) = (await agent.call("effects"))["effects"]
        assert (effect["mutation"], effect["outcome"]) == ("training.lr: 0.1 -> 0.01", "failed")
        assert (await agent.call("audit"))["audited"] == "runs.toml"
        report = await agent.call("report")
        assert (imported.parent / report["report"]).is_file()
        for uri in (
            "probatum://campaign",
            "probatum://log",
            "probatum://pictures/verdicts",
            "probatum://pictures/tree",
        ):
            assert await agent.read(uri)
        for tool, arguments in TRAINING.items():
            said = await agent.refused(tool, **arguments)
            assert "its runs were imported and are read-only" in said
            assert "run them where they were made (table), then import again" in said
        assert (await agent.call("status"))["waiting"] == []

    over_stdio(imported, talk)


def test_what_a_later_import_brings_is_judged(imported: Path):
    async def talk(agent: Agent) -> None:
        assert {v["arm"] for v in (await agent.call("compare"))["verdicts"]} == {"slow"}
        bring(
            [*runs_of("base", BASE, lr=0.1), *runs_of("slow", SLOW, lr=0.01), *runs_of("late", LATE, lr=7)],
            imported,
        )
        verdicts = {v["arm"]: v["outcome"] for v in (await agent.call("compare"))["verdicts"]}
        assert verdicts == {"slow": "worse", "late": "better"}

    in_process(imported, talk)
    assert Laboratory.open(imported).results().best.name == "late"
