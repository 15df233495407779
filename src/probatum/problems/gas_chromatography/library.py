"""Where the library of spectra lies on this machine, and where it is published."""

from __future__ import annotations

import os
from pathlib import Path

from probatum.problems.data_files import DataSource, RemoteFile, locate
from probatum.problems.gas_chromatography.massbank_release import RELEASE, rebuilt_library
from probatum.problems.gas_chromatography.spectra import LIBRARY

SOURCE = DataSource(
    problem="gas_chromatography",
    url="https://github.com/MassBank/MassBank-data/archive/refs/tags",
    url_variable="PROBATUM_GAS_CHROMATOGRAPHY_URL",
    licence="CC BY and CC BY-SA, record by record",
    files=(
        RemoteFile(
            LIBRARY,
            "6896cbbc05ba4d3309fdaf45c69231e12850cf24b93d65987c8c0b59b125570f",
            (f"{RELEASE}.tar.gz",),
            rebuilt_library,
        ),
    ),
)


def library_path(folder: str | os.PathLike[str] | None = None) -> Path:
    """The file of spectra.

    Args:
        folder: the user's own copy; None looks where `probatum.problems.data_files.locate` does.

    Raises:
        DataMissingError: it is nowhere and cannot be downloaded.
        DataError: the file in the cache is not the published one.
    """
    return locate(SOURCE, folder) / LIBRARY
