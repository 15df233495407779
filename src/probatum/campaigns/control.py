"""Controls: an experiment trained once more, unchanged, with seeds of its own; what differs is the luck of seeds."""

from __future__ import annotations

from dataclasses import replace

from probatum.campaigns.campaign import Campaign, StoredPrediction
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import CONTROL, Experiment
from probatum.errors import IncomparableError


class Control(Campaign):
    """A campaign whose experiments can be trained with other seeds, as many as the protocol has.

    The seeds follow those that confirm a champion (`probatum.campaigns.fresh_seeds`), so that a control spends none of
    them. An experiment has one control: asked for again, it is found in the ledger.

    Args:
        campaign: that was run.
    """

    def __init__(self, campaign: Campaign):
        super().__init__(replace(campaign.file))
        self.first_seed = 2 * campaign.file.protocol.seeds
        self._cores = campaign._cores

    def open_control(self, name: str, tell: Listener = lambda _: None) -> list[StoredPrediction]:
        """Trains an experiment with the control's seeds, and returns its predictions.

        Raises:
            UnknownNameError: an experiment that the campaign does not have.
            IncomparableError: no seed changes it, or fits failed.
        """
        chosen = self._experiment(name)
        if chosen.recipe.deterministic:
            what = f"no seed changes '{name}', so a control would show the same again"
            raise IncomparableError(what, where=self.file.path.name, remedy="it needs none")
        control = Experiment(f"{CONTROL} {name}", chosen.recipe, parent=name)
        with self.ledger_site.driving() as ledger:
            self._freeze(ledger)
            self._run_experiments(ledger, (control,), self.splits, tell, None, ledger.last_round())
        return self.predictions(control.name)
