"""The look of all pictures: colours, fonts, and how a figure is made and written. Files, no windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from probatum.errors import StorageError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
INK, SOFT, GRID = "#1c2430", "#667085", "#e3e7ee"
# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#7a7f87"
STYLE = {
    "font.size": 9, "font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": SOFT,
    "xtick.color": SOFT, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left", "svg.hashsalt": "probatum",
}  # fmt: skip


def check_suffix(path: Path) -> None:
    """Refuses a file that no picture can be written to, before anything is computed.

    Raises:
        UsageError: naming the suffixes that can be, or the folder that is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        what = f"a figure cannot be written as '{path.suffix}'" if path.suffix else "a figure needs a suffix"
        raise UsageError(what, where=str(path), remedy=f"use {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise UsageError("there is no such folder", where=str(path.parent), remedy="make it, or name another file")


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """A figure in inches in this look, without a window and without pyplot's global state."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        yield Figure(figsize=(width, height), dpi=150, layout="constrained")


def write_figure(figure: Figure, path: Path) -> None:
    """Writes it; the same figure gives the same bytes.

    Raises:
        UsageError: as `check_suffix`.
        StorageError: the file cannot be written.
    """
    check_suffix(path)
    try:
        figure.savefig(path, facecolor="white", metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="make room there, make it writable, or name another file",
        ) from error
