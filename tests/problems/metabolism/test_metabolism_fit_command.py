"""`probatum metabolism fit` and `rates`: small models and networks, in files as users have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cli.conftest import call  # noqa: F401
from cli.small_lab import Call
from probatum.errors import DataError, UsageError
from probatum.problems.metabolism import simulator
from probatum.problems.metabolism.commands import fit, rates
from probatum.problems.metabolism.petab_reading import read_petab
from probatum.problems.metabolism.structure import autocatalytic
from problems.metabolism import small_petab

pytest.importorskip("libsbml", reason="needs the extra 'metabolism'")
pytest.importorskip("diffrax", reason="needs the extra 'metabolism'")

# A ring of three reactions, a pair between the same two metabolites, and an empty reaction.
RING = autocatalytic(np.array([0, 1, 2, 3, 3, -1]), np.array([1, 2, 0, 0, 0, -1]), 4, ["glc", "pyr", "lac", "ala"])


def decay_course(folder: Path) -> Path:
    times = np.array([0.0, 0.5, 0.5, 1.5, 3.0, 5.0, 8.0])
    A = 2 * np.exp(-0.45 * times) + np.random.default_rng(0).normal(scale=0.02, size=len(times))
    path = folder / "course.csv"
    path.write_text("time [h],A [mM]\n" + "".join(f"{t},{a}\n" for t, a in zip(times, A, strict=True)))
    (folder / "model.xml").write_text(small_petab.DECAY)
    return path


def ring_files(folder: Path, noise: float = 0.0) -> tuple[Path, Path, simulator.Course]:
    course = simulator.drawn(RING, 1, frames=400)
    measured = course.measured(noise, np.random.default_rng(2)).concentrations
    S = RING.stoichiometry.toarray()
    names = ["metabolite", *RING.reactions]
    rows = [[name, *(f"{x:g}" for x in row)] for name, row in zip(RING.metabolites, S, strict=True)]
    n = [[name, *(f"{x:g}" for x in row)] for name, row in zip(RING.metabolites, RING.orders.toarray(), strict=True)]
    for file, table in (("S.csv", rows), ("n.csv", n)):
        (folder / file).write_text("\n".join(",".join(row) for row in [names, *table]) + "\n")
    lines = [",".join(["time", *RING.metabolites])]
    lines += [",".join(repr(float(x)) for x in (0.1 * i, *row)) for i, row in enumerate(measured)]
    (folder / "ring.csv").write_text("\n".join(lines) + "\n")
    of = course.metabolism
    homeostasis = zip(RING.metabolites, of.decay, of.level, strict=True)
    (folder / "H.csv").write_text("metabolite,decay,level\n" + "".join(f"{m},{d},{c}\n" for m, d, c in homeostasis))
    return folder / "S.csv", folder / "ring.csv", course


def test_a_model_and_a_course_give_the_constant_with_its_interval_a_picture_and_a_petab_problem(tmp_path: Path):
    data = decay_course(tmp_path)
    answer = fit(sbml=tmp_path / "model.xml", data=data, starts=3, figure=tmp_path / "a.png", write=tmp_path / "out")
    values = answer.values
    json.dumps(values)
    k, sd = values["parameters"]
    assert (k["id"], sd["id"]) == ("k", "sd_A")
    assert k["value"] == pytest.approx(0.45, rel=0.05)
    assert k["lower"] < 0.45 < k["upper"]
    assert k["identifiable"]
    assert k["at_bound"] is None
    assert values["unidentifiable"] == []
    assert len(values["waterfall"]) == 3
    assert any("never observed, known by the model alone: B" in remark for remark in values["remarks"])
    assert any("repeat a time" in remark for remark in values["remarks"])
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    again = read_petab(tmp_path / "out" / "problem.yaml")
    assert 10 ** again.nominal[0] == pytest.approx(k["value"])


def test_the_wrong_arguments_are_named(tmp_path: Path):
    data = decay_course(tmp_path)
    model = tmp_path / "model.xml"
    for given, said in (
        ({}, "what is fitted is not clear"),
        ({"sbml": model}, "give --petab, or --sbml and --data"),
        ({"petab": model, "data": data}, "what is fitted is not clear"),
        ({"petab": model, "noise": 1.0}, "--noise and --estimate go with --sbml"),
        ({"sbml": model, "data": data, "level": 2.0}, "--level is 2"),
        ({"sbml": model, "data": data, "noise": -1.0}, "--noise is -1"),
        ({"sbml": model, "data": data, "figure": tmp_path / "a.bmp"}, "cannot be written as '.bmp'"),
        ({"sbml": model, "data": data, "estimate": "q"}, "no parameter 'q'"),
    ):
        with pytest.raises(UsageError) as caught:
            fit(**given)
        assert said in str(caught.value)
    (tmp_path / "other.csv").write_text("time,C\n0,1\n")
    with pytest.raises(DataError, match="knows no metabolite 'C'"):
        fit(sbml=model, data=tmp_path / "other.csv")


def test_clean_rates_are_exact_and_the_null_space_is_named(tmp_path: Path):
    structure, data, course = ring_files(tmp_path)
    answer = rates(structure, data, tmp_path / "n.csv", tmp_path / "H.csv", figure=tmp_path / "r.svg")
    values = answer.values
    json.dumps(values)
    by_name = {one["id"]: one for one in values["reactions"]}
    for j in range(3):
        assert by_name[f"R{j + 1}"]["constant"] == pytest.approx(course.constants[j], rel=1e-9)
    assert [one["identifiable"] for one in values["reactions"]] == [True, True, True, False, False, False]
    assert by_name["R4"]["constant"] is None
    assert (values["identifiable"], values["rank"]) == (3, 4)
    assert any("R6 changes nothing" in sentence for sentence in values["null_space"])
    assert any("only k(R4) + k(R5) is determined" in sentence for sentence in values["null_space"])
    assert (tmp_path / "r.svg").stat().st_size > 1000


def test_noisy_rates_have_errors_that_fit(tmp_path: Path):
    structure, data, course = ring_files(tmp_path, 0.05)
    values = rates(structure, data, tmp_path / "n.csv", tmp_path / "H.csv", noise=0.05).values
    assert "shooting" in values["method"]
    assert values["converged"]
    for one, truth in zip(values["reactions"][:3], course.constants, strict=False):
        assert abs(one["constant"] - truth) < 5 * one["standard_error"]
        assert one["lower"] < one["constant"] < one["upper"]


def test_noise_that_was_not_stated_is_noticed(tmp_path: Path):
    structure, data, _ = ring_files(tmp_path, 0.05)
    data.write_text(data.read_text().replace("-", ""))
    values = rates(structure, data, tmp_path / "n.csv", tmp_path / "H.csv").values
    (said,) = [remark for remark in values["remarks"] if "scatter" in remark]
    assert 0.04 < float(said.split("about ")[1].split(":")[0]) < 0.06


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("S.csv", "metabolite", "name", "no column 'metabolite'"),
        ("S.csv", "glc,-1", "glc,one", "'one' is no finite number"),
        ("S.csv", "pyr", "glc", "'glc' stands there twice"),
        ("n.csv", "glc", "glucose", "no metabolite 'glucose' in the stoichiometry"),
        ("n.csv", "R3", "R9", "no reaction 'R9'"),
        ("H.csv", "glc", "glucose", "'glucose' is not in the network"),
        ("ring.csv", "glc", "glucose", "no metabolite 'glucose'"),
        ("ring.csv", "\n0.1,", "\n0.15,", "uneven times"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, file: str, old: str, new: str, said: str):
    structure, data, _ = ring_files(tmp_path)
    path = tmp_path / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        rates(structure, data, tmp_path / "n.csv", tmp_path / "H.csv")
    assert said in str(caught.value)


def test_methods_are_checked(tmp_path: Path):
    structure, data, _ = ring_files(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'shooting'"):
        rates(structure, data, method="shoting")
    with pytest.raises(DataError, match="weighs by the noise"):
        rates(structure, data, tmp_path / "n.csv", method="shooting")


def test_the_command_line_prints_json_and_refuses_in_a_sentence(call: Call, tmp_path: Path):  # noqa: F811
    ring_files(tmp_path)
    arguments = ["--structure", "S.csv", "--data", "ring.csv", "--orders", "n.csv", "--homeostasis", "H.csv"]
    said = call(tmp_path, "metabolism", "rates", *arguments, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["schema"] == 1
    shown = call(tmp_path, "metabolism", "rates", *arguments)
    assert "3 of 6 rate constants are identifiable" in shown.out
    assert call(tmp_path, "metabolism", "fit").code == 2
