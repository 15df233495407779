"""`ledger show` and `ledger copy`: where a campaign's record is, and how it comes somewhere else."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from probatum.campaigns.ledgers.files import LedgerSite
from probatum.campaigns.ledgers.schema import SCHEMA_VERSION
from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json


def show_ledger(file: Path | None, *, json: bool) -> None:
    """Where the record of a campaign is, and who works on it."""
    path = campaign_path(file)
    site = LedgerSite.of(path)
    ledger = site.open()
    try:
        summary, size, place = ledger.summary(), ledger.size(), ledger.place
    finally:
        ledger.close()
    holder = site.holder()
    if json:
        print_json({
            "campaign": path.name, "place": place, "shared": site.shared, "schema": SCHEMA_VERSION, "bytes": size,
            "experiments": sum(summary.experiments.values()), "fits": summary.fits, "done": summary.done,
            "at_work": holder,
        })  # fmt: skip
        return
    out = console()
    out.print(escape(place), soft_wrap=True)
    kind = "shared: several drivers may work at once" if site.shared else "a file: one driver at a time"
    out.print(f"{kind}; schema {SCHEMA_VERSION}, {size / 1e6:.1f} MB")
    out.print(f"{sum(summary.experiments.values())} experiments, {summary.done} of {summary.fits} fits done")
    out.print(f"at work: {escape(holder) if holder else 'nobody'}", soft_wrap=True)


def copy_ledger_to(source: str, target: str, *, json: bool) -> None:
    """Copies a ledger and says what was copied."""
    from probatum.campaigns.ledgers.copying import copy_ledger

    found = copy_ledger(source, target)
    if json:
        print_json({**vars(found), "rows": dict(found.rows)})
        return
    out = console()
    out.print(f"from {escape(found.source)}\nto   {escape(found.target)}", soft_wrap=True)
    rows = ", ".join(f"{count} {name}" for name, count in found.rows.items() if count)
    out.print(f"{sum(found.rows.values())} rows ({rows}), compared: sha256 {found.digest}", soft_wrap=True)
    out.print("artifacts stay in the campaign's folder; [run] ledger says which ledger is used", style="dim")
