"""The campaign that a server serves: opened when it is needed, and refused where a person changed its judge."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum.audit.inspection import Audit
from probatum.campaigns.ledger import Summary
from probatum.campaigns.ledger_files import LedgerSite, open_ledger
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError
from probatum.laboratory import Laboratory, Results
from probatum.mcp_server.input_checks import JUDGE_KEYS, refuse_import_paths
from probatum.mcp_server.limits import Limits
from probatum.mcp_server.pending_proposals import PendingProposals

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
            if self._laboratory is None or self._laboratory[0] != text:
                if self._laboratory is not None and self.was_run:
                    self._laboratory[1].campaign.ledger.close()
                self._laboratory = (text, Laboratory.open(self.path))
                self._results = None
            return self._laboratory[1]

    def results(self) -> Results:
        """What the campaign shows so far, judged again where something was finished since.

        Raises:
            CampaignFileError: it has not been run.
        """
        with self.turn:
            laboratory = self.laboratory()
            state = (id(laboratory), _state(self.summary()))
            if self._results is None or self._results[0] != state:
                self._results = (state, laboratory.results())
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
        self.require_run()
        ledger = open_ledger(self.path)
        try:
            return ledger.summary()
        finally:
            ledger.close()

    @property
    def was_run(self) -> bool:
        """Whether there is a ledger."""
        return LedgerSite.of(self.path).exists()

    def require_run(self) -> None:
        """Raises where there is nothing to look at yet.

        Raises:
            CampaignFileError: the campaign has not been run.
        """
        if not self.was_run:
            raise CampaignFileError("has not been run yet", where=self.path.name, remedy="call run_batch first")

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
