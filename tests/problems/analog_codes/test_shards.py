"""Folders of labelled codes: the same for everybody, made once, split by code, damaged parts noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from probatum.errors import DataError, StorageError, UnknownNameError
from probatum.problems.analog_codes.code_labels import code_labels
from probatum.problems.analog_codes.commands import data
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profiles
from probatum.problems.analog_codes.shards import CodeRequest, LabelledCodes, read_codes, splits_of, write_codes

REQUEST = CodeRequest(n=9, k=6, codes=700, distribution="integer", rows=300, seed=3)


def write(request: CodeRequest, folder: Path) -> list[bool]:
    return [made for _, made in write_codes(request, folder)]


def whole(folder: Path, split: str | None = None) -> LabelledCodes:
    parts = list(read_codes(folder, split))
    columns = ("code", "P", "log2_heights", "label", "split")
    return LabelledCodes(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def test_a_folder_holds_the_stream_with_exact_heights_infinite_ones_kept(tmp_path: Path):
    assert write(REQUEST, tmp_path) == [True, True, True]
    found = whole(tmp_path)
    P = random_codes("integer", 9, 6, 0, 700, seed=3)
    np.testing.assert_array_equal(found.P, P)
    np.testing.assert_array_equal(found.code, np.arange(700))
    np.testing.assert_allclose(found.log2_heights, np.log2(height_profiles(P)), rtol=1e-12)
    assert 20 < np.isinf(found.log2_heights[:, -1]).sum() < 140
    assert found.label.tolist() == code_labels(P).tolist()


def test_the_same_request_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write(REQUEST, tmp_path / name)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == ["codes.json", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_what_is_there_is_not_made_again_and_what_is_damaged_is(tmp_path: Path):
    write(REQUEST, tmp_path)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    content = bytearray((tmp_path / "part-00001.parquet").read_bytes())
    content[2000] ^= 0xFF
    (tmp_path / "part-00001.parquet").write_bytes(content)
    (tmp_path / "part-00002.parquet").unlink()
    assert write(REQUEST, tmp_path) == [False, True, True]
    assert (tmp_path / "part-00000.parquet").stat().st_mtime_ns == before["part-00000.parquet"]
    assert len(whole(tmp_path)) == 700


def test_a_part_of_other_codes_is_never_taken_for_its_own(tmp_path: Path):
    write(REQUEST, tmp_path / "a")
    write(replace(REQUEST, seed=4), tmp_path / "b")
    (tmp_path / "b" / "part-00001.parquet").replace(tmp_path / "a" / "part-00001.parquet")
    with pytest.raises(DataError, match=r"part-00001.parquet.*run .* again"):
        list(read_codes(tmp_path / "a"))
    assert write(REQUEST, tmp_path / "a") == [False, True, False]


def test_a_folder_grows_and_nothing_else_about_it_changes(tmp_path: Path):
    write(REQUEST, tmp_path)
    assert write(replace(REQUEST, codes=1000), tmp_path) == [False, False, True, True]
    write(replace(REQUEST, codes=1000), tmp_path / "at once")
    assert whole(tmp_path).digest() == whole(tmp_path / "at once").digest()
    for other in (REQUEST, replace(REQUEST, codes=1000, seed=5), replace(REQUEST, codes=1000, rows=10)):
        with pytest.raises(DataError, match="choose another folder"):
            write(other, tmp_path)


def test_equivalent_codes_are_never_apart(tmp_path: Path):
    write(REQUEST, tmp_path)
    found = whole(tmp_path)
    again = splits_of(code_labels(-found.P[:, ::-1, ::-1]), validation=0.1, test=0.1)
    assert again.tolist() == found.split.tolist()
    read = {split: whole(tmp_path, split) for split in ("train", "validation", "test")}
    assert sum(map(len, read.values())) == 700
    labels = [set(part.label.tolist()) for part in read.values()]
    assert not (labels[0] & labels[1])
    assert not (labels[0] & labels[2])
    assert not (labels[1] & labels[2])


def test_shares_are_what_was_asked_for():
    labels = code_labels(random_codes("uniform", 5, 2, 0, 20000))
    split = splits_of(labels, validation=0.25, test=0.05)
    for name, share in (("train", 0.7), ("validation", 0.25), ("test", 0.05)):
        assert abs((split == name).mean() - share) < 0.015  # 4.5 standard deviations of a binomial share
    assert set(splits_of(labels, validation=0.0, test=0.0)) == {"train"}


def test_a_larger_test_set_contains_the_smaller_one():
    labels = code_labels(random_codes("uniform", 5, 2, 0, 2000))
    small, large = (splits_of(labels, validation=0.1, test=share) == "test" for share in (0.1, 0.3))
    assert (large | ~small).all()


def test_the_files_are_plain_parquet(tmp_path: Path):
    write(REQUEST, tmp_path)
    frame = pq.read_table(tmp_path / "part-00000.parquet").to_pandas()
    assert list(frame.columns) == ["code", "P", "log2_heights", "label", "split"]
    assert len(frame["P"][0]) == 18
    assert len(frame["log2_heights"][0]) == 3


def test_codes_too_long_for_batches_are_labelled_one_by_one(tmp_path: Path):
    request = CodeRequest(n=17, k=3, codes=2, distribution="uniform")
    write(request, tmp_path)
    heights = whole(tmp_path).log2_heights
    assert heights.shape == (2, 14)
    assert (np.diff(heights, axis=1) >= 0).all()


def test_the_command_makes_them_and_says_what_they_are(tmp_path: Path):
    answer = data(tmp_path / "d", n=6, k=3, codes=500, distribution="integer", rows=200)
    assert answer.values["files"] == answer.values["made"] == 3
    assert sum(answer.values["splits"].values()) == 500
    assert answer.values["different_codes"] <= 500
    assert answer.values["infinite"]["3"] > 0
    assert data(tmp_path / "d", n=6, k=3, codes=500, distribution="integer", rows=200).values["made"] == 0


@pytest.mark.parametrize(
    "wrong",
    [{"codes": 0}, {"rows": 0}, {"n": 25}, {"k": 9}, {"validation": 0.6, "test": 0.5}, {"test": -0.1}, {"seed": -1}],
)
def test_impossible_requests_are_refused(wrong: dict):
    with pytest.raises(DataError):
        replace(REQUEST, **wrong)
    with pytest.raises(UnknownNameError):
        replace(REQUEST, distribution="gaussian")


def test_folders_that_cannot_be_used_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no codes here"):
        list(read_codes(tmp_path))
    with pytest.raises(DataError, match="no split"):
        list(read_codes(tmp_path, "holdout"))
    (tmp_path / "codes.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        write(REQUEST, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises((StorageError, DataError)):
        write(REQUEST, tmp_path / "file" / "folder")
