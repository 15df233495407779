"""A campaign cannot be changed behind its own back: problem, tasks, protocol and data stay those of its first run."""

from __future__ import annotations

import pytest

from campaigns.small_campaigns import SMALL, Workplace, write_table
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import RoundStarted
from probatum.errors import ProtocolFrozenError


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seeds = 2", "seeds = 3", "protocol.seeds was 2 at the first run and is 3 now"),
        ("held_out = 0.34", "held_out = 0.2", "protocol.held_out was 0.34"),
        ('"leave-one-group-out"', '"grouped-k-fold"\nfolds = 3', "protocol.splits was 'leave-one-group-out'"),
        ("seeds = 2", 'seeds = 2\nmetric = "mae"', "protocol.metric was 'mse'"),
    ],
)
def test_an_edited_protocol_is_refused_by_key_and_values(small: Workplace, old: str, new: str, says: str):
    with pytest.raises(ProtocolFrozenError) as raised:
        small.run(SMALL.replace(old, new))
    assert str(raised.value).startswith("small.toml: ")
    assert says in str(raised.value)
    assert "save the file under a new name" in str(raised.value)


def test_settings_of_the_run_may_change(small: Workplace):
    _, told = small.run(SMALL.replace("cores = 1", "cores = 2").replace("keep_weights = true", "limit = 9"))
    (started,) = (e for e in told if isinstance(e, RoundStarted))
    assert started.fits == 0


def test_changed_data_is_refused(small: Workplace):
    write_table(small.folder / "batches.csv", shift=0.5)
    with pytest.raises(ProtocolFrozenError, match="the data of task 'table' changed since the first run"):
        small.run(SMALL)


def test_another_problem_is_refused(small: Workplace):
    path = small.write(SMALL)
    path.write_text(
        'problem = "analog_codes"\n' + SMALL.replace('features = ["a", "b"]\n', "").replace("@Weighted", "mean")
    )
    with pytest.raises(ProtocolFrozenError, match="problem or task changed"):
        Campaign.open(path).run()


def test_whether_anything_changed_can_be_asked_without_running(small: Workplace):
    small.open(SMALL).require_unchanged()
    with pytest.raises(ProtocolFrozenError, match=r"protocol\.seeds was 2"):
        small.open(SMALL.replace("seeds = 2", "seeds = 1")).require_unchanged()
