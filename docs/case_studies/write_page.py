"""Computes, draws and writes docs/why_loops_fool.md: `python docs/case_studies/write_page.py`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import drawings  # noqa: E402 (beside this script)
import mechanisms  # noqa: E402
import null_campaign  # noqa: E402
from quotations import QUOTED  # noqa: E402

import probatum.audit  # noqa: E402
from probatum.audit import Audit, inspect, read_runs  # noqa: E402
from probatum.evidence.calibration import calibrate  # noqa: E402
from probatum.problems.analog_codes.problem import AnalogCodes  # noqa: E402
from probatum.problems.metabolism.problem import MetabolismProblem  # noqa: E402

PAGE = ROOT / "docs" / "why_loops_fool.md"
LOGS = ROOT / "tests" / "faults" / "logs"
TABLES = {
    "rocking": ("rocking_curve.jsonl", "lower"),
    "catechol": ("catechol.csv", "lower"),
    "catechol_by_target": ("catechol_by_target.csv", "lower"),
    "metabolism": ("metabolism.csv", "higher"),
    "metabolism_repeats": ("metabolism_repeats.csv", "higher"),
    "codes": ("analog_codes.jsonl", "lower"),
    "soup": ("gas_chromatography.jsonl", "lower"),
}
"""The logs as tables of runs, transcribed, and whether a lower or a higher score is better."""
EXPERIMENTS, FOLDS, LOOPS, NULLS = 26, 24, 2000, 4
FLOOR, CLUSTERS, TOLD = "0.00051", "11", ".004"
"""Of the catechol data, as its README says them: pooled variance of repeated measurements of the task 'single',
independent clusters of solvents, and differences that these tell apart. The data itself is not read here."""


def main() -> None:
    """Writes the page and its pictures."""
    values, figures = computed()
    for name, (figure, label) in figures.items():
        drawings.write_svg(figure, ROOT / "docs" / "pictures" / f"{name}.svg", label)
    PAGE.write_text(page(values), encoding="utf-8")


def page(values: Mapping[str, Any]) -> str:
    """The page with these values."""
    environment = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("page.md.jinja").render(values)


def computed() -> tuple[dict[str, Any], dict[str, tuple[Any, str]]]:
    """(values of the page, name of a picture to figure and label)."""
    audits = {name: audit_of(file, better) for name, (file, better) in TABLES.items()}
    values: dict[str, Any] = {
        "generated": "<!-- Written by docs/case_studies/write_page.py from page.md.jinja beside it. -->",
        "q": QUOTED,
        "at": {name: f"line {q.line}" for name, q in QUOTED.items()},
        "table": {name: findings(audit) for name, audit in audits.items()},
    }
    figures: dict[str, tuple[Any, str]] = {}
    for part in (_selection, _rocking, _catechol, _metabolism, _codes, _soup):
        more, drawn = part()
        values |= more
        figures |= drawn
    return values, figures


def audit_of(file: str, better: Any) -> Audit:
    """What the audit finds in a log's table."""
    target = QUOTED["catechol_target"].value if file == "catechol.csv" else None
    return inspect(read_runs(LOGS / file, better=better, target=target))


def findings(audit: Audit) -> str:
    """As a table in Markdown."""
    lines = ["| code | severity | of | finding |", "|---|---|---|---|"]
    for f in audit.findings:
        message = f.message.replace("|", "\\|")
        lines.append(f"| {f.code} | {f.severity} | {f.subject or 'all'} | {message} |")
    return "\n".join(lines)


def _selection():
    winners = mechanisms.equal_experiments(EXPERIMENTS, FOLDS, LOOPS)
    nulls = []
    for seed in range(NULLS):
        with tempfile.TemporaryDirectory() as folder:
            nulls.append(null_campaign.run(Path(folder), seed))
    values = {
        "winners_count": EXPERIMENTS, "winners_folds": FOLDS, "loops": LOOPS,
        "best_2": mechanisms.expected_maximum(2), "best_10": mechanisms.expected_maximum(10),
        "best_26": mechanisms.expected_maximum(EXPERIMENTS),
        "covered": 100 * winners.covered, "wins": 100 * winners.wins, "seeds_in": comb(4, 2),
        "nulls": nulls, "naive_wins": sum(n.naive_p < 0.05 and n.score < n.baseline for n in nulls),
    }  # fmt: skip
    many = drawings.best_of_many(50, (2, 10, EXPERIMENTS))
    label = "Expected lead of the best of k equally good experiments: 0 for one, rising past 2 standard errors"
    lucky = "Scores of 26 equally good experiments with intervals; the best one's interval lies below the truth of all"
    return values, {
        "best_of_many": (many, label),
        "lucky_winner": (drawings.lucky_winner(winners), lucky),
    }


def _rocking():
    rows, edge = int(QUOTED["rocking_rows"].value), int(QUOTED["rocking_edge"].value)
    share = edge / rows
    found = mechanisms.copies_before_a_split(np.array([0, 0.2, 0.4, share, 0.8, 1.0]), rows)
    at = int(np.flatnonzero(found.share == share)[0])
    train, validation = mechanisms.copied_split(rows, edge, 0)
    x, y = mechanisms.noise_table(rows, 0)
    audit = probatum.audit.split(x[train], x[validation], y[train], y[validation])
    training, checked = QUOTED["rocking_training_loss"].value, QUOTED["rocking_validation_loss"].value
    kept = QUOTED["rocking_train"].value
    total = kept + QUOTED["rocking_validation"].value
    values = {
        "copied_line": QUOTED["rocking_train"].line,
        "twin_share": 100 * (2 * edge / total) * kept / (total - 1),
        "gap": 100 * (1 - checked / training),
        "copies_none": found.before[0], "copies_before": found.before[at], "copies_after": found.after[at],
        "copies_gain": 100 * (1 - found.before[at] / found.before[0]),
        "split_finding": one(audit, "PB101"),
    }  # fmt: skip
    label = "Error of a nearest neighbour on noise: falls with the share of copies made before the split, not after it"
    return values, {"copies": (drawings.copies(found, share), label)}


