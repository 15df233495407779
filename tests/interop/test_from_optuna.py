"""Studies that Optuna wrote, to a database and to a journal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from probatum.errors import DataError, DataMissingError, UnknownNameError
from probatum.interop.foreign_run import ForeignRun
from probatum.interop.from_optuna import optuna_runs
from probatum.interop.grouping import Choice
from probatum.interop.import_campaign import import_runs
from probatum.interop.import_request import Wanted

pytestmark = pytest.mark.filterwarnings("ignore")  # Optuna's own
optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    trial.set_user_attr("seed", trial.number % 2)
    trial.set_user_attr("mae", abs(x))
    if trial.number == 2:
        raise ArithmeticError
    for step in range(3):
        trial.report(-x * x - 1 / (step + 1), step)
        if trial.number == 3 and step == 1:
            raise optuna.TrialPruned
    return -x * x


@pytest.fixture(params=["database", "journal"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "database":
        place = f"sqlite:///{tmp_path}/o.db"
        kept = place
    else:
        place = str(tmp_path / "o.log")
        kept = optuna.storages.JournalStorage(JournalFileBackend(place))
    study = optuna.create_study(storage=kept, study_name="search", direction="maximize")
    study.optimize(objective, n_trials=5, catch=(ArithmeticError,))
    return place


def test_trials_come_with_parameters_values_curves_and_states(storage: str):
    source = optuna_runs(storage, None, None)
    assert (source.experiment, source.better, source.metric) == ("search", "higher", "value")
    runs: list[ForeignRun] = list(source.runs)
    assert [r.state for r in runs] == ["finished", "finished", "failed", "pruned", "finished"]
    first = runs[0]
    assert first.metrics["value"] == pytest.approx(-(first.parameters["x"] ** 2))
    assert first.metrics["mae"] == pytest.approx(abs(first.parameters["x"]))
    assert len(first.curves["value"][1]) == 3
    assert "pruned by Optuna at step 1" in str(runs[3].error)


def test_a_study_is_a_campaign(storage: str, tmp_path: Path):
    found = import_runs(optuna_runs(storage, "search", None), tmp_path / "o.toml", Wanted(Choice("value")))
    assert found.states == {"finished": 3, "failed": 1, "pruned": 1}
    with pytest.raises(DataError, match="optuna says that higher"):
        import_runs(optuna_runs(storage, "search", None), tmp_path / "p.toml", Wanted(Choice("value"), "lower"))


def test_a_study_that_is_not_there_is_refused_with_the_nearest_names(storage: str):
    with pytest.raises(UnknownNameError, match="did you mean 'search'"):
        optuna_runs(storage, "serch", None)


def test_what_is_no_storage_is_refused_and_not_made(tmp_path: Path):
    (tmp_path / "text.log").write_text("hello\n", encoding="utf-8")
    with pytest.raises(DataError, match="no journal of Optuna"):
        optuna_runs(str(tmp_path / "text.log"), None, None)
    with pytest.raises(DataMissingError):
        optuna_runs(f"sqlite:///{tmp_path}/gone.db", None, None)
    assert not (tmp_path / "gone.db").exists()


def test_a_database_of_something_else_is_refused_and_not_written_to(tmp_path: Path):
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE runs (id INTEGER)")
    before = foreign.read_bytes()
    with pytest.raises(DataError, match="no database of Optuna"):
        optuna_runs(f"sqlite:///{foreign}", None, None)
    assert foreign.read_bytes() == before
