"""Files that pictures are written to."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib import image
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from probatum.errors import StorageError, UsageError
from probatum.pictures import (
    BLUE,
    DARK,
    GREEN,
    LIGHT,
    PAPER,
    THEMES,
    Theme,
    check_suffix,
    new_figure,
    write_figure,
)


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.png.txt"])
def test_a_file_that_is_no_figure_is_refused(name: str, tmp_path: Path):
    with pytest.raises(UsageError, match=r"use \.png, \.svg, \.pdf"):
        check_suffix(tmp_path / name)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match="no such folder"):
        check_suffix(tmp_path / "nowhere" / "a.png")


def test_a_folder_in_its_place_is_named(tmp_path: Path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(StorageError, match=r"a\.png.*name another file"), new_figure(1, 1) as figure:
        write_figure(figure, tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.svg", "a.pdf"])
def test_the_same_picture_is_written_with_the_same_bytes(name: str, tmp_path: Path):
    written = []
    for _ in range(2):
        with new_figure(2, 2) as figure:
            figure.subplots().plot([1, 2])
            write_figure(figure, tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert len(written[0]) > 500
    if name != "a.pdf":
        assert written[0] == written[1]


def drawn(figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot([1, 2], color=BLUE, marker="o", mec=PAPER)
    axes.fill_between([0, 1], [0, 1], color=GREEN, alpha=0.2)
    axes.bar([0], [1], color="#123456")
    axes.set_title("costs $5 and $6 <b>")


def test_themes_have_the_same_roles_and_differ_in_every_colour():
    assert LIGHT.colours.keys() == DARK.colours.keys()
    assert len(set(LIGHT.colours.values())) == len(LIGHT.colours)
    assert all(LIGHT.colours[role] != DARK.colours[role] for role in LIGHT.colours)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_lines_and_text_can_be_seen_on_their_paper(theme: Theme):
    """Contrast of 3 to 1 for marks and of 4.5 to 1 for text, as WCAG 2.2 (1.4.11 and 1.4.3) asks."""
    for role, colour in theme.colours.items():
        if role not in ("paper", "grid", "sky"):
            least = 4.5 if role in ("ink", "soft") else 3.0
            assert contrast(colour, theme.colours["paper"]) >= least, role


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_dark_picture_has_dark_paper_light_ink_and_foreign_colours_as_they_were(tmp_path: Path):
    with new_figure(3, 2) as figure:
        drawn(figure)
        write_figure(figure, tmp_path / "a.svg", DARK)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    for role in ("ink", "paper", "blue", "green", "soft"):
        assert DARK.colours[role] in text, role
        assert LIGHT.colours[role] not in text, role
    assert "#123456" in text


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "a.svg"])
def test_every_format_has_both_themes(name: str, tmp_path: Path):
    sizes = []
    for theme in THEMES.values():
        with new_figure(2, 2) as figure:
            drawn(figure)
            write_figure(figure, tmp_path / name, theme)
        sizes.append((tmp_path / name).read_bytes())
    assert sizes[0] != sizes[1]


def test_a_dark_png_is_dark(tmp_path: Path):
    with new_figure(2, 2) as figure:
        drawn(figure)
        write_figure(figure, tmp_path / "a.png", DARK)
    corner = image.imread(tmp_path / "a.png")[0, 0, :3]
    assert to_hex(corner) == DARK.colours["paper"]


@pytest.mark.parametrize("title", ["$\\frac", "a $b$ c", "溶媒 и растворитель", "x\ny"])
def test_any_name_can_be_written(title: str, tmp_path: Path):
    with new_figure(2, 2) as figure:
        figure.subplots().set_title(title)
        write_figure(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 500
