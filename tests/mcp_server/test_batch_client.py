"""The batch process: kept between requests, ended where its caller goes away, and missed with a sentence."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import anyio
import pytest

from mcp_server.small_campaign import write_campaign
from probatum.errors import CampaignFileError, FitError
from probatum.mcp_server.batch_client import BatchClient

CASES = [{"temperature": 50.0, "solvent": "water"}]


def alive(process: int) -> bool:
    """Whether a process runs, one that waits to be collected not counted."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_one_process_serves_until_it_is_cancelled_killed_or_closed(tmp_path: Path):
    campaign = str(write_campaign(tmp_path))
    request = {"what": "predict", "campaign": campaign, "experiment": "mean", "cases": CASES, "task": None}
    told: list[str] = []

    async def tell(done: float, total: float | None, message: str) -> None:
        told.append(message)

    async def talk() -> None:
        batches = BatchClient()

        def process() -> int:
            assert batches._process is not None
            return batches._process.pid

        async with batches.opened():
            first = await batches.carry_out(request, tell)
            assert first["trained_on"] == 36
            assert told == ["1 of 1 trainings"]
            kept = process()

            with pytest.raises(CampaignFileError, match="no such campaign file") as refused:
                await batches.carry_out(request | {"campaign": str(tmp_path / "no.toml")}, tell)
            assert refused.value.remedy
            assert process() == kept

            os.kill(kept, signal.SIGSTOP)  # it answers nothing, as one that trains for long
            with anyio.move_on_after(0.5) as scope:
                await batches.carry_out(request, tell)
            assert scope.cancelled_caught
            assert not alive(kept)

            async with anyio.create_task_group() as group:

                async def killed_meanwhile() -> None:
                    with pytest.raises(FitError, match=r"was killed by signal 9 \(out of memory\?\)") as missed:
                        await batches.carry_out(request, tell)
                    assert "call again" in str(missed.value)

                group.start_soon(killed_meanwhile)
                while batches._process is None:
                    await anyio.sleep(0.05)
                os.kill(process(), signal.SIGKILL)

            assert (await batches.carry_out(request, tell))["predictions"] == first["predictions"]
            last = process()
        assert not alive(last)

    anyio.run(talk)
