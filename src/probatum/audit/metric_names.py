"""What metrics are called in other people's tables, by their words: 'test_R2', 'Pearson r', 'trimmed R^2'."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from probatum.audit.history import Run

R2 = {"r2", "r2score", "rsq"}
TRIMMED = {"trimmed", "trim", "robust", "clipped", "inliers", "inlier"}
CORRELATION = {"pearson", "pearsonr", "corr", "correlation", "r", "pcc"}
MEAN, MEDIAN = {"mean", "average", "avg"}, {"median", "med"}
ERROR = {"ae", "se", "error", "errors", "loss"}
KINDS = R2 | TRIMMED | CORRELATION | MEAN | MEDIAN
SPELLINGS = (
    (r"(?<![a-z])r[ _-]?squared(?![a-z])", "r2"),
    (r"absolute[ _-]errors?", "ae"),
    (r"squared[ _-]errors?", "se"),
    (r"(?<![a-z])m(ae|se)(?![a-z])", r"mean \1"),
    (r"(?<![a-z])med(ae|se)(?![a-z])", r"median \1"),
)


def named_figures(run: Run) -> dict[str, float]:
    """A run's metrics and its score by their names."""
    own = {} if run.score is None else {run.metric or "score": run.score}
    return {**run.metrics, **own}


def words(name: str) -> frozenset[str]:
    """The words of a metric's name, small: 'test_R²' is {'test', 'r2'}, 'medianAE' is {'median', 'ae'}."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("²", "2").replace("**", "").replace("^", "")).lower()
    for pattern, spelled in SPELLINGS:
        text = re.sub(pattern, spelled, text)
    return frozenset(word for word in re.split(r"[^0-9a-z]+", text) if word)


def is_r2(name: str) -> bool:
    """Whether a metric is called an R2 of all rows."""
    return bool(words(name) & R2) and not words(name) & (TRIMMED | CORRELATION | MEDIAN)


def is_trimmed_r2(name: str) -> bool:
    """Whether a metric is called an R2 without the worst rows."""
    return bool(words(name) & R2) and bool(words(name) & TRIMMED)


def is_correlation(name: str) -> bool:
    """Whether a metric is called a correlation, not squared."""
    return bool(words(name) & CORRELATION) and not words(name) & (R2 | {"spearman", "kendall", "rank"})


def is_mean_error(name: str) -> bool:
    """Whether a metric is called the mean of errors."""
    return bool(words(name) & MEAN) and bool(words(name) & ERROR)


def is_median_error(name: str) -> bool:
    """Whether a metric is called the median of errors."""
    return bool(words(name) & MEDIAN) and bool(words(name) & ERROR)


def is_squared(name: str) -> bool:
    """Whether a metric is of squared errors."""
    return bool(words(name) & {"se", "squared", "square"})


def partner(name: str, names: Iterable[str], first: Callable[[str], bool], second: Callable[[str], bool]) -> str | None:
    """The metric of a second kind that is of the same rows as a metric of a first kind.

    Args:
        name: of the first kind.
        names: of all metrics of the run.
        first, second: what tells the kinds.

    Returns:
        The one whose name has the same words but for its kind's; else the only one of its kind, where `name` is the
        only one of its own; else None.
    """
    wanted = [other for other in names if second(other) and other != name]
    same = [other for other in wanted if words(other) - KINDS == words(name) - KINDS]
    if same:
        return same[0]
    return wanted[0] if len(wanted) == 1 and sum(map(first, names)) == 1 else None
