"""The pictures of the page, each one SVG file for light and dark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mechanisms import Copies, Soups, Winners, expected_maximum

from probatum.evidence.calibration import Calibration
from probatum.pictures import BLUE, GREEN, GREY, INK, ORANGE, SOFT, VERMILION, new_figure
from probatum.reporting.inline_svg import inline_svg, theme_css

WIDTH = 6.4


def write_svg(figure: Figure, path: Path, label: str) -> None:
    """Writes a figure as one file that follows the reader's light or dark setting, paper included.

    Args:
        figure: in the colours of the light theme.
        path: of the file.
        label: what is seen, for those who hear the page.
    """
    text = inline_svg(figure, path.stem.replace("_", "-"), label)
    head, _, rest = text.partition(">")
    paper = '<rect width="100%" height="100%" fill="var(--picture-paper, #ffffff)" />'
    own = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    path.write_text(f"{own}><style>\n{theme_css()}\n</style>{paper}{rest}\n", encoding="utf-8")


def best_of_many(most: int, marked: tuple[int, ...]) -> Figure:
    """E[max] against how many were tried, in standard errors of one score."""
    counts = np.arange(1, most + 1)
    with new_figure(WIDTH, 2.9) as figure:
        axes = figure.add_subplot()
        axes.plot(counts, [expected_maximum(int(n)) if n > 1 else 0 for n in counts], color=BLUE, lw=2)
        for count in marked:
            height = expected_maximum(count)
            axes.plot(count, height, "o", color=VERMILION)
            axes.annotate(f"best of {count}: {height:.2f}", (count, height), (6, -12), textcoords="offset points")
        axes.set_xlabel("equally good experiments that were tried")
        axes.set_ylabel("how much better the best looks\n(standard errors of one score)")
        axes.set_ylim(0)
    return figure


def lucky_winner(winners: Winners) -> Figure:
    """The scores of one loop with their intervals, all of the same truth."""
    place = np.arange(len(winners.scores))
    with new_figure(WIDTH, 3.3) as figure:
        axes = figure.add_subplot()
        axes.axhline(1, color=SOFT, lw=1, ls="--")
        errors = np.stack([winners.scores - winners.low, winners.high - winners.scores])
        for chosen, marker, colour, name in (
            (slice(0, 1), "s", VERMILION, "the winner"),
            (slice(1, None), "o", BLUE, "the others"),
        ):
            axes.errorbar(
                place[chosen],
                winners.scores[chosen],
                errors[:, chosen],
                fmt=marker,
                color=colour,
                ms=5,
                lw=1.5,
                label=name,
            )
        axes.plot(0, winners.again, "D", color=GREEN, ms=6, label="the winner, measured again")
        axes.plot([], [], color=SOFT, lw=1, ls="--", label="truth of all")
        axes.set_ylim(top=1.7)
        axes.legend(frameon=False, ncols=2, loc="upper left")
        axes.set_xlabel("experiments of one loop, ranked as a leaderboard ranks them")
        axes.set_ylabel("error, 95 % interval")
        axes.set_xticks([])
    return figure


def copies(found: Copies, log_share: float) -> Figure:
    """Error of a model that learns nothing, against the share of rows that stand twice."""
    with new_figure(WIDTH, 2.9) as figure:
        axes = figure.add_subplot()
        axes.plot(100 * found.share, found.after, "s-", color=GREEN, label="copied after the split")
        axes.plot(100 * found.share, found.before, "o-", color=VERMILION, label="copied before the split")
        axes.axvline(100 * log_share, color=SOFT, lw=1, ls="--")
        axes.annotate("the log's share", (100 * log_share, 0.1), (5, 0), textcoords="offset points", color=SOFT)
        axes.set_xlabel("rows that stand twice (%)")
        axes.set_ylabel("error on validation rows\n(1: predicting the mean)")
        axes.set_ylim(0)
        axes.legend(frameon=False, loc="center left")
    return figure


def leaderboard(calibration: Calibration, target: float) -> Figure:
    """Internal scores against the leaderboard's, with the line and the root, down to zero."""
    root = next(fitted for fitted in calibration.fits if fitted.form.name == "y = b sqrt(x)")
    x = np.linspace(0, 0.0135, 200)
    with new_figure(WIDTH, 3.2) as figure:
        axes = figure.add_subplot()
        axes.plot(x, calibration.line.predict(x), color=GREY, lw=1.5, label="line")
        axes.plot(x, root.predict(x), color=BLUE, lw=2, label="root")
        axes.plot(calibration.x, calibration.y, "o", color=VERMILION, label="nine submissions")
        axes.axhline(target, color=ORANGE, lw=1.2, ls="--")
        axes.annotate("wanted", (x[-1], target), (0, 4), textcoords="offset points", ha="right", color=INK)
        axes.set_xlabel("cross-validated mean squared error")
        axes.set_ylabel("leaderboard")
        axes.set_xlim(0)
        axes.set_ylim(0)
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.22))
    return figure


def soups(found: Soups) -> Figure:
    """What the procedure reports, and what it has."""
    with new_figure(WIDTH, 2.7) as figure:
        axes = figure.add_subplot()
        bins = np.linspace(0.3, 0.75, 46)
        for values, colour, name in (
            (found.reported, VERMILION, "reported: best on the rows that chose it"),
            (found.fresh, BLUE, "the same soups on fresh rows"),
        ):
            axes.hist(values, bins, color=colour, alpha=0.65, label=name)
            axes.axvline(float(values.mean()), color=colour, lw=2)
        axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
        axes.set_xlabel("log loss")
        axes.set_ylabel("runs of the procedure")
        axes.legend(frameon=False)
    return figure
