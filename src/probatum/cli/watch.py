"""`status --watch`: a campaign while somebody else runs it, on a terminal drawn anew each second, elsewhere in lines.

Only the ledger and the artifacts of finished fits are read; the campaign is not touched and may begin or end meanwhile.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.ledgers.files import LedgerSite, open_ledger, state_folder
from probatum.campaigns.ledgers.ledger import DONE, ExperimentRecord, Ledger, Summary
from probatum.cli.output import console
from probatum.cli.progress import LINE_EVERY
from probatum.cli.sparklines import knows_blocks, learning_curve, sparkline
from probatum.errors import StorageError
from probatum.reporting.numbers import duration
from probatum.reporting.tables import experiment_table

EVERY = 1.0
"""Seconds between two looks."""
WINDOW = 60.0
"""Seconds that the rate is taken over."""
AROUND = 9
"""Lines of the terminal that are no experiments."""
MOST_TRAININGS = 3
"""Of an experiment, whose learning curves are read."""


@dataclass(frozen=True)
class Look:
    """A campaign at one moment.

    Attributes:
        when: s, on the clock that the rate is taken by.
        summary: at a glance.
        experiments: all of them, in order.
        holder: who runs it; None for nobody.
    """

    when: float
    summary: Summary
    experiments: tuple[ExperimentRecord, ...]
    holder: str | None

    @property
    def settled(self) -> int:
        """Fits that need no more work."""
        return self.summary.done + self.summary.failed

    @property
    def over(self) -> bool:
        """Whether all that was planned is done, and nobody works on more."""
        return self.holder is None and self.settled == self.summary.fits


class Rate:
    """Fits a second over the last `WINDOW` seconds of looks."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, when: float, settled: int) -> float | None:
        """The rate with this look; None while no fit has been finished since the first."""
        self._seen.append((when, settled))
        while len(self._seen) > 2 and when - self._seen[1][0] >= WINDOW:
            self._seen.popleft()
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        return (now - before) / (last - first) if last > first and now > before else None


def watch_status(path: Path, *, most: int) -> None:
    """Shows a campaign until it is done; Ctrl-C leaves, and the campaign goes on.

    Args:
        path: of the campaign file, which was run or is.
        most: experiments shown; 0 shows all.

    Raises:
        CampaignFileError: it has not been run yet.
        typer.Exit: with code 1, where fits failed, or whoever ran it stopped before the end.
    """
    ledger = open_ledger(path)
    out = console()
    try:
        drawn = sys.stdout.isatty() and not out.is_dumb_terminal
        last = _draw(path, ledger, out, most) if drawn else _tell(path, ledger, out)
    except KeyboardInterrupt:
        out.print("left; the campaign is not touched")
        return
    finally:
        ledger.close()
    if last.settled < last.summary.fits:
        missing = last.summary.fits - last.settled
        out.print(f"whoever ran it stopped: {missing} fits are missing; 'probatum run {escape(path.name)}' goes on")
    if last.summary.failed or last.settled < last.summary.fits:
        raise typer.Exit(1)


def _look(path: Path, ledger: Ledger) -> Look:
    # The holder first: one who ends between the two has recorded all that was done.
    holder = LedgerSite.of(path).holder()
    return Look(time.monotonic(), ledger.summary(), tuple(ledger.experiments()), holder)


def _ended(look: Look, was_run: bool) -> bool:
    return look.over or (was_run and look.holder is None)


def _draw(path: Path, ledger: Ledger, out: Console, most: int) -> Look:
    """On a terminal: one picture, drawn anew."""
    curves = LearningCurves(path, ledger)
    rate, was_run = Rate(), False
    with Live(console=out, auto_refresh=False, transient=False) as live:
        while True:
            look = _look(path, ledger)
            was_run = was_run or look.holder is not None
            speed = rate.see(look.when, look.settled)
            ended = _ended(look, was_run)
            shown = most if ended else min(most or out.height, max(out.height - AROUND, 3))
            # What is drawn anew must fit into the terminal; the last picture stays, and may be longer.
            live.update(_picture(path.name, look, speed, _chosen(look.experiments, shown), curves, out), refresh=True)
            if ended:
                return look
            time.sleep(EVERY)


