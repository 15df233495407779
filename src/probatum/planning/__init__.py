"""What to try next: proposals, who makes them, and how a round is filled with them."""

from probatum.planning.proposal import Expected as Expected
from probatum.planning.proposal import History as History
from probatum.planning.proposal import Proposal as Proposal
from probatum.planning.proposal import Proposer as Proposer

__all__ = ["Expected", "History", "Proposal", "Proposer"]
