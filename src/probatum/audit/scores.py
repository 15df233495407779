"""PB3: scores that must not be ranked, contradict each other, say nothing, or are held against what cannot be reached.

What two metrics of one run say about each other is in `contradictions`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from probatum.audit import contradictions
from probatum.audit.finding import Alarm, Check, check
from probatum.audit.history import History, Run
from probatum.audit.metric_names import is_r2, named_figures
from probatum.evidence.calibration import LARGEST, LEAST, NEARLY, Calibration, Reach, calibrate, reach

FAR_WORSE = 10.0
"""Errors so many times those of a trivial baseline are no bad model but one that ran away (PB201)."""
GAIN = 0.05
"""A model whose error is not at least this share below a trivial baseline's has learned next to nothing."""
BEYOND = 2.0
"""A target that asks for an internal score so many times below the least one seen is outside what pairs can say."""
SAME_UNIT = 3.0
"""External scores of the internal unit lie within this factor of the internal ones."""
OF_ROOT = 2.0
"""Roots of mean squared errors lie within this factor of root mean squared errors: data of one kind."""
OF_TRAINING = ("training_rows", "selected_on")
"""What tables state beside how a run was scored, and what is no part of that."""
NOTED = 0.01
"""Probability of a false note. Notes stand outside the budget of false alarms."""


@check(
    "PB301",
    "arms scored with different metrics, weights, targets or rows",
    "error",
    "history",
    remedy="score all of them by one metric on the same rows, from stored predictions; how a network was trained (its "
    "loss, weights, copies of rows) must not change how it is scored",
    detects="any difference that the table states, always",
)
def scored_differently(history: History, _: float) -> Iterator[Alarm]:
    """Two runs stand beside each other whose scores are not of one kind.

    A weighted loss, another metric or other validation rows give other numbers for the same model. Each run is
    compared with the baseline, or where that does not say how it was scored, with what most of them state. What a run
    does not state is not held against it.
    """
    scored = [run for run in history.runs if run.score is not None]
    base = history.run(history.baseline)
    keys = dict.fromkeys(key for run in scored for key in _scored_by(run))
    usual = {key: _usual(key, scored, base) for key in keys}
    for run in scored:
        other = {key: value for key, value in _scored_by(run).items() if value != usual[key]}
        if other:
            said = "; ".join(f"{key} = {value}, where the others have {usual[key]}" for key, value in other.items())
            yield Alarm(f"its score is not comparable: {said}", {"differences": float(len(other))}, subject=run.name)


def _scored_by(run: Run) -> dict[str, str]:
    stated = {"metric": run.metric, **run.scored_on}
    return {key: str(value) for key, value in stated.items() if key not in OF_TRAINING and value not in (None, "")}


def _usual(key: str, runs: Sequence[Run], base: Run | None) -> str:
    if base is not None and key in _scored_by(base):
        return _scored_by(base)[key]
    return Counter(stated[key] for run in runs if key in (stated := _scored_by(run))).most_common(1)[0][0]


# ---------------------------------------------------------------------- against a trivial baseline


