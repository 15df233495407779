"""Files that pictures are written to."""

from __future__ import annotations

from pathlib import Path

import pytest

from probatum.errors import StorageError, UsageError
from probatum.pictures import check_suffix, new_figure, write_figure


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
