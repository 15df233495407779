"""The champion: what judged rounds promoted, or else the best experiment that is better than the baseline.

An experiment that an error of the audit stands against is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, Confirmation, HeldOutAccess, RoundRecord
from probatum.evidence.selection import Optimism, expected_optimism
from probatum.evidence.verdict import Verdict
from probatum.laboratory.results import Results

MOST_NAMED = 5
"""Experiments that are named where errors stand against all that are better."""


@dataclass(frozen=True)
class Champion:
    """The best experiment that survived its verdict.

    Attributes:
        name: of the experiment.
        verdict: its own, against the baseline, adjusted for all experiments.
        round: number of the judged round that promoted it; None where no round did.
        optimism: how much the best of all is expected to look better than it is.
        looks: at the held-out set, by any experiment.
        confirmations: of this champion.
    """

    name: str
    verdict: Verdict
    round: int | None
    optimism: Optimism
    looks: tuple[HeldOutAccess, ...]
    confirmations: tuple[Confirmation, ...]

    @property
    def confirmed(self) -> bool:
        """Whether a confirmation found it better than the baseline too."""
        return any(c.result["outcome"] == "better" for c in self.confirmations)


def champion_of(campaign: Campaign, results: Results, audit: Audit) -> Champion | None:
    """The champion; None where nothing may be called so.

    Where rounds were judged it is theirs: each spent its share of the error rate, and choosing among the same
    experiments once more, by another rule, would spend it twice. Experiments that nobody planned a round for are held
    against it by the test at the end of the autopilot's search.

    Args:
        campaign: that the results are of.
        results: what it shows.
        audit: of these results.
    """
    rounds = judged(campaign.ledger.rounds())
    name = champion_of_rounds(results, audit, rounds) if rounds else _best_of_better(results, audit)
    verdict = next((v for v in results.verdicts if v.arm == name), None)
    if verdict is None or errors_against(verdict.arm, results, audit):  # none, the baseline still, or bad data
        return None
    candidates = [a for a in results.tried if a.name != results.baseline]
    protocol, ledger = campaign.file.protocol, campaign.ledger
    optimism = expected_optimism(candidates, protocol.splits, alpha=protocol.alpha)
    confirmations = tuple(c for c in ledger.confirmations() if c.experiment == verdict.arm)
    promoted = [r.number for r in rounds if r.content["promoted"] == verdict.arm]
    looks = tuple(ledger.held_out_accesses())
    return Champion(verdict.arm, verdict, promoted[-1] if promoted else None, optimism, looks, confirmations)


def champion_to_start_from(campaign: Campaign, results: Results, audit: Audit, rounds: Sequence[RoundRecord]) -> str:
    """Name of the champion that the next round starts from, or else of the baseline.

    A round that waits to be judged is judged against the champion that it was planned from.

    Args:
        campaign: that the results are of.
        results: what it shows.
        audit: of these results.
        rounds: that were planned so far, in order.
    """
    if rounds:
        return champion_of_rounds(results, audit, rounds)
    known = champion_of(campaign, results, audit)
    return known.name if known is not None else results.baseline


def champion_of_rounds(results: Results, audit: Audit, rounds: Sequence[RoundRecord]) -> str:
    """Name of the last champion of rounds that no error stands against, or else of the baseline.

    Args:
        results: of a campaign.
        audit: of these results.
        rounds: of the campaign, in order.
    """
    scored = {a.name for a in results.tried}
    for name in reversed(champions_of_rounds(rounds)):
        if name in scored and not audit.against(name):
            return name
    return results.baseline


def champions_of_rounds(rounds: Sequence[RoundRecord]) -> list[str]:
    """The champion before the first round, and after each; before it, of one that waits to be judged.

    Args:
        rounds: in order.
    """
    first = [r.content["champion_before"] for r in rounds[:1]]
    return first + [r.content["champion" if r.state == ROUND_JUDGED else "champion_before"] for r in rounds]


def judged(rounds: Sequence[RoundRecord]) -> list[RoundRecord]:
    """Those that have ended."""
    return [r for r in rounds if r.state == ROUND_JUDGED]


def _best_of_better(results: Results, audit: Audit) -> str | None:
    blocked = blocked_by(results, audit)
    arms = [results.arm(v.arm) for v in results.verdicts if v.outcome == "better" and v.arm not in blocked]
    best = min(arms, key=lambda a: a.score if a.metric.better == "lower" else -a.score, default=None)
    return best.name if best is not None else None


def blocked_by(results: Results, audit: Audit) -> dict[str, tuple[Finding, ...]]:
    """Experiments that are better than the baseline and cannot be champion, to the errors against each.

    Args:
        results: of a campaign.
        audit: of these results.
    """
    against = {v.arm: errors_against(v.arm, results, audit) for v in results.verdicts if v.outcome == "better"}
    return {name: errors for name, errors in against.items() if errors}


def errors_against(name: str, results: Results, audit: Audit) -> tuple[Finding, ...]:
    """Errors about an experiment, about a split, or about the data.

    Args:
        name: of the experiment.
        results: of a campaign.
        audit: of these results.
    """
    names = {r.name for r in results.records}
    of_the_data = (f for f in audit.errors if f.subject is not None and f.subject not in names)
    return (*audit.against(name), *of_the_data)


def why_no_champion(campaign: Campaign, results: Results, audit: Audit) -> tuple[str, str]:
    """What stands against there being one, and what to do.

    Args:
        campaign: that the results are of.
        results: what it shows.
        audit: of these results.
    """
    blocked, baseline = blocked_by(results, audit), results.baseline
    better = [v.arm for v in results.verdicts if v.outcome == "better"]
    if blocked and len(blocked) == len(better):
        codes = {name: ", ".join(sorted({f.code for f in errors})) for name, errors in blocked.items()}
        against = "; ".join(f"{name}: {of_name}" for name, of_name in list(codes.items())[:MOST_NAMED])
        against += f"; {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else ""
        what = f"errors of the audit stand against all that are better than '{baseline}' ({against})"
        return what, f"'probatum explain {next(iter(blocked.values()))[0].code}'"
    if better and judged(campaign.ledger.rounds()):
        what = f"no round promoted an experiment over '{baseline}'"
        return what, "'probatum auto' goes on, and at its end holds all that was tried against it"
    return f"no experiment is better than '{baseline}'", "'probatum compare --all' shows what would decide"
