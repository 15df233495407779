"""Pictures say what was asked, what was measured and how sure it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probatum.errors import StorageError, UsageError
from probatum.problems.catechol.chemist import predict, rank
from probatum.problems.catechol.figures import prediction_figure, ranking_figure
from probatum.problems.catechol.queries import understood

from .conftest import SmallLaboratory

pytestmark = pytest.mark.real


def draw(small: SmallLaboratory, path: Path, *solvents: object, celsius: float = 200.0, minutes: float = 8.0) -> None:
    asked = understood(small.data, *solvents)  # type: ignore[arg-type]
    answer = predict(small.model, small.data, asked, celsius, minutes)
    prediction_figure(small.model, small.data, answer, "Product 2", path)


def texts(path: Path) -> str:
    """The text of an SVG: matplotlib draws letters as paths and keeps what they say in comments."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"), re.DOTALL))


def test_a_prediction_shows_the_question_and_the_measured_points(small: SmallLaboratory, tmp_path: Path):
    draw(small, tmp_path / "one.svg", "MeOH", celsius=224.0, minutes=14.0)
    said = texts(tmp_path / "one.svg")
    for text in ("Methanol", "Product 2: predicted, and measured (points)", "asked: 224 °C, 14 min", "measured, n = "):
        assert text in said
    for text in ("SM", "Product 3", "All three at 224 °C, with 90 % intervals", "measured within 3 K"):
        assert text in said


def test_a_solvent_never_measured_has_no_points(small: SmallLaboratory, tmp_path: Path):
    draw(small, tmp_path / "one.svg", "CCCCO", celsius=190.0)
    said = texts(tmp_path / "one.svg")
    assert "measured, n =" not in said
    assert "measured within" not in said
    assert "its descriptors are guessed from its structure" in said


def test_what_makes_an_answer_weaker_stands_below_it(small: SmallLaboratory, tmp_path: Path):
    draw(small, tmp_path / "one.svg", "Methanol", celsius=463.0, minutes=480.0)
    said = texts(tmp_path / "one.svg")
    assert "463 K is 190 deg C" in said
    assert "outside the measured 2 to 15 min" in said
    assert "asked:" not in said  # too far away to be drawn


def test_a_question_beyond_the_range_is_drawn_with_the_range(small: SmallLaboratory, tmp_path: Path):
    draw(small, tmp_path / "one.svg", "Methanol", celsius=230.0, minutes=20.0)
    said = texts(tmp_path / "one.svg")
    assert "measured range" in said
    assert "asked: 230 °C, 20 min" in said


def test_a_ranking_names_every_solvent_and_where_it_is_best(small: SmallLaboratory, tmp_path: Path):
    ranked, remarks = rank(small.model, small.data, "Product 2", minutes=15.0)
    ranking_figure(ranked, remarks, "Most Product 2", tmp_path / "rank.svg")
    said = texts(tmp_path / "rank.svg")
    for one in ranked:
        assert one.solvent in said
        assert f"{one.celsius:g} °C, 15 min" in said
    at_once, remarks = rank(small.model, small.data, "SM", celsius=225.0, minutes=15.0)
    ranking_figure(at_once, remarks, "Most SM", tmp_path / "at_once.svg")
    said = texts(tmp_path / "at_once.svg")
    assert "225 °C, 15 min" not in said
    assert "measured at other temperatures" in said
    assert "their intervals are wider" in said


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_pictures_are_written_in_every_form(small: SmallLaboratory, tmp_path: Path, suffix: str, begins: bytes):
    draw(small, tmp_path / f"one{suffix}", "Methanol", "EG", 40.0)
    assert (tmp_path / f"one{suffix}").read_bytes().startswith(begins)


def test_the_same_question_gives_the_same_bytes(small: SmallLaboratory, tmp_path: Path):
    for name in ("one.svg", "two.svg"):
        draw(small, tmp_path / name, "Methanol")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_where_no_picture_can_be_written_is_said(small: SmallLaboratory, tmp_path: Path):
    with pytest.raises(UsageError, match=r"cannot be written as '\.gif'"):
        draw(small, tmp_path / "one.gif", "Methanol")
    with pytest.raises(UsageError, match="no such folder"):
        draw(small, tmp_path / "nowhere" / "one.svg", "Methanol")
    with pytest.raises(StorageError, match="cannot be written"):
        draw(small, tmp_path / ("n" * 300 + ".svg"), "Methanol")
