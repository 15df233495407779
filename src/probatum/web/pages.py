"""The pages that only look: overview, tree, experiments, one experiment, two compared, findings, effects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import SEVERITIES
from probatum.campaigns.experiment import Mutation
from probatum.campaigns.ledgers.ledger import ExperimentRecord, FitRecord
from probatum.campaigns.recipe import Recipe, flat
from probatum.errors import IncomparableError, ProbatumError, UnknownNameError
from probatum.web.campaign_view import View
from probatum.web.dashboard import dashboard_of, page
from probatum.web.look import Look
from probatum.web.tree_steps import steps

ROWS = 100
"""Of one page of a table."""
OF_CODE = 20
"""Findings of one check that stand on the page of all checks."""
ORDERS = ("newest", "oldest", "score", "name")
ERRORS = 3
"""Different errors of an experiment's fits that are shown."""


def overview(request: Request) -> HTMLResponse:
    """How the campaign stands."""
    look = dashboard_of(request).observer.look()
    counts: dict[str, int] = {}
    for r in look.records:
        outcome = look.outcome(r.name)
        if outcome and outcome not in ("baseline", "trivial"):
            counts[outcome] = counts.get(outcome, 0) + 1
    return page(
        request, "overview.html", look=look, counts=counts, best=_best(look, 5), findings=_worst(look.view, 5),
        latest=[r for r in reversed(look.records) if r.status in ("done", "failed")][:6],
        champion_lines=_champion_lines(look),
    )  # fmt: skip


def tree(request: Request) -> HTMLResponse:
    """The tree, or one branch of it."""
    look = dashboard_of(request).observer.look()
    root = request.query_params.get("root")
    if root is not None and root not in look.by_name:
        raise UnknownNameError.of("experiment", root, look.by_name)
    roots = look.children.get(None, []) if root is None else [look.by_name[root]]
    return page(request, "tree.html", look=look, root=root, steps=steps(roots, look.children))


def experiments(request: Request) -> HTMLResponse:
    """All experiments as a table: sought, sorted, in pages."""
    look = dashboard_of(request).observer.look()
    asked = request.query_params
    find, outcome = asked.get("find", "").strip()[:200], asked.get("verdict", "")
    order = asked.get("order", "newest")
    found = [
        r
        for r in look.records
        if (not find or find.lower() in f"{r.name} {r.mutation or ''} {r.hypothesis or ''}".lower())
        and (not outcome or outcome in (look.outcome(r.name), r.status))
    ]
    found = _sorted(found, order if order in ORDERS else "newest", look)
    shown, number, last = _one_page(found, asked.get("page", "1"))
    outcomes = sorted({o for r in look.records if (o := look.outcome(r.name))} | {r.status for r in look.records})
    return page(
        request, "experiments.html", look=look, shown=shown, total=len(found), number=number, last=last, find=find,
        verdict=outcome, order=order, orders=ORDERS, outcomes=outcomes,
    )  # fmt: skip


def experiment(request: Request) -> HTMLResponse:
    """One experiment: recipe, scores, verdict, findings, fits, pictures."""
    dashboard = dashboard_of(request)
    look = dashboard.observer.look()
    name = request.query_params.get("name", "")
    if name not in look.by_name:
        raise UnknownNameError.of("experiment", name, look.by_name)
    record, view = look.by_name[name], look.view
    arm = view.arms.get(name) if view else None
    fits: list[FitRecord] = []
    if record.round:
        ledger = dashboard.observer.site().open()
        try:
            fits = ledger.fits(name)
        finally:
            ledger.close()
    return page(
        request, "experiment.html", look=look, record=record, arm=arm, fits=_fit_counts(fits), errors=_errors(fits),
        verdict=view.verdicts.get(name) if view else None, found=view.findings_of.get(name, []) if view else [],
        recipe=_settings(record, imported=look.progress.importer is not None),
        components=len(record.recipe.get("components", ())),
        pictures=dashboard.drawings.of_problem(view, name) if view and arm else [],
    )  # fmt: skip


def compare(request: Request) -> HTMLResponse:
    """Two experiments, judged against each other."""
    dashboard = dashboard_of(request)
    look = dashboard.observer.look()
    asked = request.query_params
    ticked = [*asked.getlist("x"), "", ""]
    a, b = asked.get("a") or ticked[0], asked.get("b") or ticked[1]
    if a and not b and look.view:  # one alone is compared with the baseline
        b = look.view.values["baseline"] if a != look.view.values["baseline"] else ""
    values: dict[str, Any] = {"verdict": None, "why_not": None, "arms": [], "changes": []}
    if a and b:
        for name in (a, b):
            if name not in look.by_name:
                raise UnknownNameError.of("experiment", name, look.by_name)
        values["changes"] = _changes(look.by_name[b], look.by_name[a])
        values |= _compared(look.view, a, b)
    return page(request, "compare.html", look=look, a=a, b=b, **values)


def findings(request: Request) -> HTMLResponse:
    """What the audit found, check by check, with what to do."""
    look = dashboard_of(request).observer.look()
    asked = request.query_params
    severity, code = asked.get("severity", ""), asked.get("code", "")
    every = look.view.findings if look.view else []
    chosen = [f for f in every if severity in ("", f["severity"]) and code in ("", f["code"])]
    by_code: dict[str, list[dict[str, Any]]] = {}
    for f in chosen:
        by_code.setdefault(f["code"], []).append(f)
    number = last = 1
    cut = {c: fs[:OF_CODE] for c, fs in by_code.items()}
    if code in by_code:
        cut[code], number, last = _one_page(by_code[code], asked.get("page", "1"))
    checks = [
        {"check": CHECKS[c], "shown": cut[c], "total": len(fs), "worst": _worst_severity(fs)}
        for c, fs in sorted(by_code.items(), key=lambda item: (SEVERITIES.index(_worst_severity(item[1])), item[0]))
    ]
    counts = {s: sum(f["severity"] == s and f["ignored"] is None for f in every) for s in SEVERITIES}
    return page(
        request, "findings.html", look=look, checks=checks, counts=counts, severity=severity, code=code,
        severities=SEVERITIES, number=number, last=last,
    )  # fmt: skip


