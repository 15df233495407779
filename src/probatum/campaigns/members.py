"""Members of an ensemble, and the models of single quantities: several trainings of one fit become one outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.learning.ensembles import logit_mean, mixture
from probatum.learning.learner import FitOutcome

LOGIT_MEAN = "logit_mean"


def member_seed(seed: int, member: int) -> int:
    """The seed of an ensemble's member; the first one trains as the fit without an ensemble would."""
    return seed if member == 0 else int(np.random.SeedSequence([seed, member]).generate_state(1)[0] >> 1)


def _mean_curves(outcomes: Sequence[FitOutcome]) -> dict[str, np.ndarray]:
    """The means of curves that all have, member by member and block by block; NaN from where the first one stopped."""
    curves = {name: [o.curves.get(name) for o in outcomes] for name in outcomes[0].curves}
    return {
        name: np.stack([c for c in found if c is not None]).mean(axis=0, dtype=np.float32)
        for name, found in curves.items()
        if len({None if c is None else c.shape for c in found}) == 1
    }


def joined(members: list[list[FitOutcome]], combine: str) -> FitOutcome:
    """One outcome of [member][block of quantities]: blocks side by side, members combined.

    Several members are a mixture, whose standard deviation is the outcome's spread; one member keeps its own. Curves
    are averaged.
    """
    blocks = [block for member in members for block in member]
    failed = next((block for block in blocks if block.error is not None), None)
    if failed is not None:
        return failed
    if len(blocks) == 1:
        return blocks[0]
    predictions = np.stack([np.concatenate([block.prediction for block in member], axis=1) for member in members])
    own = [[block.spread for block in member if block.spread is not None] for member in members]
    complete = sum(map(len, own)) == len(blocks)
    spreads = np.stack([np.concatenate(member, axis=1) for member in own]) if complete else None
    seconds, widths = sum(block.seconds for block in blocks), [b.width for b in blocks if b.width is not None]
    weights = {
        f"member{m}/block{b}/{name}": array
        for m, member in enumerate(members)
        for b, block in enumerate(member)
        for name, array in block.weights.items()
    }
    if len(members) == 1:
        prediction, spread = predictions[0], None if spreads is None else spreads[0]
    else:
        prediction, spread = mixture(predictions, spreads)
    if combine == LOGIT_MEAN:
        low, high = predictions.min(), predictions.max()
        if low < 0 or high > 1:
            error = f"ensemble.combine = '{LOGIT_MEAN}' needs probabilities; members predict {low:g} to {high:g}"
            return FitOutcome(prediction, seconds, error=f"{error}; set output = 'sigmoid', or combine = 'mean'")
        prediction = logit_mean(predictions)
    idle = set.intersection(*(set(block.unread) for member in members for block in member))
    return FitOutcome(
        prediction,
        seconds,
        spread,
        _mean_curves(blocks),
        weights,
        width=min(widths, default=None),
        unread=tuple(sorted(idle)),
    )
