"""What a campaign freezes at its first run: problem, tasks, protocol and data, compared whenever it runs again."""

from __future__ import annotations

from collections.abc import Mapping

from probatum.campaigns.campaign_file import CampaignFile
from probatum.campaigns.ledgers.ledger import CampaignRecord, Ledger
from probatum.campaigns.manifest import datasets_by_label
from probatum.errors import ProtocolFrozenError
from probatum.problems.problem import Dataset


def freeze(ledger: Ledger, file: CampaignFile, draws: Mapping[tuple[str, int], Dataset]) -> None:
    """Records what is frozen where nothing was yet.

    Raises:
        ProtocolFrozenError: as `require_unchanged`.
    """
    if ledger.frozen() is None:
        ledger.freeze(_record(file, draws))
    else:
        require_unchanged(ledger, file, draws)


def require_unchanged(ledger: Ledger, file: CampaignFile, draws: Mapping[tuple[str, int], Dataset]) -> None:
    """Raises where problem, tasks, protocol or data are not those of the first run.

    Args:
        ledger: of the campaign; one in which nothing is frozen refuses nothing.
        file: of the campaign.
        draws: (task, draw) to dataset.

    Raises:
        ProtocolFrozenError: the first that differs.
    """
    frozen = ledger.frozen()
    if frozen is None:
        return
    now, where = _record(file, draws), file.path.name
    file.protocol.require_same(dict(frozen.protocol), where=where)
    remedy = "put it back, or save the file under a new name to start a new campaign"
    if frozen.problem["kind"] != now.problem["kind"] or tuple(frozen.tasks) != now.tasks:
        raise ProtocolFrozenError("problem or task changed since the first run", where=where, remedy=remedy)
    for task, digest in now.data.items():
        if frozen.data[task] != digest:
            what = f"the data of task '{task}' changed since the first run"
            raise ProtocolFrozenError(what, where=where, remedy=remedy)


def _record(file: CampaignFile, draws: Mapping[tuple[str, int], Dataset]) -> CampaignRecord:
    data = {label: dataset.digest for label, dataset in datasets_by_label(draws).items()}
    return CampaignRecord(file.problem_record, file.tasks, file.protocol.model_dump(), data)
