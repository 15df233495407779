"""Fresh seeds: experiments trained once more with seeds that no comparison has used, where no row is left untouched."""

from __future__ import annotations

from collections.abc import Sequence

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import FRESH, Experiment
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import IncomparableError


def open_fresh_seeds(
    campaign: Campaign, names: Sequence[str], tell: Listener = lambda _: None
) -> dict[str, list[StoredPrediction]]:
    """Trains experiments with the new seeds, as many as the protocol's and those that follow them.

    Experiments are recorded under the prefix `FRESH`, with the protocol's seeds too, which are found in the ledger and
    not run again; only the new seeds' predictions are handed out.

    Args:
        campaign: that was run.
        names: of the experiments.
        tell: called with every event.

    Returns:
        name to predictions; those of seed 0 where no seed matters.

    Raises:
        UnknownNameError: an experiment that the campaign does not have.
        IncomparableError: no seed matters to any of them, so that there is nothing to train, or fits failed.
    """
    chosen = {name: campaign.experiment(name) for name in names}
    if all(e.recipe.deterministic for e in chosen.values()):
        raise IncomparableError(
            f"no seed changes {' or '.join(repr(n) for n in names)}, so fresh seeds would show the same again",
            where=campaign.file.path.name,
            remedy="only new rows confirm them: set protocol.held_out in a new campaign",
        )
    probes = [Experiment(f"{FRESH} {name}", e.recipe, parent=name) for name, e in chosen.items()]
    first = campaign.file.protocol.seeds
    campaign.run_beside(probes, tell, seeds=range(2 * first))
    return {
        name: [p for p in campaign.predictions(f"{FRESH} {name}") if e.recipe.deterministic or p.seed >= first]
        for name, e in chosen.items()
    }
