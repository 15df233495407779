"""Which foreign runs are repeats of one experiment, and on which fold and with which seed each of them ran."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from probatum.campaigns.experiment import PROBES, TRIVIAL
from probatum.campaigns.recorded_campaign import imported_recipe
from probatum.errors import DataError, UnknownNameError
from probatum.interop.foreign_run import ForeignRun

SEED, FOLD, PARENT = "seed", "fold", "parent"
DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    SEED: ("seed", "random_state", "random_seed"),
    FOLD: ("fold", "split", "cv_fold"),
    PARENT: ("probatum.parent", "parent"),
}
"""Role to the parameters or tags that are looked for, the first that a run has counts."""
LONGEST_NAME = 180
MOST_SHOWN = 6


@dataclass(frozen=True)
class Choice:
    """What is taken for what.

    Attributes:
        metric: that runs are judged by; '{fold}' and '{seed}' in it stand for what several metrics of one run differ
            in.
        keys: role to the parameters or tags that are looked for.
        same: what makes runs repeats of one experiment: equal 'parameters', apart from seed and fold; or the 'name'.
    """

    metric: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_KEYS))
    same: Literal["parameters", "name"] = "parameters"


@dataclass(frozen=True, eq=False)
class Repeat:
    """One score of a foreign run, or why there is none.

    Attributes:
        run: that gave it.
        fold, seed: as the run says them; None where it does not.
        score: not finite where the run diverged; None where there is none.
        error: why there is none.
    """

    run: ForeignRun
    fold: str | None
    seed: str | None
    score: float | None
    error: str | None = None


@dataclass(eq=False)
class Group:
    """Runs that are repeats of one experiment.

    Attributes:
        identity: what they share: equal for the runs of later imports.
        name: of the experiment.
        parameters: without seed, fold and parent.
        repeats: in the order of the runs.
        parent: identity of the group that it says it was made from; None where it says nothing.
        hypothesis: a tag of that name, where there is one.
    """

    identity: str
    name: str
    parameters: Mapping[str, Any]
    repeats: list[Repeat] = field(default_factory=list)
    parent: str | None = None
    hypothesis: str | None = None


@dataclass(frozen=True, eq=False)
class Grouped:
    """What runs make up.

    Attributes:
        groups: in the order of their first runs.
        remarks: what was taken for what, in sentences.
        folds: labels that were met, in order; () where no run names one.
        seeded: whether runs name their seeds.
    """

    groups: tuple[Group, ...]
    remarks: tuple[str, ...]
    folds: tuple[str, ...]
    seeded: bool


def group_runs(runs: Iterable[ForeignRun], choice: Choice, where: str) -> Grouped:
    """Groups runs into experiments; linear in their number.

    Args:
        runs: of one source.
        choice: what is taken for what.
        where: the source, for messages.

    Raises:
        DataError: there are none, none has the metric, or parents go in a circle.
        UnknownNameError: a key that was named and that no run has.
    """
    every = list(runs)
    if not every:
        raise DataError("holds no runs", where=where, remedy="choose another experiment")
    leaves, remarks = _without_containers(every)
    named = _named_keys(leaves, choice, where)
    pattern = _pattern(choice.metric)
    groups: dict[str, Group] = {}
    of_run: dict[str, str] = {}
    for run in leaves:
        parameters = {k: v for k, v in run.parameters.items() if k not in named}
        identity = _identity(run.name, parameters, choice.same)
        group = groups.setdefault(identity, Group(identity, run.name, parameters))
        group.repeats += _repeats(run, choice, named, pattern)
        group.hypothesis = group.hypothesis or _text(run.tags.get("hypothesis", run.tags.get("probatum.hypothesis")))
        for handle in (run.id, run.name):
            of_run.setdefault(handle, identity)
    _require_metric(leaves, groups.values(), choice.metric, where)
    remarks += _parents(every, leaves, groups, of_run, named, where)
    remarks += _say_keys(leaves, named, choice)
    remarks += _superseded(groups.values())
    remarks += _same_names(groups.values(), choice.same)
    folds = dict.fromkeys(r.fold for g in groups.values() for r in g.repeats if r.fold is not None)
    seeded = any(r.seed is not None for g in groups.values() for r in g.repeats)
    return Grouped(tuple(groups.values()), tuple(remarks), tuple(sorted(folds, key=_natural)), seeded)


def _without_containers(runs: Sequence[ForeignRun]) -> tuple[list[ForeignRun], list[str]]:
    """The runs that no others are nested in, with the parameters of those that they are nested in."""
    by_id = {run.id: run for run in runs}
    around = {run.inside for run in runs if run.inside in by_id}
    found = []
    for run in runs:
        if run.id in around:
            continue
        parameters, name, at, seen = dict(run.parameters), run.name, run.inside, {run.id}
        while at in by_id and at not in seen:
            seen.add(at)
            parameters = {**by_id[at].parameters, **parameters}
            name, at = by_id[at].name, by_id[at].inside
        found.append(replace(run, parameters=parameters, tags={**run.tags, "own name": run.name}, name=name))
    if not around:
        return found, []
    if not found:
        raise DataError("runs are nested in one another in a circle", remedy="correct their parents in the store")
    said = f"{len(around)} runs hold others: their parameters were taken for those of the runs inside"
    return found, [f"{said}, and their own metrics for summaries"]


def _named_keys(runs: Sequence[ForeignRun], choice: Choice, where: str) -> dict[str, str]:
    """Parameter or tag to its role, as far as some run has it.

    Raises:
        UnknownNameError: one that was chosen, and that no run has.
    """
    known = dict.fromkeys(key for run in runs for key in (*run.parameters, *run.tags))
    found = {}
    for role, keys in choice.keys.items():
        there = [key for key in keys if key in known]
        if not there and keys != DEFAULT_KEYS.get(role):
            raise UnknownNameError.of(f"parameter or tag for the {role}", keys[0], known, where=where)
        found |= dict.fromkeys(there, role)
    return found


def _repeats(
    run: ForeignRun, choice: Choice, named: Mapping[str, str], pattern: re.Pattern[str] | None
) -> list[Repeat]:
    seed, fold = (_of_role(run, role, choice, named) for role in (SEED, FOLD))
    if run.state in ("failed", "pruned"):
        return [Repeat(run, fold, seed, None, run.error or f"the run {run.state}")]
    if run.state == "running":
        return [Repeat(run, fold, seed, None)]
    if pattern is None:
        if choice.metric in run.metrics:
            return [Repeat(run, fold, seed, run.metrics[choice.metric])]
    elif found := [(m, value) for key, value in run.metrics.items() if (m := pattern.fullmatch(key))]:
        return [Repeat(run, m.groupdict().get(FOLD, fold), m.groupdict().get(SEED, seed), v) for m, v in found]
    return [Repeat(run, fold, seed, None, f"the run ended without the metric '{choice.metric}'")]


def _of_role(run: ForeignRun, role: str, choice: Choice, named: Mapping[str, str]) -> str | None:
    for key in choice.keys.get(role, ()):
        if named.get(key) == role and (value := run.value(key)) is not None:
            return str(value)
    return None


def _pattern(metric: str) -> re.Pattern[str] | None:
    """What the names of several metrics of one run have to be, where '{fold}' or '{seed}' stands in theirs."""
    if not any(f"{{{role}}}" in metric for role in (FOLD, SEED)):
        return None
    text = re.escape(metric)
    for role in (FOLD, SEED):
        text = text.replace(re.escape(f"{{{role}}}"), f"(?P<{role}>.+?)", 1)
    return re.compile(text)


def _identity(name: str, parameters: Mapping[str, Any], same: str) -> str:
    """What repeats share; runs without parameters are told apart by their names."""
    if same == "name" or not parameters:
        return f"name {clean_name(name)}"
    return f"parameters {imported_recipe(parameters).digest()}"


def clean_name(name: str) -> str:
    """A run's name as an experiment's: one line, not too long, and none that is reserved here."""
    text = " ".join("".join(c if c.isprintable() else " " for c in name.encode("utf-8", "replace").decode()).split())
    for reserved in (TRIVIAL, *PROBES):
        if text.startswith(reserved):
            text = f"imported {text}"
    return text[:LONGEST_NAME].strip() or "run"


def _require_metric(runs: Sequence[ForeignRun], groups: Iterable[Group], metric: str, where: str) -> None:
    if any(r.score is not None or (r.run.state == "running") for g in groups for r in g.repeats):
        return
    known = dict.fromkeys(key for run in runs for key in run.metrics)
    if not known and any(run.state == "finished" for run in runs):
        raise DataError("no run has a metric", where=where, remedy="log one number a run")
    raise UnknownNameError.of("metric", metric, known, where=where)


def _parents(
    every: Sequence[ForeignRun],
    runs: Sequence[ForeignRun],
    groups: Mapping[str, Group],
    of_run: Mapping[str, str],
    named: Mapping[str, str],
    where: str,
) -> list[str]:
    """Sets the parent of each group that names one; refuses circles, and says which names lead nowhere."""
    outer = {run.id: run for run in every}
    missing: dict[str, int] = {}
    keys = [key for key, role in named.items() if role == PARENT]
    for run in runs:
        said = run.parent or next((str(v) for key in keys if (v := run.value(key)) not in (None, "")), None)
        if said is None and run.inside in outer:
            said = outer[run.inside].parent
        if said is None:
            continue
        group = groups[of_run[run.id]]
        parent = of_run.get(said)
        if parent is None:
            missing[said] = missing.get(said, 0) + 1
        elif parent != group.identity and group.parent is None:
            group.parent = parent
    _check_circles(groups, where)
    return [f"parent '{name}' of {count} runs is not among the runs: left out" for name, count in missing.items()][:3]


def _check_circles(groups: Mapping[str, Group], where: str) -> None:
    sound: set[str] = set()
    for start in groups:
        path: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in sound:
            if at in path:
                circle = [groups[i].name for i in [*list(path)[list(path).index(at) :], at]]
                shown = circle if len(circle) <= MOST_SHOWN else [*circle[: MOST_SHOWN - 1], "...", circle[-1]]
                said = " from ".join(f"'{name}'" for name in shown)
                raise DataError(f"parents go in a circle: {said}", where=where, remedy="correct a parent")
            path[at] = None
            at = groups[at].parent
        sound.update(path)


def _say_keys(runs: Sequence[ForeignRun], named: Mapping[str, str], choice: Choice) -> list[str]:
    said = []
    for role in choice.keys:
        keys = [key for key, its in named.items() if its == role]
        count = sum(any(run.value(key) is not None for key in keys) for run in runs)
        of = " and ".join(f"'{key}'" for key in keys)
        option = f"--{role}-key"
        where = "in the metric's name" if f"{{{role}}}" in choice.metric else "none found"
        said.append(
            f"{role}: {of}, which {count} of {len(runs)} runs have" if keys else f"{role}: {where} ({option} KEY)"
        )
    return said


def _superseded(groups: Iterable[Group]) -> list[str]:
    """Takes failed runs away whose fold and seed another run of the experiment finished."""
    gone = 0
    for group in groups:
        done = {(r.fold, r.seed) for r in group.repeats if r.score is not None}
        kept = [r for r in group.repeats if r.error is None or (r.fold, r.seed) not in done]
        gone += len(group.repeats) - len(kept)
        group.repeats = kept
    return [f"{gone} failed or pruned runs were repeated with success: the repetitions count"] if gone else []


def _same_names(groups: Iterable[Group], same: str) -> list[str]:
    counts: dict[str, int] = {}
    repeated = 0
    for group in groups:
        name = clean_name(group.name)
        counts[name] = counts.get(name, 0) + 1
        repeated += len({r.run.name for r in group.repeats}) > 1
    said = []
    if twice := sum(count > 1 for count in counts.values()):
        said.append(f"{twice} names stand for several experiments with different parameters: they were numbered")
    if repeated and same == "parameters":
        said.append(f"{repeated} experiments are runs of several names with equal parameters (--same name parts them)")
    return said


def _natural(text: str) -> tuple[Any, ...]:
    """Sorts 'fold 2' before 'fold 10'."""
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.split(r"(\d+)", text))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