def _catechol():
    runs = read_runs(LOGS / "catechol.csv", target=QUOTED["catechol_target"].value)
    calibration = calibrate(*zip(*runs.external, strict=True))
    target = QUOTED["catechol_target"].value
    root = next(fitted for fitted in calibration.fits if fitted.form.name == "y = b sqrt(x)")
    line = calibration.line
    needed = root.needed(target)
    assert needed is not None
    marked = [QUOTED[f"catechol_{name}_estimate"].text for name in ("p2", "p3", "sm")]
    values = {
        "line_needed": line.needed(target, negative=True), "line_error": line.left_out_error,
        "root_needed": needed, "root_error": root.left_out_error,
        "root_times": float(min(calibration.x)) / needed, "floor": FLOOR, "clusters": CLUSTERS, "told": TOLD,
        "estimates_mean": np.mean([float(text.strip("~").split()[0]) for text in marked]),
        "catechol_difference": QUOTED["catechol_separate"].value - QUOTED["catechol_joint"].value,
    }  # fmt: skip
    label = "Leaderboard against cross-validated error: nine points on a root through zero; the wanted score far below"
    return values, {"leaderboard": (drawings.leaderboard(calibration, target), label)}


def _metabolism():
    scores = [run.score for run in read_runs(LOGS / "metabolism_repeats.csv", better="higher").runs]
    spread = float(np.std(scores, ddof=1))
    difference = QUOTED["metabolism_r2"].value - QUOTED["metabolism_high_rate"].value
    limit = next(f.figures["limit"] for f in audit_of("metabolism_repeats.csv", "higher").findings if f.code == "PB206")
    known = MetabolismProblem().identifiability.identifiable
    return {
        "repeats": ", ".join(f"{score:.2f}" for score in scores), "repeat_sd": spread, "repeat_limit": limit,
        "metabolism_difference": difference, "by_chance": 100 * mechanisms.seen_by_chance(difference, spread),
        "reactions": len(known), "unknown": int((~known).sum()),
    }, {}  # fmt: skip


def _codes():
    pairs = [("codes_easy_before", "codes_easy_after"), ("codes_easy_before_2", "codes_easy_after_2")]
    first, second = (100 * (QUOTED[after].value / QUOTED[before].value - 1) for before, after in pairs)
    medium, hard = ([float(v) for v in QUOTED[name].text.split("-")] for name in ("codes_medium", "codes_hard"))
    low, high = ((2 * easy + 3 * m + 3 * h) / 8 for easy, m, h in zip((0, 0.15), medium, hard, strict=True))
    changes = next(f.figures for f in audit_of("analog_codes.jsonl", "lower").findings
                   if f.code == "PB404" and f.subject == "run 5")  # fmt: skip
    dataset = AnalogCodes(codes=200).dataset("k=4")
    matrices = np.asarray(dataset.observations["P"])
    inputs = np.column_stack([matrices.reshape(len(matrices), -1), np.asarray(dataset.observations["m"])])
    groups = np.unique(inputs[:, :-1], axis=0, return_inverse=True)[1].ravel()
    generator, share = np.random.default_rng(0), QUOTED["codes_share"].value / 100
    parts = [np.flatnonzero(inputs[:, -1] == m) for m in np.unique(inputs[:, -1])]
    validation = np.concatenate([generator.choice(part, round(share * len(part)), replace=False) for part in parts])
    train = np.setdiff1d(np.arange(len(inputs)), validation)
    audit = probatum.audit.split(inputs[train], inputs[validation], groups=(groups[train], groups[validation]))
    return {
        "easy_1": first, "easy_2": second, "easy_line": QUOTED["codes_easy_before_2"].line,
        "codes_changes": int(next(iter(changes.values()))), "expected_low": low, "expected_high": high,
        "codes_matrices": int(groups.max()) + 1,
        "codes_shared": 100 * np.isin(groups[validation], groups[train]).mean(),
        "codes_finding": one(audit, "PB103"),
    }, {}  # fmt: skip


def _soup():
    size, trials = (int(QUOTED[name].text.partition("=")[2]) for name in ("soup_size", "soup_trials"))
    runs, rows = 200, 150
    found = mechanisms.chosen_soups(size, trials, runs=runs, validation=rows)
    reported, fresh, single = (float(v.mean()) for v in (found.reported, found.fresh, found.single))
    values = {
        "soup_runs": runs, "soup_rows": rows, "soup_reported": reported, "soup_fresh": fresh, "soup_single": single,
        "soup_share": 100 * (fresh - reported) / (single - reported),
    }  # fmt: skip
    label = "Log losses that the procedure reports lie below those of the same soups on fresh rows"
    return values, {"soups": (drawings.soups(found), label)}


def one(audit: Audit, code: str) -> str:
    """The first finding of a code, in one line."""
    finding = next(f for f in audit.findings if f.code == code)
    return f"**{finding.code}** ({finding.severity}): {finding.message}."


if __name__ == "__main__":
    main()
