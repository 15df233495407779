"""An experiment trained again gives the same, and where it does not, that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.small_campaigns import Workplace
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.reproduction import Reproduction, reproduce
from probatum.errors import IncomparableError, ProtocolFrozenError, UnknownNameError

CAMPAIGN = """
[protocol]
splits = "leave-one-group-out"
seeds = 2
[run]
cores = 1
[[experiment]]
name = "noisy"
model.kind = "@Noisy"
[[experiment]]
name = "network"
model = { kind = "mlp", hidden = [2] }
training.epochs = 2
[[experiment]]
name = "both"
components = ["noisy", "network"]
"""
FOLDS = 6


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    campaign, _ = Workplace(tmp_path_factory.mktemp("reproduced")).run(CAMPAIGN)
    return campaign


def test_an_experiment_comes_out_the_same_to_the_bit_and_nothing_is_written(ran: Campaign):
    before = written(ran)
    found = reproduce(ran, "both", cores=1)  # trains its two components
    assert (found.identical, found.fits) == (2 * FOLDS, 2 * FOLDS)
    assert found.difference == 0
    assert found.changed == ()
    assert found.holds
    assert reproduce(ran, "trivial: mean", cores=1).holds
    assert written(ran) == before


def written(campaign: Campaign) -> dict[Path, int]:
    """When each file of the campaign was written; SQLite's own side files come and go with its readers."""
    files = (file for file in campaign.folder.rglob("*") if file.is_file())
    return {file: file.stat().st_mtime_ns for file in files if not file.name.startswith("ledger.sqlite-")}


def test_chance_that_no_seed_decides_shows(tmp_path: Path):
    work = Workplace(tmp_path)
    campaign, _ = work.run(CAMPAIGN.replace("@Noisy", "@Unseeded").partition('[[experiment]]\nname = "network"')[0])
    found = reproduce(campaign, "noisy", cores=1)
    assert found.identical == 0
    assert not found.holds


def test_small_differences_hold_only_under_other_conditions():
    same = Reproduction("one", 10, 9, 1e-6, 1e-6, ())
    assert not same.holds
    assert Reproduction("one", 10, 9, 1e-6, 1e-6, ("numpy: 1 -> 2",)).holds
    assert not Reproduction("one", 10, 9, 1e-2, 1e-2, ("numpy: 1 -> 2",)).holds


def test_other_data_is_refused(ran: Campaign):
    table = next(ran.file.path.parent.glob("*.csv"))
    content = table.read_text()
    table.write_text(f"{content}{content.splitlines()[-1]}\n")
    try:
        with pytest.raises(ProtocolFrozenError, match="changed since the first run"):
            reproduce(Campaign.open(ran.file.path), "noisy", cores=1)
    finally:
        table.write_text(content)


def test_what_was_not_run_cannot_be_reproduced(ran: Campaign):
    with pytest.raises(UnknownNameError, match="noise"):
        reproduce(ran, "noise", cores=1)


def test_an_unfinished_experiment_cannot_be_reproduced(tmp_path: Path):
    failing = CAMPAIGN.replace("@Noisy", "@Failing").partition('[[experiment]]\nname = "network"')[0]
    campaign, _ = Workplace(tmp_path).run(failing)
    with pytest.raises(IncomparableError, match="have no result"):
        reproduce(campaign, "noisy", cores=1)
