"""What the tests of campaigns share: assertions in imported suites are explained as those in tests are."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "campaigns.ledger_conformance", "campaigns.executor_conformance", "campaigns.small_campaigns"
)
