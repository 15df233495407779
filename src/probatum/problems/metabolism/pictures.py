"""What an experiment found of a metabolism: constants, learned functions, and how long its model follows true courses.

Constants are the predicted ones. Where learners kept what they learned (`learned.Learned`), functions are drawn too and
the model that is rolled out is the first of them; else the predicted constants move the true rate law and homeostasis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from probatum.problems.metabolism.activity import activity_rank
from probatum.problems.metabolism.diagnostics import visited
from probatum.problems.metabolism.figures import (
    TOLERANCE,
    LearnedFunction,
    draw_constants,
    draw_functions,
    draw_kinographs,
    draw_rollout,
    draw_spectrum,
)
from probatum.problems.metabolism.learned import Learned
from probatum.problems.metabolism.rollout import rollout
from probatum.problems.picture import Picture, Scored, scored
from probatum.problems.problem import Curves, Dataset

if TYPE_CHECKING:
    from probatum.problems.metabolism.problem import MetabolismProblem
    from probatum.problems.metabolism.simulator import Course

LOWEST, HIGHEST = -12.0, 6.0
"""log10 k; predictions beyond are taken to these, where they are far outside any picture."""
MOST_FRAMES = 720
"""Of a rollout, and of a kinograph."""


def metabolism_pictures(
    problem: MetabolismProblem, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves]
) -> tuple[Picture, ...]:
    """The pictures of `Problem.pictures`."""
    found = scored(dataset, rows, predictions)
    if not len(found):
        return ()
    course = problem.course(dataset.draw)
    learned = [model for model in map(Learned.of, curves) if model is not None]
    learned = [m for m in learned if len(m.log_constants) == len(course.constants)]
    constants = _constants_of(dataset, found, course)
    known = len(np.unique(_places(dataset, found)))
    rest = len(constants) - known
    model = (
        "the learned constants, rate law and homeostasis of the first fit"
        if learned
        else "the predicted constants with the true rate law and homeostasis"
        + (f" ({rest} constants that were not predicted are the true ones)" if rest else "")
    )
    return (
        _constants_picture(dataset, found),
        *([_functions_picture(course, learned)] if learned else []),
        *_course_pictures(problem, dataset.draw, constants, learned, model),
        _spectrum_picture(problem, dataset.draw),
    )


def _places(dataset: Dataset, found: Scored) -> np.ndarray:
    """[scored row] the reaction of each."""
    return np.asarray(dataset.observations["reaction"])[found.rows]


def _constants_of(dataset: Dataset, found: Scored, course: Course) -> np.ndarray:
    """[reaction] predicted k, the true one where none was predicted."""
    constants = course.constants.copy()
    constants[_places(dataset, found)] = 10 ** np.clip(found.prediction[:, 0], LOWEST, HIGHEST)
    return constants


def _constants_picture(dataset: Dataset, found: Scored) -> Picture:
    truth = 10 ** found.truth[:, 0]
    estimate = 10 ** np.clip(found.prediction[:, 0], LOWEST, HIGHEST)
    identifiable = dataset.groups["identifiability"][found.rows] == "identifiable"
    lost = int((~identifiable).sum())
    caption = (
        f"Rate constants k of {len(found)} reactions, estimated over true, both axes logarithmic; R2 on the identity "
        f"line over the {len(found) - lost} that are identifiable"
        + (f"; crosses are the {lost} that no data of this kind can determine." if lost else ".")
    )
    return Picture(
        "rate-constants",
        "Rate constants, estimated and true",
        caption,
        lambda figure: draw_constants(figure, truth, estimate, identifiable),
        width=4.8,
        height=4.8,
    )


def _functions_picture(course: Course, learned: Sequence[Learned]) -> Picture:
    seen = visited(course)
    reach = (float(seen[0]), float(seen[-1]))
    c = np.linspace(0.0, 1.25 * reach[1], 200)
    functions = [
        LearnedFunction("substrate function, |s| = 1", c, np.stack([m.law_at(c) for m in learned]), c.copy(), reach)
    ]
    metabolism = course.metabolism
    types = np.unique(np.stack([metabolism.decay, metabolism.level], axis=1), axis=0)
    for decay, level in types:
        own = (metabolism.decay == decay) & (metabolism.level == level)
        fits = np.stack([np.median(m.homeostasis_at(c)[own], axis=0) for m in learned])
        name = f"homeostasis, median of {int(own.sum())} metabolites"
        functions.append(LearnedFunction(name, c, fits, -decay * (c - level), reach))
    caption = (
        f"Functions of concentration that {len(learned)} {'fit' if len(learned) == 1 else 'fits'} learned, beside the "
        "true ones (dashed), in units of the simulation; the band holds all fits, and concentrations are shaded where "
        "the middle 99 % of the course's lie. Outside nothing was there to learn from."
    )
    return Picture(
        "learned-functions",
        "Learned rate law and homeostasis",
        caption,
        lambda figure: draw_functions(figure, functions),
        width=3.7 * len(functions),
        height=3.4,
    )


def _course_pictures(
    problem: MetabolismProblem, draw: int, constants: np.ndarray, learned: Sequence[Learned], model: str
) -> tuple[Picture, Picture]:
    """Kinographs of the course that was learned from, and the rollout from a start that no learner saw."""

    def pair(course: Course) -> tuple[np.ndarray, np.ndarray]:
        """True and modelled concentrations from the same start, both [frame, metabolite]."""
        true = course.concentrations[:MOST_FRAMES]
        if learned:
            return true, rollout(course.metabolism.network, learned[0], true[0], len(true), course.step)
        with np.errstate(over="ignore", invalid="ignore"):
            return true, course.metabolism.euler(true[0], constants, len(true), course.step)[0]

    own, other = problem.course(draw), problem.held_out_courses(draw)[0]
    names = own.metabolism.network.metabolites
    frames = min(len(own.concentrations), MOST_FRAMES)
    return (
        Picture(
            "kinographs",
            "Course and model from the same start",
            f"Concentrations of {len(names)} metabolites over {frames} frames of time {own.step:g}, true and as the "
            f"model has them: {model}. One scale of colours for both, in units of the simulation.",
            lambda figure: draw_kinographs(
                figure, dict(zip(("true course", "model"), pair(own), strict=True)), own.step
            ),
            width=10.0,
            height=3.8,
        ),
        Picture(
            "rollout",
            "Rollout from a start that no learner saw",
            f"A held-out course of the same constants and the model from its start: {model}. They count as parted "
            f"where their distance, root mean square over metabolites, exceeds {TOLERANCE:g} of the spread of the "
            "start; a chaotic course parts from any model in the end.",
            lambda figure: draw_rollout(figure, *pair(other), other.step, names),
            width=8.4,
            height=4.8,
        ),
    )


def _spectrum_picture(problem: MetabolismProblem, draw: int) -> Picture:
    course = problem.measured(draw).concentrations
    frames, metabolites = course.shape
    return Picture(
        "singular-spectrum",
        "How many components the course has",
        f"Singular values of the measured course, {frames} frames of {metabolites} metabolites; "
        f"{activity_rank(course)} components hold 99 % of its energy. Constants that move none of them cannot be "
        "learned from it.",
        lambda figure: draw_spectrum(figure, course),
        width=5.0,
        height=3.4,
    )
