"""First folds: candidates trained on some of the folds with the first seed alone, to see which are worth the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from probatum.campaigns.campaign import Campaign, StoredPrediction
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import RACED, Experiment
from probatum.campaigns.ledger import Ledger
from probatum.campaigns.splits import Split
from probatum.errors import IncomparableError


class FirstFolds(Campaign):
    """A campaign whose experiments are trained on some of its folds, with the first of its seeds.

    The protocol stays frozen as it is. A fit's key knows neither how many folds nor how many seeds there are, so what
    is trained here is found in the ledger when an experiment is run in full. Experiments are recorded under the prefix
    `RACED` and the digest of their recipe, for a candidate has no lasting name before it runs.

    Args:
        campaign: that was run.
        leave_out: folds whose name contains this text are left out, as the scoring leaves them out; None keeps all.
    """

    def __init__(self, campaign: Campaign, leave_out: str | None = None):
        once = campaign.file.protocol.model_copy(update={"seeds": 1})
        super().__init__(replace(campaign.file, protocol=once))
        self._own = campaign
        self._cores = campaign._cores
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
        with self.ledger_site.driving() as ledger:
            self._freeze(ledger)
            unique = tuple({p.name: p for p in probes.values()}.values())
            self._run_experiments(ledger, unique, self.order[:folds], tell, None, ledger.last_round())
        found: dict[str, list[StoredPrediction]] = {}
        for name, probe in probes.items():
            try:
                found[name] = self.predictions(probe.name)
            except IncomparableError:  # a fit failed
                continue
        return found

    def _freeze(self, ledger: Ledger) -> None:
        self._own._freeze(ledger)
