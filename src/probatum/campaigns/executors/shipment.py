"""What a worker far away is sent in place of the problem's data and the user's modules, as content-addressed artifacts.

The driver packs, a worker unpacks. Features are computed once, by the driver, and observations stay at home; so a
worker needs neither the problem's files nor its feature code, and trains on the very numbers that the driver has.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.fit_inputs import feature_blocks
from probatum.campaigns.jobs import Job, Setup, Shipment
from probatum.errors import ClusterError, DataError
from probatum.problems import registry
from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Truth

MOST_MODULES = 16 << 20
"""Bytes of the user's own modules that are sent; more is no code."""
BLOCK, GROUP = "block", "group/"
"""Names of arrays: a feature's columns, a grouping's labels."""


class Packer:
    """Packs what jobs of one campaign need.

    Args:
        setup: of the campaign, as a worker on this machine is told it.
        store: where packed artifacts are put.
    """

    def __init__(self, setup: Setup, store: ArtifactStore):
        self._problem = registry.build(setup.problem["kind"], setup.problem["options"])
        self._folders = [Path(folder) for folder in setup.import_path]
        self._store = store
        self._cases: dict[tuple[str, int], str] = {}
        self._blocks: dict[tuple[str, int, str], str] = {}
        self._modules: dict[frozenset[str], str | None] = {}

    def shipment(self, job: Job) -> Shipment:
        """What a job needs, packed; what was packed before is found again.

        Raises:
            UsageError: data that are missing or cannot be used.
            ClusterError: modules that cannot be sent.
            StorageError: packed artifacts cannot be written.
        """
        data = (job.task, job.draw)
        if data not in self._cases:
            self._cases[data] = self._store.write_arrays(packed_cases(self._problem.dataset(*data)))
        names = () if job.fits[0].recipe["model"]["kind"] == "blend" else job.fits[0].recipe["features"]
        for name in names:
            if (*data, name) not in self._blocks:
                (block,) = feature_blocks(self._problem, self._problem.dataset(*data), [name]).values()
                self._blocks[(*data, name)] = self._store.write_arrays({BLOCK: block})
        named = frozenset(name for fit in job.fits for name in named_modules(fit.recipe))
        if named not in self._modules:
            sources = own_sources(named, self._folders)
            arrays = {path: np.frombuffer(content, dtype=np.uint8) for path, content in sources.items()}
            self._modules[named] = self._store.write_arrays(arrays) if arrays else None
        blocks = {name: self._blocks[(*data, name)] for name in names}
        return Shipment(self._cases[data], blocks, self._modules[named])


class ShippedProblem(Problem):
    """A problem as a worker far away knows it: the cases and features that were sent.

    Args:
        store: where they lie.
    """

    name: ClassVar[str] = "shipped"
    question: ClassVar[str] = "What are the quantities of cases that were sent here?"

    def __init__(self, store: ArtifactStore):
        self._store = store
        self._cases: dict[tuple[str, int], str] = {}
        self._blocks: dict[tuple[str, int, str], str] = {}

    def know(self, job: Job) -> None:
        """Takes in what a job says of where its data lie."""
        if job.shipment is not None:
            self._cases[(job.task, job.draw)] = job.shipment.cases
            self._blocks |= {(job.task, job.draw, name): place for name, place in job.shipment.features.items()}

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(task for task, _ in self._cases))

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        if (task, draw) not in self._cases:
            raise DataError(f"draw {draw} of task '{task}' was not sent", remedy="run the campaign again")
        return unpacked_cases(self._store.read_arrays(self._cases[(task, draw)]))

    @property
    def features(self) -> Mapping[str, Feature]:
        names = dict.fromkeys(name for _, _, name in self._blocks)
        return {name: Feature(name, "as it was sent", _Block(self, name)) for name in names}

    @property
    def default_features(self) -> tuple[str, ...]:
        return tuple(self.features)

    def block(self, dataset: Dataset, feature: str) -> np.ndarray:
        """[case, column] float64 of a feature."""
        return self._store.read_arrays(self._blocks[(dataset.task, dataset.draw, feature)])[BLOCK]


class _Block:
    """A feature that was computed before."""

    def __init__(self, problem: ShippedProblem, name: str):
        self._problem, self._name = problem, name

    def __call__(self, dataset: Dataset) -> np.ndarray:
        return self._problem.block(dataset, self._name)


