"""The folder that DrivenData hands the participants of Mars Spectrometry 2: read with its checks, or written.

metadata.csv         sample_id, split (train, val or test), derivatized (1 or blank), features_path, features_md5_hash
train_labels.csv     sample_id and nine columns of 0 and 1; val_labels.csv likewise, where it was given out
submission_format.csv  sample_id and nine columns, for the samples whose labels are not known
*_features/*.csv     one run each

The real data may not be passed on; folders of simulated runs have the same layout.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, DataMissingError, StorageError
from probatum.problems.gas_chromatography.challenge_csv import HEADER
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.run import SECONDS, Run

METADATA, SUBMISSION = "metadata.csv", "submission_format.csv"
SPLITS = ("train", "val", "test")
DIGEST = ("features_md5_hash", "md5")
"""Names that the column of checksums has."""


@dataclass(frozen=True)
class Sample:
    """One sample of the folder.

    Attributes:
        name: its identifier.
        split: 'train', 'val' or 'test'.
        derivatised: whether a silylating reagent was used.
        path: of its run.
        md5: of that file, in hexadecimal.
        families: nine times whether it belongs to a family, in the order of `FAMILIES`; None where that is not known.
    """

    name: str
    split: str
    derivatised: bool
    path: Path
    md5: str
    families: tuple[bool, ...] | None


def read_folder(folder: Path) -> tuple[Sample, ...]:
    """All samples of a folder, in the order of its metadata; runs are neither opened nor checked yet (`check`).

    Raises:
        DataMissingError: the folder, its metadata, or the labels of its training samples are missing.
        DataError: a table that is not what the layout says, with its line.
    """
    if not folder.is_dir():
        raise DataMissingError("there is no such folder", where=str(folder), remedy="name the folder of the challenge")
    labels: dict[str, tuple[bool, ...]] = {}
    for split in SPLITS:
        path = folder / f"{split}_labels.csv"
        if path.is_file():
            labels.update(_labels(path))
    samples, seen = [], set()
    for line, row in _table(folder / METADATA, ("sample_id", "split", "derivatized", "features_path")):
        where = f"{folder / METADATA}, line {line}"
        name, split = row["sample_id"], row["split"]
        if name in seen:
            raise DataError(f"sample {name} a second time", where=where, remedy="keep one of both")
        if split not in SPLITS:
            raise DataError(f"split is '{split}'", where=where, remedy=f"one of: {', '.join(SPLITS)}")
        if row["derivatized"] not in ("", "0", "1", "0.0", "1.0"):
            raise DataError(f"derivatized is '{row['derivatized']}'", where=where, remedy="1 or nothing")
        digest = next((row[column] for column in DIGEST if row.get(column)), "")
        if not digest:
            raise DataError(f"sample {name} has no checksum", where=where, remedy=f"fill the column {DIGEST[0]}")
        if split == "train" and name not in labels:
            raise DataMissingError(
                f"training sample {name} has no labels", where=str(folder), remedy="put train_labels.csv beside it"
            )
        seen.add(name)
        path = folder / row["features_path"]
        if "\0" in row["features_path"] or not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"'{row['features_path']}' lies outside", where=where, remedy="keep runs in the folder")
        derivatised = row["derivatized"] in ("1", "1.0")
        samples.append(Sample(name, split, derivatised, path, digest.lower(), labels.get(name)))
    if not samples:
        raise DataError("has no samples", where=str(folder / METADATA), remedy="copy the file again")
    return tuple(samples)


def check(sample: Sample) -> None:
    """Whether the run of a sample is the file that its metadata was written for.

    Raises:
        DataMissingError: the file is missing.
        DataError: it has another checksum.
    """
    try:
        found = hashlib.md5(sample.path.read_bytes(), usedforsecurity=False).hexdigest()
    except OSError:
        raise DataMissingError("cannot be read", where=str(sample.path), remedy="copy the whole folder again") from None
    if found != sample.md5:
        raise DataError(
            f"has the md5 {found}, where its metadata says {sample.md5}",
            where=str(sample.path),
            remedy="the file was changed or cut short; download it again",
        )


def write_run(run: Run, path: Path) -> str:
    """Writes a run as the challenge has it.

    Returns:
        The md5 of the file.
    """
    minutes = run.times[run.scan_of_point] / SECONDS["min"]
    columns = zip(minutes.tolist(), run.masses.tolist(), run.intensities.tolist(), strict=True)
    text = ",".join(HEADER) + "\n" + "".join(f"{t!r},{m!r},{i!r}\n" for t, m, i in columns)
    content = text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def write_tables(folder: Path, samples: Sequence[Sample], hidden: Sequence[str] = ("val", "test")) -> None:
    """Writes metadata, labels and the form of a submission for runs that lie in the folder.

    Args:
        folder: of the samples.
        samples: with their families.
        hidden: splits whose labels are left out; their samples stand in the form of a submission.
    """
    with (folder / METADATA).open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["sample_id", "split", "derivatized", "features_path", DIGEST[0]])
        for sample in samples:
            path = sample.path.relative_to(folder).as_posix()
            table.writerow([sample.name, sample.split, "1" if sample.derivatised else "", path, sample.md5])
    for split in SPLITS:
        known = {s.name: s.families for s in samples if s.split == split and s.families is not None}
        if known and split not in hidden:
            _write_families(folder / f"{split}_labels.csv", {name: map(int, row) for name, row in known.items()})
    unknown = {sample.name: [0.0] * len(FAMILIES) for sample in samples if sample.split in hidden}
    _write_families(folder / SUBMISSION, unknown)


def write_submission(path: Path, names: Sequence[str], probabilities: Float[np.ndarray, "_sample _family"]) -> None:
    """Writes predictions in the form of a submission.

    Args:
        path: of the file.
        names: of the samples.
        probabilities: [sample, family] float64 between 0 and 1.

    Raises:
        DataError: another shape, or numbers that are no probabilities.
        StorageError: the file cannot be written.
    """
    if probabilities.shape != (len(names), len(FAMILIES)):
        raise DataError(f"{probabilities.shape} probabilities for {len(names)} samples", remedy="nine for each sample")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError("some numbers are no probabilities", remedy="give numbers between 0 and 1")
    try:
        _write_families(path, dict(zip(names, probabilities.tolist(), strict=True)))
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror}", where=str(path), remedy="name another file"
        ) from None


def submission_names(folder: Path) -> tuple[str, ...]:
    """The samples that a submission has to name, in its order.

    Raises:
        DataMissingError: there is no form of a submission.
        DataError: it has other columns.
    """
    return tuple(row["sample_id"] for _, row in _table(folder / SUBMISSION, ("sample_id", *FAMILIES)))


def _write_families(path: Path, rows: Mapping[str, Iterable[float]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["sample_id", *FAMILIES])
        table.writerows([name, *values] for name, values in rows.items())


def _labels(path: Path) -> dict[str, tuple[bool, ...]]:
    found = {}
    for line, row in _table(path, ("sample_id", *FAMILIES)):
        values = [row[family] for family in FAMILIES]
        if any(value not in ("0", "1", "0.0", "1.0") for value in values):
            raise DataError(
                f"sample {row['sample_id']} has labels other than 0 and 1",
                where=f"{path}, line {line}",
                remedy="repair that line",
            )
        found[row["sample_id"]] = tuple(float(value) == 1 for value in values)
    return found


def _table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with their lines; every row has the columns."""
    try:
        stream = path.open(newline="", encoding="utf-8-sig")
    except OSError:
        raise DataMissingError("cannot be read", where=str(path), remedy="copy the whole folder again") from None
    with stream:
        table = csv.DictReader(stream, strict=True)
        try:
            missing = [column for column in columns if column not in (table.fieldnames or ())]
            if missing:
                raise DataError(
                    f"has no column {', '.join(missing)}", where=f"{path}, line 1", remedy="copy the file again"
                )
            for row in table:
                if None in row or None in row.values():
                    raise DataError(
                        "has another number of columns than the first line",
                        where=f"{path}, line {table.line_num}",
                        remedy="it was cut short or is damaged; copy the file again",
                    )
                yield table.line_num, {key: value.strip() for key, value in row.items()}
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"is no table: {error}", where=str(path), remedy="copy the file again") from None
