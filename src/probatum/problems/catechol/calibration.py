"""How far predictions were off for questions of the kind that is asked: what intervals are calibrated by.

A question about a measured solvent is easier than one about a solvent that nobody measured, and a mixture is another
question than a pure solvent. So every kind of question (`Situation`) has its own calibration: rows are left out such
that what remains knows as little of them as of the question, the learner is trained on what remains, and its errors in
units of its predicted spread give the factor of the interval (`probatum.learning.conformal`, locally weighted and
grouped). A row counts only where what remains really puts it in that situation.

| situation | left out at a time | counts once |
|---|---|---|
| measured, alone or as a mixture | every fifth run (one ramp as run on one occasion) | a run |
| measured at other temperatures | the cold or the hot rows of half of the ramps | a solvent or a pair |
| not measured together | the mixtures of every fourth pair | a pair |
| never measured | every row with the solvent; its own rows are predicted | a solvent |
| mixture with a solvent never measured | the same; its mixtures are predicted | a solvent |
| mixture of two never measured | every row with one of the two | a pair |

The last three exist twice: with the tabulated descriptors, and with descriptors guessed from structure
(`probatum.problems.catechol.imputation`), learned without the solvents left out.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing import get_context

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from probatum.errors import FitError
from probatum.learning.compilation import keep_programs_on_disk
from probatum.learning.conformal import group_weights, split_half_widths
from probatum.problems.catechol.data import Measurements
from probatum.problems.catechol.imputation import Structures
from probatum.problems.catechol.learners import CONDITIONS, KineticRegressor

PURE = 0.99
"""Share from which a mixture counts as the solvent alone: pumps leave up to 0.5 % of the other one."""
NEAR = 10.0
"""K beyond a solvent's own measured temperatures within which it still counts as measured."""
RUN_FOLDS, PAIR_FOLDS = 5, 4
COLD, HOT = 190.0, 210.0
"""deg C: rows below, and above, are what a ramp is left with when its temperatures are left out."""

Progress = Callable[[int, int], None]
"""Called with the number of trainings done, and of all."""


class Situation(StrEnum):
    """What is known of the solvent, or mixture, that a question is about."""

    MEASURED = "measured"
    MEASURED_MIXTURE = "measured mixture"
    OTHER_TEMPERATURE = "measured at other temperatures"
    NEW_PAIR = "both measured, not together"
    NEW_SOLVENT = "never measured"
    NEW_IN_MIXTURE = "mixture with a solvent never measured"
    TWO_NEW = "mixture of two solvents never measured"
    NEW_SOLVENT_GUESSED = "never measured, descriptors guessed from structure"
    NEW_IN_MIXTURE_GUESSED = "mixture with a solvent never measured, descriptors guessed from structure"
    TWO_NEW_GUESSED = "mixture of two solvents never measured, descriptors guessed from structure"


GUESSED = {
    Situation.NEW_SOLVENT: Situation.NEW_SOLVENT_GUESSED,
    Situation.NEW_IN_MIXTURE: Situation.NEW_IN_MIXTURE_GUESSED,
    Situation.TWO_NEW: Situation.TWO_NEW_GUESSED,
}

