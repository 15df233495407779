"""What is sent with a question: bombs, entities, names that climb, and values that no field takes."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError, UsageError
from probatum.web import uploads
from probatum.web.answer_process import answer
from probatum.web.questions import QUESTIONS, Field, suffix_of, value_of
from probatum.web.uploads import check_content
from web.small_dashboard import client_of

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<xrdMeasurements><scan>&c;</scan></xrdMeasurements>"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]><xrdMeasurements>&secret;</xrdMeasurements>"""
CURVE = {"crystal": "GGG", "reflection": "4,4,4", "profile": "splines"}


def send(person, name: str, content: bytes, slug: str = "rocking-curve-fit", key: str = "curves", **values: str):
    return person.post(f"/ask/{slug}", files={key: (name, content)}, data={**CURVE, **values})


def nothing_was_asked(person) -> bool:
    return person.app.state.dashboard.processes.recent("question") == []


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_file_that_unpacks_to_more_than_is_read_is_refused(pack, person, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST_UNPACKED", 2**22)
    suffix = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack]
    bomb = pack(b"0" * (2**22 + 1))
    assert len(bomb) < 2**16
    for name in ("curve.xrdml", "curve.ras", "curve.txt"):
        answer = send(person, name + suffix, bomb)
        assert answer.status_code == 422
        if not name.endswith(".xrdml"):  # which is refused for what it is, before it is large
            assert "when it is unpacked" in answer.text
    assert nothing_was_asked(person)


@pytest.mark.parametrize("content", [LAUGHS, OUTSIDE, LAUGHS.decode().encode("utf-16")])
@pytest.mark.parametrize("packed", [False, True])
def test_entities_are_refused_before_anybody_reads_them(content, packed, person):
    for slug, key, name in (
        ("rocking-curve-fit", "curves", "a.xrdml"),
        ("gas-chromatography-predict", "runs", "a.mzML"),
    ):
        sent = gzip.compress(content, mtime=0) if packed else content
        answer = send(person, name + (".gz" if packed else ""), sent, slug, key)
        assert answer.status_code == 422
        assert "declares a document type" in answer.text
        assert "root:" not in answer.text
    assert nothing_was_asked(person)


@pytest.mark.parametrize(
    "content", [b"", b"<a><b></a>", b"\x00\x01\x02", b"<?xml version='1.0' encoding='nonsense'?><a/>"]
)
def test_what_is_no_xml_is_refused(content, person):
    assert send(person, "a.xrdml", content).status_code == 422


@pytest.mark.parametrize("content", [b"no gzip at all", gzip.compress(b"1 2\n" * 100, mtime=0)[:-20], b""])
def test_what_is_damaged_is_refused(content, person):
    assert send(person, "a.txt.gz", content).status_code == 422


@pytest.mark.parametrize(
    "name",
    ["../../../tmp/evil.txt", "/etc/passwd.txt", "..\\..\\evil.txt", "a\0b.txt", "<img src=x onerror=alert(1)>.txt",
     "x" * 200 + ".txt", "question.json.txt", "CON.txt", ".txt"],
)  # fmt: skip
def test_the_browser_names_no_file(name, lab, monkeypatch):
    from probatum.web import question_pages

    seen: dict[str, list[str]] = {}

    def watched(asked, form, folder):
        uploads.save_question(asked, form, folder)
        seen["files"] = sorted(p.name for p in folder.iterdir())
        raise UsageError("seen enough")

    monkeypatch.setattr(question_pages, "save_question", watched)
    with client_of(lab) as client:
        client.get("/?token=a-token-for-the-tests")
        send(client, name, b"1 2\n3 4\n")
    assert seen["files"] == ["curve.txt", "question.json"]


def test_a_name_without_end_is_refused(person):
    assert send(person, "x" * 100_000 + ".txt", b"1 2\n").status_code in (400, 422)
    assert nothing_was_asked(person)


@pytest.mark.parametrize("name", ["a.toml", "a.py", "a", "a.txt.zip", "a.txt/", "a.gz", "a.txt.gz.gz", ""])
def test_other_formats_are_refused(name, person):
    assert send(person, name, b"1 2\n").status_code == 422
    assert nothing_was_asked(person)


def test_a_path_is_no_file(person):
    answer = person.post("/ask/rocking-curve-fit", data={**CURVE, "curves": "/etc/passwd"})
    assert answer.status_code == 422
    assert nothing_was_asked(person)


def test_a_file_is_no_value(person):
    files = {"curves": ("a.txt", b"1 2\n"), "crystal": ("b.txt", b"GGG")}
    answer = person.post("/ask/rocking-curve-fit", files=files, data={"reflection": "4,4,4"})
    assert answer.status_code == 422