def effects(request: Request) -> HTMLResponse:
    """What every mutation of the tree does."""
    look = dashboard_of(request).observer.look()
    known = look.view.values["effects"] if look.view else []
    shown, number, last = _one_page(known, request.query_params.get("page", "1"))
    return page(request, "effects.html", look=look, shown=shown, total=len(known), number=number, last=last)


def picture(request: Request) -> HTMLResponse:
    """One picture, as a part of a page or, where a browser runs no scripts, as a page of its own."""
    dashboard = dashboard_of(request)
    look = dashboard.observer.look()
    if look.view is None:
        raise IncomparableError("there are no results yet", remedy="run the campaign")
    of = tuple(request.query_params.getlist("of"))
    drawn = dashboard.drawings.drawn(look.view, request.query_params.get("sort", ""), of)
    part = request.headers.get("hx-request") == "true"
    return page(request, "picture.html" if part else "picture_page.html", look=look, drawn=drawn)


# ------------------------------------------------------------------ what pages show


def _best(look: Look, count: int) -> list[ExperimentRecord]:
    if look.view is None:
        return []
    arms = [a for a in look.view.arms.values() if not a["trivial"] and math.isfinite(a["score"])]
    sign = 1 if not arms or arms[0]["better"] == "lower" else -1
    best = sorted(arms, key=lambda a: sign * a["score"])[:count]
    return [look.by_name[a["name"]] for a in best if a["name"] in look.by_name]


def _worst(view: View | None, count: int) -> list[dict[str, Any]]:
    return [f for f in view.findings if f["ignored"] is None][:count] if view else []


def _worst_severity(of_code: Sequence[Mapping[str, Any]]) -> str:
    return min((f["severity"] for f in of_code), key=SEVERITIES.index)


def _champion_lines(look: Look) -> list[str]:
    from probatum.reporting.sentences import champion_lines

    view = look.view
    if view is None:
        return []
    return champion_lines(view.values, look.plan.metric if look.plan else None)


def _sorted(records: Sequence[ExperimentRecord], order: str, look: Look) -> list[ExperimentRecord]:
    if order == "name":
        return sorted(records, key=lambda r: r.name.lower())
    if order == "score":
        lower = look.view is None or look.view.laboratory.metric.better == "lower"
        none = math.inf
        scores = {r.name: look.score(r) for r in records}
        return sorted(records, key=lambda r: none if (s := scores[r.name]) is None else s if lower else -s)
    return list(records) if order == "oldest" else list(reversed(records))


def _one_page(items: Sequence[Any], asked: str) -> tuple[list[Any], int, int]:
    """(the items of one page, its number, the last page's), whatever number was asked for."""
    last = max(1, -(-len(items) // ROWS))
    number = min(max(int(asked), 1), last) if asked.isdecimal() and len(asked) < 10 else 1
    return list(items[(number - 1) * ROWS : number * ROWS]), number, last


def _settings(record: ExperimentRecord, *, imported: bool) -> list[tuple[str, Any]]:
    """The recipe's keys and values that say something; of imported runs their parameters alone."""
    found = [(k, v) for k, v in flat(record.recipe).items() if v not in ((), [], {}) and k != "components"]
    return [(k.removeprefix("training."), v) for k, v in found if k.startswith("training.")] if imported else found


def _fit_counts(fits: Sequence[FitRecord]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for fit in fits:
        counts[fit.status] = counts.get(fit.status, 0) + 1
    return counts


def _errors(fits: Sequence[FitRecord]) -> list[tuple[str, str, int]]:
    """(place of the first, error, how many) of the different errors."""
    by_error: dict[str, list[FitRecord]] = {}
    for fit in fits:
        if fit.error:
            by_error.setdefault(fit.error, []).append(fit)
    return [
        (f"{of[0].task} / {of[0].split_name} / seed {of[0].seed}", error.rstrip()[-4000:], len(of))
        for error, of in list(by_error.items())[:ERRORS]
    ]


def _changes(before: ExperimentRecord, after: ExperimentRecord) -> list[str]:
    """What differs between two recipes, a line each."""
    one, other = (Recipe.model_validate(r.recipe) for r in (before, after))
    return [str(change) for change in Mutation.between(one, other).changes]


def _compared(view: View | None, a: str, b: str) -> dict[str, Any]:
    """The verdict of `a` against `b`, or why there is none."""
    from probatum.reporting.records import verdict_values

    if view is None:
        return {"why_not": "there are no results yet"}
    missing = [name for name in (a, b) if name not in view.arms]
    if missing:
        return {"why_not": f"{' and '.join(missing)}: not finished yet"}
    if a == b:
        return {"why_not": "this is one experiment, named twice"}
    try:
        (verdict,) = view.laboratory.scorer.judge([view.results.arm(a)], view.results.arm(b))
    except ProbatumError as error:
        return {"why_not": str(error)}
    return {"verdict": verdict_values(verdict), "arms": [view.arms[a], view.arms[b]]}