COUNTED = dict.fromkeys(Situation, "solvents") | {
    **dict.fromkeys((Situation.MEASURED, Situation.MEASURED_MIXTURE), "runs"),
    Situation.OTHER_TEMPERATURE: "solvents and pairs",
    **dict.fromkeys((Situation.NEW_PAIR, Situation.TWO_NEW, Situation.TWO_NEW_GUESSED), "pairs"),
}
"""What counts once among the rows left out."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Rows of one situation, predicted by learners that had not seen them.

    Attributes:
        truth, prediction, spread: [row, 3] float64, fractions.
        group: [row] str, what counts once.
        celsius, minutes: [row] float64, where they were measured.
    """

    truth: Float[np.ndarray, "row 3"]
    prediction: Float[np.ndarray, "row 3"]
    spread: Float[np.ndarray, "row 3"]
    group: Shaped[np.ndarray, " row"]
    celsius: Float[np.ndarray, " row"]
    minutes: Float[np.ndarray, " row"]

    @property
    def groups(self) -> int:
        return len(np.unique(self.group))

    def factors(self, level: float, rows: Bool[np.ndarray, " row"] | None = None) -> Float[np.ndarray, " 3"]:
        """[3] half widths of intervals of that level, in units of the spread.

        Where there are too few groups for the level, the largest error: it holds n of n + 1 new groups (`promised`).

        Args:
            level: between 0 and 1.
            rows: [row] bool, those that calibrate; None: all.
        """
        rows = np.ones(len(self.group), dtype=bool) if rows is None else rows
        truth, prediction, spread = self.truth[rows], self.prediction[rows], self.spread[rows]
        widths = split_half_widths(truth, prediction, level, self.group[rows], spread)
        largest = (np.abs(truth - prediction) / spread).max(axis=0)
        return np.where(np.isfinite(widths), widths, largest)

    def promised(self, level: float) -> float:
        """The coverage that so many groups can promise, at most `level`."""
        return min(level, self.groups / (self.groups + 1))

    def coverage(self, level: float) -> Float[np.ndarray, " 3"]:
        """[3] share of rows that intervals calibrated by the other groups hold, every group counting once."""
        held = np.empty(self.truth.shape)
        for group in np.unique(self.group):
            own = self.group == group
            if own.all():
                return np.full(self.truth.shape[1], np.nan)
            low, high = interval(self.prediction[own], self.spread[own], self.factors(level, ~own))
            held[own] = (low <= self.truth[own]) & (self.truth[own] <= high)
        return np.average(held, axis=0, weights=group_weights(self.group, len(held)))


def interval(
    prediction: Float[np.ndarray, "row 3"], spread: Float[np.ndarray, "row 3"], factors: Float[np.ndarray, "... 3"]
) -> tuple[Float[np.ndarray, "row 3"], Float[np.ndarray, "row 3"]]:
    """Lower and upper ends [row, 3] of intervals for measured fractions, none below 0 or above 1."""
    half = spread * factors
    return np.clip(prediction - half, 0.0, 1.0), np.clip(prediction + half, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Known:
    """What rows say of a solvent or a pair: at which temperatures it was measured.

    Attributes:
        solvents: name to the least and greatest temperature of its own rows, deg C.
        pairs: two names in their order to the same of their mixtures.
    """

    solvents: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Measurements, chosen: Bool[np.ndarray, " row"]) -> Known:
        """What the [row] bool chosen rows say."""
        solvents: dict[str, list[float]] = {}
        pairs: dict[tuple[str, str], list[float]] = {}
        for row in np.flatnonzero(chosen):
            a, b, celsius = str(rows.solvent_a[row]), str(rows.solvent_b[row]), float(rows.temperature[row])
            whole = _whole(a, b, float(rows.fraction_b[row]))
            if whole is not None:
                solvents.setdefault(whole, []).append(celsius)
            else:
                pairs.setdefault(_pair(a, b), []).append(celsius)
        return cls(
            {name: (min(all_of), max(all_of)) for name, all_of in solvents.items()},
            {pair: (min(all_of), max(all_of)) for pair, all_of in pairs.items()},
        )

    def situation(self, a: str, b: str, fraction_b: float, celsius: float) -> Situation:
        """The situation of a question, its descriptors being tabulated."""
        whole = _whole(a, b, fraction_b)
        if whole is not None:
            if whole not in self.solvents:
                return Situation.NEW_SOLVENT
            return Situation.MEASURED if _near(self.solvents[whole], celsius) else Situation.OTHER_TEMPERATURE
        unknown = [name for name in (a, b) if name not in self.solvents]
        if unknown:
            return Situation.TWO_NEW if len(unknown) == 2 else Situation.NEW_IN_MIXTURE
        pair = _pair(a, b)
        if pair not in self.pairs:
            return Situation.NEW_PAIR
        return Situation.MEASURED_MIXTURE if _near(self.pairs[pair], celsius) else Situation.OTHER_TEMPERATURE


@dataclass(frozen=True, eq=False)
class Question:
    """Rows that one training is asked about, [row] each, with the inputs that it is given of them."""

    situation: Situation
    rows: Int[np.ndarray, " row"]
    inputs: Float[np.ndarray, "row column"]
    group: Shaped[np.ndarray, " row"]


