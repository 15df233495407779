"""The campaign that a server serves: opened when it is needed, and refused where a person changed its judge."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from probatum.audit.inspection import Audit
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.files import LedgerSite
from probatum.campaigns.ledgers.ledger import Ledger, Summary
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError
from probatum.laboratory import Laboratory, Results
from probatum.mcp_server.input_checks import JUDGE_KEYS, refuse_import_paths
from probatum.mcp_server.limits import Limits
from probatum.mcp_server.pending_proposals import PendingProposals

PATIENCE = 5.0
"""Seconds that a call waits for a shared ledger that is away."""
LARGEST_FILE = 2_000_000
"""Bytes of a campaign file."""


class ServedCampaign:
    """One campaign, as all calls of a server see it.

    The sections of the file that say what is judged and how are remembered when the server begins. Where they change
    under it, every call is refused until a person starts the server again: an agent with an editor cannot move them
    while it works here.

    Args:
        path: of the campaign file.
        limits: of the server.

    Raises:
        CampaignFileError, UnknownNameError: the file cannot be used, or names code by import path.
    """

    def __init__(self, path: Path, limits: Limits):
        self.path, self.limits = path.resolve(), limits
        self.waiting = PendingProposals(self.path, limits)
        self.turn = threading.RLock()
        """Held by whoever computes: one at a time, so that a flood of calls does not become a flood of threads."""
        self._laboratory: tuple[bytes, Laboratory] | None = None
        self._imported = ""
        self._results: tuple[object, Results] | None = None
        self._audit: tuple[Results, Audit] | None = None
        self._judge = _judge_of(self._content()[1])
        self.laboratory()

    def laboratory(self) -> Laboratory:
        """The campaign's, opened again where its file has changed.

        Raises:
            CampaignFileError, UnknownNameError: the file cannot be used any more.
        """
        with self.turn:
            text, content = self._content()
            changed = [key for key, value in _judge_of(content).items() if value != self._judge[key]]
            if changed:
                raise CampaignFileError(
                    f"'{changed[0]}' has changed since this server began, and no agent may change it",
                    where=self.path.name,
                    remedy="a person puts it back, or starts the server again",
                )
            if self._laboratory is None or self._laboratory[0] != text or self._was_imported_again(self._laboratory[1]):
                self._laboratory = (text, self._opened())
            return self._laboratory[1]

    def results(self) -> Results:
        """What the campaign shows so far, judged again where something was finished since.

        Raises:
            CampaignFileError: it has not been run.
        """
        with self.turn:
            laboratory, now = self.laboratory(), _state(self.summary())
            if self._results is None or self._results[0] != (id(laboratory), now):
                self._results = ((id(laboratory), now), laboratory.results())
            return self._results[1]

    def audit(self) -> Audit:
        """What is wrong with the campaign, all checks of all experiments."""
        with self.turn:
            results = self.results()
            if self._audit is None or self._audit[0] is not results:
                self._audit = (results, self.laboratory().audit(results))
            return self._audit[1]

    def summary(self) -> Summary:
        """The ledger at a glance.

        Raises:
            CampaignFileError: the campaign has not been run.
        """
        with self.ledger() as ledger:
            return ledger.summary()

    @contextmanager
    def ledger(self) -> Generator[Ledger]:
        """The ledger as it is now; one that is shared and away is soon an error, for a client waits.

        Raises:
            CampaignFileError: the campaign has not been run.
            LedgerError: the ledger cannot be reached or read.
        """
        self.require_run()
        ledger = self._site().open()
        try:
            yield ledger
        finally:
            ledger.close()

    @property
    def was_run(self) -> bool:
        """Whether there is a ledger."""
        return self._site().exists()

    def require_trainable(self) -> None:
        """Raises where nothing can be trained.

        Raises:
            CampaignFileError: its runs were imported.
        """
        self.laboratory().campaign.require_trainable()

    def require_run(self) -> None:
        """Raises where there is nothing to look at yet.

        Raises:
            CampaignFileError: the campaign has not been run.
        """
        if not self.was_run:
            raise CampaignFileError("has not been run yet", where=self.path.name, remedy="call run_batch first")

    def _site(self) -> LedgerSite:
        return LedgerSite.of(self.path).within(PATIENCE)

    def _opened(self) -> Laboratory:
        """The campaign of a file that was found to be sound, in the place of the one that was open."""
        if self._laboratory is not None and "ledger" in vars(self._laboratory[1].campaign):
            self._laboratory[1].campaign.ledger.close()
        campaign = Campaign.open(self.path)
        campaign.file = replace(campaign.file, ledger=campaign.ledger_site.within(PATIENCE).address)
        self._results = None
        if campaign.file.problem.recorded:
            self._imported = _state(self.summary())
        return Laboratory(campaign)

    def _was_imported_again(self, laboratory: Laboratory) -> bool:
        """Whether an open campaign of imported runs lacks some of them: it reads them once."""
        return laboratory.campaign.file.problem.recorded and self._imported != _state(self.summary())

    def _content(self) -> tuple[bytes, Mapping[str, Any]]:
        """The file's bytes and their meaning, before anything that it names is looked at."""
        try:
            if self.path.stat().st_size > LARGEST_FILE:
                raise CampaignFileError("is too large", where=self.path.name, remedy="start a new campaign")
            text = self.path.read_bytes()
            content = read_toml(text.decode("utf-8"), self.path.name)
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise CampaignFileError(what, where=str(self.path), remedy="'probatum new' writes one") from None
        except UnicodeDecodeError as error:
            raise CampaignFileError(f"no valid TOML: {error}", where=self.path.name, remedy="correct it") from None
        refuse_import_paths(content, where=self.path.name)
        return text, content


def _judge_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Section to its values as text, for comparison."""
    return {key: json.dumps(content.get(key), sort_keys=True, default=str) for key in JUDGE_KEYS}


def _state(summary: Summary) -> str:
    """What changes whenever results may have changed."""
    return json.dumps([dict(summary.experiments), summary.fits, summary.done, summary.failed])
