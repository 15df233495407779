"""A campaign file to plan for."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning.small_history import campaign_file
from probatum.campaigns.campaign_file import CampaignFile


@pytest.fixture
def file(tmp_path: Path) -> CampaignFile:
    return campaign_file(tmp_path)
