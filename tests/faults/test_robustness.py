"""Faults of every code planted at random, and clean campaigns: the short form of `benchmarks/audit.py`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probatum.audit.catalogue import CHECKS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SEEDS = st.integers(0, 10**9)
PAIRS = st.lists(SEEDS, min_size=2, max_size=2, unique=True)
few = settings(derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def faults() -> Iterator[ModuleType]:
    """The planted faults; learners of theirs are imported by name while campaigns run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield import_module("audit_faults")


def test_there_is_a_fault_for_every_check(faults: ModuleType):
    assert set(faults.FAULTS) == set(CHECKS)


@pytest.mark.parametrize("code", CHECKS)
@settings(few, max_examples=1)
@given(seeds=PAIRS)
def test_faults_of_any_size_and_place_are_found_under_their_code(faults: ModuleType, code: str, seeds: list[int]):
    found = [faults.finding_of(code, np.random.default_rng(seed)) is not None for seed in seeds]
    assert sum(found) >= (1 if CHECKS[code].statistical else len(found)), seeds


@settings(few, max_examples=6)
@given(seed=SEEDS)
def test_clean_campaigns_of_any_size_are_silent(faults: ModuleType, seed: int):
    campaigns = import_module("audit_campaigns")
    assert campaigns.alarms(campaigns.audit_of(campaigns.clean_campaign(np.random.default_rng(seed)))) == []