def _tell(path: Path, ledger: Ledger, out: Console) -> Look:
    """Elsewhere: a line when something changed, at most every `LINE_EVERY` seconds, and one at the end."""
    rate, was_run = Rate(), False
    told, when = "", -LINE_EVERY
    while True:
        look = _look(path, ledger)
        was_run = was_run or look.holder is not None
        speed = rate.see(look.when, look.settled)
        ended = _ended(look, was_run)
        state = f"{look.settled} {look.summary.fits} {look.holder is None}"
        if ended or (state != told and look.when - when >= LINE_EVERY):
            told, when = state, look.when
            out.print("  ".join((path.name, *_parts(look, speed))), markup=False, soft_wrap=True)
            out.file.flush()
        if ended:
            return look
        time.sleep(EVERY)


def _parts(look: Look, speed: float | None) -> list[str]:
    """What is said of the whole campaign."""
    summary = look.summary
    states = ", ".join(f"{count} {state}" for state, count in summary.experiments.items() if count)
    parts = [f"{look.settled}/{summary.fits} fits", f"experiments: {states or 'none'}"]
    if summary.failed:
        parts.append(f"{summary.failed} fits failed")
    left = summary.fits - look.settled
    if speed and left:
        parts += [f"{speed:.2g} fits/s", f"{duration(left / speed)} left"]
    if look.holder is None and left:
        parts.append("nobody is running it")
    return parts


def _chosen(experiments: Sequence[ExperimentRecord], most: int) -> list[ExperimentRecord]:
    """Those that are shown, in their order: what runs, what failed, what is planned, then what was done last."""
    if not most or len(experiments) <= most:
        return list(experiments)
    rank = {"running": 0, "failed": 1, "planned": 2, "done": 3}
    order = sorted(
        range(len(experiments)),
        key=lambda i: (rank[experiments[i].status], i if experiments[i].status == "planned" else -i),
    )
    return [experiments[i] for i in sorted(order[:most])]


def _picture(
    name: str,
    look: Look,
    speed: float | None,
    shown: Sequence[ExperimentRecord],
    curves: LearningCurves,
    out: Console,
) -> RenderableType:
    parts = _parts(look, speed)
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(name, style="bold"),
        ProgressBar(total=max(look.summary.fits, 1), completed=look.settled, width=max(min(40, out.width // 3), 10)),
        Text(parts[0]),
    )
    lines = [head, Text("  ".join(parts[1:]), style="dim")]
    blocks = knows_blocks(out)
    found = {e.name: sparkline(curves.of(e), ascii_only=not blocks) for e in shown}
    values = [vars(e) | {"status": e.status} for e in shown]
    lines.append(experiment_table(values, curves={k: v for k, v in found.items() if v}))
    if len(shown) < len(look.experiments):
        lines.append(Text(f"{len(shown)} of {len(look.experiments)} experiments", style="dim"))
    return Group(*lines)


class LearningCurves:
    """The learning curves of a campaign's experiments, each read when it is first shown and once more when it is done.

    Args:
        path: of the campaign file.
        ledger: its ledger.
    """

    def __init__(self, path: Path, ledger: Ledger):
        self._ledger, self._store = ledger, ArtifactStore(state_folder(path) / "artifacts")
        self._known: dict[str, tuple[str, np.ndarray]] = {}

    def of(self, experiment: ExperimentRecord) -> np.ndarray:
        """[epoch] float64; of no length where its model keeps none or no fit is done."""
        known = self._known.get(experiment.name)
        if known is None or known[0] != experiment.status:
            known = self._known[experiment.name] = (experiment.status, self._read(experiment))
        return known[1]

    def _read(self, experiment: ExperimentRecord) -> np.ndarray:
        from probatum.campaigns.artifact_arrays import stored_curves

        done = [f for f in self._ledger.fits(experiment.name) if f.status == DONE][:MOST_TRAININGS]
        curves: list[Mapping[str, np.ndarray]] = []
        for fit in done:
            if fit.artifact is not None and fit.position is not None:
                try:
                    curves.append(stored_curves(self._store.read_arrays(fit.artifact), fit.position))
                except StorageError:  # a picture of progress is no place to complain; `show` does
                    continue
        return learning_curve(curves)
