"""How fits and splits lie in the arrays of an artifact: written and read here alone.

An artifact of fits holds the predictions of a job one after the other, one of splits the rows of a task and draw; what
is the n-th one's is found by `offsets`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from probatum.campaigns.splits import Split
    from probatum.learning.learner import FitOutcome

UNREAD = "unread"
"""Name of the parameters that the fits of an artifact did not look at."""
WEIGHTS = "weights"
"""Name of the entry that tells the artifact with the trained weights."""
CURVE = "curve/"
"""What the names of curves begin with in an artifact."""

Arrays = Mapping[str, np.ndarray]


# ---------------------------------------------------------------------- fits


def layout(outcome: FitOutcome) -> Hashable:
    """What fits must have in common to lie in one artifact: what was watched, and what was not looked at."""
    shapes = sorted((name, np.shape(values)) for name, values in outcome.curves.items())
    return tuple(shapes), frozenset(outcome.unread)


def fit_arrays(
    tests: Sequence[np.ndarray], outcomes: Sequence[FitOutcome], weights: str | None = None
) -> dict[str, np.ndarray]:
    """The arrays of fits that were trained together.

    Args:
        tests: [fit] of [row] int, the rows that were predicted.
        outcomes: [fit] of one `layout`, none of them failed.
        weights: name of the artifact with their trained weights; None where none were kept.
    """
    arrays = {
        "offsets": _offsets(tests),
        "rows": np.concatenate(tests).astype(np.int32),
        "prediction": np.concatenate([o.prediction for o in outcomes]),
    }
    if weights is not None:
        arrays[WEIGHTS] = np.array(weights)
    if any(o.spread is not None for o in outcomes):
        spreads = [np.full_like(o.prediction, np.nan) if o.spread is None else o.spread for o in outcomes]
        arrays["spread"] = np.concatenate(spreads)
    if any(o.width is not None for o in outcomes):
        arrays["width"] = np.array([o.width or 0 for o in outcomes], dtype=np.int32)
    if outcomes[0].unread:
        arrays[UNREAD] = np.array(sorted(outcomes[0].unread))
    for name in outcomes[0].curves:
        arrays[f"{CURVE}{name}"] = np.stack([o.curves[name] for o in outcomes])
    return arrays


def stored_prediction(arrays: Arrays, position: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows [row], prediction [row, quantity]) of one fit in a job's artifact."""
    part = slice(arrays["offsets"][position], arrays["offsets"][position + 1])
    return arrays["rows"][part], arrays["prediction"][part]


def stored_spread(arrays: Arrays, position: int) -> np.ndarray | None:
    """Predictive standard deviations [row, quantity] of one fit in a job's artifact; None where it has none."""
    if "spread" not in arrays:
        return None
    spread = arrays["spread"][arrays["offsets"][position] : arrays["offsets"][position + 1]]
    return None if np.isnan(spread).all() else spread


def stored_width(arrays: Arrays, position: int) -> int | None:
    """Fits that ran side by side in the program of one fit in a job's artifact; None where it was not fused.

    Less than `probatum.learning.replicas.chunk_width` where memory did not suffice; another width may round otherwise,
    so that later fits of the experiment are given it (`Job.width`).
    """
    return int(arrays["width"][position]) or None if "width" in arrays else None


def stored_curves(arrays: Arrays, position: int) -> dict[str, np.ndarray]:
    """Name to [epoch] of one fit in a job's artifact."""
    return {name.removeprefix(CURVE): array[position] for name, array in arrays.items() if name.startswith(CURVE)}


def stored_unread(arrays: Arrays) -> tuple[str, ...]:
    """Parameters that the fits of an artifact did not look at."""
    return tuple(arrays[UNREAD].tolist()) if UNREAD in arrays else ()


def weights_artifact(arrays: Arrays) -> str | None:
    """Name of the artifact with the trained weights of a job's fits; None where none were kept."""
    return str(arrays[WEIGHTS]) if WEIGHTS in arrays else None


# ---------------------------------------------------------------------- splits


def split_arrays(splits: Sequence[Split]) -> dict[str, np.ndarray]:
    """The arrays of splits of one task and draw."""
    arrays = {}
    for side, rows in (("train", [s.train for s in splits]), ("test", [s.test for s in splits])):
        arrays[side] = np.concatenate(rows).astype(np.int32)
        arrays[f"{side}_offsets"] = _offsets(rows)
    return arrays


def stored_rows(arrays: Arrays, position: int) -> tuple[np.ndarray, np.ndarray]:
    """(train, test) row indices of one split in an artifact of splits."""
    sides = []
    for side in ("train", "test"):
        offsets = arrays[f"{side}_offsets"]
        sides.append(arrays[side][offsets[position] : offsets[position + 1]].astype(np.int64))
    return sides[0], sides[1]


def _offsets(parts: Sequence[np.ndarray]) -> np.ndarray:
    """[part + 1] where each begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
