"""Tables, cards and MLflow stores say what the campaign says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from cli.small_lab import program, write_lab
from interop.campaign_texts import NETWORK, START, TWO
from probatum.campaigns.ledgers.ledger import SCORED
from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.interop.from_mlflow import mlflow_runs, tracking_client
from probatum.interop.grouping import Choice
from probatum.interop.import_campaign import import_runs
from probatum.interop.import_request import Wanted
from probatum.interop.model_card import model_card, write_model_card
from probatum.interop.tidy_tables import TABLES, write_table
from probatum.interop.to_mlflow import export_mlflow
from probatum.laboratory import Laboratory

THREE = START + TWO + NETWORK

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture(scope="module")
def laboratory(lab: Path) -> Laboratory:
    return Laboratory.open(lab / "lab.toml")


@pytest.fixture(scope="module")
def imported(mlflow_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    path = tmp_path_factory.mktemp("imported") / "m.toml"
    source = mlflow_runs(str(mlflow_folder), "cross validation", "accuracy")
    import_runs(source, path, Wanted(Choice("accuracy"), "higher"))
    return Laboratory.open(path)


@pytest.mark.parametrize("of", TABLES)
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_table_is_read_back_by_pandas_and_polars(laboratory: Laboratory, tmp_path: Path, of: str, suffix: str):
    path = tmp_path / f"t{suffix}"
    lines = write_table(laboratory, of, path)
    readers = {
        ".parquet": (pd.read_parquet, pl.read_parquet),
        ".csv": (pd.read_csv, pl.read_csv),
        ".jsonl": (lambda p: pd.read_json(p, lines=True), lambda p: pl.read_ndjson(p, infer_schema_length=None)),
    }
    by_pandas, by_polars = (read(path) for read in readers[suffix])
    assert len(by_pandas) == by_polars.height == lines > 0
    assert list(by_pandas.columns) == by_polars.columns
    assert set(by_pandas["experiment"]) == set(by_polars["experiment"].to_list()) >= {"ridge", "net"}


def test_scores_and_predictions_are_those_of_the_campaign(laboratory: Laboratory, tmp_path: Path):
    write_table(laboratory, "predictions", tmp_path / "p.parquet")
    table = pd.read_parquet(tmp_path / "p.parquet")
    errors = (table["prediction"] - table["target"]) ** 2
    mse = errors.groupby(table["experiment"]).mean()
    for arm in laboratory.results().arms:
        assert mse[arm.name] == pytest.approx(arm.score)
    write_table(laboratory, "scores", tmp_path / "s.parquet")
    scores = pd.read_parquet(tmp_path / "s.parquet").groupby("experiment")["score"].mean()
    assert scores["ridge"] == pytest.approx(laboratory.score("ridge").by_unit.mean())


def test_imported_runs_have_every_table_but_predictions(imported: Laboratory, tmp_path: Path):
    write_table(imported, "experiments", tmp_path / "e.parquet")
    table = pd.read_parquet(tmp_path / "e.parquet").set_index("experiment")
    assert table.loc["lr 0.01", "verdict"] == "worse"
    with pytest.raises(CampaignFileError, match="without predictions"):
        write_table(imported, "predictions", tmp_path / "p.parquet")


def test_tables_of_other_names_or_kinds_are_refused(laboratory: Laboratory, tmp_path: Path):
    with pytest.raises(UnknownNameError, match="did you mean 'scores'"):
        write_table(laboratory, "score", tmp_path / "t.csv")
    with pytest.raises(UnknownNameError, match="kind of table"):
        write_table(laboratory, "scores", tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_card_holds_question_verdict_interval_limits_and_hashes(laboratory: Laboratory, tmp_path: Path):
    path = write_model_card(laboratory, "stiff", tmp_path / "card.md")
    card = path.read_text(encoding="utf-8")
    for heading in ("Question", "Data", "Model", "Protocol", "Verdict", "Limits", "Findings of the audit", "Hashes"):
        assert f"\n## {heading}\n" in card
    verdict = next(v for v in laboratory.results().verdicts if v.arm == "stiff")
    assert f"**{verdict.outcome}** against the baseline `ridge`" in card
    assert "95 % interval" in card
    assert "temperature" in card
    (dataset,) = laboratory.campaign.datasets.values()
    assert dataset.digest in card
    assert "probatum export bundle stiff model -C lab.toml" in card


def test_a_card_of_what_cannot_be_kept_offers_no_bundle(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch):
    assert "export bundle" in model_card(laboratory, "both")  # a blend, whose components can
    monkeypatch.setattr("probatum.interop.model_card.can_be_kept", lambda _: False)
    assert "export bundle" not in model_card(laboratory, "both")


def test_a_card_of_an_imported_run_says_that_it_cannot_be_checked(imported: Laboratory):
    assert "cannot be checked here" in model_card(imported, "lr 0.01")


def test_a_card_of_nothing_is_refused(laboratory: Laboratory, tmp_path: Path):
    with pytest.raises(UnknownNameError, match="finished experiment"):
        model_card(laboratory, "stif")
    with pytest.raises(UnknownNameError, match=r"\.md"):
        write_model_card(laboratory, "stiff", tmp_path / "card.html")


def test_a_campaign_goes_to_mlflow_and_back_with_the_same_verdicts(tmp_path: Path):
    folder = write_lab(tmp_path, THREE)
    assert program(folder, "run", "lab.toml", "--json").code == 0
    laboratory = Laboratory.open(folder / "lab.toml")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    first = export_mlflow(laboratory, uri, "lab")
    ledger, records = laboratory.campaign.ledger, laboratory.results().records
    fits = sum(len(ledger.fits(r.name, SCORED)) for r in records)
    assert (first.experiments, first.fits) == (len(records), fits)
    second = export_mlflow(laboratory, uri, "lab")
    assert (second.experiments, second.fits, second.updated) == (0, 0, 0)

    client = tracking_client(uri, uri)
    experiment = client.get_experiment_by_name("lab").experiment_id
    runs = {r.info.run_name: r for r in client.search_runs([experiment], max_results=1000)}
    stiff = runs["stiff"]
    assert stiff.data.tags["probatum.parent"] == "ridge"
    assert stiff.data.tags["probatum.hypothesis"] == "fewer wiggles"
    assert stiff.data.metrics["score"] == pytest.approx(laboratory.score("stiff").score)
    assert stiff.data.params["model.alpha"] == "100.0"
    (artifact,) = client.list_artifacts(runs["campaign lab.toml"].info.run_id)
    assert artifact.path == "lab.toml"
    net = next(r for name, r in runs.items() if name.startswith("net / "))
    assert len(client.get_metric_history(net.info.run_id, "training loss")) == 5

    back = tmp_path / "back.toml"
    import_runs(mlflow_runs(uri, "lab", "mse"), back, Wanted(Choice("mse"), "lower", "ridge", groups=True, margin=0.0))
    native = {v.arm: v for v in laboratory.results().verdicts}
    foreign = {v.arm: v for v in Laboratory.open(back).results().verdicts}
    assert foreign["stiff"].p == pytest.approx(native["stiff"].p)
    assert foreign["stiff"].interval == pytest.approx(native["stiff"].interval, rel=0.1)  # a bootstrap's
    assert foreign["net"].difference == pytest.approx(native["net"].difference)


def test_a_store_that_is_none_takes_no_campaign(laboratory: Laboratory, tmp_path: Path):
    with pytest.raises(DataError, match="no such folder"):
        export_mlflow(laboratory, str(tmp_path / "gone"))
