"""A record that somebody changed: what `verify` and `reproduce` find, and what they cannot."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from campaigns.small_campaigns import Workplace
from probatum.campaigns import reproduction
from probatum.campaigns.campaign import Campaign, StoredPrediction
from probatum.campaigns.reproduction import TOLERANCE, reproduce
from probatum.campaigns.verification import Verification, verify
from probatum.errors import LedgerError, ProbatumError, ProtocolFrozenError, StorageError

CAMPAIGN = """
[protocol]
splits = "leave-one-group-out"
[run]
cores = 1
[[experiment]]
name = "line"
features = ["a", "b"]
model.kind = "ridge"
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign file of a campaign that ran. Not to be changed."""
    campaign, _ = Workplace(tmp_path_factory.mktemp("whole")).run(CAMPAIGN)
    campaign.ledger.close()
    return campaign.file.path


@pytest.fixture
def copied(ran: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(ran.parent, tmp_path / "copy")) / ran.name


def change(path: Path, statement: str, *values: object) -> None:
    """Changes rows of the ledger behind the program's back."""
    db = sqlite3.connect(path.with_suffix(".probatum") / "ledger.sqlite")
    with db:
        assert db.execute(statement, values).rowcount > 0
    db.close()


def artifacts(path: Path) -> list[Path]:
    return sorted((path.with_suffix(".probatum") / "artifacts").glob("*/*.npz"))


def said(path: Path) -> Verification | ProbatumError:
    try:
        return verify(path)
    except ProbatumError as error:
        return error


def test_every_flipped_bit_of_every_artifact_shows(copied: Path):
    generator = np.random.default_rng(3)
    for file in artifacts(copied):
        content = file.read_bytes()
        for place in (0, len(content) // 2, len(content) - 1, int(generator.integers(len(content)))):
            flipped = bytearray(content)
            flipped[place] ^= 1 << int(generator.integers(8))
            file.write_bytes(flipped)
            assert verify(copied).changed == (file.name,)
        file.write_bytes(content)
    assert verify(copied).whole


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes() + b"\0"),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: (file.unlink(), file.mkdir()),
        lambda file: shutil.rmtree(file.parent),
    ],
)
def test_an_artifact_that_is_gone_cut_or_something_else_shows(damage: Callable[[Path], object], copied: Path):
    file = artifacts(copied)[-1]
    damage(file)
    found = verify(copied)
    assert file.name in (*found.missing, *found.changed)
    assert not found.whole


def test_two_artifacts_that_change_places_show(copied: Path):
    one, other = artifacts(copied)[:2]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert set(verify(copied).changed) == {one.name, other.name}


@pytest.mark.parametrize("name", ["../../../secret.npz", "/etc/hostname", "/dev/zero", "", "x", "0" * 64 + ".npz"])
def test_a_row_that_names_another_file_shows_and_that_file_is_not_read(name: str, copied: Path):
    (copied.parent / "secret.npz").write_bytes(b"secret")
    change(copied, "UPDATE fit SET artifact = ?", name)
    found = said(copied)
    assert isinstance(found, ProbatumError) or name in (*found.changed, *found.missing)
    campaign = Campaign.open(copied)
    with pytest.raises(ProbatumError):
        campaign.predictions("line")
    campaign.ledger.close()


@pytest.mark.parametrize("table", ["fit", "split", "score", "experiment"])
def test_a_table_that_is_gone_shows(table: str, copied: Path):
    db = sqlite3.connect(copied.with_suffix(".probatum") / "ledger.sqlite")
    with db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute(f"DROP TABLE {table}")
    db.close()
    found = said(copied)
    if table != "score":  # whose rows `verify` does not need
        assert isinstance(found, LedgerError)


def test_a_file_that_is_no_database_is_refused(copied: Path):
    (copied.with_suffix(".probatum") / "ledger.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    for beside in copied.with_suffix(".probatum").glob("ledger.sqlite-*"):
        beside.unlink()
    assert isinstance(said(copied), LedgerError | StorageError)


def test_a_recipe_that_was_changed_in_the_ledger_does_not_come_out_again(copied: Path):
    change(copied, "UPDATE experiment SET recipe = json_set(recipe, '$.model.alpha', 1000.0) WHERE name = 'line'")
    campaign = Campaign.open(copied)
    found = reproduce(campaign, "line", cores=1)
    campaign.ledger.close()
    assert found.identical < found.fits
    assert not found.holds


def test_data_that_was_changed_is_refused_before_anything_is_trained(copied: Path):
    table = copied.with_name("batches.csv")
    table.write_text(table.read_text(encoding="utf-8").replace("batch0", "batch1", 1), encoding="utf-8")
    campaign = Campaign.open(copied)
    with pytest.raises(ProtocolFrozenError):
        reproduce(campaign, "line", cores=1)
    campaign.ledger.close()


def predictions(shift: float = 0.0) -> list[StoredPrediction]:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(12, 2)).astype(np.float32)
    steps = shift * values.std(axis=0) * np.sign(generator.normal(size=values.shape))
    one = StoredPrediction.__new__(StoredPrediction)
    known = {
        "task": "table",
        "draw": 0,
        "split": "fold 1",
        "seed": 0,
        "prediction": (values + steps).astype(np.float32),
    }
    for name, value in known.items():
        object.__setattr__(one, name, value)
    return [one]


@pytest.mark.parametrize(("shift", "changed", "holds"), [
    (0.0, (), True),
    (0.0, ("jax: 1 -> 2",), True),
    (0.5 * TOLERANCE, (), False),  # under the same conditions it is the same bits or nothing
    (0.5 * TOLERANCE, ("jax: 1 -> 2",), True),
    (2.0 * TOLERANCE, ("jax: 1 -> 2",), False),
])  # fmt: skip
def test_other_versions_are_allowed_rounding_and_the_same_ones_nothing(
    shift: float, changed: tuple[str, ...], holds: bool
):
    found = reproduction._compared("line", predictions(), predictions(shift), changed)
    assert found.holds is holds
    assert found.difference == pytest.approx(shift, rel=0.05, abs=1e-12)


def test_a_prediction_that_is_no_number_never_holds():
    broken = predictions()
    broken[0].prediction[0, 0] = np.nan
    assert not reproduction._compared("line", predictions(), broken, ("jax: 1 -> 2",)).holds
