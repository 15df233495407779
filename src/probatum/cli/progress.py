"""Live progress of a running campaign: experiments, fits, rate and time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from probatum.campaigns.events import (
    Event,
    ExperimentFinished,
    ExperimentKept,
    FitFailed,
    FitRetried,
    FitsFound,
    JobFinished,
    JobStarted,
    RoundStarted,
)
from probatum.reporting.numbers import duration

LINE_EVERY = 10.0
"""Seconds between progress lines where there is no terminal to draw a bar on."""


class RunProgress:
    """Listens to a campaign and shows how far it is; a bar on a terminal, lines elsewhere.

    Everything goes to standard error, so that `--json` and pipes stay clean.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("fits  {task.fields[experiments]}  {task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting", total=None, experiments="", rate="", left="")
        self._total = self._done = self._known = self._told = 0
        self._experiments = self._finished = 0
        self._started = self._last_line = time.monotonic()
        self._running: dict[str, str] = {}
        self._said: set[str] = set()

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case RoundStarted():
                self._total, self._known = event.fits, event.known
                self._experiments, self._finished = len(event.experiments), 0
                self._done, self._told, self._started = 0, 0, time.monotonic()
                known = f", {event.known} fits already there" if event.known else ""
                self._say(f"run {event.round}: {len(event.experiments)} experiments, {event.fits} fits to train{known}")
                self._bar.update(self._task, total=event.fits)
            case JobStarted():
                self._running[event.job] = f"{event.model} x {event.fits}"
            case JobFinished():
                self._running.pop(event.job, None)
                self._done += len(event.keys)
            case FitsFound():
                self._done += len(event.keys)
            case FitRetried():
                self._say_once(f"[yellow]a fit failed and is tried again:[/] {escape(_last_line(event.reason))}")
            case FitFailed():
                self._done += 1
                self._say_once(f"[red]a fit {event.status}:[/] {escape(_last_line(event.error))}")
            case ExperimentKept():
                name = escape(event.name)
                self._say(
                    f"[yellow]'{name}' was run with other code or libraries and is kept; rename it to run it again[/]"
                )
            case ExperimentFinished():
                self._finished += 1
        self._show()

    def _show(self) -> None:
        elapsed = time.monotonic() - self._started
        rate = self._done / elapsed if elapsed > 0 and self._done else 0.0
        known = self._done > 0.05 * self._total and elapsed > LINE_EVERY  # before, the start of workers is most of it
        left = f"{duration((self._total - self._done) / rate)} left" if known and self._done < self._total else ""
        description = ", ".join(dict.fromkeys(self._running.values())) or "training"
        speed = f"{rate:.1f}/s" if rate else ""
        experiments = f"{self._finished}/{self._experiments} experiments"
        self._bar.update(
            self._task,
            description=description[:48],
            completed=self._done,
            experiments=experiments,
            rate=speed,
            left=left,
        )
        if self._bar.disable and self._done > self._told:
            ended = self._done == self._total
            if ended or time.monotonic() - self._last_line > LINE_EVERY:
                self._last_line, self._told = time.monotonic(), self._done
                parts = (f"{self._done}/{self._total} fits", experiments, speed, left, "" if ended else description)
                self._say("  ".join(escape(part) for part in parts if part))

    def _say_once(self, text: str) -> None:
        """Says what many fits may have in common the first time alone; `probatum show` counts them."""
        if text not in self._said:
            self._said.add(text)
            self._say(text)

    def _say(self, text: str) -> None:
        self._bar.console.print(text)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
