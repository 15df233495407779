"""A campaign's record is whole, or it is said what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from campaigns.small_campaigns import Workplace
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.verification import Verification, verify
from probatum.errors import CampaignFileError, LedgerError

CAMPAIGN = """
[protocol]
splits = "leave-one-group-out"
[run]
cores = 1
keep_weights = true
[[experiment]]
name = "small"
model = { kind = "mlp", hidden = [2] }
training.epochs = 1
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    campaign, _ = Workplace(tmp_path_factory.mktemp("verified")).run(CAMPAIGN)
    return campaign


def artifacts(campaign: Campaign, suffix: str = "") -> list[Path]:
    return sorted(file for file in campaign.store.folder.glob(f"*/*{suffix}"))


def looked_at(campaign: Campaign) -> Verification:
    return verify(campaign.file.path)


def test_a_record_that_nobody_touched_is_whole_weights_included(ran: Campaign):
    found = looked_at(ran)
    assert found.whole
    assert found.artifacts == len(artifacts(ran))
    assert artifacts(ran, ".safetensors")
    assert found.size == sum(file.stat().st_size for file in artifacts(ran))
    assert found.unnamed == ()


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_one_changed_byte_shows(ran: Campaign, suffix: str):
    file = artifacts(ran, suffix)[0]
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        found = looked_at(ran)
    finally:
        file.write_bytes(content)
    assert found.changed == (file.name,)
    assert not found.whole


def test_a_missing_file_shows(ran: Campaign):
    file = artifacts(ran, ".safetensors")[0]
    content = file.read_bytes()
    file.unlink()
    try:
        found = looked_at(ran)
    finally:
        file.write_bytes(content)
    assert found.missing == (file.name,)
    assert not found.whole


def test_what_a_killed_job_left_is_named_and_does_no_harm(ran: Campaign):
    left = ran.store.write_arrays({"left": np.arange(3)})
    try:
        found = looked_at(ran)
    finally:
        ran.store.path(left).unlink()
    assert found.unnamed == (left,)
    assert found.whole


def test_a_damaged_ledger_shows(ran: Campaign, tmp_path: Path):
    state = tmp_path / "damaged.probatum"
    (state / "artifacts").mkdir(parents=True)
    content = bytearray((ran.folder / "ledger.sqlite").read_bytes())
    page = int.from_bytes(content[16:18], "big")
    # A page in the middle of some table: the database opens, and its own check finds it.
    place = len(content) // page // 2 * page
    content[place : place + 64] = b"\xff" * 64
    (state / "ledger.sqlite").write_bytes(content)
    assert damaged(tmp_path / "damaged.toml")


def damaged(path: Path) -> bool:
    """Whether it is said: by the reading that fails, or by what is found."""
    try:
        return not verify(path).whole
    except LedgerError:
        return True


def test_a_campaign_that_was_not_run_is_refused(tmp_path: Path):
    with pytest.raises(CampaignFileError, match="has not been run yet"):
        verify(tmp_path / "never.toml")