@check(
    "PB304",
    "no better than a trivial baseline",
    "warning",
    "run",
    remedy="look whether the inputs reach the model, whether the rate is so low that nothing was learned, and whether "
    "the inputs can tell anything about the target at all",
    detects="a model that predicts the mean (differences between folds of 1 % of the baseline's error) in a 5 x 5-fold "
    "campaign, power .9; a score that is not above the baseline's, as a note; R2 <= 0, always",
    statistical=True,
)
def no_better_than_trivial(subject: tuple[Run, History], level: float) -> Iterator[Alarm]:
    """A model is not shown to be worth more than predicting the mean, or the inputs without the interesting ones.

    Over the folds the error minus 95 % of the best trivial baseline's is held against 0 (one-sided t, with the
    variance of Nadeau and Bengio, Machine Learning 52, 239 (2003), for training sets that overlap): if it is above,
    the model does not take away even 5 % of the baseline's error. Where that cannot be shown and the score is still not
    better than the baseline's, a note says so. R2 is 0 for the mean by its definition, so R2 <= 0 needs no baseline.
    For metrics whose higher values are better, 1 - score is taken as the error.
    """
    run, history = subject
    if run.trivial or run.recipe.get("model.kind") == "mean":
        return
    trivial = _best_trivial(history)
    if trivial is None:
        for name, value in named_figures(run).items():
            if is_r2(name) and 1 <= 1 - value < FAR_WORSE:  # beyond that it diverged (PB201)
                yield Alarm(f"{name} = {value:.4g}: predicting the mean gives 0", {"score": value})
                return
        return
    error, least = _error(run.score, history), _error(trivial.score, history)
    if error is None or least is None or least <= 0:
        return
    share = 1 - error / least
    p = _p_no_gain(run, trivial, history)
    figures = {"score": float(run.score or 0.0), "trivial": float(trivial.score or 0.0), "gain": share}
    gain = f"its error is {abs(share):.1%} {'below' if share > 0 else 'above'} that of '{trivial.name}'"
    scores = f"({run.score:.4g} against {trivial.score:.4g})"
    if p is not None and p <= level:
        yield Alarm(f"{gain} {scores}: less than {GAIN:.0%} below, p = {p:.2g}", {**figures, "p": p})
    elif share <= 0:
        alone = not len(run.scores)
        yield Alarm(f"{gain} {scores}", figures, severity=None if alone else "note")


def _best_trivial(history: History) -> Run | None:
    runs = [r for r in history.runs if r.trivial and r.score is not None and np.isfinite(r.score)]
    sign = 1 if history.better == "lower" else -1
    return min(runs, key=lambda r: sign * float(r.score or 0.0), default=None)


def _error(score: float | None, history: History) -> float | None:
    if score is None or not np.isfinite(score):
        return None
    return float(score) if history.better == "lower" else 1.0 - float(score)


def _p_no_gain(run: Run, trivial: Run, history: History) -> float | None:
    """p that the error is not 5 % below the baseline's; None where there are no common repeats."""
    mine, theirs = run.scores, trivial.scores
    if len(mine) != len(theirs) or len(mine) < 3:
        return None
    if history.better == "higher":
        mine, theirs = 1 - mine, 1 - theirs
    excess = mine - (1 - GAIN) * theirs
    if not np.isfinite(excess).all():
        return None
    ratios = [len(p.test) / len(p.train) for p in history.partitions if len(p.train)]
    variance = (1 / len(excess) + (float(np.mean(ratios)) if ratios else 0.0)) * excess.var(ddof=1)
    if variance == 0:
        return 0.0 if excess.mean() > 0 else 1.0
    return float(stats.t.sf(excess.mean() / np.sqrt(variance), len(excess) - 1))


# ---------------------------------------------------------------------- targets and external scores


@check(
    "PB305",
    "target below the noise floor, or outside what calibration can reach",
    "error",
    "history",
    remedy="ask what the target is a score of; repeat measurements to lower the floor; take a target that the pairs of "
    "internal and external scores can speak of",
    detects="any target below the floor of every task; with pairs, a target that no internal score above the floor, or "
    "above half of the least one seen, is expected to give: always",
)
def target_out_of_reach(history: History, _: float) -> Iterator[Alarm]:
    """The score that is wanted cannot be had, or nothing that was seen says that it can.

    Repeated measurements of one sample differ, so their pooled variance is the least mean squared error of single
    rows. Where internal and external scores are known in pairs, the target is an external score: it is carried back by
    the form that predicts left-out pairs best and by the straight line (`probatum.evidence.calibration`). It is an
    error if no internal score gives it, or only one below the floor; a warning if it lies so far below every score
    seen that the form is a guess there.
    """
    target = history.target
    if target is None or history.better != "lower":
        return
    floors = _floors(history)
    calibration = _calibration(history)
    if calibration is None:
        if not history.external and floors and target < min(value for _, value in floors):
            name, value = min(floors, key=lambda floor: floor[1])
            yield Alarm(
                f"target {target:g} lies below the noise floor {value:.4g} (of {name}): repeated measurements differ "
                "by more",
                {"target": target, "floor": value},
            )
        return
    lowest = float(calibration.x.min())
    best, line = (reach(f, target, floors, lowest=lowest) for f in (calibration.best, calibration.line))
    figures = {"target": target, "lowest": lowest}
    if best.needed is None or best.under_floor:
        yield Alarm(best.says, {**figures, **_needed(best)})
    elif best.needed < lowest / BEYOND:
        beyond = f", {lowest / best.needed:.2g} times below" if best.needed > 0 else ""
        of_line = f"; {line.says}" if line.needed is None and line.fitted is not best.fitted else ""
        yield Alarm(
            f"{best.says}{beyond}{of_line}", {**figures, **_needed(best)}, severity=None if of_line else "warning"
        )


