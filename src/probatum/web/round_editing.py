"""The next round in the browser: what the planner proposes, what a person made of it, and the checks of both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.errors import CampaignFileError, ProbatumError
from probatum.web.campaign_view import View
from probatum.web.processes import Work

if TYPE_CHECKING:
    from probatum.planning.proposal import Proposal

ROUND_FILE = "round.toml"
LARGEST_ROUND = 2**16
"""Characters of a round's TOML."""
NAMES = ("features", "components", "recipe", "always", "add", "remove")
"""Keys whose values are looked up among names that are registered, and never imported."""


@dataclass(frozen=True)
class Draft:
    """One proposal as a person sees it.

    Attributes:
        text: as TOML, to be edited.
        accepted: whether it is to be started.
        values: of the planner, as `probatum next --json` prints them; {} for one that a person wrote.
        trouble: why it cannot be tried; None where it can, '' where nobody checked.
    """

    text: str
    accepted: bool = True
    values: Mapping[str, Any] = field(default_factory=dict)
    trouble: str | None = ""


@dataclass(eq=False)
class Drafts:
    """The round that is being made.

    Attributes:
        work: that asks the planner, or asked it last.
        drafts: that it answered, or that a person made of them.
        for_a_person: (code, what) that no program can put right.
        trouble: of the planner's last answer.
        answered: whether the planner has answered at all.
    """

    work: Work | None = None
    drafts: tuple[Draft, ...] = ()
    for_a_person: tuple[tuple[str, str], ...] = ()
    trouble: str | None = None
    answered: bool = False
    _taken: Work | None = None

    def update(self) -> None:
        """Takes the planner's answer over, once it is there."""
        work = self.work
        if work is None or work.running or self._taken is work:
            return
        self._taken = work
        try:
            said = json.loads((work.folder / "out.txt").read_text(encoding="utf-8"))
            if "proposals" not in said:
                raise ValueError
        except (OSError, ValueError):
            why = work.said[-1] if work.said else f"it ended with code {work.code}"
            self.trouble = f"the planner was {work.state}" if work.stopped else why.removeprefix("error: ")
            return
        self.trouble, self.answered = None, True
        self.drafts = tuple(Draft(_text_of(p), values=p) for p in said["proposals"])
        self.for_a_person = tuple((code, what) for code, what in said["for_a_person"].items())


def checked_drafts(texts: Sequence[tuple[str, bool]], view: View, folder: Path) -> tuple[list[Draft], list[Proposal]]:
    """The same checks as for round files, each proposal with what is wrong with it.

    Args:
        texts: TOML of each, and whether it is to be started.
        view: of the campaign.
        folder: to write in.

    Returns:
        All drafts, and the accepted proposals where nothing is wrong with any of them.
    """
    from probatum.laboratory.outlook import outlook_of
    from probatum.planning.candidates import checked

    drafts, kept, candidates = [], [], []
    history = outlook_of(view.laboratory, view.results, view.audit).history
    for text, accepted in texts:
        if not accepted:
            drafts.append(Draft(text, False))
            continue
        try:
            for proposal in _read(text, folder):
                refuse_import_paths(proposal.mutation)
                candidates.append(checked(proposal, history, candidates))
                kept.append(proposal)
            drafts.append(Draft(text, trouble=None))
        except ProbatumError as error:
            drafts.append(Draft(text, trouble=str(error)))
        except Exception as error:  # an edit of no form at all
            drafts.append(Draft(text, trouble=f"cannot be read: {type(error).__name__}: {error}"))
    return drafts, kept if all(d.trouble in (None, "") for d in drafts) else []


def refuse_import_paths(mutation: Mapping[str, Any]) -> None:
    """Refuses 'module:object', which would be imported: the browser starts what is registered, files say the rest.

    Args:
        mutation: of a proposal, before anybody looks names up.

    Raises:
        CampaignFileError: naming the value.
    """
    for key, text in _texts(mutation):
        if key not in NAMES and ":" in text:
            what = f"{key} = '{text}' is an import path"
            remedy = "registered names alone are taken here; write it into the campaign file"
            raise CampaignFileError(what, remedy=remedy)


def round_text(proposals: Sequence[Proposal]) -> str:
    """A round file of accepted proposals."""
    from probatum.planning.round_file import proposals_text

    return proposals_text(proposals, "A round that was accepted in the dashboard")


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """(nearest key, text) of every text in nested values."""
    if isinstance(value, Mapping):
        for inner, v in value.items():
            yield from _texts(v, str(inner))
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _texts(v, key)
    elif isinstance(value, str):
        yield key, value


def _read(text: str, folder: Path) -> Sequence[Proposal]:
    from probatum.planning.round_file import read_proposals

    if len(text) > LARGEST_ROUND:
        raise CampaignFileError(f"longer than {LARGEST_ROUND} characters", remedy="propose less at once")
    path = folder / ROUND_FILE
    path.write_text(text.replace("\r\n", "\n"), encoding="utf-8")
    try:
        return read_proposals(path)
    finally:
        path.unlink()


def _text_of(values: Mapping[str, Any]) -> str:
    """A proposal of `probatum next --json` as TOML, without what only the planner needs."""
    from probatum.planning.proposal import Proposal
    from probatum.planning.round_file import proposals_text

    kept = ("parent", "mutation", "name", "hypothesis", "reason", "priority", "slot", "proposer")
    text = proposals_text([Proposal(**{k: values[k] for k in kept})], "")
    return re.sub(r"\A#\s*\n+", "", text)
