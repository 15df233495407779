"""What the tests of campaigns share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from postgresql_fixture import server  # noqa: F401

pytest.register_assert_rewrite(
    "campaigns.ledger_conformance", "campaigns.executor_conformance", "campaigns.small_campaigns"
)
# How long an example takes says more about the machine's other work than about ours.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
