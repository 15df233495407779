"""A champion is confirmed once, on rows or seeds that chose nothing."""

from __future__ import annotations

from collections.abc import Mapping

from probatum.campaigns.events import Listener
from probatum.campaigns.fresh_seeds import open_fresh_seeds
from probatum.campaigns.ledgers.ledger import FRESH_SEEDS, HELD_OUT_SET, Confirmation
from probatum.errors import FinishedExperimentError, IncomparableError
from probatum.evidence.scores import ArmScores
from probatum.laboratory.champion import Champion
from probatum.laboratory.scorer import Scorer


def confirm_champion(scorer: Scorer, champion: Champion, tell: Listener) -> tuple[Confirmation, bool]:
    """Confirms a champion against the baseline, once: on the held-out set, or else with fresh seeds.

    The held-out set confirms one champion of a campaign; every look is counted. Where the protocol holds nothing out
    every row has been scored, so champion and baseline are trained again with seeds never used before. That takes away
    the luck of the seeds and no other.

    Args:
        scorer: of the campaign.
        champion: of it.
        tell: called with every event.

    Returns:
        The confirmation, and whether it was made now: a second call returns the first one's result.

    Raises:
        IncomparableError: the held-out set has confirmed another one.
        FinishedExperimentError: another driver of the campaign has confirmed one meanwhile; the looks are counted.
    """
    ledger, file = scorer.campaign.ledger, scorer.campaign.file
    kind = HELD_OUT_SET if file.protocol.held_out else FRESH_SEEDS
    for known in ledger.confirmations():
        if (known.experiment, known.baseline, known.kind) == (champion.name, scorer.campaign.baseline, kind):
            return known, False
        if kind == known.kind == HELD_OUT_SET:
            found = f"{known.result['outcome']}, {known.when[:10]}"
            raise IncomparableError(
                f"the held-out set has confirmed '{known.experiment}' ({found})",
                where=file.path.name,
                remedy=f"it is spent: confirm '{champion.name}' on new data, or look with 'probatum held-out'",
            )
    confirm = _on_held_out if kind == HELD_OUT_SET else _with_fresh_seeds
    made, looks = confirm(scorer, champion, tell)
    try:
        ledger.confirm(made, looks)
    except FinishedExperimentError:  # another driver was faster; these looks were taken all the same
        for name, score in looks.items():
            ledger.count_held_out(name, score)
        raise
    last = next(c for c in reversed(ledger.confirmations()) if c.experiment == champion.name)
    return last, True


def held_out_arm(scorer: Scorer, name: str, tell: Listener) -> ArmScores:
    """An experiment's scores on the held-out cases. The look is to be counted by whoever asks.

    Args:
        scorer: of the campaign.
        name: of the experiment.
        tell: called with every event.
    """
    return scorer.scored(name, scorer.campaign.open_held_out(name, tell), held_out={})


def _on_held_out(scorer: Scorer, champion: Champion, tell: Listener) -> tuple[Confirmation, dict[str, float]]:
    """One hold-out whose rows nothing has seen, so the verdict is that of a hold-out, of one arm alone."""
    arms = {name: held_out_arm(scorer, name, tell) for name in (champion.name, scorer.campaign.baseline)}
    before = [look.experiment for look in champion.looks]
    times = f"{len(before)} time{'s' if len(before) != 1 else ''}"
    note = f"looked at {times} before, by {', '.join(dict.fromkeys(before))}" if before else "never looked at before"
    made = _confirmation(scorer, arms, champion.name, HELD_OUT_SET, "stratified-hold-out", note, len(before))
    return made, {name: arm.score for name, arm in arms.items()}


def _with_fresh_seeds(scorer: Scorer, champion: Champion, tell: Listener) -> tuple[Confirmation, dict[str, float]]:
    first = scorer.campaign.file.protocol.seeds
    predictions = open_fresh_seeds(scorer.campaign, [champion.name, scorer.campaign.baseline], tell)
    arms = {name: scorer.scored(name, found) for name, found in predictions.items()}
    note = f"no untouched rows: the same rows with seeds from {first} on, so only the luck of seeds is gone"
    return _confirmation(scorer, arms, champion.name, FRESH_SEEDS, None, note, 0), {}


def _confirmation(
    scorer: Scorer,
    arms: Mapping[str, ArmScores],
    champion: str,
    kind: str,
    splits: str | None,
    note: str,
    looks_before: int,
) -> Confirmation:
    baseline = scorer.campaign.baseline
    (verdict,) = scorer.judge([arms[champion]], arms[baseline], splits=splits)
    result = {
        "metric": scorer.metric.name,
        "score": arms[champion].score,
        "baseline_score": arms[baseline].score,
        **{k: getattr(verdict, k) for k in ("outcome", "difference", "p", "units", "seeds", "needed", "method")},
        "interval": list(verdict.interval) if verdict.interval else None,
        "looks_before": looks_before,
        "note": note,
    }
    return Confirmation(champion, baseline, kind, result)
