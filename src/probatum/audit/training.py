"""PB2: diverged, dead, over-fitted or unfinished trainings; those of the loss curves are in `over_fitting`, a drifted
scale in `free_scales`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from probatum.audit import free_scales, over_fitting
from probatum.audit.finding import Alarm, Check, check
from probatum.audit.history import History, Run, Training
from probatum.audit.metric_names import is_r2, named_figures
from probatum.audit.scores import FAR_WORSE
from probatum.learning.probes import CHANGE, DEAD, GRADIENT, NOT_FINITE, TRAINING

FAR_WORSE_FIT = 100.0
"""The same for one fit, whose few rows may lie far from the others."""
GROWTH = 10.0
"""A training loss that ends so many times above its own minimum, and above its start, has grown."""
ZERO = 1e-7
"""A layer whose gradient or change is less than this share of the others' median does not move: float32's rounding."""
MOST_DEAD = 0.5
"""Share of hidden units that give 0 for every training row. A third is common after training with ReLU."""
CONSTANT = 1e-6
"""Predictions whose range is less than this share of the truth's standard deviation do not vary."""
SEEDS = ("seed", "random_state", "random_seed", "rng")
"""Last parts of keys that do not make two recipes different ones."""


@check(
    "PB201",
    "diverged training or rollout",
    "error",
    "run",
    remedy="lower the learning rate, clip gradients (clip_norm), scale inputs and targets, shorten the rollout; do not "
    "read anything from the other figures of this run",
    detects="any number that is not finite, an R2 of -9 or less, a score ten times that of the trivial baseline, one "
    "fit a hundred times: always",
)
def diverged(subject: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """Losses or predictions are not finite, grew, or are worse by orders of magnitude than predicting the mean.

    R2 is 0 for a model that predicts the mean, so R2 <= -9 is a mean squared error ten times the variance of what is
    predicted. Where trivial baselines ran, ten times the error of the best of them says the same; one fit alone must
    reach a hundred times. A training loss that ends ten times above its minimum and above its start has grown.
    """
    run, history = subject
    for text, figures in (*_failed(run), *_of_scores(run, history), *_of_predictions(run)):
        yield Alarm(text, figures)
        return  # the first sign is enough; the others follow from it


def _failed(run: Run) -> Iterator[tuple[str, dict[str, float]]]:
    count = len(run.trainings)
    failed = [f.error for f in run.trainings if f.error and "diverged" in f.error.lower()]
    if failed:
        yield f"{len(failed)} of {count} fits diverged: {failed[0]}", {"fits": float(len(failed))}
    lost = [f for f in run.trainings if not f.error and _lost(f)]
    if lost:
        yield (
            f"{len(lost)} of {count} fits have losses, parameters or predictions that are not finite",
            {"fits": float(len(lost))},
        )
    growths = [g for f in run.trainings if (g := _growth(f.curves.get(TRAINING, np.zeros(0)))) is not None]
    if growths:
        worst = max(growths)
        yield (
            f"the training loss ends {worst:.3g} times above its minimum in {len(growths)} of {count} fits",
            {"growth": worst, "fits": float(len(growths))},
        )


def _lost(fit: Training) -> bool:
    losses = np.asarray(fit.curves.get(TRAINING, ()), dtype=np.float64)
    if np.isinf(losses).any() or np.nansum(fit.curves.get(NOT_FINITE, 0.0)) > 0:
        return True
    return fit.prediction is not None and not np.isfinite(fit.prediction).all()


def _growth(losses: np.ndarray) -> float | None:
    """How many times above its minimum a positive loss ends; None where that is no growth."""
    seen = np.asarray(losses, dtype=np.float64)
    seen = seen[np.isfinite(seen)]
    if len(seen) < 3 or seen.min() <= 0:
        return None
    end = float(np.median(seen[-max(1, len(seen) // 10) :]))
    return end / float(seen.min()) if end > GROWTH * seen.min() and end > seen[0] else None


def _of_scores(run: Run, history: History) -> Iterator[tuple[str, dict[str, float]]]:
    for name, value in named_figures(run).items():
        if not np.isfinite(value):
            yield f"{name} is {value}", {}
        elif is_r2(name) and 1 - value >= FAR_WORSE:
            yield (
                f"{name} = {value:.6g}: the squared error is {1 - value:.3g} times that of predicting the mean",
                {"score": value, "times": 1 - value},
            )
    trivial = [r.score for r in history.runs if r.trivial and r.score is not None and np.isfinite(r.score)]
    if run.trivial or run.score is None or history.better != "lower" or not trivial:
        return
    best = min(trivial)
    if best > 0 and run.score >= FAR_WORSE * best:
        times = run.score / best
        yield (
            f"score {run.score:.4g} is {times:.3g} times that of the trivial baseline ({best:.4g})",
            {"score": run.score, "times": times},
        )


def _of_predictions(run: Run) -> Iterator[tuple[str, dict[str, float]]]:
    pairs = [(f.truth, f.prediction) for f in run.trainings if f.truth is not None and f.prediction is not None]
    if run.trivial or not pairs:
        return
    variance = np.concatenate([truth for truth, _ in pairs]).var(axis=0)
    varies = variance > 0
    with np.errstate(over="ignore"):  # predictions may be as large as float64 holds
        times = [float((((p - t) ** 2).mean(axis=0)[varies] / variance[varies]).max(initial=0)) for t, p in pairs]
    far = [t for t in times if t >= FAR_WORSE_FIT]
    if far:
        yield (
            f"{len(far)} of {len(pairs)} fits have squared errors up to {max(far):.3g} times the variance of the truth",
            {"times": max(far), "fits": float(len(far))},
        )


# ---------------------------------------------------------------------- dead parts


@check(
    "PB202",
    "a dead part of the network",
    "warning",
    "run",
    remedy="start it from other weights (not all zero), lower the penalty that keeps it at zero, take another "
    "activation than ReLU, or leave the part out and say so",
    detects="a layer without gradient or change, or a constant output, in half of the fits; half of the hidden units "
    "dead: always",
)
def dead_part(subject: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """A part of what is trained does nothing.

    A layer whose gradients are zero in all epochs, or which never changes, beside layers that do (frozen ones are
    meant to rest); half or more of the hidden units 0 for every training row; an output that is the same for every row
    while the truth varies, and explains nothing from fold to fold either. It must be so in half of the fits.
    """
    run, history = subject
    fits = [f for f in run.trainings if not f.error]
    if run.trivial or run.recipe.get("model.kind") == "mean" or not fits:
        return
    frozen = _frozen(run.recipe)
    for prefix, what in ((GRADIENT, "gradient"), (CHANGE, "change")):
        still = [_still_layers(f.curves, prefix) for f in fits]
        for layer in dict.fromkeys(name for names in still for name in names):
            count = sum(layer in names for names in still)
            if 2 * count >= len(fits) and not any(layer == p or layer.startswith(f"{p}.") for p in frozen):
                yield Alarm(
                    f"layer {layer} has no {what} in {count} of {len(fits)} fits, while others have",
                    {"fits": float(count)},
                )
    shares = [float(f.curves[DEAD][-1]) for f in fits if len(f.curves.get(DEAD, ()))]
    if shares and np.mean(shares) >= MOST_DEAD:
        share = float(np.mean(shares))
        yield Alarm(f"{share:.0%} of the hidden units give 0 for every training row", {"share": share})
    for quantity, count in _constant_outputs(fits):
        known = history.quantities[quantity].name if quantity < len(history.quantities) else str(quantity)
        yield Alarm(
            f"the prediction of {known} is the same for every row in {count} of {len(fits)} fits, while the truth "
            "varies",
            {"fits": float(count)},
        )


def _still_layers(curves: Mapping[str, np.ndarray], prefix: str) -> list[str]:
    """Layers whose largest value over the epochs is nothing beside the others'."""
    largest = {
        name.removeprefix(f"{prefix} "): float(np.nanmax(values))
        for name, values in curves.items()
        if name.startswith(f"{prefix} ") and np.isfinite(values).any()
    }
    if len(largest) < 2:
        return []
    return [
        layer
        for layer, value in largest.items()
        if value <= ZERO * np.median([other for name, other in largest.items() if name != layer])
    ]


def _frozen(recipe: Mapping[str, object]) -> list[str]:
    """Prefixes of parameters that some stage keeps as they are."""
    stages = [value for key, value in recipe.items() if key.split(".")[-1] == "stages" and isinstance(value, Sequence)]
    return [str(p) for stage in stages for one in stage if isinstance(one, Mapping) for p in one.get("frozen", ())]


def _constant_outputs(fits: Sequence[Training]) -> Iterator[tuple[int, int]]:
    """Quantities that are predicted constant, and in how many fits.

    Inputs may be equal within a fold (one sample a fold), so the constants must not follow the truth from fold to fold
    either: over all rows together they explain nothing, R2 <= 0.
    """
    pairs = [(f.truth, f.prediction) for f in fits if f.truth is not None and f.prediction is not None]
    pairs = [(t, p) for t, p in pairs if len(t) > 2 and np.isfinite(p).all()]
    if not pairs:
        return
    truth, prediction = (np.concatenate(side) for side in zip(*pairs, strict=True))
    for quantity in range(truth.shape[1]):
        spread = truth[:, quantity].std()
        with np.errstate(over="ignore"):
            explains = ((prediction - truth)[:, quantity] ** 2).mean() < spread**2
        if spread == 0 or explains:
            continue
        still = [
            np.ptp(p[:, quantity]) <= CONSTANT * spread and np.ptp(t[:, quantity]) > CONSTANT * spread for t, p in pairs
        ]
        if 2 * sum(still) >= len(pairs):
            yield quantity, sum(still)


# ---------------------------------------------------------------------- the seed


@check(
    "PB206",
    "the effect is smaller than the seed spread",
    "warning",
    "history",
    remedy="repeat both runs with several seeds and compare their means; give each configuration one name",
    detects="repeats of one configuration under several names, always; a claimed difference below the standard "
    "deviation between seeds, always",
)
def smaller_than_seed_spread(history: History, _: float) -> Iterator[Alarm]:
    """What is called an improvement is less than what another seed alone brings.

    Runs whose recipes are equal but for the seed are repeats, whatever they are called: their spread s says that two
    single runs differ by less than t s sqrt(2) nineteen times in twenty (t: of Student, 95 %) though nothing was
    changed. And where runs have several seeds, a run that is chosen, or judged better than the baseline, by less than
    the standard deviation between seeds is named.
    """
    yield from _repeats_under_other_names(history)
    base = history.run(history.baseline)
    if base is None or base.score is None:
        return
    claimed = {v.arm for v in history.verdicts if v.outcome == "better"} | ({history.chosen} - {None, base.name})
    for run in history.runs:
        spreads = [r.seed_scores.std(ddof=1) for r in (run, base) if len(r.seed_scores) > 1]
        if run.name not in claimed or run.score is None or not spreads:
            continue
        spread, effect = float(max(spreads)), abs(run.score - base.score)
        if effect < spread:
            yield Alarm(
                f"differs from '{base.name}' by {effect:.3g}, less than seeds of one run do ({spread:.3g})",
                {"effect": effect, "spread": spread},
                subject=run.name,
            )


def _repeats_under_other_names(history: History) -> Iterator[Alarm]:
    alike: dict[str, list[Run]] = {}
    for run in history.runs:
        recipe = {k: v for k, v in run.recipe.items() if k.split(".")[-1] not in SEEDS}
        if recipe and run.score is not None and np.isfinite(run.score):
            key = json.dumps([recipe, run.metric, dict(run.scored_on)], sort_keys=True, default=str)
            alike.setdefault(key, []).append(run)
    for runs in alike.values():
        scores = np.array([run.score for run in runs], dtype=np.float64)
        if len(runs) < 2 or np.ptp(scores) == 0:
            continue
        spread = float(scores.std(ddof=1))
        limit = float(stats.t.ppf(0.975, len(runs) - 1)) * spread * np.sqrt(2)
        names = ", ".join(f"'{run.name}'" for run in runs[:4]) + (", ..." if len(runs) > 4 else "")
        yield Alarm(
            f"{names} are one configuration and score {scores.min():.3g} to {scores.max():.3g} (standard deviation "
            f"{spread:.2g}): two single runs that differ by less than {limit:.2g} cannot be told apart",
            {"spread": spread, "limit": limit, "runs": float(len(runs))},
        )


CHECKS: tuple[Check, ...] = (
    diverged,
    dead_part,
    *over_fitting.CHECKS,
    smaller_than_seed_spread,
    *free_scales.CHECKS,
)
