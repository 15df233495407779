"""A campaign as a notebook shows it: what is asked and by which protocol, and how far each experiment is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probatum.campaigns.experiment import PROBES
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.notebook_tables import MOST_ROWS, number, table

if TYPE_CHECKING:
    from probatum.campaigns.campaign import Campaign

HEADINGS = ("experiment", "parent", "status", ">fits", ">score", "hypothesis")


def campaign_table(campaign: Campaign) -> str:
    """HTML of a campaign's experiments, run and planned; without those that stand beside the tree."""
    protocol = campaign.file.protocol
    states: dict[str, ExperimentRecord] = {}
    if campaign.ledger_site.exists():
        states = {r.name: r for r in campaign.ledger.experiments() if not r.name.startswith(PROBES)}
    planned = {e.name: e for e in campaign.experiments}
    names = [*dict.fromkeys([*planned, *states])]
    rows = []
    for name in names[-MOST_ROWS:]:
        record = states.get(name)
        known = record or planned[name]
        fits = f"{record.done}/{record.fits}" if record else "-"
        score = number(record.score) if record else "-"
        rows.append(
            (name, known.parent or "-", record.status if record else "planned", fits, score, known.hypothesis or "")
        )
    notes = [f"The last {MOST_ROWS} of {len(names)} experiments."] if len(names) > MOST_ROWS else []
    notes += [
        campaign.file.problem.question,
        f"Tasks: {', '.join(campaign.file.tasks)}. Splits: {protocol.splits}, seeds: {protocol.seeds}, metric: "
        f"{protocol.metric} ({protocol.scoring}), margin: {number(protocol.margin)}, baseline: {campaign.baseline}.",
    ]
    return table(f"{campaign.file.path.name}: {campaign.file.problem.name}", HEADINGS, rows, notes)
