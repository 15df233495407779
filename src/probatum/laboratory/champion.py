"""The champion: the best experiment that is better than the baseline and that no error stands against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, Confirmation, HeldOutAccess, RoundRecord
from probatum.evidence.selection import Optimism, expected_optimism
from probatum.evidence.verdict import Verdict
from probatum.laboratory.results import Results


@dataclass(frozen=True)
class Champion:
    """The best experiment that survived its verdict.

    Attributes:
        name: of the experiment.
        verdict: its own, against the baseline.
        optimism: how much the best of all is expected to look better than it is.
        looks: at the held-out set, by any experiment.
        confirmations: of this champion.
    """

    name: str
    verdict: Verdict
    optimism: Optimism
    looks: tuple[HeldOutAccess, ...]
    confirmations: tuple[Confirmation, ...]

    @property
    def confirmed(self) -> bool:
        """Whether a confirmation found it better than the baseline too."""
        return any(c.result["outcome"] == "better" for c in self.confirmations)


def champion_of(campaign: Campaign, results: Results, audit: Audit) -> Champion | None:
    """The champion; None where no experiment is better, or errors stand against all that are.

    Args:
        campaign: that the results are of.
        results: what it shows.
        audit: of these results.
    """
    blocked = blocked_by(results, audit)
    better = {v.arm: v for v in results.verdicts if v.outcome == "better" and v.arm not in blocked}
    if not better:
        return None
    arms = {name: results.arm(name) for name in better}
    name = min(arms, key=lambda n: arms[n].score if arms[n].metric.better == "lower" else -arms[n].score)
    return named_champion(campaign, results, better[name])


def named_champion(campaign: Campaign, results: Results, verdict: Verdict) -> Champion:
    """An experiment as the champion, whoever chose it: its optimism, looks and confirmations.

    Args:
        campaign: that the results are of.
        results: what it shows.
        verdict: of the experiment, against the baseline.
    """
    name = verdict.arm
    candidates = [a for a in results.tried if a.name != results.baseline]
    protocol, ledger = campaign.file.protocol, campaign.ledger
    optimism = expected_optimism(candidates, protocol.splits, alpha=protocol.alpha)
    confirmations = tuple(c for c in ledger.confirmations() if c.experiment == name)
    return Champion(name, verdict, optimism, tuple(ledger.held_out_accesses()), confirmations)


def champion_to_start_from(campaign: Campaign, results: Results, audit: Audit, rounds: Sequence[RoundRecord]) -> str:
    """Name of the champion that the next round starts from: the last round's that no error stands against.

    Before the first round it is the file's own, or else the baseline. A round that waits to be judged is judged against
    the champion that it was planned from.

    Args:
        campaign: that the results are of.
        results: what it shows.
        audit: of these results.
        rounds: that were planned so far, in order.
    """
    scored = {a.name for a in results.tried}
    of_rounds = [r.content["champion" if r.state == ROUND_JUDGED else "champion_before"] for r in rounds]
    for name in reversed(of_rounds):
        if name in scored and not audit.against(name):
            return name
    known = None if rounds else champion_of(campaign, results, audit)
    return known.name if known is not None else results.baseline


def blocked_by(results: Results, audit: Audit) -> dict[str, tuple[Finding, ...]]:
    """Experiments that are better than the baseline and cannot be champion, to the errors against each.

    An error about a split or about the data stands against all of them.

    Args:
        results: of a campaign.
        audit: of these results.
    """
    names = {r.name for r in results.records}
    of_the_data = tuple(f for f in audit.errors if f.subject is not None and f.subject not in names)
    against = {v.arm: (*audit.against(v.arm), *of_the_data) for v in results.verdicts if v.outcome == "better"}
    return {name: errors for name, errors in against.items() if errors}


def why_no_champion(baseline: str, blocked: Mapping[str, tuple[Finding, ...]]) -> tuple[str, str]:
    """What stands against there being one, and what to do.

    Args:
        baseline: that experiments are compared with.
        blocked: from `blocked_by`.
    """
    if not blocked:
        return f"no experiment is better than '{baseline}'", "'probatum compare --all' shows what would decide"
    name, errors = next(iter(blocked.items()))
    codes = ", ".join(sorted({f.code for f in errors}))
    return f"errors of the audit stand against '{name}' ({codes})", f"'probatum explain {errors[0].code}'"
