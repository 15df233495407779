"""The report as Markdown: the same sections as the page, without its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from probatum.learning.metrics import METRICS
from probatum.reporting.figures.marks import mutation_label
from probatum.reporting.numbers import duration, figure, interval, probability, signed
from probatum.reporting.report_text import (
    MOST_SPLITS_SHOWN,
    judged_by,
    opening,
    protocol_rows,
    settings,
    shown_arms,
    shown_effects,
)
from probatum.reporting.sentences import calibration_remarks, champion_lines, effect_remarks

SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~$&"})
"""Signs that Markdown or HTML in it would take for more than signs."""


def markdown_report(values: Mapping[str, Any]) -> str:
    """The report.

    Args:
        values: from `report_values.report_values`.
    """
    sections: list[tuple[str, Iterable[str]]] = [
        ("Summary", _list(opening(values))),
        ("Data", _data(values)),
        ("Protocol", _protocol(values)),
        ("The champion, and why", _champion(values)),
        ("What worked, what failed", _effects(values)),
        ("Where it works: targets and groups", _groups(values)),
        ("Findings and remedies", _findings(values)),
        ("What to try next", _next(values)),
        *([("Internal and external scores", _calibration(values))] if values["calibration"] else []),
        ("All experiments", _experiments(values)),
        ("Reproduction", _reproduction(values)),
    ]
    lines = [f"# {plain(values['campaign'])}: campaign report", "", plain(values["question"]), ""]
    lines += [f"Written {values['written'][:16].replace('T', ' ')} by Probatum {values['version']}."]
    for number, (title, body) in enumerate(sections, 1):
        lines += ["", f"## {number}. {title}", "", *body]
    return "\n".join(lines) + "\n"


def plain(text: Any) -> str:
    """Text on one line in which no sign means anything."""
    return " ".join(str(text).split()).translate(SPECIAL)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A table; cells are escaped, a heading that begins with '>' is of numbers."""
    head = [plain(h.removeprefix(">")) for h in headings]
    rule = ["---:" if h.startswith(">") else "---" for h in headings]
    body = [[plain(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]


def _list(lines: Iterable[str]) -> list[str]:
    return [f"- {plain(line)}" for line in lines]


def _data(values: Mapping[str, Any]) -> Iterable[str]:
    if METRICS[values["protocol"]["metric"]].recorded:
        yield from _list(["Runs of another program were imported; the data that they were trained on are not here."])
        return
    for d in values["data"]:
        quantities = ", ".join(f"{q['name']} ({q['unit']})" for q in d["quantities"])
        groupings = ", ".join(f"{g['name']} ({g['groups']} groups)" for g in d["groupings"])
        source = f"generator {d['generator']}, seed {d['seed']}" if d["generator"] else ", ".join(d["files"])
        yield from _list([
            f"Task {d['task']}: {d['cases']:,} cases, of which {d['scorable']:,} have finite quantities.",
            f"Predicted: {quantities}. Groupings: {groupings or 'none'}.",
            f"Source: {source or 'not stated'}{'; licence: ' + d['licence'] if d['licence'] else ''}.",
        ])  # fmt: skip


def _protocol(values: Mapping[str, Any]) -> Iterable[str]:
    yield from table(["key", "value"], protocol_rows(values))
    if METRICS[values["protocol"]["metric"]].recorded:
        return
    looks = values["held_out_looks"]
    said = "; ".join(f"{look['experiment']} {figure(look['score'])}" for look in looks)
    yield ""
    yield f"Looks at the held-out set: {len(looks)}{' (' + plain(said) + ')' if said else ''}."


def _champion(values: Mapping[str, Any]) -> Iterable[str]:
    yield from _list(champion_lines(values))
    yield ""
    verdicts = {v["arm"]: v for v in values["verdicts"]}
    level = f"{100 * (1 - values['protocol']['alpha']):g} % interval"
    rows = []
    for arm in shown_arms(values):
        v = verdicts.get(arm["name"])
        cells = [arm["name"], figure(arm["score"]), figure(arm["seed_spread"], 2)]
        if v is None:
            cells += ["baseline" if arm["name"] == values["baseline"] else "-", "-", "-", "-"]
        else:
            cells += [v["outcome"], signed(v["difference"]), interval(_bounds(v["interval"]))]
            cells.append(probability(v["p_adjusted"]))
        rows.append([*cells, f"{arm['folds']} x {arm['seeds']}"])
    metric = values["metric"]
    headings = ["experiment", f">{metric}", ">seed sd", "verdict", ">difference", level, ">p (Holm)", ">folds x seeds"]
    yield from table(headings, rows)
    yield ""
    yield from _list(judged_by(values))


def _effects(values: Mapping[str, Any]) -> Iterable[str]:
    effects = shown_effects(values)
    if effects:
        headings = ["mutation", "outcome", ">effect", "interval", ">p (Holm)", ">pairs"]
        rows = [
            [mutation_label(e), e["outcome"], signed(e["mean"]), interval(_bounds(e["interval"])),
             probability(e["p_adjusted"]), len(e["pairs"])]
            for e in effects
        ]  # fmt: skip
        yield from table(headings, rows)
        yield ""
    if len(effects) < len(values["effects"]):
        yield f"{len(effects)} of {len(values['effects'])} mutations, those decided and then the largest."
        yield ""
    yield from _list(effect_remarks(values))


def _groups(values: Mapping[str, Any]) -> Iterable[str]:
    arms = shown_arms(values)
    quantities = list(arms[0]["by_quantity"])
    yield from table(
        ["experiment", *(f">{q}" for q in quantities)],
        [[a["name"], *(figure(a["by_quantity"][q], 3) for q in quantities)] for a in arms],
    )
    rows = values["groups"]
    if rows:
        names = list(rows[0]["scores"])
        yield ""
        yield from table(
            ["task", "group", ">rows", *(f">{n}" for n in names)],
            [[r["task"], r["group"], r["rows"], *(figure(r["scores"][n], 3) for n in names)] for r in rows],
        )
    yield ""
    yield "Exploratory: no verdict rests on these."


def _findings(values: Mapping[str, Any]) -> Iterable[str]:
    for f in values["audit"]["findings"]:
        said = f"ignored: {f['ignored']}" if f["ignored"] else f"remedy: {f['remedy']}"
        about = f["subject"] or "all"
        what = f"{f['title']}. {f['message']}; {said}"
        yield f"- **{f['code']}** {f['severity']}, {plain(about)}: {plain(what)}"
    if not values["audit"]["findings"]:
        yield f"{len(values['audit']['checked'])} checks found nothing."


def _next(values: Mapping[str, Any]) -> Iterable[str]:
    coming = values["next"]
    if coming["proposals"]:
        headings = ["proposal", "from", "change", "priority", "why"]
        rows = [[p["name"], p["parent"], p["change"], p["priority"], p["reason"]] for p in coming["proposals"]]
        yield from table(headings, rows)
    else:
        yield f"Nothing is proposed: {plain(coming['why_none'] or 'planning has nothing new')}."
    for one in coming["for_a_person"]:
        yield f"- {one['code']}, for a person: {plain(one['finding'])}"


def _calibration(values: Mapping[str, Any]) -> Iterable[str]:
    c = values["calibration"]
    yield from table(
        ["form", ">a", ">b", ">left-out error"],
        [[f["form"], figure(f["a"]), figure(f["b"]), figure(f["left_out_error"], 3)] for f in c["forms"]],
    )
    yield ""
    yield from table(
        ["experiment", ">internal", ">external", ">expected"],
        [[p["name"], *(figure(p[k]) for k in ("internal", "external", "predicted"))] for p in c["pairs"]],
    )
    yield ""
    yield from _list(calibration_remarks(c))


def _experiments(values: Mapping[str, Any]) -> Iterable[str]:
    verdicts = {v["arm"]: v for v in values["verdicts"]}
    for number, e in enumerate(values["experiments"], 1):
        v = verdicts.get(e["name"])
        yield f"### {number}. {plain(e['name'])}"
        yield ""
        lines = [f"Hypothesis: {e['hypothesis']}"] if e["hypothesis"] else []
        lines += [f"Made from {e['parent']} by {e['mutation']}"] if e["parent"] else []
        said = e["status"] if e["score"] is None else figure(e["score"])
        if v:
            said += f", {v['outcome']} by {signed(v['difference'])} ({interval(_bounds(v['interval']))})"
        lines.append(f"Result: {said}")
        lines.append(f"Run {e['round']}, {e['done']} of {e['fits']} fits, {duration(e['seconds'])} of training")
        lines.append("Recipe: " + "; ".join(f"{path} = {value}" for path, value in settings(e["recipe"]).items()))
        yield from _list(lines)
        yield ""


def _reproduction(values: Mapping[str, Any]) -> Iterable[str]:
    r = values["reproduction"]
    yield from ("```sh", *r["commands"], "```", "")
    rows = [["campaign file", r["campaign_file"]], ["protocol", r["protocol"]]]
    rows += [[f"data: {label}", digest] for label, digest in r["data"].items()]
    rows += [[f"all {len(r['splits'])} splits together", r["splits_digest"]], ["source at writing", r["source"]]]
    rows += [["source at training", m["code"]["source"]] for m in r["manifests"]]
    yield from table(["of", "SHA-256"], rows)
    yield ""
    splits = r["splits"][:MOST_SPLITS_SHOWN]
    yield from table(
        ["task", "split", ">trained on", ">predicted", "SHA-256"],
        [[s["task"], s["name"], *map(_count, (s["train_rows"], s["test_rows"])), s["digest"][:16]] for s in splits],
    )


def _count(rows: int | None) -> str:
    return "not known" if rows is None else f"{rows}"


def _bounds(bounds: Sequence[float] | None) -> tuple[float, float] | None:
    return (bounds[0], bounds[1]) if bounds else None
