"""The look of all pictures: colours for light and dark paper, fonts, and how a figure is made and written."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.errors import StorageError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Theme:
    """Colours of a picture on one kind of paper.

    Attributes:
        name: 'light' or 'dark'.
        colours: role to '#rrggbb'; every theme has the same roles, and the light one's colours differ from each other.
    """

    name: str
    colours: Mapping[str, str]


# Okabe and Ito's colours, which colour-blind readers tell apart; on dark paper lighter, for a contrast of 3 to 1.
LIGHT = Theme(
    "light",
    {
        "ink": "#1c2430", "soft": "#5d6675", "grid": "#e3e7ee", "paper": "#ffffff",
        "blue": "#0072b2", "vermilion": "#d55e00", "green": "#009e73", "grey": "#7a7f87", "orange": "#b87a00",
        "sky": "#56b4e9", "purple": "#aa4499",
    },
)  # fmt: skip
DARK = Theme(
    "dark",
    {
        "ink": "#e6e9ef", "soft": "#a3adbd", "grid": "#333b48", "paper": "#14181f",
        "blue": "#4ea5de", "vermilion": "#f2874b", "green": "#35c29a", "grey": "#9aa0a8", "orange": "#e6ad45",
        "sky": "#7fc8f2", "purple": "#d58ac6",
    },
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

INK, SOFT, GRID, PAPER = (LIGHT.colours[role] for role in ("ink", "soft", "grid", "paper"))
BLUE, VERMILION, GREEN, GREY = (LIGHT.colours[role] for role in ("blue", "vermilion", "green", "grey"))
ORANGE, SKY, PURPLE = (LIGHT.colours[role] for role in ("orange", "sky", "purple"))
STYLE = {
    "font.size": 9, "font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": SOFT,
    "xtick.color": SOFT, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left", "svg.hashsalt": "probatum",
    "text.parse_math": False,
}  # fmt: skip
"""Names of experiments and groups are no formulas, so a dollar sign in them is a dollar sign."""


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
def new_figure(width: float, height: float) -> Generator[Figure]:
    """A figure in inches in this look, without a window and without pyplot's global state."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        yield Figure(figsize=(width, height), dpi=150, layout="constrained")


def write_figure(figure: Figure, path: Path, theme: Theme = LIGHT) -> None:
    """Writes it; the same figure gives the same bytes.

    Args:
        figure: in the colours of the light theme; it has those of `theme` afterwards.
        path: of the file; its suffix says the format.
        theme: of the file.

    Raises:
        UsageError: as `check_suffix`.
        StorageError: the file cannot be written.
    """
    from matplotlib import rc_context

    check_suffix(path)
    if theme is not LIGHT:
        recolour(figure, theme)
    paper = theme.colours["paper"]
    try:
        with rc_context(STYLE), missing_glyphs_allowed():  # type: ignore[arg-type]
            figure.savefig(path, facecolor=paper, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="make room there, make it writable, or name another file",
        ) from error


@contextmanager
def missing_glyphs_allowed() -> Generator[None]:
    """Lets names be in any script: what the font has no sign for is drawn as a box, which is no reason to complain."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def recolour(figure: Figure, theme: Theme) -> None:
    """Gives every artist that has a colour of the light theme that of another one; other colours stay."""
    from matplotlib.collections import Collection
    from matplotlib.colors import to_rgb
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    table = {to_rgb(colour): to_rgb(theme.colours[role]) for role, colour in LIGHT.colours.items()}

    def other(colour: Any) -> Any:
        """[r, g, b, alpha] or a name; 'none' and colours of no theme come back as they are."""
        if isinstance(colour, str):
            return colour if colour in ("none", "auto") else table.get(to_rgb(colour), colour)
        red, green, blue, *alpha = map(float, colour)
        return (*table.get((red, green, blue), (red, green, blue)), *alpha)

    with missing_glyphs_allowed():
        figure.draw_without_rendering()  # ticks exist from here on
    for artist in figure.findobj():
        match artist:
            case Text():
                artist.set_color(other(artist.get_color()))
            case Line2D():
                artist.set_color(other(artist.get_color()))
                artist.set_markerfacecolor(other(artist.get_markerfacecolor()))
                artist.set_markeredgecolor(other(artist.get_markeredgecolor()))
            case Patch():
                artist.set_facecolor(other(artist.get_facecolor()))
                artist.set_edgecolor(other(artist.get_edgecolor()))
            case Collection() if artist.get_array() is None:
                artist.set_facecolor([other(c) for c in artist.get_facecolor()])
                artist.set_edgecolor([other(c) for c in artist.get_edgecolor()])
            case _:
                pass