# ---------------------------------------------------------------------- cases


def packed_cases(dataset: Dataset) -> dict[str, np.ndarray]:
    """A dataset without its observations, as arrays."""
    about = {
        "problem": dataset.problem,
        "task": dataset.task,
        "draw": dataset.draw,
        "supervised": dataset.supervised,
        "quantities": [asdict(quantity) for quantity in dataset.quantities],
        "groups": list(dataset.groups),
    }
    arrays = {
        "about": np.array(json.dumps(about)),
        "cases": dataset.cases.astype(np.str_),
        "truth": dataset.truth.open_for_scoring(),
    }
    arrays |= {f"{GROUP}{i}": labels.astype(np.str_) for i, labels in enumerate(dataset.groups.values())}
    if dataset.replicates is not None:
        arrays["replicates"] = dataset.replicates
    if dataset.dependence is not None:
        arrays["dependence"] = dataset.dependence.astype(np.str_)
    return arrays


def unpacked_cases(arrays: Mapping[str, np.ndarray]) -> Dataset:
    """The dataset that `packed_cases` packed; it has no observations."""
    about: dict[str, Any] = json.loads(str(arrays["about"]))
    return Dataset(
        problem=about["problem"],
        task=about["task"],
        draw=about["draw"],
        cases=arrays["cases"],
        observations={},
        units={},
        quantities=tuple(Quantity(**quantity) for quantity in about["quantities"]),
        truth=Truth(arrays["truth"]),
        groups={name: arrays[f"{GROUP}{i}"] for i, name in enumerate(about["groups"])},
        origin=Origin(),
        supervised=about["supervised"],
        replicates=arrays.get("replicates"),
        dependence=arrays.get("dependence"),
    )


# ---------------------------------------------------------------------- the user's own modules


def named_modules(value: Any) -> set[str]:
    """The modules of every 'module:name' in a recipe."""
    if isinstance(value, str):
        found = re.fullmatch(r"([A-Za-z_][\w.]*):[A-Za-z_][\w.]*", value)
        return {found[1]} if found else set()
    if isinstance(value, Mapping):
        value = [part for item in value.items() for part in item]
    if isinstance(value, Sequence):
        return set().union(*map(named_modules, value))
    return set()


def own_sources(modules: frozenset[str], folders: Sequence[Path]) -> dict[str, bytes]:
    """Path to content of the modules that lie in the folders, and of those that they import from there.

    A package is taken whole. Modules that lie elsewhere are installed, and have to be where the workers are.

    Args:
        modules: their full names.
        folders: that modules are imported from, the first one first.

    Raises:
        ClusterError: a module is compiled, is too large, or is no Python.
    """
    sources: dict[str, bytes] = {}
    waiting, seen = [name.partition(".")[0] for name in sorted(modules)], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for path, file in _files(name, folders):
            sources[path] = file.read_bytes()
            waiting += _imports(sources[path], file)
    size = sum(map(len, sources.values()))
    if size > MOST_MODULES:
        raise ClusterError(
            f"modules beside the campaign file have {size >> 20} MB, and at most {MOST_MODULES >> 20} MB are sent",
            where=", ".join(sorted(seen & {path.partition("/")[0].removesuffix(".py") for path in sources})),
            remedy="install them where the workers are, and remove them here",
        )
    return sources


def _files(name: str, folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """(path in the folder, file) of a top-level module or package."""
    for folder in folders:
        package = folder / name
        if (package / "__init__.py").is_file():
            files = sorted(package.rglob("*.py"))
            compiled = next((f for f in package.rglob("*") if f.suffix in (".so", ".pyd")), None)
            if compiled is not None:
                raise _compiled(compiled)
            return [(file.relative_to(folder).as_posix(), file) for file in files]
        if (module := folder / f"{name}.py").is_file():
            return [(module.name, module)]
        compiled = next((f for f in folder.glob(f"{name}.*") if f.suffix in (".so", ".pyd")), None)
        if compiled is not None:
            raise _compiled(compiled)
    return []


def _compiled(file: Path) -> ClusterError:
    return ClusterError(
        "a compiled module is not sent to workers", where=str(file), remedy="install it where the workers are"
    )


def _imports(source: bytes, file: Path) -> Iterator[str]:
    """The top-level names that a module imports."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise ClusterError(f"cannot be read: {error}", where=str(file), remedy="correct it") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
