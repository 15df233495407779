"""Looks at a campaign: how far it is from the ledger at once, what it means as soon as that is computed.

The ledger is read when its files changed. Verdicts, effects, the champion and the audit take longer; they are computed
in the background when an experiment was finished, and every page shows the last ones until the next are there.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from probatum.campaigns.experiment import PROBES
from probatum.campaigns.ledgers.files import LEDGER, LedgerSite, state_folder
from probatum.campaigns.ledgers.ledger import ROUND_PLANNED
from probatum.campaigns.ledgers.lock import holder_of
from probatum.campaigns.recorded_campaign import KIND
from probatum.errors import ProbatumError
from probatum.web.campaign_view import Plan, View, plan_of, view_of
from probatum.web.look import Look, Progress

if TYPE_CHECKING:
    from probatum.laboratory import Laboratory

ASKED_EVERY = 3.0
"""Seconds between two looks at a shared ledger."""
PATIENCE = 2.0
"""Seconds that a page waits for a shared ledger that is away."""
REST = 3.0
"""While a campaign runs, results are computed again only after so many times what it took the last time."""


class Observer:
    """Looks at one campaign for all pages.

    Args:
        path: of the campaign file.
    """

    def __init__(self, path: Path):
        self.path = path
        self.plan: Plan | None = None
        self.view: View | None = None
        self.trouble: str | None = None
        """Why results could not be computed the last time."""
        self._progress: tuple[str, Progress] | None = None
        self._asked_at = 0.0
        self._asking, self._lock = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._tried, self._took, self._ended = "", 0.0, 0.0
        self._closed = False

    def site(self) -> LedgerSite:
        """Where the ledger is; a shared one that is away is soon an error, for readers wait for pages.

        Raises:
            LedgerError: what environment or file say is no address.
        """
        return LedgerSite.of(self.path).within(PATIENCE)

    def progress(self) -> Progress:
        """How far the campaign is; reads the ledger only where its files changed. May wait for a shared ledger."""
        try:
            site = self.site()
        except ProbatumError as error:
            return Progress("", trouble=str(error))
        if site.shared:
            return self._asked(site)
        holder = holder_of(state_folder(self.path))  # one that was killed leaves the files as they are
        token = f"{self._files()} {holder}"
        known = self._progress
        if known is None or known[0] != token:
            known = (token, self._read(_digest(token), site, holder))
            self._progress = known
        return known[1]

    def _asked(self, site: LedgerSite) -> Progress:
        """Of a shared ledger, which no file of this machine tells the changes of: asked again every few seconds."""
        with self._asking:  # one asks for all pages
            known = self._progress
            if known is None or time.monotonic() - self._asked_at > ASKED_EVERY:
                found = self._read("", site, None)
                if found.trouble and known is not None:  # what was known of a ledger that is away is shown still
                    found = replace(known[1], holder=None, trouble=found.trouble)
                said = (self._files(), replace(found, state=""))
                known = ("", replace(found, state=_digest(repr(said))))
                self._progress, self._asked_at = known, time.monotonic()
            return known[1]

    def look(self) -> Look:
        """What there is now; newer results are begun to be computed where they are needed."""
        progress = self.progress()
        wanted = self._state_of_results(progress)
        with self._lock:
            busy = self._thread is not None and self._thread.is_alive()
            rested = progress.holder is None or time.monotonic() - self._ended > REST * self._took
            if wanted != self._tried and not busy and rested and not self._closed:
                self._tried, busy = wanted, True
                self._thread = threading.Thread(target=self._compute, args=(wanted,), daemon=True, name="results")
                self._thread.start()
        return Look(progress, self.plan, self.view, self.trouble, busy)

    def wait(self, seconds: float) -> Look:
        """What there is when the results are computed, or after this time."""
        self.look()
        if self._thread is not None:
            self._thread.join(seconds)
        return self.look()

    def close(self) -> None:
        """Lets go of files."""
        with self._lock:
            self._closed = True
        if self._thread is not None:
            self._thread.join()
        if self.view is not None:
            self.view.close()

    # ------------------------------------------------------------------ the ledger

    def _files(self) -> str:
        """Changes when the campaign file or its ledger does."""
        folder = state_folder(self.path)
        parts = []
        for file in (self.path, folder / LEDGER, folder / f"{LEDGER}-wal"):
            try:
                known = file.stat()
                parts.append(f"{known.st_ino} {known.st_mtime_ns} {known.st_size}")
            except OSError:
                parts.append("none")
        return "/".join(parts)

    def _read(self, state: str, site: LedgerSite, holder: str | None) -> Progress:
        try:
            if not site.exists():
                return Progress(state, holder=holder)
            ledger = site.open()
            try:
                records = tuple(r for r in ledger.experiments() if not r.name.startswith(PROBES))
                summary, rounds, frozen = ledger.summary(), ledger.rounds(), ledger.frozen()
                outside = len(ledger.confirmations()) + len(ledger.submissions())
                if site.shared:
                    holder = "; ".join(ledger.drivers()) or None
            finally:
                ledger.close()
        except ProbatumError as error:
            return Progress(state, holder=holder, trouble=str(error))
        waiting = rounds[-1] if rounds and rounds[-1].state == ROUND_PLANNED else None
        importer = str(frozen.problem["options"]["importer"]) if frozen and frozen.problem["kind"] == KIND else None
        return Progress(state, records, summary, outside, waiting, holder, importer)

    # ------------------------------------------------------------------ results

    def _state_of_results(self, progress: Progress) -> str:
        """Changes when results may: an experiment ended or has more fits, or the campaign file was written."""
        try:
            known = self.path.stat()
            file = f"{known.st_mtime_ns} {known.st_size}"
        except OSError:
            file = "none"
        ended = [f"{r.name} {r.done}" for r in progress.records if r.status in ("done", "failed")]
        looks = progress.summary.held_out_accesses if progress.summary else 0
        counts = f"{looks} {progress.judged_outside}"
        return _digest("\0".join([file, counts, str(progress.trouble), *ended]))

    def _compute(self, state: str) -> None:
        started = time.monotonic()
        view = None
        try:
            laboratory = _opened(self.path)
            self.plan = plan_of(laboratory)
            if laboratory.campaign.ledger_site.exists():
                view = view_of(laboratory, state)
            trouble = None
        except ProbatumError as error:
            trouble = str(error)
        except Exception as error:  # the user's own problem or learner, which may fail in any way
            trouble = f"{type(error).__name__}: {error}"
        self.trouble = trouble
        if view is not None:
            before, self.view = self.view, view
            if before is not None:
                before.close()
        self._took, self._ended = time.monotonic() - started, time.monotonic()


def _opened(path: Path) -> Laboratory:
    from probatum.campaigns.campaign import Campaign
    from probatum.laboratory import Laboratory

    campaign = Campaign.open(path)
    campaign.file = replace(campaign.file, ledger=campaign.ledger_site.within(PATIENCE).address)
    return Laboratory(campaign)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
