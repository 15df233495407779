"""Every fault of the audit's catalogue, planted at random at the effect that its check states, and whether it is found.

Sizes, places and noise are drawn: 40 to 400 rows, 2 to 20 columns, 3 to 12 groups.
"""

from __future__ import annotations

from collections.abc import Callable

import audit_data_faults as data
import audit_run_faults as runs
from audit_campaigns import Generator

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit

FAULTS: dict[str, Callable[[Generator], Audit]] = {
    "PB101": data.copied_rows,
    "PB102": data.noisy_copies,
    "PB103": data.torn_group,
    "PB104": data.overlapping_sources,
    "PB105": data.other_unit,
    "PB106": data.impossible_label,
    "PB201": runs.diverged,
    "PB202": runs.dead_part,
    "PB203": runs.over_fitted,
    "PB204": runs.unfinished,
    "PB205": runs.too_good,
    "PB206": runs.luck_of_seeds,
    "PB207": runs.drifted_scale,
    "PB301": runs.scored_differently,
    "PB302": runs.contradicting,
    "PB303": runs.squared_correlation,
    "PB304": runs.no_better_than_the_mean,
    "PB305": runs.target_out_of_reach,
    "PB306": runs.another_unit,
    "PB401": runs.unread_key,
    "PB402": runs.idle_seed,
    "PB403": runs.idle_mutation,
    "PB404": runs.several_changes,
    "PB405": runs.saved_too_early,
    "PB501": runs.chosen_on_reported,
    "PB502": runs.best_of_many,
    "PB503": runs.claimed,
    "PB504": runs.estimated,
    "PB601": data.undetermined,
    "PB602": data.unlawful,
    "PB603": data.drawn_from_training,
    "PB604": data.extrapolated,
}
NOTES = ("PB604",)
"""Checks that never say more than a note."""


def finding_of(code: str, generator: Generator) -> Finding | None:
    """What an audit says of a planted fault under its own code: an error or a warning, where the check has any."""
    found = FAULTS[code](generator).findings
    return next((f for f in found if f.code == code and (f.severity != "note" or code in NOTES)), None)
