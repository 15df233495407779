"""`probatum gas-chromatography predict`: runs, folders of runs, ladders, pictures, and files that are no runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError, UsageError
from probatum.problems.gas_chromatography import commands, predict_command
from probatum.problems.gas_chromatography.challenge_folder import write_run
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.simulator import Injection, Instrument, simulated_run
from probatum.problems.gas_chromatography.spectra import Spectrum
from problems.gas_chromatography import run_files
from problems.gas_chromatography.answers import text_of
from problems.gas_chromatography.test_prediction import RingModel, drawn
from problems.gas_chromatography.test_retention import alkane


@pytest.fixture
def ring_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict_command, "_model", RingModel)


def csv_run(run: Run, path: Path) -> Path:
    write_run(run, path)
    return path


AROMATIC_RUN = {100.0: (43, 57, 71), 300.0: (91, 92, 65)}


@pytest.mark.usefixtures("ring_model")
def test_a_run_gives_its_families_their_reasons_and_a_picture(tmp_path: Path):
    path = csv_run(drawn(AROMATIC_RUN), tmp_path / "sample.csv")
    answer = commands.predict([path], figure=tmp_path / "sample.png")
    (run,) = answer.values["runs"]
    assert json.loads(json.dumps(answer.values)) == answer.values
    found = {one["family"]: one["probability"] for one in run["families"]}
    assert list(found) == list(FAMILIES)
    assert found["aromatic"] == pytest.approx(0.9)
    first, second = run["peaks"]
    assert second["apex"] == pytest.approx(300.4, abs=0.3)
    assert second["masses"] == [65, 91, 92]
    assert second["says"]["aromatic"] == pytest.approx(np.log(9) - np.log(0.05 / 0.95))
    assert second["fit"]["sigma"] == pytest.approx(0.85, abs=0.05)
    assert set(second["standard_errors"]) == {"area", "mu", "sigma", "tau", "offset"}
    assert first["says"]["aromatic"] == pytest.approx(0.0, abs=1e-9)
    assert (tmp_path / "sample.png").read_bytes().startswith(b"\x89PNG")
    text = text_of(answer)
    assert "aromatic" in text
    assert "5.01 m/z 65, 91, 92 +5.1" in text or "5.01 m/z 91, 92, 65 +5.1" in text or "+5.1" in text
    assert "no carrier gas" in text


@pytest.mark.usefixtures("ring_model")
def test_a_folder_of_runs_is_predicted_and_a_bad_file_stops_no_other(tmp_path: Path):
    folder, pictures = tmp_path / "runs", tmp_path / "pictures"
    folder.mkdir()
    pictures.mkdir()
    csv_run(drawn(AROMATIC_RUN), folder / "a.csv")
    (folder / "b.csv").write_text("time,mass,intensity\n1,40,-3\n")
    (folder / "notes.md").write_text("not a run")
    run_files.write_andi(run_files.small_run(), folder / "c.cdf")
    answer = commands.predict([folder], figure=pictures)
    good, bad, small = answer.values["runs"]
    assert good["failure"] is None
    assert bad["families"] is None
    assert "intensity is -3" in bad["failure"]
    assert small["failure"] is None
    assert sorted(path.name for path in pictures.iterdir()) == ["a.csv.png", "c.cdf.png"]
    assert "intensity is -3" in text_of(answer)
    (folder / "b.csv").unlink()
    (folder / "c.cdf").unlink()
    (one,) = commands.predict([folder], figure=pictures).values["runs"]
    assert one["figure"] == str(pictures / "a.csv.png")


HEAD = "time,mass,intensity\n"


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for the model, which may have to be trained, is a mistake."""

    def asked() -> RingModel:
        pytest.fail("the model was asked for")

    monkeypatch.setattr(predict_command, "_model", asked)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "begins with ''"),
        (HEAD, "no rows"),
        (HEAD + "".join(f"{t},40,7\n" for t in range(20)) + "21,4", "fewer than 3 numbers"),
        (HEAD + "".join(f"{t},40,7\n" for t in (1, 2, 3, 2, 5)), "the time is 2"),
        (HEAD + "".join(f"{t},40,7\n" for t in range(5)) + "6,40,-1\n", "the intensity is -1"),
        (HEAD + "".join(f"{60 * t},40,7\n" for t in range(1, 20)), "seconds that were read as minutes"),
        (HEAD + "".join(f"{t / 1000},40,7\n" for t in range(1, 20)), "minutes that were read as seconds"),
        (HEAD + "".join(f"{t},40,7\n" for t in range(1, 6)), "has 5 scans"),
    ],
)
def test_what_is_no_run_is_refused_with_what_to_do(content: str, message: str, tmp_path: Path):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        commands.predict([path])
    assert raised.value.remedy


