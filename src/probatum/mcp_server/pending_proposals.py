"""Proposals of agents that wait to be run: a TOML file in the campaign's state folder, which a person can read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.ledgers.files import state_folder
from probatum.errors import UsageError
from probatum.mcp_server.input_checks import check_edit, check_name, check_text
from probatum.mcp_server.limits import Limits
from probatum.planning.proposal import History, Proposal
from probatum.planning.round_file import proposals_text, read_proposals, replace_text

FILE = "waiting.toml"
AGENT = "agent"
"""The proposer that rounds record."""


class PendingProposals:
    """The proposals that wait, in the order in which they came.

    Args:
        campaign: path of the campaign file.
        limits: of the server. What the file holds is checked by them again when it is read.
    """

    name = AGENT

    def __init__(self, campaign: Path, limits: Limits):
        self._campaign, self._limits = campaign, limits
        self._file = state_folder(campaign) / FILE

    def proposals(self) -> tuple[Proposal, ...]:
        """All of them.

        Raises:
            UsageError: the file was changed, and holds what no agent may say.
        """
        if not self._file.exists():
            return ()
        found = read_proposals(self._file)
        if len(found) > self._limits.waiting:
            raise UsageError(f"{len(found)} proposals wait", where=FILE, remedy=f"at most {self._limits.waiting}")
        for one in found:
            where = f"{FILE}, '{one.name[:40]}'"
            check_name(one.name, self._limits, where=where)
            check_text(one.hypothesis, self._limits, where=where)
            check_edit(one.mutation, self._limits, where=where)
        return found

    def add(self, proposal: Proposal) -> int:
        """Adds one that has been checked; returns how many wait.

        Raises:
            UsageError: too many wait.
            StorageError: the file cannot be written.
        """
        found = self.proposals()
        if len(found) >= self._limits.waiting:
            what = f"{len(found)} proposals wait already"
            raise UsageError(what, where="propose", remedy="run a batch first: run_batch")
        self._write([*found, proposal])
        return len(found) + 1

    def forget(self, names: Collection[str]) -> int:
        """Forgets those of these names; returns how many wait still."""
        found = self.proposals()
        kept = [p for p in found if p.name not in names]
        if len(kept) < len(found):
            self._write(kept)
        return len(kept)

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """What waits, the first ones first: a proposer, for the round that runs them."""
        return self.proposals()[:k]

    def _write(self, proposals: Sequence[Proposal]) -> None:
        with storage_errors(self._file.parent):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        if proposals:
            head = f"Proposals of agents for {self._campaign.name} that wait to be run; the server keeps this file."
            replace_text(self._file, proposals_text(proposals, head))
        else:
            self._file.unlink(missing_ok=True)
