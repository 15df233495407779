"""Alpha-spending: the error rate of a round, so that a campaign of any length errs no more than one comparison."""

from __future__ import annotations

import math


def spent(alpha: float, round: int) -> float:
    """The share of alpha that round k = 1, 2, ... may spend: alpha_k = 6 alpha / (pi^2 k^2).

    All rounds together spend alpha, because sum 1/k^2 = pi^2/6: by Bonferroni the chance of any wrong verdict in any
    number of rounds is at most alpha, however the rounds depend on one another and whenever the campaign stops. (Until
    a first error the champion is the same, so that a champion which changes costs nothing more.) The rule is online
    Bonferroni, or alpha-spending: Foster and Stine, Journal of the Royal Statistical Society B 70, 429 (2008); Tian
    and Ramdas, Statistical Methods in Medical Research 30, 976 (2021).

    Args:
        alpha: error rate over all rounds.
        round: from 1.

    Raises:
        ValueError: a round before the first, or an alpha that is no error rate.
    """
    if round < 1:
        raise ValueError(f"round {round}: the first round is 1")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} must lie between 0 and 1")
    return 6 * alpha / (math.pi * round) ** 2
