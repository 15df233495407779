"""Every check by its code."""

from __future__ import annotations

from probatum.audit import configuration, data, physics, scores, selection, training
from probatum.audit.finding import Check

CHECKS: dict[str, Check] = {
    check.code: check
    for family in (data, training, scores, configuration, selection, physics)
    for check in family.CHECKS
}