@pytest.mark.usefixtures("untrained")
def test_wrong_calls_are_refused_before_anything_is_computed(tmp_path: Path):
    path = csv_run(drawn(AROMATIC_RUN), tmp_path / "a.csv")
    empty = tmp_path / "empty"
    empty.mkdir()
    for raised, kind, call in (
        ("no such file", DataMissingError, lambda: commands.predict([tmp_path / "b.csv"])),
        ("holds no run", DataError, lambda: commands.predict([empty])),
        ("--unit is 'hours'", UsageError, lambda: commands.predict([path], unit="hours")),
        ("cannot be written as '.gif'", UsageError, lambda: commands.predict([path], figure=tmp_path / "a.gif")),
        ("no such folder", UsageError, lambda: commands.predict([path, path], figure=tmp_path / "a.png")),
    ):
        with pytest.raises(kind, match=raised) as error:
            call()
        assert error.value.remedy
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.csv").write_text("")
    (tmp_path / "bad" / "b.csv").write_text("")
    with pytest.raises(DataError, match="none of 2 runs could be read"):
        commands.predict([tmp_path / "bad"])


@pytest.mark.usefixtures("untrained", "real_data")
def test_a_run_without_a_ladder_is_none(tmp_path: Path):
    path = csv_run(drawn(AROMATIC_RUN), tmp_path / "a.csv")
    with pytest.raises(DataError, match="no ladder of alkanes or") as error:
        commands.predict([path], ladder=path)
    assert error.value.remedy


@pytest.mark.usefixtures("ring_model", "real_data")
def test_times_in_seconds_and_a_ladder_give_retention_indices(tmp_path: Path):
    steady = Instrument(sensitivity_spread=0.0, shift=0.0, amplitude=2e5, amplitude_spread=0.0)
    generator = np.random.default_rng(0)
    ladder = simulated_run(Injection("ladder", 40.0, [alkane(n) for n in range(10, 24)]), steady, generator)
    masses, shares = np.array([91.0, 92.0, 106.0]), np.array([1.0, 0.6, 0.5])
    unknown = Spectrum("x", "x", "", "", "x", 1550.0, "", "", "", masses, shares)
    run = simulated_run(Injection("sample", 40.0, [unknown]), steady, generator)
    write_run(ladder, tmp_path / "ladder.csv")
    path = tmp_path / "sample.csv"
    rows = zip(run.times[run.scan_of_point], run.masses, run.intensities, strict=True)
    path.write_text(HEAD + "".join(f"{t!r},{m!r},{i!r}\n" for t, m, i in np.array(list(rows)).tolist()))
    with pytest.raises(DataError, match="name the unit"):
        commands.predict([path])
    run_files.write_andi(ladder, tmp_path / "ladder.cdf")
    answer = commands.predict([path], unit="s", ladder=tmp_path / "ladder.cdf")
    (found,) = answer.values["runs"]
    (peak,) = found["peaks"]
    assert peak["retention_index"] == pytest.approx(1550.0, abs=2.0)
    assert "ladder of 14 alkanes, retention index 1000 to 2300" in text_of(answer)
    assert "(RI 15" in text_of(answer)


def test_peaks_of_a_run_are_listed_with_their_shapes(tmp_path: Path):
    path = csv_run(drawn(AROMATIC_RUN), tmp_path / "sample.csv")
    answer = commands.peaks(path, figure=tmp_path / "peaks.png")
    assert json.loads(json.dumps(answer.values)) == answer.values
    first, second = answer.values["peaks"]
    assert (first["masses"], second["masses"]) == ([43, 57, 71], [65, 91, 92])
    assert first["area"] == pytest.approx(6e5, rel=0.02)
    assert first["fit"]["mu"] == pytest.approx(100.0, abs=0.05)
    assert first["fit"]["sigma"] == pytest.approx(0.85, abs=0.05)
    assert (tmp_path / "peaks.png").read_bytes().startswith(b"\x89PNG")
    text = text_of(answer)
    assert "sample.csv: 2 peaks" in text
    assert "0.85 ± 0.0" in text
    with pytest.raises(UsageError, match="cannot be written as"):
        commands.peaks(path, figure=tmp_path / "peaks.gif")
    with pytest.raises(DataError, match="ratio of 0"):
        commands.peaks(path, least=0.0)


def test_peaks_have_retention_indices_where_a_ladder_is_given(tmp_path: Path):
    steady = Instrument(sensitivity_spread=0.0, shift=0.0, amplitude=2e5, amplitude_spread=0.0)
    run = simulated_run(Injection("ladder", 40.0, [alkane(n) for n in range(10, 24)]), steady, np.random.default_rng(0))
    path = tmp_path / "ladder.cdf"
    run_files.write_andi(run, path)
    answer = commands.peaks(path, ladder=path)
    indices = [peak["retention_index"] for peak in answer.values["peaks"]]
    np.testing.assert_allclose(indices, 100.0 * np.arange(10, 24))
    assert "ladder of 14 alkanes" in text_of(answer)
