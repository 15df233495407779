"""Jobs: fits that are trained together by one worker, and recorded in one transaction.

A job is plain values (JSON), so that any worker anywhere can run it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from probatum.campaigns.ledgers.ledger import FitResult

if TYPE_CHECKING:
    from probatum.campaigns.fit import Fit


@dataclass(frozen=True)
class Place:
    """Where something lies: an artifact, and the position in it."""

    artifact: str
    position: int


@dataclass(frozen=True)
class JobFit:
    """A fit as its worker needs it.

    Attributes:
        key, recipe, seed: of the fit.
        split: where its rows lie.
        components: where a blend finds its components' predictions.
        inner: for nested weights: (inner split, its components' predictions).
    """

    key: str
    recipe: Mapping[str, Any]
    seed: int
    split: Place
    components: tuple[Place, ...] = ()
    inner: tuple[tuple[Place, tuple[Place, ...]], ...] = ()


@dataclass(frozen=True)
class Shipment:
    """What a worker that has neither the problem's data nor the user's modules is sent, as names of artifacts.

    Attributes:
        cases: the dataset without its observations.
        features: name of a feature to its block.
        modules: the user's own modules; None where the job names none.
    """

    cases: str
    features: Mapping[str, str]
    modules: str | None = None

    @property
    def artifacts(self) -> set[str]:
        """All that is named here."""
        return {self.cases, *self.features.values(), *([self.modules] if self.modules else ())}


@dataclass(frozen=True)
class Job:
    """Fits that run together.

    Attributes:
        id: unique.
        task, draw: of the dataset that all fits share.
        model: name of the model, for progress and messages.
        cores: threads that the job may use.
        limit: seconds after which the worker is killed.
        keep_weights: whether trained weights are stored.
        width: most fits side by side in a program, where memory has forced so few on fits of this kind before.
        shipment: what a worker far away finds in its store; None for one that reads the problem's own data.
    """

    id: str
    task: str
    draw: int
    model: str
    cores: int
    limit: float
    fits: tuple[JobFit, ...]
    keep_weights: bool = False
    width: int | None = None
    shipment: Shipment | None = None

    @property
    def artifacts(self) -> set[str]:
        """Names of all artifacts that it reads."""
        places = [
            place
            for fit in self.fits
            for place in (
                fit.split,
                *fit.components,
                *(p for split, parts in fit.inner for p in (split, *parts)),
            )
        ]
        shipped = self.shipment.artifacts if self.shipment else set()
        return {place.artifact for place in places} | shipped

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        raw = json.loads(text)
        fits = tuple(
            JobFit(
                f["key"],
                f["recipe"],
                f["seed"],
                Place(**f["split"]),
                tuple(Place(**p) for p in f["components"]),
                tuple((Place(**split), tuple(Place(**p) for p in parts)) for split, parts in f["inner"]),
            )
            for f in raw.pop("fits")
        )
        shipment = raw.pop("shipment")
        return cls(**raw, fits=fits, shipment=Shipment(**shipment) if shipment else None)


DONE, FAILED, TIMED_OUT, DIED, STORAGE, LOST = "done", "failed", "timed out", "died", "storage", "lost"


READY = "ready"
"""What a worker says once, before its first report: the limit of its first job counts from then on."""


@dataclass(frozen=True)
class JobReport:
    """What became of a job.

    Attributes:
        status: DONE; FAILED, an exception; TIMED_OUT, past its limit; DIED, the worker's process ended; STORAGE, the
            results could not be written; LOST, the worker's machine or the way to it is gone.
        failures: (fit key, traceback) of the fits of a DONE job that failed and have no result.
        error: traceback or reason, '' when done.
    """

    job: str
    status: str
    results: tuple[FitResult, ...] = field(default=())
    failures: tuple[tuple[str, str], ...] = ()
    error: str = ""
    seconds: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> JobReport:
        raw = json.loads(text)
        results = tuple(FitResult(**r) for r in raw.pop("results"))
        failures = tuple((key, error) for key, error in raw.pop("failures"))
        return cls(**raw, results=results, failures=failures)


@dataclass(frozen=True)
class Setup:
    """What every worker of a campaign is told once.

    Attributes:
        store: folder of the artifacts.
        problem: {'kind', 'options'}.
        metric: name of the metric that fits are scored with.
        import_path: folders that the user's own modules are imported from.
        group: the grouping that the protocol keeps apart; None is the dataset's first.
    """

    store: str
    problem: Mapping[str, Any]
    metric: str
    import_path: tuple[str, ...] = ()
    group: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Setup:
        raw = json.loads(text)
        return cls(raw["store"], raw["problem"], raw["metric"], tuple(raw["import_path"]), raw["group"])


def may_share(fit: Fit) -> Hashable:
    """What fits must have in common to be put into one job."""
    from probatum.learning.learner import fused, program  # slow to import, and workers of a cluster do without

    data = (fit.split.task, fit.split.draw)
    if fit.recipe.is_blend:
        return (*data, "blend")
    estimator = fit.recipe.learner.build(fit.recipe.parameters, fit.seed)
    if fused(estimator):
        return (*data, "fused", fit.recipe.features, fit.recipe.per_target, program(estimator))
    return (*data, "alone", fit.recipe.kind, fit.recipe.features, fit.recipe.per_target)


def is_fused(fit: Fit) -> bool:
    """Whether the fit's learner trains many fits in one program, over all cores."""
    return not fit.recipe.is_blend and hasattr(fit.recipe.learner.estimator_class(), "fit_many")
