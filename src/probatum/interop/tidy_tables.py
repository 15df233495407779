"""A campaign as tidy tables: one line an experiment, a fit, a score or a prediction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.ledgers.ledger import SCORED
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.laboratory import Laboratory
from probatum.laboratory.results import records_of

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".csv", ".jsonl")
TEXT = "string"


def experiments_table(laboratory: Laboratory) -> pd.DataFrame:
    """A line an experiment: what it is, how far it is, its score and its verdict against the baseline."""
    results = laboratory.results()
    verdicts = {v.arm: v for v in results.verdicts}
    metric = laboratory.metric
    rows = []
    for record in results.records:
        verdict = verdicts.get(record.name)
        low, high = verdict.interval if verdict is not None and verdict.interval else (None, None)
        outcome = "baseline" if record.name == results.baseline else verdict.outcome if verdict else None
        rows.append({
            "experiment": record.name, "parent": record.parent, "mutation": record.mutation,
            "hypothesis": record.hypothesis, "status": record.status, "round": record.round, "fits": record.fits,
            "done": record.done, "failed": record.failed, "seconds": record.seconds, "score": record.score,
            "metric": metric.name, "better": metric.better, "verdict": outcome,
            "difference": verdict.difference if verdict else None, "low": low, "high": high,
            "p": verdict.p if verdict else None, "p_adjusted": verdict.p_adjusted if verdict else None,
            "units": verdict.units if verdict else None, "seeds": verdict.seeds if verdict else None,
            "recipe": json.dumps(record.recipe, sort_keys=True), "digest": record.digest,
        })  # fmt: skip
    texts = (
        "experiment",
        "parent",
        "mutation",
        "hypothesis",
        "status",
        "metric",
        "better",
        "verdict",
        "recipe",
        "digest",
    )
    whole = ("round", "fits", "done", "failed", "units", "seeds")
    numbers = ("seconds", "score", "difference", "low", "high", "p", "p_adjusted")
    return _frame(
        rows, {**dict.fromkeys(texts, TEXT), **dict.fromkeys(whole, "Int64"), **dict.fromkeys(numbers, "float64")}
    )


def fits_table(laboratory: Laboratory) -> pd.DataFrame:
    """A line a fit: its experiment, split and seed, and how it ended."""
    keys = ("key", "task", "draw", "split_name", "seed", "role", "status", "attempts", "seconds", "error")
    rows = [
        {"experiment": record.name, **{key: getattr(fit, key) for key in keys}}
        for record in records_of(laboratory.campaign)
        for fit in laboratory.campaign.ledger.fits(record.name)
    ]
    whole = ("draw", "seed", "attempts")
    texts = [key for key in ("experiment", *keys) if key not in (*whole, "seconds")]
    kinds = {**dict.fromkeys(texts, TEXT), **dict.fromkeys(whole, "Int64"), "seconds": "float64"}
    return _frame(rows, kinds).rename(columns={"split_name": "split"})


def scores_table(laboratory: Laboratory) -> pd.DataFrame:
    """A line a finished fit and quantity: the metric on the rows of the split."""
    ledger, metric, rows = laboratory.campaign.ledger, laboratory.metric.name, []
    for record in records_of(laboratory.campaign):
        fits = {fit.key: fit for fit in ledger.fits(record.name, SCORED)}
        for key, quantity, value in ledger.scores(record.name):
            if (fit := fits.get(key)) is not None:
                rows.append({
                    "experiment": record.name, "task": fit.task, "draw": fit.draw, "split": fit.split_name,
                    "seed": fit.seed, "quantity": quantity, "metric": metric, "score": value, "key": key,
                })  # fmt: skip
    texts = ("experiment", "task", "split", "quantity", "metric", "key")
    return _frame(rows, {**dict.fromkeys(texts, TEXT), "draw": "Int64", "seed": "Int64", "score": "float64"})


def predictions_table(laboratory: Laboratory) -> pd.DataFrame:
    """A line a predicted case and quantity, with its target where learners may see it.

    Raises:
        CampaignFileError: the runs were imported, and come without predictions.
    """
    import pandas as pd

    campaign = laboratory.campaign
    if campaign.file.problem.recorded:
        remedy = "export --of scores"
        raise CampaignFileError("imported runs come without predictions", where=campaign.file.path.name, remedy=remedy)
    parts = []
    for record in records_of(campaign):
        if record.status != "done":
            continue
        for p in campaign.predictions(record.name):
            dataset = campaign.draws[p.task, p.draw]
            targets = dataset.targets()[p.rows] if dataset.supervised else np.full(p.prediction.shape, np.nan)
            for q, quantity in enumerate(dataset.quantities):
                spread = np.full(len(p.rows), np.nan) if p.spread is None else p.spread[:, q]
                columns = {"target": targets[:, q], "prediction": p.prediction[:, q], "spread": spread}
                part = pd.DataFrame({"case": dataset.cases[p.rows].astype(str), **columns})
                about = {"experiment": record.name, "task": p.task, "draw": p.draw, "split": p.split, "seed": p.seed}
                parts.append(part.assign(**about, quantity=quantity.name, unit=quantity.unit))
    order = [
        "experiment", "task", "draw", "split", "seed", "case", "quantity", "unit", "target", "prediction", "spread",
    ]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=order)
    texts = ("experiment", "task", "split", "case", "quantity", "unit")
    kinds = {**dict.fromkeys(texts, TEXT), "draw": "Int64", "seed": "Int64"}
    return frame.reindex(columns=order).astype(kinds)


TABLES: Mapping[str, Callable[[Laboratory], pd.DataFrame]] = {
    "experiments": experiments_table,
    "fits": fits_table,
    "scores": scores_table,
    "predictions": predictions_table,
}
"""Name of a table to what makes it."""


def write_table(laboratory: Laboratory, of: str, path: Path) -> int:
    """Writes a table of a campaign; returns its lines.

    Args:
        laboratory: of the campaign.
        of: one of `TABLES`.
        path: .parquet, .csv or .jsonl.

    Raises:
        UnknownNameError: a table that is none, or a file's name that ends otherwise.
        CampaignFileError: predictions of imported runs.
        StorageError: it cannot be written.
    """
    if of not in TABLES:
        raise UnknownNameError.of("table", of, TABLES, where="probatum export table --of")
    if path.suffix not in SUFFIXES:
        raise UnknownNameError.of("kind of table", path.suffix or path.name, SUFFIXES, where=str(path))
    frame = TABLES[of](laboratory)
    partial = path.with_name(f".{path.name}.partial")
    with storage_errors(path.parent):
        try:
            match path.suffix:
                case ".parquet":
                    frame.to_parquet(partial, index=False)
                case ".csv":
                    frame.to_csv(partial, index=False)
                case _:
                    partial.write_text("".join(_lines(frame)), encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return len(frame)


def _frame(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Lines as a table whose columns have their kinds even where it is empty."""
    import pandas as pd

    columns = list(rows[0]) if rows else list(kinds)
    return pd.DataFrame(list(rows), columns=columns).astype(dict(kinds))


def _lines(frame: pd.DataFrame) -> Iterator[str]:
    """A JSON object a line; what is missing or not finite is null."""
    import pandas as pd

    for row in frame.itertuples(index=False):
        values = zip(frame.columns, row, strict=True)
        said = {key: None if pd.isna(value) else value for key, value in values}
        said = {key: None if value in (np.inf, -np.inf) else value for key, value in said.items()}
        yield json.dumps(said, default=_number, ensure_ascii=False) + "\n"


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