def _needed(found: Reach) -> dict[str, float]:
    return {} if found.needed is None else {"needed": found.needed}


def _floors(history: History) -> list[tuple[str, float]]:
    """Noise floors in the unit of the score; none for metrics that are not of squared errors."""
    metric = next((run.metric for run in history.runs if run.metric), None)
    power = {"mse": 1.0, "rmse": 0.5}.get((metric or "").lower())
    return [(task, variance**power) for task, variance in history.floors.items()] if power else []


def _calibration(history: History) -> Calibration | None:
    usable = [pair for pair in history.external if (np.abs(pair) <= LARGEST).all()]  # NaN is not
    pairs = np.array(usable, dtype=np.float64).reshape(-1, 2)
    return calibrate(pairs[:, 0].tolist(), pairs[:, 1].tolist()) if len(np.unique(pairs[:, 0])) >= LEAST else None


@check(
    "PB306",
    "external score in another unit than the internal one",
    "warning",
    "history",
    remedy="square or root one of them before they are compared, and extrapolate with the form that fits",
    detects="a root of a mean squared error over a range of 1.5 in the internal score, scattered by 1 %, from nine "
    "pairs: power .85",
    statistical=True,
)
def another_unit(history: History, level: float) -> Iterator[Alarm]:
    """External scores follow the root (or the square) of the internal ones, as a root mean squared error follows a mean
    squared error.

    Scores of one unit are of one size and proportional. It is found where external scores are far (a factor of 3) from
    the internal ones and near (a factor of 2) to their root or square, where the slope of log(external) over
    log(internal) is not 1 (two-sided t), and where the root or square predicts left-out pairs no worse than the line
    by more than a tenth.
    """
    calibration = _calibration(history)
    if calibration is None or min(calibration.x.min(), calibration.y.min()) <= 0:
        return
    x, y = np.log(calibration.x), np.log(calibration.y)
    for power, what, names in (
        (0.5, "root", "an RMSE of what the internal one is an MSE of"),
        (2.0, "square", "an MSE of what the internal one is an RMSE of"),
    ):
        ratio = y - power * x
        if abs(np.median(ratio)) > np.log(OF_ROOT) or abs(np.median(y - x)) < np.log(SAME_UNIT):
            continue
        form = f"y = b {'sqrt(x)' if power == 0.5 else 'x^2'}"
        fitted = next((f for f in calibration.fits if f.form.name == form), None)
        if fitted is None or fitted.left_out_error > NEARLY * calibration.line.left_out_error:
            continue
        slope, error = _line(x, y)
        t = abs(slope - 1) / error if error > 0 else np.inf
        p = float(2 * stats.t.sf(t, len(x) - 2))
        if p <= max(level, NOTED):
            low, high = np.exp(ratio.min()), np.exp(ratio.max())
            yield Alarm(
                f"the external score looks like {names}: external / {what} of internal is {low:.3g} to {high:.3g} in "
                f"{len(x)} pairs, external / internal {np.exp((y - x).min()):.3g} to {np.exp((y - x).max()):.3g} "
                f"(p = {p:.2g})",
                {"slope": slope, "p": p, "pairs": float(len(x)), "ratio": float(np.exp(np.median(ratio)))},
                severity=None if p <= level else "note",
            )


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and its standard error."""
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    residual = y - y.mean() - slope * centred
    return slope, float(np.sqrt(residual @ residual / (len(x) - 2) / (centred @ centred)))


CHECKS: tuple[Check, ...] = (
    scored_differently,
    *contradictions.CHECKS,
    no_better_than_trivial,
    target_out_of_reach,
    another_unit,
)
