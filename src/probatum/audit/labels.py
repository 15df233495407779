"""PB106: repeated measurements that contradict each other, and labels that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from probatum.audit.finding import Alarm, check
from probatum.audit.history import Partition
from probatum.audit.rows import row_hashes

LEAST_EXCESS = 2.0
"""Excess kurtosis of readings, at least: small numbers of them do not show their tails (2: Student's t of 7)."""
GROWTH = (0.0, 0.5, 1.0)
"""Powers of the value that scatter may grow with: not at all, as counts do, in proportion."""


@check(
    "PB106",
    "contradictory replicates, and labels that cannot be",
    "warning",
    "partition",
    remedy="look the rows up: a wrong unit, a swapped sample, a failed measurement; correct or exclude them with a "
    "reason, before any score is looked at",
    detects="among 30 samples measured twice, one whose readings lie 16 standard deviations of the others apart, with "
    "power above 0.9 (scatter with heavier tails than Student's t of 7 raises more); labels beyond their limits "
    "by more than a tenth of the range; a single label that is not finite",
    statistical=True,
)
def impossible_labels(partition: Partition, level: float) -> Iterator[Alarm]:
    """Readings of one sample that contradict each other, and labels that no measurement can give.

    A sample's variance is compared with the pooled one of the other samples by the F test, with fewer degrees of
    freedom where the others' scatter has heavy tails. Scatter may grow with the value: not, with its root, or in
    proportion, whichever explains the other samples best. Samples are those of the data; where it names none, rows with
    equal inputs. Labels may pass their limits by noise, up to five pooled standard deviations or a tenth of the range.
    Labels that are not finite are an error where they would be trained on or scored, else a note.
    """
    train, test = partition.train, partition.test
    if partition.unscorable:
        total = partition.unscorable + len(train) + len(test)
        yield Alarm(
            f"{partition.unscorable} of {total} cases have no finite label and are neither trained on nor scored",
            {"share": partition.unscorable / total, "rows": float(partition.unscorable)},
            severity="note",
        )
    if train.targets is None or test.targets is None:
        return
    targets = np.concatenate([train.targets, test.targets])
    broken = int((~np.isfinite(targets)).any(axis=1).sum())
    if broken:
        yield Alarm(
            f"{broken} of {len(targets)} rows have a label that is not finite",
            {"share": broken / len(targets), "rows": float(broken)},
            severity="error",
        )
    replicates = _replicates(partition)
    scatter = _pooled(targets, replicates)
    yield from _beyond_limits(partition, targets, scatter)
    if replicates is not None:
        yield from _contradictions(partition, targets, replicates, level)


def _replicates(partition: Partition) -> np.ndarray | None:
    """[row] labels of samples: those given, else equal inputs."""
    if partition.replicates is not None:
        return np.unique(partition.replicates, return_inverse=True)[1]
    hashes = row_hashes(np.concatenate([partition.train.inputs, partition.test.inputs]))
    labels, counts = np.unique(hashes, return_inverse=True, return_counts=True)[1:]
    return labels if (counts > 1).sum() >= 5 else None


def _pooled(targets: np.ndarray, replicates: np.ndarray | None) -> np.ndarray:
    """[quantity] pooled standard deviation of repeated measurements; 0 where nothing was repeated."""
    if replicates is None:
        return np.zeros(targets.shape[1])
    squares, degrees, _ = _sums(np.where(np.isfinite(targets), targets, 0.0), replicates)
    return np.sqrt(squares.sum(axis=0) / max(degrees.sum(), 1))


def _sums(targets: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[sample, quantity] sums of squares about the mean, [sample] degrees of freedom, [sample, quantity] mean."""
    counts = np.bincount(samples)
    mean = np.stack([np.bincount(samples, y) for y in targets.T], axis=1) / np.maximum(counts, 1)[:, None]
    residuals = targets - mean[samples]
    squares = np.stack([np.bincount(samples, r**2) for r in residuals.T], axis=1)
    return squares, counts - 1, mean


def _beyond_limits(partition: Partition, targets: np.ndarray, scatter: np.ndarray) -> Iterator[Alarm]:
    for column, quantity in enumerate(partition.quantities):
        values = targets[np.isfinite(targets[:, column]), column]
        if not len(values):
            continue
        low, high = quantity.lower, quantity.upper
        usual = float(np.subtract(*np.quantile(values, [0.95, 0.05])))
        tolerance = max(5 * scatter[column], 0.1 * (high - low if low is not None and high is not None else usual))
        excess = np.zeros(len(values))
        if low is not None:
            excess = np.maximum(excess, low - values)
        if high is not None:
            excess = np.maximum(excess, values - high)
        beyond = excess > tolerance
        if beyond.any():
            worst = values[int(np.argmax(excess))]
            yield Alarm(
                f"{beyond.sum()} of {len(values)} labels of '{quantity.name}' are beyond its limits "
                f"{'-inf' if low is None else f'{low:g}'} to {'inf' if high is None else f'{high:g}'}, the worst is "
                f"{worst:g} {quantity.unit}",
                {"share": float(beyond.mean()), "rows": float(beyond.sum()), "worst": float(worst)},
                severity="error",
            )


def _contradictions(partition: Partition, targets: np.ndarray, samples: np.ndarray, level: float) -> Iterator[Alarm]:
    finite = np.isfinite(targets).all(axis=1)
    targets, samples = targets[finite], np.unique(samples[finite], return_inverse=True)[1]
    _, degrees, mean = _sums(targets, samples)
    repeated = np.flatnonzero(degrees > 0)
    if len(repeated) < 5:
        return
    found = []
    for column, values in enumerate(targets.T):
        sizes = mean[:, column]
        one_sign = (sizes[repeated] > 0).all() or (sizes[repeated] < 0).all()
        units = [np.abs(sizes) ** growth for growth in (GROWTH if one_sign else (0.0,))]
        models = [m for unit in units if (m := _spread(values, unit, samples, repeated)) is not None]
        if not models:
            continue
        best = min(models, key=lambda m: m.deviance)
        # A sample whose value is near zero stands out in relative scatter alone; it has to in all ways a little.
        everywhere = [_spread(values, unit, samples, repeated, best.sample) for unit in units]
        tests = len(repeated) * targets.shape[1] * len(units)
        if best.ratio >= 5 and best.chance * tests <= level and all(m is None or m.ratio >= 2.5 for m in everywhere):
            found.append((best.ratio, column, best.sample))
    if found:
        ratio, column, sample = max(found)
        quantities = partition.quantities
        name = f" of '{quantities[column].name}'" if column < len(quantities) else ""
        readings = np.sort(targets[samples == sample, column])
        yield Alarm(
            f"readings{name} of one sample contradict each other: {readings[0]:g} and {readings[-1]:g}, {ratio:.2g} "
            "times the scatter of other samples",
            {"ratio": ratio, "lowest": float(readings[0]), "highest": float(readings[-1])},
        )


@dataclass(frozen=True)
class _Spread:
    """How a sample's readings scatter beside the others', under one way in which scatter may grow with the value.

    Attributes:
        deviance: -2 log likelihood of the other samples' scatter, normal, up to a constant.
        sample: its number.
        chance: probability of that much scatter.
        ratio: of its standard deviation to that of the others.
    """

    deviance: float
    sample: int
    chance: float
    ratio: float


def _spread(
    values: np.ndarray, unit: np.ndarray, samples: np.ndarray, repeated: np.ndarray, sample: int | None = None
) -> _Spread | None:
    """Compares a sample with the others; [row] values, [sample] unit of scatter, [row] sample.

    The sample is the most scattered one unless it is given.
    """
    distinct = np.unique(values)
    unit = np.where(np.isin(np.arange(len(unit)), repeated), unit, 1.0)
    if len(distinct) < 2 or not (unit > 0).all():
        return None
    scaled = values / unit[samples]
    squares, degrees, _ = _sums(scaled[:, None], samples)
    squares, degrees = squares[repeated, 0], degrees[repeated]
    # Rounding to steps r adds r^2 / 12 to each variance, and is all there is where readings agree.
    rounding = float(np.square(np.diff(distinct).min()) / 12 / np.square(np.median(unit[repeated])))
    at = int(np.argmax(squares / degrees)) if sample is None else int(np.flatnonzero(repeated == sample)[0])
    others = np.arange(len(repeated)) != at
    freedom = float(degrees[others].sum())
    pooled = max(float(squares[others].sum()) / freedom, rounding)
    ratio = float(squares[at] / degrees[at]) / pooled
    residuals = _residuals(scaled, samples, repeated[others])
    excess = float((residuals**4).mean() / (residuals**2).mean() ** 2) - 3 if residuals.any() else 0.0
    excess = max(LEAST_EXCESS, excess)
    # Var(s^2) = sigma^4 (2 / nu + excess / n): as many degrees of freedom as give that variance to a chi-square.
    own = 2 / (2 / degrees[at] + excess / (degrees[at] + 1))
    theirs = 2 / (2 / freedom + excess / freedom)
    deviance = freedom * np.log(pooled) + 2 * float((degrees[others] * np.log(unit[repeated[others]])).sum())
    return _Spread(deviance, int(repeated[at]), float(stats.f.sf(ratio, own, theirs)), float(np.sqrt(ratio)))


def _residuals(values: np.ndarray, samples: np.ndarray, of: np.ndarray) -> np.ndarray:
    """[row] about the means of some samples, each as wide as a single reading scatters."""
    counts = np.bincount(samples)
    mean = np.bincount(samples, values) / np.maximum(counts, 1)
    rows = np.isin(samples, of)
    shrunk = np.sqrt(counts[samples[rows]] / np.maximum(counts[samples[rows]] - 1, 1))
    return (values[rows] - mean[samples[rows]]) * shrunk
