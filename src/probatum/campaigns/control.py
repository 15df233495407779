"""Controls: an experiment trained once more, unchanged, with seeds of its own; what differs is the luck of seeds."""

from __future__ import annotations

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import CONTROL, Experiment
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import IncomparableError


def open_control(campaign: Campaign, name: str, tell: Listener = lambda _: None) -> list[StoredPrediction]:
    """Trains an experiment with as many other seeds as the protocol has, and returns its predictions.

    The seeds follow those that confirm a champion (`probatum.campaigns.fresh_seeds`), so that a control spends none of
    them. An experiment has one control: asked for again, it is found in the ledger.

    Args:
        campaign: that was run.
        name: of the experiment.
        tell: called with every event.

    Raises:
        UnknownNameError: an experiment that the campaign does not have.
        IncomparableError: no seed changes it, or fits failed.
    """
    chosen = campaign.experiment(name)
    if chosen.recipe.deterministic:
        what = f"no seed changes '{name}', so a control would show the same again"
        raise IncomparableError(what, where=campaign.file.path.name, remedy="it needs none")
    control = Experiment(f"{CONTROL} {name}", chosen.recipe, parent=name)
    count = campaign.file.protocol.seeds
    campaign.run_beside((control,), tell, seeds=range(2 * count, 3 * count))
    return campaign.predictions(control.name)
