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
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.reproduction import TOLERANCE, reproduce
from probatum.campaigns.stored_predictions import StoredPrediction
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
    assert isinstance(said(copied), LedgerError)


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


ONE_FIT = "WHERE id = (SELECT max(id) FROM fit WHERE status = 'done')"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE score SET value = value * 0.99 WHERE fit_id = 1 AND quantity = 'y'", "score of y"),
        ("UPDATE score SET value = NULL WHERE fit_id = 1 AND quantity = 'z'", "score of z is nan"),
        ("DELETE FROM score WHERE fit_id = 1 AND quantity = 'y'", "score of y is gone"),
        (f"UPDATE fit SET status = 'planned' {ONE_FIT}", "said to be planned, and names predictions"),
        (f"UPDATE fit SET status = 'failed' {ONE_FIT}", "said to be failed, and names predictions"),
        (f"UPDATE fit SET status = 'splendid' {ONE_FIT}", "no state of a fit"),
        (f"UPDATE fit SET artifact = NULL {ONE_FIT}", "names no predictions"),
        (f"UPDATE fit SET seconds = seconds + 60 {ONE_FIT}", "seconds by its own row"),
        (f"UPDATE fit SET seed = 7 {ONE_FIT}", "same seeds"),
        (f"UPDATE fit SET position = 99 {ONE_FIT}", "no predictions in the place"),
        (f"UPDATE fit SET position = -1 {ONE_FIT}", "no predictions in the place"),
        (f"UPDATE fit SET position = 'first' {ONE_FIT}", "no predictions in the place"),
        (f"UPDATE fit SET artifact = (SELECT artifact FROM split LIMIT 1) {ONE_FIT}", "no predictions in the place"),
        ("UPDATE fit SET position = (position + 1) % 6 WHERE position < 6", "other cases than its split's"),
        ("UPDATE experiment SET recipe = json_set(recipe, '$.model.alpha', 9.0) WHERE name = 'line'", "its recipe"),
        ("UPDATE experiment SET done = done - 1 WHERE name = 'line'", "5 done by its own row, 6"),
        ("UPDATE experiment SET failed = 1 WHERE name = 'line'", "1 failed by its own row"),
        ("DELETE FROM plan WHERE fit_id = 1", "5 by those of fits"),
        ("UPDATE split SET position = (position + 1) % 6", "not those that its digest names"),
        ("UPDATE split SET position = 99 WHERE id = 1", "holds no cases in the place"),
        ("UPDATE split SET test_rows = 3 WHERE id = 1", "another number of cases"),
        ("UPDATE split SET task = 'another' WHERE id = 1", "not those that its digest names"),
        ("UPDATE campaign SET data = json_set(data, '$.table', 'another')", "not those that its digest names"),
        ("UPDATE campaign SET protocol = json_set(protocol, '$.margin', 9.0)", "protocol.margin was 9.0"),
    ],
)
def test_a_row_of_the_ledger_that_was_changed_is_told(statement: str, told: str, copied: Path):
    assert verify(copied).rows == ()
    change(copied, statement)
    found = verify(copied)
    assert any(told in row for row in found.rows), found.rows
    assert not found.whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fit SET seconds = 'long'",
        "UPDATE experiment SET seconds = 'long'",
        "UPDATE score SET value = 'good'",
        "UPDATE campaign SET data = '[]'",
        "UPDATE campaign SET protocol = '[]'",
        "UPDATE campaign SET protocol = '{}'",
        "UPDATE campaign SET problem = '[]'",
        "UPDATE experiment SET recipe = '[]'",
        "UPDATE split SET position = 'first'",
    ],
)
def test_a_value_of_another_kind_is_told_in_a_sentence(statement: str, copied: Path):
    change(copied, statement)
    found = said(copied)
    assert isinstance(found, LedgerError) or not found.whole


def test_predictions_of_another_experiment_in_the_place_of_its_own_are_told(copied: Path):
    """The better model's files stand in the rows of the worse one: every file is whole, and every split fits."""
    of_mean = "SELECT fit_id FROM plan JOIN experiment e ON e.id = experiment_id WHERE e.name LIKE '% mean'"
    of_line = "SELECT fit_id FROM plan JOIN experiment e ON e.id = experiment_id WHERE e.name = 'line'"
    better = f"(SELECT o.{{}} FROM fit o WHERE o.split_id = fit.split_id AND o.id IN ({of_line}))"
    change(
        copied,
        f"UPDATE fit SET (artifact, position) = ({better.format('artifact')}, {better.format('position')}) "
        f"WHERE id IN ({of_mean})",
    )
    found = verify(copied)
    assert (found.missing, found.changed) == ((), ())
    assert sum("by its predictions" in row for row in found.rows) == 12  # six batches, two quantities
    assert not found.whole


def test_without_the_data_all_is_verified_but_the_scores(copied: Path):
    change(copied, "UPDATE score SET value = 0 WHERE fit_id = 1")
    change(copied, "UPDATE fit SET status = 'planned' WHERE id = 2")
    copied.with_name("batches.csv").unlink()
    found = verify(copied)
    assert "batches.csv" in (found.unscored or "")
    assert len([row for row in found.rows if row.startswith("fit")]) == 1
    assert verify(copied, scores=False).rows == found.rows


def test_data_that_was_changed_shows(copied: Path):
    table = copied.with_name("batches.csv")
    table.write_text(table.read_text(encoding="utf-8").replace("batch0", "batch1", 1), encoding="utf-8")
    assert verify(copied).rows == ("data of 'table': they are not those of the first run",)


def test_verifying_loads_no_code_that_recipes_name(copied: Path):
    copied.with_name("poisonous.py").write_text("raise SystemExit('it was loaded')", encoding="utf-8")
    text = copied.read_text(encoding="utf-8").replace('model.kind = "ridge"', 'model.kind = "poisonous:Learner"')
    copied.write_text(text, encoding="utf-8")
    assert verify(copied).whole


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
