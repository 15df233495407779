"""Fresh seeds: experiments trained once more with seeds that no comparison has used, where no row is left untouched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from probatum.campaigns.campaign import Campaign, StoredPrediction
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import FRESH, Experiment
from probatum.campaigns.ledger import Ledger
from probatum.errors import IncomparableError


class FreshSeeds(Campaign):
    """A campaign whose experiments have twice the seeds: the protocol's, and as many that follow them.

    The protocol stays frozen as it is: it is checked against the ledger with its own number of seeds. A fit's key does
    not know how many seeds there are, so fits with the protocol's seeds are found in the ledger and not run again.
    Experiments are recorded under the prefix `FRESH`; only the new seeds' predictions are handed out.

    Args:
        campaign: that was run.
    """

    def __init__(self, campaign: Campaign):
        self.first = campaign.file.protocol.seeds
        twice = campaign.file.protocol.model_copy(update={"seeds": 2 * self.first})
        super().__init__(replace(campaign.file, protocol=twice))
        self._own = campaign
        self._cores = campaign._cores

    def open_fresh(self, names: Sequence[str], tell: Listener = lambda _: None) -> dict[str, list[StoredPrediction]]:
        """Trains experiments with the new seeds and returns their predictions; those of seed 0 where no seed matters.

        Raises:
            UnknownNameError: an experiment that the campaign does not have.
            IncomparableError: no seed matters to any of them, so that there is nothing to train, or fits failed.
        """
        chosen = {name: self._experiment(name) for name in names}
        if all(e.recipe.deterministic for e in chosen.values()):
            raise IncomparableError(
                f"no seed changes {' or '.join(repr(n) for n in names)}, so fresh seeds would show the same again",
                where=self.file.path.name,
                remedy="only new rows confirm them: set protocol.held_out in a new campaign",
            )
        probes = [Experiment(f"{FRESH} {name}", e.recipe, parent=name) for name, e in chosen.items()]
        with self.ledger_site.driving() as ledger:
            self._freeze(ledger)
            self._run_experiments(ledger, probes, self.splits, tell, None, ledger.last_round())
        return {
            name: [p for p in self.predictions(f"{FRESH} {name}") if e.recipe.deterministic or p.seed >= self.first]
            for name, e in chosen.items()
        }

    def _freeze(self, ledger: Ledger) -> None:
        self._own._freeze(ledger)
