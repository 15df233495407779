"""A campaign in MLflow: a run for each experiment, one for each of its fits nested in it, and one for the campaign.

What was written before is found by its tags, so that a second export writes what is new, brings verdicts up to date,
and doubles nothing. A run that an interrupted export left is written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.ledgers.ledger import DONE, FAILED, SCORED, TIMED_OUT, ExperimentRecord, FitRecord
from probatum.campaigns.recipe import flat
from probatum.errors import DataError
from probatum.evidence.verdict import Verdict
from probatum.interop.from_mlflow import existing_store, tracking_client, without_password, without_secrets
from probatum.laboratory import Laboratory, Results

CAMPAIGN, EXPERIMENT, FIT, WHOLE = "probatum.campaign", "probatum.experiment", "probatum.fit", "probatum.whole"
"""Tags that name a run of MLflow; the last is set when all of it was written."""
MOST_METRICS, MOST_PARAMETERS, LONGEST = 900, 90, 5000
"""MLflow takes 1000 metrics and 100 parameters in one call, and values of 6000 characters."""
PAGE = 500


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        uri: of the store, without a password.
        experiment: in MLflow.
        experiments, fits: runs that are new.
        updated: runs of experiments whose verdict or score is another now.
        known: runs that were there.
    """

    uri: str
    experiment: str
    experiments: int
    fits: int
    updated: int
    known: int