def test_arguments_that_no_field_has_are_left_out(lab, monkeypatch):
    from probatum.web import question_pages

    seen = {}

    def watched(asked, form, folder):
        uploads.save_question(asked, form, folder)
        seen.update(json.loads((folder / "question.json").read_text()))
        raise UsageError("seen enough")

    monkeypatch.setattr(question_pages, "save_question", watched)
    with client_of(lab) as client:
        client.get("/?token=a-token-for-the-tests")
        send(client, "a.txt", b"1 2\n", figure="/tmp/evil.svg", module="os", verb="system", folder="/")
    assert set(seen["arguments"]) == {"crystal", "reflection", "profile"}
    assert seen["files"] == {"curves": "curve.txt"}


@pytest.mark.parametrize(
    ("values", "why"),
    [({"crystal": ""}, "fill it in"), ({"crystal": "x" * 300}, "short line"), ({"crystal": "G\nG"}, "short line"),
     ({"profile": "nonsense"}, "none of the choices"), ({"wavelength": "1,54"}, "not a number"),
     ({"wavelength": "nan"}, "0.01 to 100"), ({"wavelength": "inf"}, "0.01 to 100"), ({"fwhm": "-3"}, "0.001 to")],
)  # fmt: skip
def test_values_that_no_field_takes_are_refused_and_kept_in_the_form(values, why, person):
    answer = send(person, "a.txt", b"1 2\n", **values)
    assert answer.status_code == 422
    assert why in answer.text
    assert nothing_was_asked(person)


@given(st.text(max_size=30))
def test_a_number_is_within_its_limits_or_refused(text):
    field = Field("x", "X", "number", least=-1, most=5)
    try:
        value = value_of(field, text)
    except UsageError:
        return
    assert value is None or -1 <= value <= 5


@given(st.text(max_size=30))
def test_a_suffix_is_one_of_the_field_s_whatever_the_name(name):
    field = Field("x", "X", "file", suffixes=(".csv", ".xrdml"))
    try:
        suffix = suffix_of(field, name)
    except DataError:
        return
    assert suffix in {s + p for s in (".csv", ".xrdml") for p in ("", ".gz", ".bz2", ".xz")}


def test_a_whole_file_is_let_through(tmp_path: Path):
    path = tmp_path / "a.xrdml.bz2"
    path.write_bytes(bz2.compress(b"<xrdMeasurements><scan/></xrdMeasurements>"))
    check_content(path, "Curve")


# ------------------------------------------------------------------ the questions themselves


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda q: q.slug)
def test_every_form_fits_the_command_behind_it(asked):
    from importlib import import_module
    from inspect import signature

    parameters = signature(import_module(asked.module).COMMANDS[asked.verb]).parameters
    assert {f.name for f in asked.fields} <= set(parameters)
    assert ("figure" in parameters) == asked.drawn
    needed = {n for n, p in parameters.items() if p.default is p.empty}
    given = {f.name for f in asked.fields if f.required or f.kind == "table"}
    assert needed <= given
    for f in asked.fields:
        if f.default and f.kind not in ("file", "table"):
            assert value_of(f, f.default) is not None


def test_suggested_crystals_are_known():
    from probatum.problems.rocking_curve.crystals import CRYSTALS

    (field,) = [f for q in QUESTIONS for f in q.fields if f.name == "crystal"]
    assert set(field.suggestions) == set(CRYSTALS)


@pytest.mark.real
def test_suggested_solvents_are_understood(real_data: Path):
    from probatum.problems.catechol import queries
    from probatum.problems.catechol.yield_model import Published

    data = Published.found()
    (field,) = [f for q in QUESTIONS for f in q.fields if f.name == "solvent"]
    for name in field.suggestions:
        assert queries.understood(data, name, None, None, smiles=False).a.name


def test_rate_constants_come_from_a_sent_time_course(tmp_path: Path):
    times = [0.02 * i for i in range(600)]
    left = [2.0 * math.exp(-0.5 * t) for t in times]
    course = ["time,A,B", *(f"{t:.2f},{a:.9f},{2 - a:.9f}" for t, a in zip(times, left, strict=True))]
    (tmp_path / "structure.csv").write_text("metabolite,r\nA,-1\nB,1\n")
    (tmp_path / "data.csv").write_text("\n".join(course))
    record = {"question": "metabolism-rates", "arguments": {"noise": 0.0, "method": "auto"},
              "files": {"structure": "structure.csv", "data": "data.csv"}}  # fmt: skip
    (tmp_path / "question.json").write_text(json.dumps(record))
    found = answer(tmp_path)
    assert "error" not in found, found
    assert found["values"]["reactions"][0]["constant"] == pytest.approx(0.5, rel=0.02)
    table = next(part for part in found["parts"] if part["kind"] == "table")
    assert table["columns"][0] == {"heading": "reaction", "number": False}
    assert table["rows"][0][0] == "r"
    assert (tmp_path / "picture.svg").exists()
    assert str(tmp_path) not in json.dumps(found)
