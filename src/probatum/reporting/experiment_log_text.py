"""The experiment log as text and as plain values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from probatum.campaigns.artifacts import storage_errors
from probatum.laboratory import Laboratory
from probatum.reporting.log_records import ROOT, Batch, Entry, ExperimentLog


def log_text(log: ExperimentLog) -> str:
    """The log as Markdown."""
    lines = [f"# Experiment Log: {log.name} (parallel)", "", log.question, "", *(f"- {line}" for line in log.regime)]
    for position, batch in enumerate(log.batches):
        following = log.batches[position + 1] if position + 1 < len(log.batches) else None
        lines += ["", *_batch_head(batch, "PARALLEL START" if position == 0 else ""), "---"]
        for entry in batch.entries:
            lines += ["", *_entry_lines(entry)]
        lines += ["", "---", "", *_batch_summary(batch, following, log.outlook)]
    return "\n".join(lines) + "\n"


def write_log(laboratory: Laboratory, log: ExperimentLog, path: Path | None = None) -> Path:
    """Writes a campaign's log.

    Args:
        laboratory: of the campaign.
        log: of it.
        path: of the file; default: `experiment_log.md` in the campaign's state folder.

    Raises:
        StorageError: the file cannot be written.
    """
    path = path or laboratory.campaign.folder / "experiment_log.md"
    with storage_errors(path.parent):
        partial = path.with_suffix(".partial")
        partial.write_text(log_text(log), encoding="utf-8")
        os.replace(partial, path)
    return path


def log_values(log: ExperimentLog) -> dict[str, object]:
    """The log as plain values."""
    return {
        "campaign": log.name,
        "batches": [
            {
                "number": batch.number,
                "entries": [_entry_values(entry) for entry in batch.entries],
                "findings": list(batch.findings),
            }
            for batch in log.batches
        ],
        "next": list(log.outlook),
    }


def _batch_head(batch: Batch, remark: str) -> list[str]:
    first, last = batch.entries[0].number, batch.entries[-1].number
    span = f"Iter {first}-{last}" if last > first else f"Iter {first}"
    lines = [f"## Batch {batch.number} ({span}){f': {remark}' if remark else ''}", ""]
    for slot, e in enumerate(batch.entries):
        lines += [f"**Slot {slot} (id={e.name})**: {e.mode} ({e.strategy})", f"- Config: {_config(e)}"]
        lines += [f"- Mutation: {e.mutation or 'None (a root)'}", f"- Parent rule: {e.parent_rule}"]
        lines += [f"- Hypothesis: {e.hypothesis}"] if e.hypothesis else []
        lines.append("")
    return lines


def _entry_lines(e: Entry) -> list[str]:
    lines = [
        f"## Iter {e.number}: {e.status}",
        f"Node: id={e.name}, parent={_node(e.parent)}",
        f"Mode/Strategy: {e.mode} ({e.strategy})",
        f"Config: {_config(e)}",
        f"Metrics: {', '.join(f'{name}={value}' for name, value in e.metrics.items()) or 'none'}{_count(e)}",
    ]
    if e.visual:
        judged = (f"{name}={verdict} (deviation {deviation:.3g})" for name, (verdict, deviation) in e.visual.items())
        lines.append(f"Visual: {', '.join(judged)}")
    lines += [f"Mutation: {e.mutation or 'None (a root)'}", f"Parent rule: {e.parent_rule}"]
    if e.hypothesis:
        outcome = f" -> {e.verdict.outcome}" if e.verdict else ""
        lines.append(f"Hypothesis: {e.hypothesis}{outcome}")
    return [*lines, f"Observation: {e.observation or 'nothing stands out'}", f"Next: parent=id={e.next_parent}"]


def _batch_summary(batch: Batch, following: Batch | None, outlook: Sequence[str]) -> list[str]:
    lines = [
        f"### Batch {batch.number} Summary",
        "",
        "**Critical Finding**:",
        *(f"- {line}" for line in batch.findings),
    ]
    if following is None:
        planned = [f"- Slot {slot}: {line}" for slot, line in enumerate(outlook)]
        return [*lines, "", "**Next batch:**", *(planned or ["- nothing was finished that could be a parent"])]
    hypotheses = [e.hypothesis for e in following.entries if e.hypothesis]
    if hypotheses:
        numbered = [f"{place}. {hypothesis}" for place, hypothesis in enumerate(hypotheses, 1)]
        lines += ["", "**Hypotheses for next batch:**", *numbered]
    strategy = [f"- Slot {slot}: {e.mutation or e.name} (id={e.name})" for slot, e in enumerate(following.entries)]
    return [*lines, "", "**Next batch strategy:**", *strategy]


def _config(e: Entry) -> str:
    return ", ".join(f"{name}={value}" for name, value in e.config.items()) or "defaults"


def _count(e: Entry) -> str:
    fits = max((figure.fits for figure in e.metrics.values()), default=0)
    return f" (mean±sd over {fits} fits)" if fits > 1 else ""


def _node(name: str | None) -> str:
    return ROOT if name is None else f"id={name}"


def _entry_values(e: Entry) -> dict[str, object]:
    return {
        "iteration": e.number,
        "node": e.name,
        "parent": e.parent,
        "status": e.status,
        "mode": e.mode,
        "strategy": e.strategy,
        "config": dict(e.config),
        "metrics": {name: {"mean": f.mean, "spread": f.spread, "fits": f.fits} for name, f in e.metrics.items()},
        "visual": {name: {"verdict": v, "deviation": d} for name, (v, d) in e.visual.items()},
        "mutation": e.mutation,
        "parent_rule": e.parent_rule,
        "hypothesis": e.hypothesis,
        "outcome": e.verdict.outcome if e.verdict else None,
        "observation": e.observation,
        "next": e.next_parent,
    }