@dataclass(frozen=True, eq=False)
class Fold:
    """One training: the numbers of its rows, and what it is asked."""

    train: Int[np.ndarray, " row"]
    questions: tuple[Question, ...]


def left_out(
    rows: Measurements,
    inputs: Float[np.ndarray, "row column"],
    structures: Structures | None,
    *,
    cores: int = 1,
    progress: Progress = lambda done, of: None,
) -> dict[Situation, LeftOut]:
    """Predictions of rows left out, for every situation that the rows can stand for.

    Args:
        rows: measured.
        inputs: [row, 39] float64, the feature 'solvents_apart' of these rows.
        structures: what guesses descriptors; None leaves out the situations that need guesses.
        cores: so many trainings at once, each in a process of its own; 1 trains in this one.
        progress: told after every training.

    Raises:
        FitError: a training failed, or its process was killed.
    """
    todo = list(folds(rows, inputs, structures))
    progress(0, len(todo))
    tasks = [(inputs[f.train], rows.yields[f.train], [q.inputs for q in f.questions]) for f in todo]
    answers: dict[int, list[Answer]] = {}
    for at, answered in _carried_out(tasks, min(cores, len(todo))):
        answers[at] = answered
        progress(len(answers), len(todo))
    by_situation: dict[Situation, list[tuple[Question, np.ndarray, np.ndarray]]] = {}
    for at, fold in enumerate(todo):
        for question, (prediction, spread) in zip(fold.questions, answers[at], strict=True):
            by_situation.setdefault(question.situation, []).append((question, prediction, spread))
    found = {}
    for situation, parts in by_situation.items():
        numbers = np.concatenate([question.rows for question, _, _ in parts])
        found[situation] = LeftOut(
            rows.yields[numbers],
            np.concatenate([prediction for _, prediction, _ in parts]),
            np.concatenate([spread for _, _, spread in parts]),
            np.concatenate([question.group for question, _, _ in parts]),
            rows.temperature[numbers],
            rows.residence_time[numbers],
        )
    return found


def folds(rows: Measurements, inputs: Float[np.ndarray, "row column"], structures: Structures | None) -> Iterator[Fold]:
    """All trainings, each with what it is asked (see the table above)."""
    asked = _Asked(rows, inputs, structures)
    pairs = rows.pair
    mixed = (rows.fraction_b > 1 - PURE) & (rows.fraction_b < PURE)
    mixtures = np.unique(pairs[mixed])
    run = pairs if rows.run is None else np.array([f"{p}, run {r}" for p, r in zip(pairs, rows.run, strict=True)])
    runs = np.random.default_rng(0).permutation(np.unique(run))
    for part in range(RUN_FOLDS):
        yield asked.fold(
            np.isin(run, runs[part::RUN_FOLDS]), dict.fromkeys((Situation.MEASURED, Situation.MEASURED_MIXTURE), run)
        )
    subject = np.array(
        [
            _whole(a, b, f) or p
            for a, b, f, p in zip(rows.solvent_a, rows.solvent_b, rows.fraction_b, pairs, strict=True)
        ]
    )
    for part in range(2):
        for away in (rows.temperature > COLD, rows.temperature < HOT):
            out = np.isin(pairs, np.unique(pairs)[part::2]) & away
            yield asked.fold(out, {Situation.OTHER_TEMPERATURE: subject})
    for part in range(PAIR_FOLDS):
        yield asked.fold(np.isin(pairs, mixtures[part::PAIR_FOLDS]) & mixed, {Situation.NEW_PAIR: pairs})
    for name in np.unique([rows.solvent_a, rows.solvent_b]).tolist():
        same = np.full(len(pairs), name)
        yield asked.fold(asked.holds(name), {Situation.NEW_SOLVENT: same, Situation.NEW_IN_MIXTURE: same}, {name})
    for pair in mixtures.tolist():
        one, other = pair.split(" | ")
        yield asked.fold(asked.holds(one) | asked.holds(other), {Situation.TWO_NEW: pairs}, {one, other})


