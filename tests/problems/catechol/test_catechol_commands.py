"""`probatum catechol`: what a chemist types, what comes back, and what is refused in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.small_lab import Call, Said
from probatum.cli.main import run_program

from .conftest import SmallLaboratory

pytestmark = pytest.mark.real
PREDICTION = {
    "schema", "asked", "solvent", "solvent_b", "percent_b", "temperature", "time", "units", "situation",
    "measured_rows", "measured_nearby", "level", "yields", "calibration", "guessed_descriptors", "remarks", "data",
    "figure",
}  # fmt: skip
RANKING = {
    "schema", "product", "least", "temperature", "time", "level", "units", "solvents", "remarks", "data", "figure",
}  # fmt: skip
SOLVENT = {"place", "solvent", "temperature", "time", "yields", "situation", "level_with_first"}


@pytest.fixture
def call(
    small: SmallLaboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """call('predict', '--solvent', ...): the program in this process, with the small laboratory."""
    assert small.model

    def called(*arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["probatum", "catechol", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        code = run_program()
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return called


def question(**options: Any) -> list[str]:
    """Options, those of a simple question where nothing else is said."""
    options = {"solvent": "MeOH", "temperature": 225, "time": 15} | options
    named = {f"--{name.replace('_', '-')}": value for name, value in options.items() if value is not None}
    return [str(part) for pair in named.items() for part in pair]


def test_a_prediction_is_a_table_for_people(call: Call):
    said = call("predict", *question())
    assert (said.code, said.err) == (0, "")
    for text in ("Methanol, at 225 deg C and 15 min", "SM", "Product 2", "Product 3", "90 % interval", "measured: "):
        assert text in said.out
    assert "tested on" in said.out


def test_names_in_brackets_are_printed_whole(call: Call):
    assert "Ethylene Glycol [1,2-Ethanediol], at" in call("predict", *question(solvent="EG")).out


def test_a_prediction_is_json_for_programs(call: Call):
    values = call("predict", *question(), "--json").values
    assert set(values) == PREDICTION
    assert values["schema"] == 1
    assert values["asked"] == {"solvent": "MeOH", "solvent_b": None, "percent_b": None}
    assert values["solvent"] == {"name": "Methanol", "smiles": "CO", "measured": True, "descriptors": "tables"}
    assert [y["name"] for y in values["yields"]] == ["SM", "Product 2", "Product 3"]
    for one in values["yields"]:
        low, high = one["interval"]
        assert 0 <= low <= one["value"] <= high <= 1
    assert values["situation"] == "measured"
    assert values["measured_nearby"]["rows"] > 0
    assert set(values["calibration"]) == {"groups", "rows", "promised", "coverage"}
    assert values["remarks"] == []


def test_people_and_programs_are_told_the_same(call: Call):
    values = call("predict", *question(), "--json").values
    printed = call("predict", *question()).out
    for one in values["yields"]:
        assert f"{100 * one['value']:.1f}" in printed


def test_a_molecule_by_its_smiles_is_guessed_and_says_so(call: Call):
    values = call("predict", *question(solvent=None, smiles="CCCO"), "--json").values
    assert values["solvent"] == {"name": "CCCO", "smiles": "CCCO", "measured": False, "descriptors": "structure"}
    assert values["situation"] == "never measured, descriptors guessed from structure"
    assert len(values["guessed_descriptors"]) == 18
    same = call("predict", *question(solvent="CCCO"), "--json").values
    assert same["yields"] == values["yields"]
    assert same["remarks"][0]["code"] == "smiles"


def test_a_mixture_has_two_solvents(call: Call):
    values = call("predict", *question(solvent_b="EG", percent_b=40), "--json").values
    assert values["solvent_b"]["name"] == "Ethylene Glycol [1,2-Ethanediol]"
    assert values["percent_b"] == 40
    turned = call("predict", *question(solvent="EG", solvent_b="MeOH", percent_b=60), "--json").values
    for one, other in zip(values["yields"], turned["yields"], strict=True):
        assert one["value"] == pytest.approx(other["value"])


def test_a_ranking_is_a_table_and_json(call: Call, small: SmallLaboratory):
    arguments = ("rank", "--product", "P2", "--temperature", "225", "--time", "15")
    values = call(*arguments, "--json").values
    assert set(values) == RANKING
    assert all(set(one) == SOLVENT for one in values["solvents"])
    assert {one["solvent"] for one in values["solvents"]} == set(small.model.known.solvents)
    wanted = [one["yields"][1]["value"] for one in values["solvents"]]
    assert wanted == sorted(wanted, reverse=True)
    assert [one["place"] for one in values["solvents"]] == list(range(1, len(wanted) + 1))
    printed = call(*arguments).out
    assert "Most Product 2, at 225 deg C and 15 min" in printed
    places = [printed.index(f"│ {one['solvent']} ") for one in values["solvents"]]
    assert places == sorted(places)


def test_what_is_not_given_is_chosen_for_each_solvent(call: Call):
    said = call("rank", "--product", "SM", "--least")
    assert "Least SM, each at its best temperature and residence time" in said.out
    values = call("rank", "--product", "SM", "--least", "--json").values
    assert (values["temperature"], values["time"], values["least"]) == (None, None, True)
    assert all(one["temperature"] is not None and one["time"] is not None for one in values["solvents"])


def test_figures_are_written_where_they_are_asked_for(call: Call, tmp_path: Path):
    values = call("predict", *question(figure="a.svg"), "--json").values
    assert values["figure"] == "a.svg"
    assert call("rank", "--time", "15", "--temperature", "225", "--figure", tmp_path / "b.png").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.png"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (question(time=-8), "a residence time of -8 min is impossible"),
        (question(temperature=-400), "a temperature of -400 deg C is impossible"),
        (question(temperature="hot"), "--temperature"),
        (question(temperature=None), "missing option '--temperature'"),
        (question(solvent_b="EG", percent_b=130), "130 % of the second solvent is impossible"),
        (question(solvent_b="EG"), "needs --percent-b"),
        (question(product="Product 4"), "unknown product 'Product 4'"),
        (question(solvent="Metanol"), "did you mean 'methanol'"),
        (question(solvent=None, smiles="C(C"), "no SMILES"),
        (question(solvent=None), "no solvent is given"),
        (question(smiles="CCO"), "both given"),
        (question(figure="a.gif"), "use .png, .svg, .pdf"),
        (question(figure="nowhere/a.svg"), "no such folder"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call: Call, options: list[str], said: str):
    assert said in call("predict", *options).error


def test_a_refusal_is_json_too(call: Call):
    refused = call("predict", *question(time=-8), "--json")
    assert refused.code == 2
    assert json.loads(refused.out)["error"]["type"] == "UsageError"


@pytest.mark.parametrize("verb", ["predict", "rank"])
def test_a_figure_that_cannot_be_is_refused_before_the_data_is_looked_for(
    call: Call, verb: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path / "nothing"))
    options = question() if verb == "predict" else []
    assert "use .png, .svg, .pdf" in call(verb, *options, "--figure", "a.txt").error


def test_without_data_and_network_it_says_what_to_do(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "catechol").mkdir()
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path))
    assert "probatum data fetch catechol" in call("predict", *question()).error


def test_without_rdkit_names_work_and_a_smiles_says_what_to_install(
    call: Call, small: SmallLaboratory, monkeypatch: pytest.MonkeyPatch
):
    for name in ("rdkit", "rdkit.Chem"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("probatum.problems.catechol.yield_model.find_spec", lambda name: None)
    monkeypatch.setattr("probatum.problems.catechol.yield_model.trained", lambda *_, **__: small.model)
    assert call("predict", *question()).code == 0
    assert "pip install probatum[catechol]" in call("predict", *question(solvent=None, smiles="CCCO")).error
    assert "pip install probatum[catechol]" in call("predict", *question(solvent="CCCO")).error
