"""What a picture shows, read from its figure."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from probatum.pictures import new_figure
from probatum.problems.picture import Picture


def drawn(picture: Picture) -> Figure:
    """The picture's figure, laid out."""
    with new_figure(picture.width, picture.height) as figure:
        picture.draw(figure)
        figure.draw_without_rendering()
    return figure


def named(pictures: Sequence[Picture]) -> dict[str, Picture]:
    """The pictures by name."""
    return {picture.name: picture for picture in pictures}


def panel(figure: Figure, title: str) -> Axes:
    """The one panel whose title begins so."""
    (found,) = (axes for axes in figure.axes if axes.get_title(loc="left").startswith(title))
    return found


def words(figure: Figure) -> str:
    """All that is written in a figure, a line each."""
    return "\n".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))