@dataclass(frozen=True, eq=False)
class _Asked:
    """What trainings are asked, given what they do not see."""

    rows: Measurements
    inputs: Float[np.ndarray, "row column"]
    structures: Structures | None

    def holds(self, name: str) -> Bool[np.ndarray, " row"]:
        """[row] bool: whether there is any of the solvent in it."""
        b = self.rows.fraction_b
        return ((self.rows.solvent_a == name) & (b < 1)) | ((self.rows.solvent_b == name) & (b > 0))

    def fold(
        self,
        out: Bool[np.ndarray, " row"],
        groups: Mapping[Situation, Shaped[np.ndarray, " row"]],
        new: set[str] | None = None,
    ) -> Fold:
        """The training without the [row] bool left out, asked about those that it puts in one of the situations."""
        rows = self.rows
        known = Known.of(rows, ~out)
        situation = np.array(
            [
                known.situation(
                    str(rows.solvent_a[r]),
                    str(rows.solvent_b[r]),
                    float(rows.fraction_b[r]),
                    float(rows.temperature[r]),
                )
                if out[r]
                else ""
                for r in range(len(out))
            ]
        )
        questions = []
        for wanted, group in groups.items():
            numbers = np.flatnonzero(situation == wanted)
            if not len(numbers):
                continue
            questions.append(Question(wanted, numbers, self.inputs[numbers], group[numbers]))
            guessed = self._guessed(new or set())
            if wanted in GUESSED and guessed is not None:
                questions.append(Question(GUESSED[wanted], numbers, guessed[numbers], group[numbers]))
        return Fold(np.flatnonzero(~out), tuple(questions))

    def _guessed(self, new: set[str]) -> Float[np.ndarray, "row column"] | None:
        """[row, 39] inputs with the descriptors of new solvents guessed; None where one cannot be."""
        if self.structures is None or not new or not new <= set(self.structures.names):
            return None
        inputs, rest = self.inputs.copy(), self.structures.without(new)
        width = (inputs.shape[1] - CONDITIONS) // 2
        for name in new:
            guess = rest.guessed(self.structures.properties[[self.structures.names.index(name)]])[0]
            inputs[self.rows.solvent_a == name, CONDITIONS : CONDITIONS + width] = guess
            inputs[self.rows.solvent_b == name, CONDITIONS + width :] = guess
        return inputs


Task = tuple[Float[np.ndarray, "_ column"], Float[np.ndarray, "_ 3"], list[Float[np.ndarray, "_ column"]]]
"""Inputs and targets of a training, and the inputs of its questions."""
Answer = tuple[Float[np.ndarray, "_ 3"], Float[np.ndarray, "_ 3"]]
"""Prediction and spread for one question."""


def _carried_out(tasks: Sequence[Task], cores: int) -> Iterator[tuple[int, list[Answer]]]:
    """Number and answers of every task, as they are done."""
    if cores == 1:
        yield from enumerate(_trained_and_asked(*task) for task in tasks)
        return
    pool = ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        numbers = {pool.submit(_trained_and_asked, *task): at for at, task in enumerate(tasks)}
        for finished in as_completed(numbers):
            yield numbers[finished], finished.result()
    except BrokenProcessPool as error:
        raise FitError("a training process was killed", remedy="free some memory, or use fewer cores") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    """Ctrl-C is for the process that waits; programs compiled by one worker are found by the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_programs_on_disk()


def _trained_and_asked(
    inputs: Float[np.ndarray, "row column"],
    targets: Float[np.ndarray, "row 3"],
    questions: list[Float[np.ndarray, "_ column"]],
) -> list[Answer]:
    """Prediction and spread, [row, 3] each, for every question."""
    if not questions:
        return []
    learner = KineticRegressor().fit(inputs, targets)
    return [(learner.predict(question), learner.predict_spread(question)) for question in questions]


def _whole(a: str, b: str, fraction_b: float) -> str | None:
    """The solvent that a row consists of; None for a mixture."""
    if a == b or fraction_b <= 1 - PURE:
        return a
    return b if fraction_b >= PURE else None


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def _near(measured: tuple[float, float], celsius: float) -> bool:
    return measured[0] - NEAR <= celsius <= measured[1] + NEAR
