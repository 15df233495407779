"""A model card in Markdown: what was asked, on which data, how it was judged, what came out, and what it is not for.

Its sections follow Mitchell et al., 'Model cards for model reporting' (FAT* 2019, 220-229).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.audit.finding import Finding
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledgers.ledger import DONE, ExperimentRecord
from probatum.campaigns.manifest import source_digest
from probatum.campaigns.recipe import Recipe, flat
from probatum.errors import UnknownNameError
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict
from probatum.interop.plain_models import can_be_kept
from probatum.laboratory import Laboratory
from probatum.planning.round_file import replace_text
from probatum.reporting.numbers import figure, interval, probability, signed
from probatum.reporting.report_values import data_card
from probatum.version import __version__

MOST_FINDINGS = 30


def write_model_card(laboratory: Laboratory, experiment: str, path: Path) -> Path:
    """Writes the card of a finished experiment.

    Args:
        laboratory: of the campaign.
        experiment: by name.
        path: of the file, .md.

    Raises:
        UnknownNameError: no such experiment is finished, or the file's name does not end with .md.
        StorageError: it cannot be written.
    """
    if path.suffix != ".md":
        raise UnknownNameError.of("kind of model card", path.suffix or path.name, (".md",), where=str(path))
    replace_text(path, model_card(laboratory, experiment))
    return path


def model_card(laboratory: Laboratory, experiment: str) -> str:
    """The card of a finished experiment, as Markdown.

    Args:
        laboratory: of the campaign.
        experiment: by name.

    Raises:
        UnknownNameError: no such experiment is finished.
    """
    campaign, results = laboratory.campaign, laboratory.results()
    records = {r.name: r for r in results.records}
    if experiment not in records or records[experiment].status != "done":
        finished = [name for name, r in records.items() if r.status == "done"]
        raise UnknownNameError.of("finished experiment", experiment, finished, where=campaign.file.path.name)
    record, arm = records[experiment], results.arm(experiment)
    verdict = next((v for v in results.verdicts if v.arm == experiment), None)
    findings = laboratory.audit(results, only=[experiment]).findings
    about = [f for f in findings if f.subject in (experiment, None)]
    trivial = [a for a in results.arms if a.name.startswith(TRIVIAL)]
    sections = [
        [
            f"# Model card: {_md(experiment)}",
            "",
            f"Of the campaign `{campaign.file.path.name}`, by Probatum {__version__}.",
        ],
        ["## Question", "", _md(campaign.file.problem.question), *_hypothesis(record)],
        ["## Data", "", *_data(campaign)],
        ["## Model", "", *_model(record)],
        ["## Protocol", "", *_protocol(campaign, arm)],
        ["## Verdict", "", *_verdict(arm, verdict, results.baseline, trivial)],
        ["## Limits", "", *_limits(campaign, arm, verdict, about)],
        ["## Findings of the audit", "", *_findings(about)],
        ["## How to use it", "", *_use(campaign, experiment, record)],
        ["## Hashes", "", *_hashes(campaign, record)],
    ]
    return "\n".join(line for section in sections for line in (*section, ""))


def _hypothesis(record: ExperimentRecord) -> Iterator[str]:
    if record.hypothesis:
        yield ""
        yield f"Hypothesis: {_md(record.hypothesis)}"


def _data(campaign: Campaign) -> Iterator[str]:
    if campaign.file.problem.recorded:
        options = campaign.file.problem_spec[1]
        importer, source = (_md(str(options.get(key))) for key in ("importer", "source"))
        yield f"Imported from {importer}, {source}; the data are not here."
        return
    for dataset in campaign.datasets.values():
        card = data_card(dataset)
        quantities = ", ".join(f"{_md(q['name'])} ({_md(q['unit'])})" for q in card["quantities"])
        yield f"- Task `{dataset.task}`: {card['cases']} cases, {card['scorable']} of them with finite quantities."
        yield f"- Predicted: {quantities}."
        if card["groupings"]:
            yield "- Groups: " + ", ".join(f"{_md(g['name'])} ({g['groups']})" for g in card["groupings"]) + "."
        source = card["generator"] or ", ".join(card["files"]) or "not stated"
        yield f"- Source: {_md(source)}; licence: {_md(card['licence'] or 'not stated')}."


def _model(record: ExperimentRecord) -> Iterator[str]:
    if record.parent:
        yield f"Made from `{_code(record.parent)}` by: {_md(record.mutation or 'nothing')}."
        yield ""
    yield "| key | value |"
    yield "|---|---|"
    for key, value in flat(record.recipe).items():
        if value not in (None, (), [], {}, ""):
            yield f"| `{_code(key)}` | {_md(str(value))} |"


def _protocol(campaign: Campaign, arm: ArmScores) -> Iterator[str]:
    p = campaign.file.protocol
    yield f"- Splits: {p.splits}; {len(arm.units)} folds x {arm.seeds} seeds."
    yield f"- Metric: {p.metric} ({arm.metric.description}; {arm.metric.better} is better), scoring {p.scoring}."
    yield f"- Margin: {figure(p.margin)}; error rate of the verdicts: {p.alpha:g}, over all experiments (Holm)."
    held = f"{p.held_out:.0%} of the groups or rows" if p.held_out else "nothing"
    looks = len(campaign.ledger.held_out_accesses())
    yield f"- Held out: {held}; looks at it so far: {looks}."


def _verdict(arm: ArmScores, verdict: Verdict | None, baseline: str, trivial: Sequence[ArmScores]) -> Iterator[str]:
    spread = "" if arm.seed_spread is None else f", standard deviation over seeds {figure(arm.seed_spread)}"
    yield f"Score: {figure(arm.score)}{spread}."
    yield ""
    if verdict is None:
        yield "It is the baseline: others are judged against it." if arm.name == baseline else "It was not judged."
    else:
        yield f"**{verdict.outcome}** against the baseline `{_code(baseline)}`: difference {signed(verdict.difference)}"
        yield f"({100 * (1 - verdict.level):g} % interval {interval(verdict.interval)}; p after Holm's correction"
        yield f"{probability(verdict.p_adjusted)}; {verdict.units} independent units)."
        if verdict.method:
            yield f"Judged by {verdict.method}."
        if verdict.needed:
            yield f"To decide: {_md(verdict.needed)}."
    rows = [(f"this, {name}", float(value)) for name, value in zip(arm.quantities, arm.by_quantity, strict=True)]
    rows += [(a.name, a.score) for a in trivial]
    yield ""
    yield f"| what | {arm.metric.name} |"
    yield "|---|---|"
    for name, value in rows:
        yield f"| {_md(name)} | {figure(value)} |"


def _limits(campaign: Campaign, arm: ArmScores, verdict: Verdict | None, findings: Sequence[Finding]) -> Iterator[str]:
    if any(f.blocks for f in findings):
        yield "- An error of the audit stands against believing these figures (below)."
    if verdict is not None and verdict.outcome != "better":
        yield f"- It has not been shown to be better than the baseline: the verdict is '{verdict.outcome}'."
    confirmed = [c for c in campaign.ledger.confirmations() if c.experiment == arm.name]
    if not confirmed:
        yield "- It was not confirmed on cases or seeds that chose nothing; the best of many looks better than it is."
    for c in confirmed:
        yield f"- Confirmed ({c.kind}): {_md(str(c.result.get('outcome', 'see the ledger')))}."
    if campaign.file.problem.recorded:
        yield "- Its runs were made by another program: how they were scored cannot be checked here."
        return
    for dataset in campaign.datasets.values():
        ranges = [r for name, o in dataset.observations.items() if (r := _range(name, o, dataset.units.get(name)))]
        if ranges:
            yield f"- Nothing is known outside the cases of task `{dataset.task}`: {'; '.join(ranges[:12])}."
    splits = campaign.file.protocol.splits
    if splits in ("repeated-k-fold", "stratified-hold-out"):
        yield "- Scored on cases like those that it was trained on; new groups may be harder."
    if splits in ("leave-one-group-out", "grouped-k-fold"):
        yield "- Scored on groups that it was not trained on; that holds for groups like these."


def _range(name: str, observation: Any, unit: str | None) -> str | None:
    if not isinstance(observation, np.ndarray) or observation.ndim != 1:
        return None
    if observation.dtype.kind in "OU":
        levels = sorted(set(map(str, observation.tolist())))
        more = ", ..." if len(levels) > 6 else ""
        return f"{_md(name)} one of {len(levels)} ({', '.join(map(_md, levels[:6]))}{more})"
    low, high = (figure(float(limit)) for limit in (observation.min(), observation.max()))
    return f"{_md(name)} {low} to {high}" + (f" {_md(unit)}" if unit not in (None, "1") else "")


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "None."
        return
    for f in findings[:MOST_FINDINGS]:
        ignored = f" (ignored: {_md(f.ignored)})" if f.ignored else ""
        yield f"- `{f.code}` {f.severity}, {_md(f.subject or 'all')}: {_md(f.message)}{ignored}"
    if len(findings) > MOST_FINDINGS:
        yield f"- and {len(findings) - MOST_FINDINGS} more: `probatum audit`"


def _use(campaign: Campaign, experiment: str, record: ExperimentRecord) -> Iterator[str]:
    if campaign.file.problem.recorded:
        yield "The model stayed in the program that made it."
        return
    if not can_be_kept(Recipe.model_validate(record.recipe)):
        yield "This model is code and is not kept as a file; train it from the campaign:"
        yield ""
        yield "```python"
        yield "import probatum"
        yield f"probatum.open({campaign.file.path.name!r}).run()"
        yield "```"
        return
    yield "```sh"
    yield f"probatum export bundle {_shell(experiment)} model -C {_shell(campaign.file.path.name)}"
    yield "```"
    yield ""
    first = next(iter(campaign.datasets.values()))
    case = {
        n: np.asarray(o)[0].tolist() for n, o in first.observations.items() if isinstance(o, np.ndarray) and o.ndim == 1
    }
    yield "```python"
    yield "import probatum"
    yield 'bundle = probatum.load_bundle("model")'
    if len(case) == len(first.observations):
        yield f"bundle.predict([{case!r}])"
    else:
        yield "bundle.predict_inputs(inputs)  # one row a case, columns as in bundle.columns"
    yield "```"


def _hashes(campaign: Campaign, record: ExperimentRecord) -> Iterator[str]:
    said = {
        "recipe": record.digest,
        "protocol": campaign.file.protocol.digest(),
        "source of the program": source_digest(),
    }
    if not campaign.file.problem.recorded:
        said |= {f"data of {task}": dataset.digest for task, dataset in campaign.datasets.items()}
    fit = next((f for f in campaign.ledger.fits(record.name) if f.status == DONE), None)
    if fit is not None:
        said["first fit"] = fit.key
        environment: Mapping[str, Any] = campaign.ledger.manifest(fit.key).get("environment", {})
        libraries = {k: v for k, v in environment.get("libraries", {}).items() if v}
        if libraries:
            yield "Run with " + ", ".join(f"{k} {v}" for k, v in libraries.items()) + "."
            yield ""
    yield "| of | sha256 |"
    yield "|---|---|"
    for name, digest in said.items():
        yield f"| {_md(name)} | `{digest}` |"


def _md(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    plain = " ".join(text.split())
    for mark in "\\`*_[]<>|#":
        plain = plain.replace(mark, f"\\{mark}")
    return plain


def _code(text: str) -> str:
    """Text between back ticks."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|")


def _shell(text: str) -> str:
    import shlex

    return shlex.quote(" ".join(text.split()))