def export_mlflow(laboratory: Laboratory, uri: str, name: str | None = None, report: Path | None = None) -> Exported:
    """Writes a campaign's finished fits and experiments to MLflow.

    Args:
        laboratory: of the campaign.
        uri: of the store; a new SQLite file is made.
        name: of the MLflow experiment; default: the campaign file's, without its ending.
        report: of the campaign, kept as an artifact beside its file.

    Raises:
        DataMissingError, DataError: there is no such store, or it does not take what it is given.
    """
    place = without_password(uri)
    client = tracking_client(_store(uri), place)
    campaign = laboratory.campaign
    name = name or campaign.file.path.stem
    results = laboratory.results()
    try:
        writer = _Writer(client, _experiment(client, name, uri), laboratory, results)
        files = [campaign.file.path, *([report] if report is not None else [])]
        return writer.write(files, place, name)
    except DataError:
        raise
    except Exception as error:  # MLflow's own, its database's and its network's, of many kinds
        said = without_secrets(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
        raise DataError(
            f"MLflow did not take it ({said[:200].rstrip('. ')})", where=place,
            remedy="run it again: what was written is kept and not doubled",
        ) from None  # fmt: skip


class _Writer:
    """Writes one campaign to one experiment of MLflow."""

    def __init__(self, client: Any, experiment: str, laboratory: Laboratory, results: Results):
        self.client, self.experiment = client, experiment
        self.laboratory, self.results = laboratory, results
        self.campaign = laboratory.campaign
        self.known = self._known_runs()

    def write(self, files: Sequence[Path], place: str, name: str) -> Exported:
        there = len(self.known)
        verdicts = {v.arm: v for v in self.results.verdicts}
        counts = {"experiments": 0, "fits": 0, "updated": 0}
        self._write_campaign(files)
        for record in self.results.records:
            fits = [f for f in self.campaign.ledger.fits(record.name, SCORED) if f.status in (DONE, FAILED, TIMED_OUT)]
            if not fits:
                continue
            tags = self._tags(record, verdicts.get(record.name))
            run, fresh = self._experiment_run(record, tags)
            counts["experiments"] += fresh
            counts["updated"] += self._update(run, record, tags) and not fresh
            counts["fits"] += self._write_fits(run, record, fits)
            if record.status in ("done", "failed"):
                self.client.set_terminated(run, "FINISHED" if record.status == "done" else "FAILED")
        return Exported(place, name, **counts, known=there)

    # ------------------------------------------------------------------ runs

    def _known_runs(self) -> dict[tuple[str, str], Any]:
        """(tag, its value) to the run of an earlier export."""
        found, token = {}, None
        while True:
            page = self.client.search_runs([self.experiment], max_results=PAGE, page_token=token)
            for run in page:
                for tag in (CAMPAIGN, EXPERIMENT, FIT):
                    if tag in run.data.tags:
                        found[tag, run.data.tags[tag]] = run
            token = page.token
            if not token:
                return found

    def _write_campaign(self, files: Sequence[Path]) -> None:
        """The run that holds campaign file and report, as artifacts."""
        key = (CAMPAIGN, self.campaign.file.path.name)
        run = self.known.get(key)
        digest = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        if run is not None and run.data.tags.get("probatum.files") == digest:
            return
        if run is None:
            tags = {CAMPAIGN: key[1], "mlflow.note.content": self.campaign.file.problem.question}
            created = self.client.create_run(self.experiment, tags=tags, run_name=f"campaign {key[1]}")
            identity = created.info.run_id
        else:
            identity = run.info.run_id
        for file in files:
            self.client.log_artifact(identity, str(file))
        self.client.set_tag(identity, "probatum.files", digest)
        self.client.set_terminated(identity)

    def _experiment_run(self, record: ExperimentRecord, tags: Mapping[str, str]) -> tuple[str, bool]:
        known = self.known.get((EXPERIMENT, record.name))
        if known is not None:
            return known.info.run_id, False
        run = self.client.create_run(self.experiment, tags=dict(tags), run_name=record.name).info.run_id
        self._log_parameters(run, record)
        return run, True

    def _update(self, run: str, record: ExperimentRecord, tags: Mapping[str, str]) -> bool:
        """Brings tags and score of an experiment up to date; whether they changed."""
        from mlflow.entities import RunTag

        known = self.known.get((EXPERIMENT, record.name))
        before = {} if known is None else known.data.tags
        changed = {key: value for key, value in tags.items() if before.get(key) != value}
        if known is not None and changed:
            self.client.log_batch(run, tags=[RunTag(key, value) for key, value in changed.items()])
        arm = next((a for a in self.results.arms if a.name == record.name), None)
        if arm is not None and np.isfinite(arm.score):
            score = known.data.metrics.get("score") if known is not None else None
            if score != arm.score:
                self.client.log_metric(run, "score", arm.score)
                changed["score"] = str(arm.score)
        return bool(changed)

    def _write_fits(self, parent: str, record: ExperimentRecord, fits: Sequence[FitRecord]) -> int:
        """Nested runs of the fits that are new; how many."""
        missing = []
        for fit in fits:
            known = self.known.get((FIT, _fit_tag(record, fit)))
            if known is None or known.data.tags.get(WHOLE) != "true":
                if known is not None:  # an export was interrupted in the middle of it
                    self.client.delete_run(known.info.run_id)
                missing.append(fit)
        if not missing:
            return 0
        scores: dict[str, dict[str, float]] = {}
        for key, quantity, value in self.campaign.ledger.scores(record.name):
            scores.setdefault(key, {})[quantity] = float(np.asarray(value, dtype=np.float64))
        curves = {}
        if any(fit.status == DONE for fit in missing) and record.status == "done":
            curves = {p.key: p.curves for p in self.campaign.predictions(record.name)}
        for fit in missing:
            self._write_fit(parent, record, fit, scores.get(fit.key, {}), curves.get(fit.key, {}))
        return len(missing)

    def _write_fit(
        self,
        parent: str,
        record: ExperimentRecord,
        fit: FitRecord,
        scores: Mapping[str, float],
        curves: Mapping[str, np.ndarray],
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        tags = {FIT: _fit_tag(record, fit), "mlflow.parentRunId": parent, "probatum.key": fit.key}
        name = f"{record.name} / {fit.split_name} / seed {fit.seed}"[:250]
        run = self.client.create_run(self.experiment, tags=tags, run_name=name).info.run_id
        parameters = [Param("task", fit.task), Param("fold", fit.split_name[:LONGEST]), Param("seed", str(fit.seed))]
        parameters += [Param("draw", str(fit.draw))] if fit.draw else []
        metric = self.laboratory.metric.name
        values = {metric: float(np.mean(list(scores.values())))} if scores else {}
        if len(scores) > 1:
            values |= {f"{metric} {quantity}": value for quantity, value in scores.items()}
        values |= {"seconds": fit.seconds} if fit.seconds is not None else {}
        metrics = [Metric(_key(key), value, 0, 0) for key, value in values.items()]
        metrics += [Metric(_key(n), float(v), 0, int(s)) for n, s, v in _points(curves)]
        self.client.log_batch(run, params=parameters)
        for start in range(0, len(metrics), MOST_METRICS):
            self.client.log_batch(run, metrics=metrics[start : start + MOST_METRICS])
        last = [RunTag(WHOLE, "true"), *([RunTag("probatum.error", fit.error[:LONGEST])] if fit.error else [])]
        self.client.log_batch(run, tags=last)
        self.client.set_terminated(run, "FINISHED" if fit.status == DONE else "FAILED")

    def _log_parameters(self, run: str, record: ExperimentRecord) -> None:
        from mlflow.entities import Param

        values = {key: value for key, value in flat(record.recipe).items() if value not in (None, (), [], {}, "")}
        parameters = [Param(_key(key), str(value)[:LONGEST]) for key, value in values.items()]
        for start in range(0, len(parameters), MOST_PARAMETERS):
            self.client.log_batch(run, params=parameters[start : start + MOST_PARAMETERS])

    def _tags(self, record: ExperimentRecord, verdict: Verdict | None) -> dict[str, str]:
        """What an experiment is and what came of it."""
        baseline = self.results.baseline
        outcome = "baseline" if record.name == baseline else verdict.outcome if verdict else record.status
        said = {
            EXPERIMENT: record.name,
            "probatum.campaign_file": self.campaign.file.path.name,
            "probatum.digest": record.digest,
            "probatum.parent": record.parent,
            "probatum.mutation": record.mutation,
            "probatum.hypothesis": record.hypothesis,
            "probatum.verdict": outcome,
            "probatum.baseline": baseline,
        }
        if verdict is not None and verdict.interval is not None:
            said["probatum.difference"] = repr(verdict.difference)
            said["probatum.interval"] = f"{verdict.interval[0]!r} to {verdict.interval[1]!r}"
        return {key: str(value)[:LONGEST] for key, value in said.items() if value not in (None, "")}


def _store(uri: str) -> str:
    """A store that is there, or a new SQLite file in a folder that is."""
    if re.match(r"sqlite(\+\w+)?:", uri):
        file = Path(uri.partition(":///")[2].partition("?")[0])
        if not file.exists() and file.parent.is_dir():
            return uri
    return existing_store(uri)


def _experiment(client: Any, name: str, uri: str) -> str:
    """The id of an experiment of MLflow, made where it is not there.

    Raises:
        DataError: one of that name was deleted.
    """
    known = client.get_experiment_by_name(name)
    if known is None:
        location = None
        if re.match(r"sqlite(\+\w+)?:", uri):  # else MLflow puts artifacts into whatever folder it was called from
            file = Path(uri.partition(":///")[2].partition("?")[0])
            location = (file.resolve().parent / "mlartifacts" / re.sub(r"[^\w.-]", "_", name)).as_uri()
        return client.create_experiment(name, artifact_location=location)
    if known.lifecycle_stage != "active":
        raise DataError(f"experiment '{name}' was deleted in MLflow", remedy="restore it there, or choose --name")
    return known.experiment_id


def _fit_tag(record: ExperimentRecord, fit: FitRecord) -> str:
    """Names a fit of an experiment: two experiments may share one."""
    return sha256(f"{record.name}\n{fit.key}".encode()).hexdigest()


def _key(name: str) -> str:
    """A name as MLflow takes it."""
    return re.sub(r"[^\w\-. :/]", "_", name, flags=re.ASCII)[:240].strip("/. ") or "_"


def _points(curves: Mapping[str, np.ndarray]) -> Iterator[tuple[str, float, float]]:
    """(curve, step, value) of every recorded value of the curves that are numbers over epochs."""
    steps = curves.get("epoch")
    for name, values in curves.items():
        if name == "epoch" or np.ndim(values) != 1:
            continue
        at = np.arange(1, len(values) + 1) if steps is None or len(steps) != len(values) else steps
        for step, value in zip(at, values, strict=True):
            if np.isfinite(step) and np.isfinite(value):
                yield name, float(step), float(value)
