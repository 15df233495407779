"""The folder of the challenge that was imported: which it is, and that it is still what it was.

Importing copies nothing: runs take gigabytes and may not be passed on. What is kept is where the folder lies, how many
samples it has, and the sha256 of its metadata, whose checksums name every run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from probatum.errors import DataError, DataMissingError, StorageError
from probatum.problems.answer import Answer
from probatum.problems.data_files import sha256_of
from probatum.problems.gas_chromatography.challenge_folder import (
    METADATA,
    SPLITS,
    SUBMISSION,
    Sample,
    check,
    read_folder,
    submission_names,
)
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.library import SOURCE

SCHEMA = 1
RECORD = "challenge.json"
"""Lies in the data folder of the user's cache."""
REMEDY = "run 'probatum data import gas_chromatography FOLDER'"


@dataclass(frozen=True)
class ImportedFolder:
    """What is known of an imported folder.

    Attributes:
        folder: where it lies.
        metadata: sha256 of its metadata.
        samples: number of samples of each split.
        labelled: number of samples whose families are known.
        positives: number of these in each family.
        asked: number of samples that a submission has to name; 0 without a form of a submission.
    """

    folder: str
    metadata: str
    samples: dict[str, int]
    labelled: int
    positives: dict[str, int]
    asked: int


def import_folder(folder: Path, progress: Callable[[int, int], None] | None = None) -> ImportedFolder:
    """Checks a folder of the challenge, every run against its md5, and makes it the imported one.

    Args:
        folder: as DrivenData hands it to participants.
        progress: told how many of how many runs are checked.

    Raises:
        DataMissingError: the folder, its metadata, labels or a run are missing.
        DataError: a table that is not what the layout says, or a run with another checksum.
        StorageError: the cache cannot be written.
    """
    folder = folder.expanduser()
    samples = read_folder(folder)
    for done, sample in enumerate(samples, start=1):
        check(sample)
        if progress is not None:
            progress(done, len(samples))
    found = _described(folder.resolve(), samples)
    try:
        SOURCE.cache.mkdir(parents=True, exist_ok=True)
        (SOURCE.cache / RECORD).write_text(json.dumps(asdict(found)), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            where=str(SOURCE.cache / RECORD),
            remedy="make room there or make it writable",
        ) from None
    return found


def imported_answer(folder: Path, progress: Callable[[int, int], None] | None = None) -> Answer:
    """As `import_folder`, for people and programs."""
    found = import_folder(folder, progress)
    counts = ", ".join(f"{count} {split}" for split, count in found.samples.items() if count)
    rare = ", ".join(f"{name} {count}" for name, count in found.positives.items())
    shown = [
        f"{sum(found.samples.values())} samples ({counts}), every run checked against its md5, in {found.folder}",
        f"{found.labelled} of them are labelled: {rare}",
        f"a submission names {found.asked} samples: 'probatum gas-chromatography submit --out submission.csv'"
        if found.asked
        else f"there is no {SUBMISSION}: nothing can be submitted",
    ]
    return Answer({"schema": SCHEMA, "problem": SOURCE.problem, **asdict(found)}, shown)


def imported_folder() -> Path:
    """The imported folder, its metadata unchanged since.

    Raises:
        DataMissingError: none was imported, or it is not there any more.
        DataError: its metadata has changed.
    """
    path = SOURCE.cache / RECORD
    try:
        known = ImportedFolder(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataMissingError("no folder of the challenge was imported", remedy=REMEDY) from None
    except (OSError, ValueError, TypeError, RecursionError):
        raise DataError("is no record of an imported folder", where=str(path), remedy=REMEDY) from None
    metadata = Path(known.folder) / METADATA
    if not metadata.is_file():
        raise DataMissingError("the imported folder is not there any more", where=known.folder, remedy=REMEDY)
    if sha256_of(metadata) != known.metadata:
        raise DataError("has changed since it was imported", where=str(metadata), remedy=REMEDY)
    return Path(known.folder)


def _described(folder: Path, samples: Sequence[Sample]) -> ImportedFolder:
    known = [sample.families for sample in samples if sample.families is not None]
    positives = np.array(known, dtype=np.int64).reshape(-1, len(FAMILIES)).sum(axis=0)
    counts = Counter(sample.split for sample in samples)
    return ImportedFolder(
        str(folder),
        sha256_of(folder / METADATA),
        {split: counts[split] for split in SPLITS},
        len(known),
        dict(zip(FAMILIES, positives.tolist(), strict=True)),
        len(submission_names(folder)) if (folder / SUBMISSION).is_file() else 0,
    )
