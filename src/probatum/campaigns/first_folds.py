"""First folds: candidates trained on some of the folds with the first seed alone, to see which are worth the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import RACED, Experiment
from probatum.campaigns.splits import Split
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import IncomparableError


class FirstFolds:
    """The folds of a campaign in the order in which candidates are trained on them.

    What is trained here is found in the ledger when an experiment is run in full. Experiments are recorded under the
    prefix `RACED` and the digest of their recipe, for a candidate has no lasting name before it runs.

    Args:
        campaign: that was run.
        leave_out: folds whose name contains this text are left out, as the scoring leaves them out; None keeps all.
    """

    def __init__(self, campaign: Campaign, leave_out: str | None = None):
        self._campaign = campaign
        kept = [s for s in campaign.splits if leave_out is None or leave_out not in s.name]
        order = np.random.default_rng(0).permutation(len(kept))  # so that the first folds are of all tasks and groups
        self.order: tuple[Split, ...] = tuple(kept[i] for i in order)

    def open_first(
        self, experiments: Sequence[Experiment], folds: int, tell: Listener = lambda _: None
    ) -> Mapping[str, list[StoredPrediction]]:
        """Trains experiments on the first so many folds of `order`.

        Args:
            experiments: that the campaign does not hold yet.
            folds: of `order`, from its start.
            tell: called with every event.

        Returns:
            name to predictions; without those of which a fit failed.
        """
        probes = {
            e.name: Experiment(f"{RACED} {e.recipe.digest()[:16]} on {folds} folds", e.recipe) for e in experiments
        }
        unique = tuple({p.name: p for p in probes.values()}.values())
        self._campaign.run_beside(unique, tell, splits=self.order[:folds], seeds=range(1))
        found: dict[str, list[StoredPrediction]] = {}
        for name, probe in probes.items():
            try:
                found[name] = self._campaign.predictions(probe.name)
            except IncomparableError:  # a fit failed
                continue
        return found
